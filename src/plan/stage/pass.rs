//! The first pass in two plans: one takes the measures, the other decides by them.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{LogicalPlan, col, in_list, lit, when};

use super::{Measures, Taken, column, measured};
use crate::engine::read::table::{DIGEST, ERROR, LINE, LOCATION};
use crate::hir::{Dataset, Expr, ExprKind, Literal, Program, Step, StepKind};
use crate::plan::chain::Chain;
use crate::plan::dataset::{first_pass_columns, first_verdict, follow, lower_step};
use crate::plan::expr::lower;
use crate::plan::measures::share;
use crate::plan::{cleaning, column_name, compliance, labels, split};

/// What is measured of each record, over a scan of the data set's table: `_location`, `_line`, `_digest`, `_error`, then the
/// columns of [`Measures::columns`].
pub fn measure_pass(
    program: &Program,
    dataset: &Dataset,
    measures: &Measures,
    scan: LogicalPlan,
) -> Result<LogicalPlan> {
    let chain = split::lower_groups(Chain::new(scan), dataset)?;
    let chain = labels::lower_found(chain, program, dataset)?;
    let (works, steps) = works(dataset, measures);
    let shared = share(dataset.columns.len(), &steps)?;
    let by = |chain| split::lower_by(chain, dataset);
    let chain = follow(chain, &steps, by, |chain, work| {
        let chain = match shared.before(work) {
            Some(records) => chain.stage(records)?,
            None => chain,
        };
        lower_work(chain, dataset, measures, works[work], &shared.kinds[work])
    })?;
    let chain = split::lower_split(chain, dataset)?;
    let mut last = Vec::new();
    for (node, taken) in measures.measures.iter().zip(&measures.taken) {
        match taken {
            Taken::Before(..) => {}
            Taken::Column(name) => last.push((column(&node.digest), col(name))),
            Taken::Listed(name, values) => {
                let list = values.iter().map(|value| lit(value.as_str())).collect();
                let value = when(col(name).is_null(), lit(ScalarValue::try_from(&DataType::Utf8)?))
                    .when(in_list(col(name), list, false), col(name))
                    .otherwise(lit(no_value(values)))?;
                last.push((column(&node.digest), value));
            }
        }
    }
    let chain = if last.is_empty() { chain } else { chain.stage(last)? };
    let mut names = [LOCATION, LINE, DIGEST, ERROR].map(str::to_owned).to_vec();
    names.extend(measures.columns());
    chain.select(&names)
}

/// What is done in its turn.
#[derive(Clone, Copy)]
enum Work {
    /// A part of a condition is measured: an index into the measures.
    Part(usize),
    /// A step is taken, without its verdict.
    Step(usize),
}

/// The parts of each step's condition, then the step: each with a step of its own, so that the measures of one text that
/// several of them ask are found.
fn works(dataset: &Dataset, measures: &Measures) -> (Vec<Work>, Vec<Step>) {
    let mut parts: Vec<Vec<(usize, &Expr)>> = dataset.steps.iter().map(|_| Vec::new()).collect();
    for (measure, taken) in measures.taken.iter().enumerate() {
        if let Taken::Before(step, part) = taken {
            parts[*step].push((measure, part));
        }
    }
    let (mut works, mut steps) = (Vec::new(), Vec::new());
    for (at, (step, parts)) in dataset.steps.iter().zip(parts).enumerate() {
        for (measure, part) in parts {
            works.push(Work::Part(measure));
            steps.push(Step { kind: StepKind::Drop { condition: part.clone() }, ..step.clone() });
        }
        works.push(Work::Step(at));
        let kind = match &step.kind {
            // Its condition is measured in parts.
            StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => {
                let truth = ExprKind::Literal(Literal::Bool(true));
                StepKind::Drop { condition: Expr { kind: truth, ..condition.clone() } }
            }
            StepKind::Set { .. }
            | StepKind::DedupExact { .. }
            | StepKind::DedupNear { .. }
            | StepKind::Label { .. }
            | StepKind::Redact { .. }
            | StepKind::Pair { .. } => step.kind.clone(),
        };
        steps.push(Step { kind, ..step.clone() });
    }
    (works, steps)
}

fn lower_work(chain: Chain, dataset: &Dataset, measures: &Measures, work: Work, kind: &StepKind) -> Result<Chain> {
    match (work, kind) {
        (Work::Part(measure), StepKind::Drop { condition }) => {
            chain.stage(vec![(column(&measures.measures[measure].digest), lower(condition)?)])
        }
        (Work::Part(_) | Work::Step(_), StepKind::Drop { .. } | StepKind::Forbid { .. }) => Ok(chain),
        (Work::Step(at), StepKind::Label { column, value, .. }) => labels::lower_label(chain, at, *column, value, None),
        (Work::Step(at), kind) => lower_step(chain, at, &dataset.columns, kind),
        (Work::Part(_), _) => unreachable!("a part stands in a step that drops"),
    }
}

/// What stands for a value that is none of these.
fn no_value(values: &[String]) -> String {
    let mut mark = "?".to_owned();
    while values.contains(&mark) {
        mark.push('?');
    }
    mark
}

/// What [`crate::plan::first_pass`] gives, over a scan of what [`measure_pass`] gave.
pub fn verdict_pass(
    program: &Program,
    dataset: &Dataset,
    measures: &Measures,
    scan: LogicalPlan,
) -> Result<LogicalPlan> {
    let of = |position: usize| col(column(&measures.measures[position].digest));
    let mut values: Vec<_> = measures.named.iter().map(|(name, position)| (name.clone(), of(*position))).collect();
    let parts = (0..measures.measures.len()).filter(|at| matches!(measures.taken[*at], Taken::Before(..)));
    values.extend(parts.map(|at| (column_name(measured(dataset, at).0 as usize), of(at))));
    let chain = Chain::new(scan);
    let chain = if values.is_empty() { chain } else { chain.stage(values)? };
    let mut verdicts = Vec::new();
    for (&at, condition) in &measures.conditions {
        let name = match dataset.steps[at].kind {
            StepKind::Forbid { else_drop: false, .. } => compliance::forbidden(at),
            StepKind::Forbid { else_drop: true, .. }
            | StepKind::Drop { .. }
            | StepKind::Label { .. }
            | StepKind::Set { .. }
            | StepKind::DedupExact { .. }
            | StepKind::DedupNear { .. }
            | StepKind::Redact { .. }
            | StepKind::Pair { .. } => cleaning::verdict(at),
        };
        verdicts.push((name, lower(condition)?));
    }
    let chain = if verdicts.is_empty() { chain } else { chain.stage(verdicts)? };
    let verdict = first_verdict(&dataset.steps)?;
    let chain = chain.stage(vec![(crate::plan::dataset::VERDICT.to_owned(), verdict)])?;
    let wanted = first_pass_columns(program, dataset);
    let present: Vec<String> = wanted.into_iter().filter(|name| chain.has(name)).collect();
    chain.select(&present)
}
