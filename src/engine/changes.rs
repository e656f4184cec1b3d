//! What a step makes of the columns of a record: before and behind it.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde_json::{Map, Value};

use crate::emit::{RenderError, objects};
use crate::hir::{ColumnId, Dataset, Program, StepKind};
use crate::plan::dataset::before;
use crate::plan::personal::personal_before;
use crate::plan::{changed_columns, column_name, compliance};

/// What a step did to one column of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The column's name.
    pub column: String,
    /// Its value before the step.
    pub before: Value,
    /// Its value behind it.
    pub after: Value,
    /// Whether the value before may hold personal data.
    pub personal_before: bool,
    /// Whether the value behind may.
    pub personal_after: bool,
    /// How much of each kind a `redact` found.
    pub found: Vec<(&'static str, u64)>,
}

/// What a `set` or a `redact` made of each row of a batch of [`step_pass`](crate::plan::step_pass).
pub(super) fn changes_in(
    program: &Program,
    dataset: &Dataset,
    step: usize,
    batch: &RecordBatch,
) -> Result<Vec<Vec<Change>>, RenderError> {
    let personal = |steps: usize| personal_before(program, dataset, steps);
    let (earlier, later) = (personal(step), personal(step + 1));
    let row = |(at, values): (usize, Map<String, Value>)| {
        let change = |id: ColumnId| Change {
            column: dataset.columns[id.0 as usize].name.clone(),
            before: values[before(id).as_str()].clone(),
            after: values[column_name(id.0 as usize).as_str()].clone(),
            personal_before: earlier[id.0 as usize].is_some(),
            personal_after: later[id.0 as usize].is_some(),
            found: kinds(dataset, step).into_iter().zip(found(batch, step, id, at)).filter(|(_, n)| *n > 0).collect(),
        };
        let changed = changed_columns(&dataset.steps[step].kind).into_iter().map(change);
        changed.filter(|change| change.before != change.after).collect()
    };
    Ok(values(batch)?.into_iter().enumerate().map(row).collect())
}

/// The values of a plan's columns; those that say what was found are for [`found`].
pub(super) fn values(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, RenderError> {
    let names = batch.schema();
    let plain = names.fields().iter().enumerate();
    let plain = plain.filter(|(_, field)| field.name().starts_with('c') || field.name().starts_with("_before"));
    let plain: Vec<usize> = plain.map(|(at, _)| at).collect();
    objects(&batch.project(&plain).expect("the columns are those of the batch"))
}

/// How much each detector of a `redact` found in a column of a row; nothing for a `set`.
pub(super) fn found(batch: &RecordBatch, step: usize, column: ColumnId, row: usize) -> Vec<u64> {
    let Some(counts) = batch.column_by_name(&compliance::found(step, column)) else { return Vec::new() };
    let counts = counts.as_list::<i32>();
    if !counts.is_valid(row) {
        return Vec::new();
    }
    counts.value(row).as_primitive::<Int64Type>().values().iter().map(|count| *count as u64).collect()
}

/// The detectors of a `redact`.
fn kinds(dataset: &Dataset, step: usize) -> Vec<&'static str> {
    match &dataset.steps[step].kind {
        StepKind::Redact { detectors, .. } => detectors.iter().map(|detector| detector.name).collect(),
        StepKind::Set { .. }
        | StepKind::Drop { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Label { .. }
        | StepKind::Forbid { .. }
        | StepKind::Pair { .. } => Vec::new(),
    }
}
