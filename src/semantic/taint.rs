//! Personal data: what may hold it, how it travels, where it must not arrive.
//!
//! A field that a source declares `@personal` taints what is computed from it. The taint carries the kinds that were not
//! redacted yet and the places it came through, which the report of a leak shows.

use super::Context;
use super::scope::{Record, ScopeColumn};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Expr, Personal, Type};
use crate::source::Span;

/// What a column may hold of personal data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taint {
    /// The kinds that are still there.
    kinds: Personal,
    /// Where it was declared, and each statement that it came through.
    path: Vec<(Span, String)>,
}

impl Taint {
    /// The taint of a field as its source declares it.
    pub(super) fn declared(kinds: Personal, field: &str, span: Span) -> Self {
        Self { kinds, path: vec![(span, format!("`{field}` is declared `@personal` here"))] }
    }

    /// The same taint after one more statement.
    pub(super) fn through(mut self, span: Span, what: String) -> Self {
        self.path.push((span, what));
        self
    }

    /// Both taints in one value.
    pub(super) fn join(mut self, other: Taint) -> Self {
        self.kinds = match (self.kinds, other.kinds) {
            (Personal::Any, _) | (_, Personal::Any) => Personal::Any,
            (Personal::Kinds(mut kinds), Personal::Kinds(more)) => {
                kinds.extend(more);
                kinds.sort();
                kinds.dedup();
                Personal::Kinds(kinds)
            }
        };
        for step in other.path {
            if !self.path.contains(&step) {
                self.path.push(step);
            }
        }
        self
    }

    /// What is left after these kinds were redacted: a bare `@personal` is cleared by any of them.
    pub(super) fn without(self, redacted: &[&str]) -> Option<Self> {
        match self.kinds {
            Personal::Any => None,
            Personal::Kinds(kinds) => {
                let left: Vec<String> = kinds.into_iter().filter(|kind| !redacted.contains(&kind.as_str())).collect();
                (!left.is_empty()).then_some(Self { kinds: Personal::Kinds(left), path: self.path })
            }
        }
    }

    /// The kinds that are still there, for a message.
    fn kinds(&self) -> Option<String> {
        match &self.kinds {
            Personal::Any => None,
            Personal::Kinds(kinds) => Some(kinds.join(", ")),
        }
    }
}

/// The attribute that would declare it so: `@personal(email)`.
pub(super) fn attribute(taint: &Taint) -> String {
    taint.kinds().map_or_else(|| "@personal".to_owned(), |kinds| format!("@personal({kinds})"))
}

/// The taint of a computed value: of every column that it reads.
pub(super) fn of_expr(record: &Record, expr: &Expr) -> Option<Taint> {
    let mut taint: Option<Taint> = None;
    expr.visit_columns(&mut |column| {
        if let Some(more) = record.column(column).taint.clone() {
            taint = Some(match taint.take() {
                Some(taint) => taint.join(more),
                None => more,
            });
        }
    });
    taint
}

/// The taint of a column that a `set` or `label` gives a value.
pub(super) fn assigned(record: &Record, value: &Expr, name: &str, statement: Span) -> Option<Taint> {
    of_expr(record, value).map(|taint| taint.through(statement, format!("`{name}` is computed from it here")))
}

/// The number of operations of an expression.
pub(super) fn size(expr: &Expr) -> usize {
    let mut count = 0;
    expr.visit(&mut |_| count += 1);
    count
}

/// Reports that a tainted value arrives where it must not: at a template, a writer, a task, a report.
pub(super) fn report_leak(context: &mut Context<'_>, field: &str, taint: &Taint, sink: Span, arrives: &str) {
    let kinds = taint.kinds();
    let what = kinds.as_ref().map_or_else(String::new, |kinds| format!(" ({kinds})"));
    let mut diagnostic = Diagnostic::new(
        Code::PersonalDataLeak,
        format!("`{field}` may hold personal data{what} when it reaches {arrives}"),
        sink,
        format!("personal data reaches {arrives} here"),
    );
    for (span, message) in &taint.path {
        diagnostic = diagnostic.label(*span, message.clone());
    }
    let kinds = kinds.unwrap_or_else(|| "email, phone".to_owned());
    context.report(diagnostic.help(format!(
        "redact it in a policy of the data set: `redact {field}: {kinds}`; or say why it may stay: `allow personal {field} because \"…\"`"
    )));
}

/// Reports a column that still may hold personal data where it arrives.
pub(super) fn check_column(context: &mut Context<'_>, column: &ScopeColumn, sink: Span, arrives: &str) {
    if let Some(taint) = &column.taint {
        report_leak(context, &column.name, taint, sink, arrives);
    }
}

/// Whether `redact` can work on the column.
pub(super) fn is_redactable(column: &ScopeColumn) -> bool {
    column.label.is_none() && column.ty.as_ref().is_some_and(|ty| ty.ty == Type::String)
}
