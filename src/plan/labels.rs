//! Labels: their values as the record says, whether those that are numbers are as the schema says, and the raw values that a
//! label `from` a source's field finds.

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr as Plan, col, lit, when};

use super::chain::Chain;
use super::expr::lower;
use super::{cleaning, column_name, scalar};
use crate::hir::{
    ColumnId, Dataset, Expr, LabelForm, LabelId, LabelSchema, LabelValues, Program, ScalarSchema, SourceId, StepKind,
};

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

/// The column of the first pass that decides over a label: its own where it is one text, else what is kept of its list or what
/// [`verdict_of_scalar`] says of it.
pub fn deciding(step: usize, column: ColumnId, form: &LabelForm) -> String {
    match form {
        LabelForm::One => column_name(column.0 as usize),
        LabelForm::Several(_) | LabelForm::Scalar(_) => format!("_label{step}"),
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
        // A number or a truth value is judged once every label stands in the record.
        LabelForm::One | LabelForm::Scalar(_) => Ok(chain),
        LabelForm::Several(choices) => {
            chain.stage(vec![(deciding(step, column, form), scalar::choices(super::expr::column(column), choices))])
        }
    }
}

/// What is said of a raw value that the schema has.
pub const FITS: &str = "fits";
/// What is said of one that it does not have.
pub const OUTSIDE: &str = "outside";
/// What is said of a record that a constraint does not let have its value.
pub const CONSTRAINED: &str = "constrained";

/// Judges the labels that are numbers or truth values, once every label stands in the record.
pub(super) fn lower_judged(chain: Chain, dataset: &Dataset) -> Result<Chain> {
    let mut values = Vec::new();
    for (at, step) in dataset.steps.iter().enumerate() {
        if let StepKind::Label { column, form: form @ LabelForm::Scalar(schema), constraints, .. } = &step.kind {
            let value = col(column_name(column.0 as usize));
            values.push((deciding(at, *column, form), verdict_of_scalar(value, *schema, constraints)?));
        }
    }
    if values.is_empty() { Ok(chain) } else { chain.stage(values) }
}

/// [`FITS`], [`OUTSIDE`] or [`CONSTRAINED`]; null of null.
fn verdict_of_scalar(value: Plan, schema: ScalarSchema, constraints: &[Expr]) -> Result<Plan> {
    // Among numbers as they are ordered here, what is no number comes before or after all others.
    let outside = match schema {
        ScalarSchema::Scale { low, high } => value.clone().lt(lit(low)).or(value.clone().gt(lit(high))),
        ScalarSchema::Number => value.clone().lt(lit(f64::MIN)).or(value.clone().gt(lit(f64::MAX))),
        ScalarSchema::Flag => lit(false),
    };
    let mut case = when(value.is_null(), lit(ScalarValue::Utf8(None))).when(outside, lit(OUTSIDE));
    for constraint in constraints {
        case = case.when(lower(constraint)?.is_false(), lit(CONSTRAINED));
    }
    case.otherwise(lit(FITS))
}
