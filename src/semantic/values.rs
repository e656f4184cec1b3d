//! Constants: what stands in lists, patterns and unit tests.

use super::scope::View;
use super::types::{constant_declaration, resolve_expr, show};
use super::{Context, compare, index};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{ExprKind, FieldType, LabelId, Literal, Type};
use crate::source::Span;
use crate::syntax::ast::{self, Ident};

/// What a name of a `let` stands for, followed to its end; else the expression itself.
pub(super) fn through_constants<'e, 'a: 'e>(
    context: &mut Context<'a>,
    view: &View<'_>,
    expr: &'e ast::Expr,
) -> &'e ast::Expr {
    let mut expr = expr;
    let mut steps = 0;
    while let ast::ExprKind::Name(name) = &expr.kind
        && (view.closed || view.record.find(&name.name).is_none())
        && let Some(constant) = constant_declaration(context, name)
    {
        meet_constant(context, name);
        expr = &constant.value;
        steps += 1;
        if steps > 64 {
            break;
        }
    }
    expr
}

/// The type of a constant by itself; none of `null`.
pub(super) fn plain_type(literal: &Literal) -> Option<Type> {
    match literal {
        Literal::Null => None,
        Literal::Bool(_) => Some(Type::Bool),
        Literal::Int(_) => Some(Type::Int),
        Literal::Float(_) => Some(Type::Float),
        Literal::String(_) => Some(Type::String),
    }
}

/// Counts a use of a declaration by its name in an expression or a type.
pub(super) fn meet_constant(context: &mut Context<'_>, name: &Ident) {
    context.names.mark_used(name);
    if let Some(declared) = context.names.get(name) {
        index::refer_to_declaration(context, name, declared);
    }
}

/// The value of a constant expression, as a value of the type where one is wanted; `None` after a report. Where a text
/// or a label's value is wanted, a name is its sugar.
pub(super) fn constant(
    context: &mut Context<'_>,
    view: &View<'_>,
    expr: &ast::Expr,
    want: Option<&Type>,
) -> Option<Literal> {
    if let (ast::ExprKind::Name(name), Some(Type::String)) = (&expr.kind, want)
        && constant_declaration(context, name).is_none()
        && view.record.find(&name.name).is_none()
    {
        return Some(Literal::String(name.name.clone()));
    }
    if matches!(expr.kind, ast::ExprKind::Null) {
        context.error(
            Code::ComparisonWithNull,
            "`null` is no constant to compare with",
            expr.span,
            "is never found",
            "ask for it with `is null`",
        );
        return None;
    }
    let label: Option<LabelId> = match want {
        Some(Type::Label(id)) => Some(*id),
        _ => None,
    };
    let resolved = resolve_expr(context, view, expr, label)?;
    let ExprKind::Literal(_) = &resolved.kind else {
        context.error(
            Code::NotConstant,
            "only a constant can stand here",
            expr.span,
            "depends on the record",
            "write the value out (a text stands in quotes), or name it with `let`",
        );
        return None;
    };
    let shown = show(context, &resolved.ty);
    let converted = match want {
        Some(want) => compare::convert(resolved, want),
        None => Some(resolved),
    };
    match converted.map(|expr| expr.kind) {
        Some(ExprKind::Literal(literal)) => Some(literal),
        _ => {
            let wanted = want.map(|want| show(context, &FieldType::plain(want.clone()))).unwrap_or_default();
            context.report(
                Diagnostic::new(
                    Code::ComparisonOfTypes,
                    format!("this is `{shown}`, and it is compared with `{wanted}`"),
                    expr.span,
                    format!("is `{shown}`"),
                )
                .help(unquoted(context, expr.span).unwrap_or_else(|| format!("write a value of type `{wanted}`"))),
            );
            None
        }
    }
}

/// How a number that stands in quotes is written; `None` where there is none.
pub(super) fn unquoted(context: &Context<'_>, span: Span) -> Option<String> {
    let inside = context.files.text(span).strip_prefix('"')?.strip_suffix('"')?;
    inside.parse::<f64>().ok().filter(|number| number.is_finite())?;
    Some(format!("a number has no quotes: `{inside}`"))
}
