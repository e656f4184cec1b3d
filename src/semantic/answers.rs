//! What is learnt and what is given: an answer that says nothing, and one that stands in the prompt already.

use super::Context;
use super::scope::Record;
use super::templates::{Facts, Slot};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{BinaryOp, ColumnId, Expr, ExprKind, StepKind};
use crate::plan::functions::Eval;
use crate::prompt::Variable;
use crate::source::Span;
use crate::syntax::ast::Ident;

/// Reports a template of which nothing can be learnt: no part of its answer depends on the record.
pub(super) fn check_learnt(context: &mut Context<'_>, slots: &[Slot]) {
    let mut learnt = slots.iter().filter(|slot| slot.learnt);
    if slots.iter().any(|slot| !slot.readable) || learnt.any(|slot| !slot.reads.is_empty()) {
        return;
    }
    let Some(last) = slots.iter().rfind(|slot| slot.learnt) else { return };
    let (message, label) = if last.blank {
        ("nothing can be learnt: the answer is empty", "is empty for every record")
    } else {
        ("nothing can be learnt: the answer is the same for every record", "prints no field")
    };
    context.error(
        Code::AnswerNotFound,
        message,
        last.place,
        label,
        "print what is to be learnt: `{{ intent }}`, or a field with the answer",
    );
}

/// Warns where all that an answer prints stands in a part that is given before it, for the record of one use.
pub(super) fn answer_in_prompt(facts: &Facts<'_>, record: &Record, user: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, answer) in facts.slots.iter().enumerate().filter(|(_, slot)| slot.learnt && slot.readable) {
        let given: Vec<(&Variable, Span)> =
            facts.slots[..at].iter().filter(|slot| !slot.learnt).flat_map(|slot| facts.variables(slot)).collect();
        let printed: Option<Vec<(&Variable, Span, Span)>> = facts
            .variables(answer)
            .map(|(variable, span)| {
                let same = |given: &&(&Variable, Span)| {
                    given.0.printed && variable.printed && says_the_same(record, given.0, variable)
                };
                given.iter().find(same).map(|(_, place)| (variable, span, *place))
            })
            .collect();
        let Some([(variable, span, place), ..]) = printed.as_deref() else { continue };
        let name = std::iter::once(&variable.name).chain(&variable.members).cloned().collect::<Vec<_>>().join(".");
        found.push(
            Diagnostic::new(
                Code::AnswerInPrompt,
                format!("the answer `{name}` stands in the prompt: the model learns to copy it"),
                *span,
                "the answer",
            )
            .label(*place, "is given here already")
            .label(user, "the template is used here")
            .help("take it out of what stands before the answer"),
        );
    }
    found
}

/// Whether one variable gives the other away: it is the same, or both are of one label.
fn says_the_same(record: &Record, given: &Variable, answer: &Variable) -> bool {
    let label = || record.find(&answer.name).is_some_and(|id| record.column(id).label.is_some());
    given.name == answer.name && (given.members == answer.members || label())
}

/// Warns of a run that is given the very field that its label is read off.
pub(super) fn check_task(context: &mut Context<'_>, data: usize, label: ColumnId, text: ColumnId, from: &Ident) {
    let steps = &context.program.datasets[data].steps;
    let read_off = steps.iter().find_map(|step| match &step.kind {
        StepKind::Label { column, value, .. } if *column == label && is_read_off(value, text) => Some(step.span),
        _ => None,
    });
    let Some(statement) = read_off else { return };
    let name = context.program.datasets[data].columns[label.0 as usize].name.clone();
    context.report(
        Diagnostic::new(
            Code::AnswerInPrompt,
            format!("`{name}` is read off `{}`, which the run is given: the model learns to copy it", from.name),
            from.span,
            "says the answer",
        )
        .label(statement, format!("`{name}` is `{}` under other names", from.name))
        .help("learn from a field that does not say the label"),
    );
}

/// Whether a value is the column's own, perhaps under other names: a table of its values. What a function measures of a
/// text is no copy of it.
fn is_read_off(value: &Expr, column: ColumnId) -> bool {
    let constant = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(_));
    match &value.kind {
        ExprKind::Column(of) => *of == column,
        ExprKind::Call(function, arguments) => {
            matches!(function.eval, Eval::Text(_)) && arguments.first().is_some_and(|text| is_read_off(text, column))
        }
        ExprKind::Binary(BinaryOp::Coalesce, left, right) => is_read_off(left, column) && constant(right),
        ExprKind::Match { subject, arms, otherwise } => {
            let mut bodies = arms.iter().map(|(_, body)| body).chain(otherwise.as_deref());
            is_read_off(subject, column) && bodies.all(|body| constant(body) || is_read_off(body, column))
        }
        ExprKind::Literal(_)
        | ExprKind::Binary(..)
        | ExprKind::Negate(_)
        | ExprKind::Not(_)
        | ExprKind::ToFloat(_)
        | ExprKind::IsNull { .. }
        | ExprKind::In { .. }
        | ExprKind::Matches { .. }
        | ExprKind::Member(..)
        | ExprKind::Element(..) => false,
    }
}
