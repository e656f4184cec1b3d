//! Demands on figures: `count()` and `share()` of a policy, metrics of an evaluation.

use super::{Context, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, RequireSubject};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};

/// A number as a bound; a percentage is its hundredth.
pub(super) struct Bound {
    pub(super) value: f64,
    pub(super) percent: bool,
    pub(super) span: Span,
}

fn bound(expr: &Expr) -> Option<Bound> {
    let (value, percent) = match &expr.kind {
        ExprKind::Int(value) => (*value as f64, false),
        ExprKind::Float(value) => (*value, false),
        ExprKind::Percent(value) => (*value / 100.0, true),
        ExprKind::Unary(op, of) if op.node == crate::syntax::ast::UnaryOp::Negate => {
            let of = bound(of)?;
            (-of.value, of.percent)
        }
        _ => return None,
    };
    Some(Bound { value, percent, span: expr.span })
}

/// A comparison of something with a number, the number on the right; `None` after a report.
pub(super) fn comparison<'e>(
    context: &mut Context<'_>,
    condition: &'e Expr,
    example: &str,
) -> Option<(&'e Expr, hir::BinaryOp, Bound)> {
    if let ExprKind::Binary(op, left, right) = &condition.kind
        && super::compare::is_comparison(op.node)
    {
        if let Some(bound) = bound(right) {
            return Some((left, super::compare::lower(op.node), bound));
        }
        if let Some(bound) = bound(left) {
            return Some((right, flipped(op.node), bound));
        }
    }
    context.error(
        Code::WrongType,
        "`require` compares a figure with a number",
        condition.span,
        "is no such comparison",
        format!("write `require {example}`"),
    );
    None
}

fn flipped(op: BinaryOp) -> hir::BinaryOp {
    match op {
        BinaryOp::Less => hir::BinaryOp::Greater,
        BinaryOp::LessEqual => hir::BinaryOp::GreaterEqual,
        BinaryOp::Greater => hir::BinaryOp::Less,
        BinaryOp::GreaterEqual => hir::BinaryOp::LessEqual,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Coalesce
        | BinaryOp::And
        | BinaryOp::Or => super::compare::lower(op),
    }
}

/// `count()` or `share()` against a bound; `None` after a report.
pub(super) fn aggregate(context: &mut Context<'_>, condition: &Expr) -> Option<(RequireSubject, hir::BinaryOp, f64)> {
    let (figure, op, bound) = comparison(context, condition, "count() >= 20 per intent")?;
    let ExprKind::Call { function, args, .. } = &figure.kind else {
        context.error(
            Code::WrongType,
            "a policy demands a `count()` or a `share()`",
            figure.span,
            "is neither",
            "write `require count() >= 20 per intent`",
        );
        return None;
    };
    let subject = match function.name.as_str() {
        "count" => RequireSubject::Count,
        "share" => RequireSubject::Share,
        other => {
            let help = suggest(other, ["count", "share"], "figures");
            context.error(
                Code::UnknownFunction,
                format!("`{other}` does not count over a set"),
                function.span,
                "no figure of a set",
                help,
            );
            return None;
        }
    };
    if let Some(argument) = args.first() {
        context.error(
            Code::WrongArgumentCount,
            format!("`{}` takes no argument", function.name),
            argument.span,
            "one too many",
            format!("say what is counted with `per`: `require {}() … per FIELD`", function.name),
        );
        return None;
    }
    check_bound(context, subject, &bound)?;
    Some((subject, op, bound.value))
}

fn check_bound(context: &mut Context<'_>, subject: RequireSubject, bound: &Bound) -> Option<()> {
    let (right, needs) = match subject {
        RequireSubject::Count => {
            (!bound.percent && bound.value >= 0.0 && bound.value.fract() == 0.0, "a whole number of records")
        }
        RequireSubject::Share => ((0.0..=1.0).contains(&bound.value), "a share between 0% and 100%"),
    };
    if right {
        return Some(());
    }
    context.report(
        Diagnostic::new(Code::NumberOutOfRange, format!("the bound is {needs}"), bound.span, "out of range")
            .help(format!("write {needs}")),
    );
    None
}
