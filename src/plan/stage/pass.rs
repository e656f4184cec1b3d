//! The first pass in two plans: one takes the measures, the other decides by them.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{LogicalPlan, col, in_list, lit, when};

use super::{Measures, Taken, column, measured};
use crate::engine::read::table::{DIGEST, ERROR, LINE, LOCATION};
use crate::hir::{Dataset, Expr, Program, StepKind};
use crate::plan::chain::Chain;
use crate::plan::dataset::{first_pass_columns, first_verdict, follow, lower_step};
use crate::plan::expr::lower;
use crate::plan::together::Together;
use crate::plan::{Prepared, cleaning, column_name, compliance, labels, scalar, split};

/// What is measured of each record, over a scan of the data set's table: `_location`, `_line`, `_digest`, `_error`, then the
/// columns of [`Measures::columns`].
pub fn measure_pass(
    program: &Program,
    dataset: &Dataset,
    measures: &Measures,
    prepared: &Prepared,
    scan: LogicalPlan,
) -> Result<LogicalPlan> {
    let chain = split::lower_groups(Chain::new(scan), dataset)?;
    let chain = labels::lower_found(chain, program, dataset)?;
    let chain = labels::keep_read(chain, dataset)?;
    let by = |chain| labels::lower_judged(split::lower_by(chain, dataset)?, dataset);
    let parts = Parts::of(dataset, measures);
    let chain = follow(chain, &dataset.steps, by, |chain, at| {
        measure_step(parts.lower_before(chain, at)?, at, dataset, prepared)
    })?;
    let chain = split::lower_split(chain, dataset)?;
    let mut last = Vec::new();
    for (node, taken) in measures.measures.iter().zip(&measures.taken) {
        match taken {
            Taken::Before(..) => {}
            Taken::Pieces(id, pieces) => {
                last.push((column(&node.digest), scalar::pieces(crate::plan::expr::column(*id), *pieces)));
            }
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

/// What is measured before steps.
struct Parts {
    /// The step and the column of each.
    places: Vec<(usize, String)>,
    /// The expressions beside them.
    together: Together,
}

impl Parts {
    fn of(dataset: &Dataset, measures: &Measures) -> Self {
        let taken = measures.measures.iter().zip(&measures.taken);
        let mut parts: Vec<(usize, &Expr, String)> = taken
            .filter_map(|(node, taken)| match taken {
                Taken::Before(step, part) => Some((*step, part, column(&node.digest))),
                Taken::Column(_) | Taken::Listed(..) | Taken::Pieces(..) => None,
            })
            .collect();
        parts.sort_by_key(|(step, ..)| *step);
        let asked: Vec<(usize, &Expr)> = parts.iter().map(|(step, part, _)| (*step, *part)).collect();
        let together = Together::of(dataset.columns.len(), &dataset.steps, &asked);
        Self { places: parts.into_iter().map(|(step, _, column)| (step, column)).collect(), together }
    }

    /// Measures what is measured before a step.
    fn lower_before(&self, chain: Chain, step: usize) -> Result<Chain> {
        let chain = self.together.lower_before(chain, step)?;
        let here = self.places.iter().zip(&self.together.exprs).filter(|((at, _), _)| *at == step);
        let parts = here.map(|((_, column), part)| Ok((column.clone(), lower(part)?))).collect::<Result<Vec<_>>>()?;
        if parts.is_empty() { Ok(chain) } else { chain.stage(parts) }
    }
}

/// A step without its verdict.
fn measure_step(chain: Chain, at: usize, dataset: &Dataset, prepared: &Prepared) -> Result<Chain> {
    match &dataset.steps[at].kind {
        StepKind::Drop { .. } | StepKind::Forbid { .. } => Ok(chain),
        StepKind::Label { column, value, form, .. } => labels::lower_label(chain, at, (*column, form), value, None),
        StepKind::Set { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Redact { .. }
        | StepKind::Pair { .. } => lower_step(chain, at, dataset, prepared),
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
            | StepKind::DedupPieces { .. }
            | StepKind::Decontaminate { .. }
            | StepKind::Sample { .. }
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
