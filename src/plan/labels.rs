//! Labels: their values as the record says, whether those that are numbers are as the schema says, and the raw values that a
//! label `from` a source's field finds.

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr as Plan, col, lit, when};

use super::chain::Chain;
use super::expr::lower;
use super::{cleaning, column_name, scalar};
use crate::hir::{
    ColumnId, Dataset, Expr, LabelForm, LabelId, LabelSchema, LabelValues, Program, ScalarSchema, SourceId, Step,
    StepKind,
};
use crate::pii::Detector;

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
        LabelForm::Several(_) | LabelForm::Spans { .. } | LabelForm::Scalar(_) => format!("_label{step}"),
    }
}

/// Sets aside the texts that spans are of, before any step changes them.
pub(super) fn keep_read(chain: Chain, dataset: &Dataset) -> Result<Chain> {
    let over = dataset.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Label { form, .. } => form.over(),
        _ => None,
    });
    let mut read: Vec<(String, Plan)> = Vec::new();
    for column in over {
        if !read.iter().any(|(name, _)| *name == as_read(column)) {
            read.push((as_read(column), super::expr::column(column)));
        }
    }
    if read.is_empty() { Ok(chain) } else { chain.stage(read) }
}

/// The column with a text as it was read.
fn as_read(column: ColumnId) -> String {
    format!("_read{}", column.0)
}

/// The column with the spans of a label and what is kept of them.
fn state(step: usize) -> String {
    format!("_spans{step}")
}

/// Carries the spans of the labels before a `redact` through what it changes.
pub(super) fn carry_spans(
    mut chain: Chain,
    before: &[Step],
    redacted: &[ColumnId],
    detectors: &[&'static Detector],
) -> Result<Chain> {
    for (at, step) in before.iter().enumerate() {
        if let StepKind::Label { column, form: form @ LabelForm::Spans { over, .. }, .. } = &step.kind
            && redacted.contains(over)
        {
            let carried = scalar::carried_spans(col(state(at)), super::expr::column(*over), detectors);
            chain = chain.stage(vec![(state(at), carried)])?.stage(of_state(at, *column, form))?;
        }
    }
    Ok(chain)
}

/// A label's spans, and what decides over them.
fn of_state(step: usize, column: ColumnId, form: &LabelForm) -> Vec<(String, Plan)> {
    let member = |name| scalar::member(col(state(step)), name);
    vec![
        (column_name(column.0 as usize), member(scalar::spans::SPANS)),
        (deciding(step, column, form), member(scalar::spans::KEPT)),
    ]
}

/// A label's raw value with what decides over it, and the verdict of the mapping's `drop`.
pub(super) fn lower_label(
    chain: Chain,
    step: usize,
    (column, form): (ColumnId, &LabelForm),
    value: &Expr,
    drop_when: Option<&Expr>,
) -> Result<Chain> {
    let given = match form {
        LabelForm::One | LabelForm::Several(_) | LabelForm::Scalar(_) => column_name(column.0 as usize),
        // What is given may have more members than a span.
        LabelForm::Spans { .. } => format!("_given{step}"),
    };
    let mut values = vec![(given.clone(), lower(value)?)];
    if let Some(condition) = drop_when {
        values.push((cleaning::verdict(step), lower(condition)?));
    }
    let chain = chain.stage(values)?;
    match form {
        LabelForm::Spans { over, spans } => {
            let spans = scalar::spans(col(given), col(as_read(*over)), super::expr::column(*over), spans);
            chain.stage(vec![(state(step), spans)])?.stage(of_state(step, column, form))
        }
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
