//! `match`: patterns are constants, and every arm can be reached.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::View;
use super::types::{literal, resolve_expr, show};
use super::{Context, compare, labels, values};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Expr, ExprKind, FieldType, LabelId, Literal, Type};
use crate::source::Span;
use crate::syntax::ast::{self, Arm, ArmBody};

/// A resolved `match`.
pub(super) struct Matched {
    /// Its value; null where an arm drops.
    pub(super) value: Expr,
    /// When an arm drops the record.
    pub(super) drop_when: Option<Expr>,
    /// Whether some value of the subject has no arm.
    pub(super) open: bool,
}

/// Reports arms that drop, where nothing can be dropped.
pub(super) fn refuse_drop(context: &mut Context<'_>, arms: &[Arm]) {
    for arm in arms {
        if let ArmBody::Drop(span) = arm.body {
            context.error(
                Code::MisplacedDrop,
                "`drop` is an action, and a value is needed here",
                span,
                "only the `match` of a label drops",
                "give a value, or drop with `drop \"reason\" when …` in a `clean` block; the text is `\"drop\"`",
            );
        }
    }
}

/// Resolves a `match`; `want` is the label that its bodies are values of.
pub(super) fn resolve_match(
    context: &mut Context<'_>,
    view: &View<'_>,
    subject: &ast::Expr,
    arms: &[Arm],
    span: Span,
    want: Option<LabelId>,
) -> Option<Matched> {
    let subject = resolve_expr(context, view, subject, None);
    let mut bodies: Vec<Option<Expr>> = Vec::with_capacity(arms.len());
    let mut wrong = false;
    for arm in arms {
        bodies.push(match &arm.body {
            ArmBody::Value(body) => {
                let body = resolve_expr(context, view, body, want);
                wrong |= body.is_none();
                body
            }
            ArmBody::Drop(_) => None,
        });
    }
    let subject = subject?;
    if matches!(subject.ty.ty, Type::List(_) | Type::Record(_)) {
        compare::wrong_operand(context, &subject, "`match` compares with constants");
        return None;
    }
    let patterns = resolve_patterns(context, view, &subject, arms);
    let missing = check_coverage(context, &subject, &patterns, arms, span);
    let bodies = unify_bodies(context, arms, bodies)?;
    if wrong || patterns.iter().any(Option::is_none) {
        return None;
    }
    let patterns: Vec<Vec<Literal>> = patterns.into_iter().flatten().collect();
    Some(assemble(subject, arms, patterns, bodies, missing, span))
}

/// The constants of each arm; none for `else`. A value that stands twice and an arm after `else` are reported.
fn resolve_patterns(
    context: &mut Context<'_>,
    view: &View<'_>,
    subject: &Expr,
    arms: &[Arm],
) -> Vec<Option<Vec<Literal>>> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut otherwise: Option<Span> = None;
    let mut resolved = Vec::with_capacity(arms.len());
    for arm in arms {
        if let Some(first) = otherwise {
            context.report(
                Diagnostic::new(Code::UnreachableArm, "this arm is never reached", arm.span, "stands after `else`")
                    .label(first, "takes everything that is left")
                    .help("put `else` last, once"),
            );
        }
        if arm.patterns.is_empty() {
            otherwise.get_or_insert(arm.span);
        }
        let mut constants = Some(Vec::new());
        for pattern in &arm.patterns {
            let Some(value) = values::constant(context, view, pattern, Some(&subject.ty.ty)) else {
                constants = None;
                continue;
            };
            if let Some(first) = seen.get(&identity(&value)) {
                context.report(
                    Diagnostic::new(
                        Code::UnreachableArm,
                        "this value has an arm already",
                        pattern.span,
                        "never reached",
                    )
                    .label(*first, "the first arm that has the value wins")
                    .help("take one of them out"),
                );
            } else {
                seen.insert(identity(&value), pattern.span);
            }
            if let Some(constants) = &mut constants {
                constants.push(value);
            }
        }
        resolved.push(constants);
    }
    resolved
}

/// Whether some value of the subject has no arm. For a subject whose values are known, missing ones and an `else` for
/// nothing are reported.
fn check_coverage(
    context: &mut Context<'_>,
    subject: &Expr,
    patterns: &[Option<Vec<Literal>>],
    arms: &[Arm],
    span: Span,
) -> bool {
    let otherwise = arms.iter().find(|arm| arm.patterns.is_empty());
    let all: Option<Vec<Literal>> = match &subject.ty.ty {
        Type::Bool => Some(vec![Literal::Bool(true), Literal::Bool(false)]),
        Type::Label(id) => labels::listed_values(context, *id)
            .map(|values| values.iter().map(|value| Literal::String(value.name.clone())).collect()),
        Type::String | Type::Int | Type::Float | Type::Date | Type::Timestamp | Type::List(_) | Type::Record(_) => None,
    };
    let Some(all) = all else { return otherwise.is_none() };
    if patterns.iter().any(Option::is_none) {
        return false;
    }
    let covered: BTreeSet<String> = patterns.iter().flatten().flatten().map(identity).collect();
    let missing = all.iter().filter(|value| !covered.contains(&identity(value)));
    let missing: Vec<String> = missing.map(|value| format!("`{}`", show_literal(value))).collect();
    match otherwise {
        None if !missing.is_empty() => {
            context.error(
                Code::MatchNotExhaustive,
                format!("no arm for {}", missing.join(", ")),
                span,
                "not every value has an arm",
                "add arms for them, or `else => …`",
            );
            true
        }
        Some(arm) if missing.is_empty() && !subject.ty.nullable => {
            context.error(
                Code::UnreachableArm,
                "every value has an arm already",
                arm.span,
                "`else` is never reached",
                "take it out",
            );
            false
        }
        None => subject.ty.nullable,
        Some(_) => false,
    }
}

/// What equal constants share, and no others.
fn identity(literal: &Literal) -> String {
    match literal {
        // There are two zeros, which are equal.
        Literal::Float(value) => format!("{:?}", Literal::Float(value + 0.0)),
        Literal::Null | Literal::Bool(_) | Literal::Int(_) | Literal::String(_) => format!("{literal:?}"),
    }
}

fn show_literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Float(value) => value.to_string(),
        Literal::String(value) => value.clone(),
    }
}

/// All bodies as values of one type; a body of another type is reported.
fn unify_bodies(context: &mut Context<'_>, arms: &[Arm], bodies: Vec<Option<Expr>>) -> Option<Vec<Option<Expr>>> {
    let typed = |expr: &&Expr| !matches!(expr.kind, ExprKind::Literal(Literal::Null));
    let known: Vec<Expr> = bodies.iter().flatten().filter(typed).cloned().collect();
    let Some(first) = known.first() else { return Some(bodies) };
    let float = known.iter().any(|body| body.ty.ty == Type::Float) && first.ty.ty == Type::Int;
    let label = known.iter().find(|body| matches!(body.ty.ty, Type::Label(_)));
    let ty = if float { Type::Float } else { label.unwrap_or(first).ty.ty.clone() };
    let wanted = show(context, &FieldType::plain(ty.clone()));
    let mut unified = Vec::with_capacity(bodies.len());
    let mut whole = true;
    for (body, arm) in bodies.into_iter().zip(arms) {
        let Some(body) = body else {
            unified.push(None);
            continue;
        };
        // Beside a label's value a text may stand: the label's statement checks it against the values.
        if matches!(ty, Type::Label(_)) && body.ty.ty == Type::String {
            unified.push(Some(body));
            continue;
        }
        let (shown, at) = (show(context, &body.ty), body.span);
        let converted = compare::convert(body, &ty);
        if converted.is_none() {
            whole = false;
            context.report(
                Diagnostic::new(
                    Code::WrongType,
                    "the arms give values of different types",
                    at,
                    format!("is `{shown}`"),
                )
                .label(first.span, format!("the `match` gives `{wanted}`"))
                .label(arm.span, "in this arm")
                .help(format!("give a `{wanted}` here")),
            );
        }
        unified.push(converted);
    }
    whole.then_some(unified)
}

fn assemble(
    subject: Expr,
    arms: &[Arm],
    patterns: Vec<Vec<Literal>>,
    bodies: Vec<Option<Expr>>,
    open: bool,
    span: Span,
) -> Matched {
    let drops = arms.iter().any(|arm| matches!(arm.body, ArmBody::Drop(_)));
    let ty = bodies.iter().flatten().map(|body| body.ty.ty.clone()).next().unwrap_or(Type::String);
    let nullable = open || bodies.iter().flatten().any(|body| body.ty.nullable);
    let flag = |value: bool, at: Span| literal(Literal::Bool(value), Type::Bool, at);
    let (mut value_arms, mut drop_arms) = (Vec::new(), Vec::new());
    let (mut otherwise, mut drop_otherwise) = (None, None);
    for ((arm, patterns), body) in arms.iter().zip(patterns).zip(bodies) {
        let dropped = flag(matches!(arm.body, ArmBody::Drop(_)), arm.span);
        let body = body.unwrap_or(Expr {
            kind: ExprKind::Literal(Literal::Null),
            ty: FieldType::or_null(ty.clone()),
            span: arm.span,
        });
        if arm.patterns.is_empty() {
            otherwise.get_or_insert(Box::new(body));
            drop_otherwise.get_or_insert(Box::new(dropped));
        } else {
            value_arms.push((patterns.clone(), body));
            drop_arms.push((patterns, dropped));
        }
    }
    let drop_when = drops.then(|| Expr {
        kind: ExprKind::Match {
            subject: Box::new(subject.clone()),
            arms: drop_arms,
            otherwise: Some(drop_otherwise.unwrap_or_else(|| Box::new(flag(false, span)))),
        },
        ty: FieldType::plain(Type::Bool),
        span,
    });
    let value = Expr {
        kind: ExprKind::Match { subject: Box::new(subject), arms: value_arms, otherwise },
        ty: FieldType { ty, nullable },
        span,
    };
    Matched { value, drop_when, open }
}
