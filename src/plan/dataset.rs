//! A data set as two plans: the first pass has what decides over each record and no text that it can do without, the
//! second what is written.

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr as Plan, LogicalPlan, col, lit, when};

use super::chain::Chain;
use super::expr::lower;
use super::split::{self, groups, pers};
use super::together::Together;
use super::{Prepared, cleaning, column_name, compliance, labels};
use crate::engine::read::table::{DIGEST, ERROR, LINE, LOCATION};
use crate::hir::{ColumnId, Dataset, Expr, Program, SplitRule, Step, StepBlock, StepKind};

/// The index of the first step whose verdict fires, null when none does.
pub const VERDICT: &str = "_verdict";

/// What decides over each record, over a scan of the data set's table:
/// `_location`, `_line`, `_digest`, `_error`, `_verdict`, then a column for each need of a step, of the split and of the
/// requirements, and the labels' own.
pub fn first_pass(program: &Program, dataset: &Dataset, prepared: &Prepared, scan: LogicalPlan) -> Result<LogicalPlan> {
    let chain = decide(program, dataset, prepared, scan)?;
    let wanted = first_pass_columns(program, dataset);
    let present: Vec<String> = wanted.into_iter().filter(|name| chain.has(name)).collect();
    chain.select(&present)
}

/// The texts among which near-duplicates are looked for, over a scan of the records concerned: `_location` and `columns`:
/// [`cleaning::near_text`] of a step, with its [`cleaning::score`] where it has one, or [`split::NEAR`].
pub fn near_pass(
    program: &Program,
    dataset: &Dataset,
    prepared: &Prepared,
    columns: &[String],
    scan: LogicalPlan,
) -> Result<LogicalPlan> {
    decide(program, dataset, prepared, scan)?.select(&[&[LOCATION.to_owned()], columns].concat())
}

/// All that may decide over a record.
fn decide(program: &Program, dataset: &Dataset, prepared: &Prepared, scan: LogicalPlan) -> Result<Chain> {
    let chain = split::lower_groups(Chain::new(scan), dataset)?;
    let chain = labels::lower_found(chain, program, dataset)?;
    let chain = labels::keep_read(chain, dataset)?;
    let before_policy = |chain| labels::lower_judged(split::lower_by(chain, dataset)?, dataset);
    let chain = lower_steps(chain, dataset, prepared, before_policy)?;
    let chain = split::lower_split(chain, dataset)?;
    chain.stage(vec![(VERDICT.to_owned(), first_verdict(&dataset.steps)?)])
}

/// What is written of each record, over a scan: `_location`, the columns that no label hides, what each `redact` found,
/// and the values of `extras`, `_extra0` …, over the columns as they are emitted.
pub fn second_pass(dataset: &Dataset, prepared: &Prepared, extras: &[&Expr], scan: LogicalPlan) -> Result<LogicalPlan> {
    let chain = labels::keep_read(Chain::new(scan), dataset)?;
    let chain = lower_steps(chain, dataset, prepared, Ok)?;
    let chain = lower_extras(chain, extras)?;
    let mut names = vec![LOCATION.to_owned()];
    let visible = dataset.columns.iter().enumerate().filter(|(_, column)| !column.hidden);
    names.extend(visible.map(|(at, _)| column_name(at)));
    for (step, one) in dataset.steps.iter().enumerate() {
        if let StepKind::Redact { columns, .. } = &one.kind {
            names.extend(columns.iter().map(|id| compliance::found(step, *id)));
        }
    }
    names.extend((0..extras.len()).map(extra));
    chain.select(&names)
}

/// The declared columns as they are read: `_location`, then each that no label computes.
pub fn raw_pass(dataset: &Dataset, scan: LogicalPlan) -> Result<LogicalPlan> {
    let declared = dataset.columns.iter().enumerate().filter(|(_, column)| column.label.is_none());
    let names = [LOCATION.to_owned()].into_iter().chain(declared.map(|(at, _)| column_name(at)));
    Chain::new(scan).select(&names.collect::<Vec<_>>())
}

/// Columns as they are before a step: `_location`, then each of them.
pub fn before_pass(
    dataset: &Dataset,
    prepared: &Prepared,
    step: usize,
    columns: &[ColumnId],
    scan: LogicalPlan,
) -> Result<LogicalPlan> {
    let chain = lower_all(Chain::new(scan), dataset, prepared, step)?;
    let names = columns.iter().map(|id| column_name(id.0 as usize));
    chain.select(&[LOCATION.to_owned()].into_iter().chain(names).collect::<Vec<_>>())
}

/// What one `set` or `redact` makes of its columns: `_location`, then of each column its value [`before`] the step and, under
/// its own name, behind it, and what a `redact` found.
pub fn step_pass(dataset: &Dataset, prepared: &Prepared, step: usize, scan: LogicalPlan) -> Result<LogicalPlan> {
    let mut chain = lower_all(Chain::new(scan), dataset, prepared, step)?;
    let columns = changed_columns(&dataset.steps[step].kind);
    chain = chain.stage(columns.iter().map(|id| (before(*id), super::expr::column(*id))).collect())?;
    chain = lower_step(chain, step, dataset, prepared)?;
    let mut names = vec![LOCATION.to_owned()];
    for id in columns {
        names.extend([before(id), column_name(id.0 as usize)]);
        names.extend(Some(compliance::found(step, id)).filter(|name| chain.has(name)));
    }
    chain.select(&names)
}

/// The column of [`step_pass`] with a column's value before the step.
pub fn before(column: ColumnId) -> String {
    format!("_before{}", column.0)
}

/// The columns to which a step gives new values in place of those that were read.
pub fn changed_columns(step: &StepKind) -> Vec<ColumnId> {
    match step {
        StepKind::Set { column, .. } | StepKind::DedupPieces { column, .. } => vec![*column],
        StepKind::Redact { columns, .. } => columns.clone(),
        StepKind::Drop { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Label { .. }
        | StepKind::Forbid { .. }
        | StepKind::Pair { .. }
        | StepKind::Sample { .. } => Vec::new(),
    }
}

/// Both passes at once, over records given by hand: what decides over each record, what each step has to say of it, all
/// columns as they are in the end, and the values of `extras` over these.
pub fn test_pass(
    program: &Program,
    dataset: &Dataset,
    prepared: &Prepared,
    extras: &[&Expr],
    scan: LogicalPlan,
) -> Result<LogicalPlan> {
    let chain = lower_extras(decide(program, dataset, prepared, scan)?, extras)?;
    let mut names = first_pass_columns(program, dataset);
    for (at, step) in dataset.steps.iter().enumerate() {
        match &step.kind {
            StepKind::Drop { .. }
            | StepKind::Forbid { .. }
            | StepKind::DedupPieces { .. }
            | StepKind::Decontaminate { .. } => names.push(cleaning::verdict(at)),
            StepKind::DedupNear { .. } => names.extend([cleaning::near_text(at), cleaning::score(at)]),
            StepKind::Redact { columns, .. } => names.extend(columns.iter().map(|id| compliance::found(at, *id))),
            StepKind::Set { .. }
            | StepKind::DedupExact { .. }
            | StepKind::Label { .. }
            | StepKind::Pair { .. }
            | StepKind::Sample { .. } => {}
        }
    }
    for name in (0..dataset.columns.len()).map(column_name) {
        // The first pass has the columns of labels already.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.extend((0..extras.len()).map(extra));
    names.retain(|name| chain.has(name));
    chain.select(&names)
}

fn lower_extras(chain: Chain, extras: &[&Expr]) -> Result<Chain> {
    let values = extras.iter().enumerate();
    let values = values.map(|(at, expr)| Ok((extra(at), lower(expr)?))).collect::<Result<Vec<_>>>()?;
    if values.is_empty() { Ok(chain) } else { chain.stage(values) }
}

/// The column of the second pass with the value of this extra expression.
pub fn extra(position: usize) -> String {
    format!("_extra{position}")
}

/// All steps in order; `before_policy` adds what is to be set aside when the record is clean and labelled.
fn lower_steps(
    chain: Chain,
    dataset: &Dataset,
    prepared: &Prepared,
    before_policy: impl FnOnce(Chain) -> Result<Chain>,
) -> Result<Chain> {
    let Dataset { columns, steps, .. } = dataset;
    let conditions: Vec<(usize, &Expr)> =
        steps.iter().enumerate().filter_map(|(at, step)| Some((at, condition(&step.kind)?))).collect();
    let together = Together::of(columns.len(), steps, &conditions);
    let mut exprs = together.exprs.iter();
    follow(chain, steps, before_policy, |chain, at| {
        let chain = together.lower_before(chain, at)?;
        match &steps[at].kind {
            StepKind::Drop { .. } => cleaning::lower_condition(chain, at, exprs.next().expect("each has its own")),
            StepKind::Forbid { else_drop, .. } => {
                compliance::lower_forbid(chain, at, exprs.next().expect("each has its own"), *else_drop)
            }
            _ => lower_step(chain, at, dataset, prepared),
        }
    })
}

/// The condition of a `drop` or `forbid`.
fn condition(step: &StepKind) -> Option<&Expr> {
    match step {
        StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => Some(condition),
        StepKind::Set { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Label { .. }
        | StepKind::Redact { .. }
        | StepKind::Pair { .. } => None,
    }
}

/// Takes each step in order, and `before_policy` between those that clean and label and those of a policy.
pub(super) fn follow(
    mut chain: Chain,
    steps: &[Step],
    before_policy: impl FnOnce(Chain) -> Result<Chain>,
    mut take: impl FnMut(Chain, usize) -> Result<Chain>,
) -> Result<Chain> {
    let policy = first_of_policy(steps);
    for at in 0..policy {
        chain = take(chain, at)?;
    }
    chain = before_policy(chain)?;
    for at in policy..steps.len() {
        chain = take(chain, at)?;
    }
    Ok(chain)
}

/// The first steps of a data set, in order.
fn lower_all(chain: Chain, dataset: &Dataset, prepared: &Prepared, steps: usize) -> Result<Chain> {
    let mut chain = labels::keep_read(chain, dataset)?;
    for at in 0..steps {
        chain = lower_step(chain, at, dataset, prepared)?;
    }
    Ok(chain)
}

/// The index of the first step of a policy, or the number of steps.
pub(super) fn first_of_policy(steps: &[Step]) -> usize {
    steps.iter().position(|step| step.block == StepBlock::Policy).unwrap_or(steps.len())
}

pub(super) fn lower_step(chain: Chain, at: usize, dataset: &Dataset, prepared: &Prepared) -> Result<Chain> {
    match &dataset.steps[at].kind {
        StepKind::Set { column, value } => cleaning::lower_set(chain, at, &dataset.columns, *column, value),
        StepKind::Drop { condition } => cleaning::lower_condition(chain, at, condition),
        StepKind::DedupExact { columns, keep } => cleaning::lower_dedup_exact(chain, at, columns, keep),
        StepKind::DedupNear { column, keep, .. } => cleaning::lower_dedup_near(chain, at, *column, keep),
        StepKind::DedupPieces { column, .. } => {
            let cuts = prepared.cuts.get(&at).expect("what is cut is found before the step is lowered");
            cleaning::lower_dedup_pieces(chain, at, *column, cuts)
        }
        StepKind::Decontaminate { column, .. } => {
            let evaluation = prepared.evaluated.get(&at).expect("evaluated texts are read before the step is lowered");
            cleaning::lower_decontaminate(chain, at, *column, evaluation)
        }
        StepKind::Sample { taken, .. } => cleaning::lower_sample(chain, at, taken.by()),
        StepKind::Label { column, value, form, drop_when, .. } => {
            labels::lower_label(chain, at, (*column, form), value, drop_when.as_ref())
        }
        StepKind::Redact { columns, detectors } => {
            let chain = labels::carry_spans(chain, &dataset.steps[..at], columns, detectors)?;
            compliance::lower_redact(chain, at, columns, detectors)
        }
        StepKind::Forbid { condition, else_drop } => compliance::lower_forbid(chain, at, condition, *else_drop),
        // What an output cannot hold is seen when it is rendered.
        StepKind::Pair { .. } => Ok(chain),
    }
}

/// Whether a step has a verdict column that drops.
fn drops(step: &StepKind) -> bool {
    match step {
        StepKind::Drop { .. }
        | StepKind::Forbid { else_drop: true, .. }
        | StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. } => true,
        StepKind::Label { drop_when, .. } => drop_when.is_some(),
        StepKind::Forbid { else_drop: false, .. }
        | StepKind::Set { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::Redact { .. }
        | StepKind::Pair { .. }
        | StepKind::Sample { .. } => false,
    }
}

pub(super) fn first_verdict(steps: &[Step]) -> Result<Plan> {
    let firing = steps.iter().enumerate().filter(|(_, step)| drops(&step.kind));
    let mut verdicts = firing.map(|(at, _)| (col(cleaning::verdict(at)), lit(at as i32)));
    let Some((condition, index)) = verdicts.next() else { return Ok(lit(ScalarValue::Int32(None))) };
    let mut case = when(condition, index);
    for (condition, index) in verdicts {
        case = case.when(condition, index);
    }
    case.end()
}

pub(super) fn first_pass_columns(program: &Program, dataset: &Dataset) -> Vec<String> {
    let mut names: Vec<String> = [LOCATION, LINE, DIGEST, ERROR, VERDICT].map(str::to_owned).to_vec();
    for (at, step) in dataset.steps.iter().enumerate() {
        match &step.kind {
            StepKind::Set { .. } | StepKind::DedupPieces { .. } => names.push(cleaning::changed(at)),
            StepKind::DedupExact { .. } => names.extend([cleaning::dedup_key(at), cleaning::score(at)]),
            StepKind::Sample { .. } => names.push(cleaning::sampled_by(at)),
            StepKind::Label { column, form, .. } => names.push(labels::deciding(at, *column, form)),
            StepKind::Forbid { else_drop: false, .. } => names.push(compliance::forbidden(at)),
            StepKind::Drop { .. }
            | StepKind::DedupNear { .. }
            | StepKind::Decontaminate { .. }
            | StepKind::Redact { .. }
            | StepKind::Forbid { else_drop: true, .. }
            | StepKind::Pair { .. } => {}
        }
    }
    names.extend((0..labels::found_fields(program, dataset).len()).map(labels::found_column));
    names.extend(groups(dataset).into_iter().map(split::group));
    names.extend(pers(dataset).into_iter().map(|(at, _)| split::per(at)));
    match &dataset.split.rule {
        SplitRule::AllTrain => {}
        SplitRule::ByField(_) => names.push(split::PART.to_owned()),
        SplitRule::Shares { .. } => {
            names.extend([split::BY, split::STRATUM, split::TIME].map(str::to_owned));
        }
    }
    names
}
