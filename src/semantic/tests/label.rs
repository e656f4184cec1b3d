//! Tests of a label: the statement of each data set that gives it a value, over the record given.

use super::super::labels::{label_id, value_type};
use super::super::scope::{Record, ScopeColumn};
use super::super::{Context, suggest};
use super::{Given, Needed, literal};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, ColumnId, LabelId, LabelSchema, LabelValues, Step, StepKind, Subject, TestUse, Value};
use crate::syntax::ast::Expr;
use crate::syntax::ast::label::Label;
use crate::syntax::ast::test::{Expect, Test};

/// Resolves each data set's statement of the label against the records of a test.
pub(super) fn resolve_uses(context: &mut Context<'_>, test: &Test, label: &Label, given: &[Given<'_>]) -> Vec<TestUse> {
    let Some(id) = label_id(context, &label.name) else { return Vec::new() };
    let statements = statements(context, id);
    if statements.is_empty() {
        report_unused(context, test, label);
    }
    check_given(context, &statements, given);
    statements.into_iter().map(|statement| resolve_use(context, test, label, given, statement)).collect()
}

/// The label's statement of a data set.
struct Statement {
    /// The index of the data set.
    dataset: usize,
    step: Step,
    /// The label's column.
    column: ColumnId,
    /// The fields as the statement sees them, with the types that they have there.
    fields: Record,
}

fn statements(context: &Context<'_>, label: LabelId) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (index, dataset) in context.program.datasets.iter().enumerate() {
        for step in &dataset.steps {
            if let StepKind::Label { column, label: of, .. } = step.kind
                && of == label
            {
                let mut fields = context.datasets[index].cleaned.clone();
                for field in &mut fields.columns {
                    field.ty = field.current();
                }
                statements.push(Statement { dataset: index, step: step.clone(), column, fields });
            }
        }
    }
    statements
}

fn report_unused(context: &mut Context<'_>, test: &Test, label: &Label) {
    // A statement with a mistake, or a misspelt name, was reported: it may be the one that is missing.
    if crate::diagnostics::has_errors(&context.diagnostics) || context.names.is_damaged(&label.name) {
        return;
    }
    let name = &label.name.name;
    context.report(
        Diagnostic::new(
            Code::NothingToTest,
            format!("no data set gives `{name}` a value, so there is nothing to test"),
            test.target.span,
            "is mapped from nothing",
        )
        .label(label.name.span, "declared here")
        .help(format!("give it one in a data set: `label {name} = …`")),
    );
}

/// Reports a given field that none of the data sets has.
fn check_given(context: &mut Context<'_>, statements: &[Statement], given: &[Given<'_>]) {
    if statements.is_empty() || statements.iter().any(|statement| !statement.fields.complete) {
        return;
    }
    let mut names: Vec<&str> = statements.iter().flat_map(|statement| statement.fields.names()).collect();
    names.sort_unstable();
    names.dedup();
    for (name, _) in given.iter().flat_map(|given| given.members) {
        if !names.contains(&name.name.as_str()) {
            let help = suggest(&name.name, names.iter().copied(), "fields");
            context.error(
                Code::UnknownField,
                format!("the record has no field `{}`", name.name),
                name.span,
                "unknown field",
                help,
            );
        }
    }
}

fn resolve_use(
    context: &mut Context<'_>,
    test: &Test,
    label: &Label,
    given: &[Given<'_>],
    statement: Statement,
) -> TestUse {
    let dataset = &context.program.datasets[statement.dataset];
    let name = dataset.name.clone();
    // The labels' columns follow those of the fields; the fields have the types that they have at the statement.
    let labels = dataset.columns.iter().skip(statement.fields.columns.len()).cloned();
    let columns = statement.fields.columns.iter().map(ScopeColumn::to_hir).chain(labels).collect::<Vec<_>>();
    let needed = needed(&statement, &name);
    let mut cases = super::cases(context, test, given, &statement.fields, &needed, |context, expect| {
        resolve_expect(context, label, &statement, expect)
    });
    for case in &mut cases {
        case.given.resize(columns.len(), Value::NULL);
    }
    TestUse { dataset: Some(name), columns, subject: Subject::Steps(vec![statement.step]), cases }
}

/// The fields that the statement reads.
fn needed(statement: &Statement, dataset: &str) -> Vec<Needed> {
    let StepKind::Label { value, form, constraints, drop_when, .. } = &statement.step.kind else { return Vec::new() };
    let mut read: Vec<ColumnId> = form.over().into_iter().collect();
    for expr in std::iter::once(value).chain(constraints).chain(drop_when) {
        expr.visit_columns(&mut |column| {
            // A constraint may speak of labels too, which a test is not given.
            let is_field = (column.0 as usize) < statement.fields.columns.len();
            if is_field && !read.contains(&column) {
                read.push(column);
            }
        });
    }
    let needed = |column: ColumnId| Needed {
        field: statement.fields.column(column).name.clone(),
        place: statement.step.span,
        reader: format!("data set `{dataset}`"),
    };
    read.into_iter().map(needed).collect()
}

fn resolve_expect(
    context: &mut Context<'_>,
    label: &Label,
    statement: &Statement,
    expect: &Expect,
) -> Option<hir::Expect> {
    match expect {
        Expect::Drop(reason, _) => {
            if let Some(reason) = reason {
                super::check_reason(context, reason, std::slice::from_ref(&statement.step.rule))?;
            }
            Some(hir::Expect::Drop(reason.as_ref().map(|reason| reason.node.clone())))
        }
        Expect::Quarantine(place) => {
            let id = label_id(context, &label.name)?;
            if matches!(context.program[id].schema, LabelSchema::Choice(LabelValues::Found { .. })) {
                super::never_met(
                    context,
                    *place,
                    "the values of this label are found in the data, so every value is one of them",
                    "quarantines no record",
                    "expect the value itself, or list the label's values",
                );
                return None;
            }
            Some(hir::Expect::Quarantine)
        }
        Expect::Record(written) => resolve_value(context, label, statement, written),
    }
}

/// A label's test expects its value, and nothing else of the record.
fn resolve_value(
    context: &mut Context<'_>,
    label: &Label,
    statement: &Statement,
    written: &Expr,
) -> Option<hir::Expect> {
    let id = label_id(context, &label.name)?;
    let members = super::record_literal(context, written)?.members;
    let mut expected = Vec::new();
    let mut whole = true;
    for (name, value) in members {
        if name.name != label.name.name {
            context.error(
                Code::UnknownField,
                format!("a test of label `{}` expects its value alone", label.name.name),
                name.span,
                "is another name",
                suggest(&name.name, [label.name.name.as_str()], "names"),
            );
            whole = false;
            continue;
        }
        let ty = hir::FieldType::plain(value_type(context, id));
        match literal::typed(context, &name.name, &ty, value) {
            Some(value) => expected.push((statement.column, value)),
            None => whole = false,
        }
    }
    whole.then_some(hir::Expect::Record(expected))
}
