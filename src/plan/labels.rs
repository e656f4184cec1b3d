//! Labels: their values as the record says, and the raw values that a label `from` a source's field finds.

use datafusion::common::Result;
use datafusion::logical_expr::col;

use super::chain::Chain;
use super::expr::lower;
use super::{cleaning, column_name, scalar};
use crate::hir::{ColumnId, Dataset, Expr, LabelForm, LabelId, LabelSchema, LabelValues, Program, SourceId, StepKind};

/// A field whose distinct values a label has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundField {
    /// The label.
    pub label: LabelId,
    /// The source; it need not be one of the data set's.
    pub source: SourceId,
    /// The index of the field in the source.
    pub field: usize,
}

/// The labels of a data set whose values are found in data, in the order of the steps.
pub fn found_fields(program: &Program, dataset: &Dataset) -> Vec<FoundField> {
    let mut fields: Vec<FoundField> = Vec::new();
    for step in &dataset.steps {
        if let StepKind::Label { label, .. } = step.kind
            && let LabelSchema::Choice(LabelValues::Found { source, field }) = program[label].schema
            && fields.iter().all(|known| known.label != label)
        {
            fields.push(FoundField { label, source, field });
        }
    }
    fields
}

/// The column that holds the raw values of a [`FoundField`], by its position.
pub fn found_column(position: usize) -> String {
    format!("_found{position}")
}

/// Sets aside the raw values that labels are found in, before any step changes them.
pub(super) fn lower_found(chain: Chain, program: &Program, dataset: &Dataset) -> Result<Chain> {
    let mut values = Vec::new();
    for (at, found) in found_fields(program, dataset).iter().enumerate() {
        let name = &program[found.source].fields[found.field].name;
        let column = dataset.columns.iter().position(|column| column.label.is_none() && column.name == *name);
        if dataset.sources.contains(&found.source)
            && let Some(column) = column
        {
            values.push((found_column(at), col(column_name(column))));
        }
    }
    if values.is_empty() { Ok(chain) } else { chain.stage(values) }
}

/// The column of the first pass that decides over a label: its own where it is one text, else what is kept of its list.
pub fn deciding(step: usize, column: ColumnId, form: &LabelForm) -> String {
    match form {
        LabelForm::One => column_name(column.0 as usize),
        LabelForm::Several(_) => format!("_label{step}"),
    }
}

/// A label's raw value with what decides over it, and the verdict of the mapping's `drop`.
pub(super) fn lower_label(
    chain: Chain,
    step: usize,
    (column, form): (ColumnId, &LabelForm),
    value: &Expr,
    drop_when: Option<&Expr>,
) -> Result<Chain> {
    let mut values = vec![(column_name(column.0 as usize), lower(value)?)];
    if let Some(condition) = drop_when {
        values.push((cleaning::verdict(step), lower(condition)?));
    }
    let chain = chain.stage(values)?;
    match form {
        LabelForm::One => Ok(chain),
        LabelForm::Several(choices) => {
            chain.stage(vec![(deciding(step, column, form), scalar::choices(super::expr::column(column), choices))])
        }
    }
}
