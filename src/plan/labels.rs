//! Labels: their values as the record says, whether those that are numbers are as the schema says, and the raw values that a
//! label `from` a source's field finds.

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr as Plan, col, lit, when};

use super::chain::Chain;
use super::expr::lower;
use super::{cleaning, column_name};
use crate::hir::{
    ColumnId, Dataset, Expr, LabelId, LabelSchema, LabelValues, Program, ScalarSchema, SourceId, StepKind,
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

/// A label's raw value, and the verdict of the mapping's `drop`.
pub(super) fn lower_label(
    chain: Chain,
    step: usize,
    column: ColumnId,
    value: &Expr,
    drop_when: Option<&Expr>,
) -> Result<Chain> {
    let mut values = vec![(column_name(column.0 as usize), lower(value)?)];
    if let Some(condition) = drop_when {
        values.push((cleaning::verdict(step), lower(condition)?));
    }
    chain.stage(values)
}

/// The column of the first pass by which a label's raw value is judged: that of the value itself where it is a name, else
/// what [`verdict_of_scalar`] says of it.
pub fn judged_column(program: &Program, step: usize, column: ColumnId, label: LabelId) -> String {
    match program[label].schema {
        LabelSchema::Choice(_) | LabelSchema::Declared(_) => column_name(column.0 as usize),
        LabelSchema::Scalar(_) => format!("_judged{step}"),
    }
}

/// What is said of a raw value that the schema has.
pub const FITS: &str = "fits";
/// What is said of one that it does not have.
pub const OUTSIDE: &str = "outside";
/// What is said of a record that a constraint does not let have its value.
pub const CONSTRAINED: &str = "constrained";

/// Judges the labels that are numbers or truth values, once every label stands in the record.
pub(super) fn lower_judged(chain: Chain, program: &Program, dataset: &Dataset) -> Result<Chain> {
    let mut values = Vec::new();
    for (at, step) in dataset.steps.iter().enumerate() {
        if let StepKind::Label { column, label, constraints, .. } = &step.kind
            && let LabelSchema::Scalar(schema) = program[*label].schema
        {
            let name = judged_column(program, at, *column, *label);
            values.push((name, verdict_of_scalar(col(column_name(column.0 as usize)), schema, constraints)?));
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
