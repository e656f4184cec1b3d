//! Operators with two operands: arithmetic, comparisons, `in`, `matches`.

use super::scope::View;
use super::types::{literal, resolve_expr, show};
use super::{Context, types, values};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, Expr, ExprKind, FieldType, LabelId, Literal, Type};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{self, BinaryOp};

/// The expression as a value of the type, through the only conversion: int to float. Null fits every type.
pub(super) fn convert(expr: Expr, ty: &Type) -> Option<Expr> {
    if expr.ty.ty == *ty {
        return Some(expr);
    }
    let span = expr.span;
    match (&expr.kind, &expr.ty.ty, ty) {
        (ExprKind::Literal(Literal::Null), ..) => Some(Expr { ty: FieldType::or_null(ty.clone()), ..expr }),
        (ExprKind::Literal(Literal::Int(value)), _, Type::Float) => {
            Some(literal(Literal::Float(*value as f64), Type::Float, span))
        }
        (_, Type::Int, Type::Float) => {
            let ty = FieldType { ty: Type::Float, nullable: expr.ty.nullable };
            Some(Expr { kind: ExprKind::ToFloat(Box::new(expr)), ty, span })
        }
        _ => None,
    }
}

/// Both as values of one type; `None` when there is none.
pub(super) fn unify(left: Expr, right: Expr) -> Option<(Expr, Expr)> {
    if let Some(right) = convert(right.clone(), &left.ty.ty) {
        return Some((left, right));
    }
    let ty = right.ty.ty.clone();
    Some((convert(left, &ty)?, right))
}

/// Reports an operand of a type that the operator does not take.
pub(super) fn wrong_operand(context: &mut Context<'_>, operand: &Expr, needs: &str) {
    let shown = show(context, &operand.ty);
    context.error(
        Code::WrongType,
        format!("{needs}, and this is `{shown}`"),
        operand.span,
        format!("is `{shown}`"),
        "the only conversion is from `int` to `float`",
    );
}

pub(super) fn resolve_binary(
    context: &mut Context<'_>,
    view: &View<'_>,
    op: &Spanned<BinaryOp>,
    left: &ast::Expr,
    right: &ast::Expr,
    span: Span,
    want: Option<LabelId>,
) -> Option<Expr> {
    match op.node {
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual => resolve_comparison(context, view, op, left, right, span),
        BinaryOp::And | BinaryOp::Or => {
            let left = types::resolve_condition(context, view, left);
            let right = types::resolve_condition(context, view, right);
            let (left, right) = (left?, right?);
            let ty = FieldType { ty: Type::Bool, nullable: left.ty.nullable || right.ty.nullable };
            Some(binary(lower(op.node), left, right, ty, span))
        }
        BinaryOp::Coalesce => resolve_coalesce(context, view, op.span, left, right, span, want),
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
            let left = resolve_expr(context, view, left, None);
            let right = resolve_expr(context, view, right, None);
            resolve_arithmetic(context, op.node, left?, right?, span)
        }
    }
}

fn binary(op: hir::BinaryOp, left: Expr, right: Expr, ty: FieldType, span: Span) -> Expr {
    Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, span }
}

/// The operator of the resolved program.
pub(super) fn lower(op: BinaryOp) -> hir::BinaryOp {
    match op {
        BinaryOp::Add => hir::BinaryOp::Add,
        BinaryOp::Subtract => hir::BinaryOp::Subtract,
        BinaryOp::Multiply => hir::BinaryOp::Multiply,
        BinaryOp::Divide => hir::BinaryOp::Divide,
        BinaryOp::Coalesce => hir::BinaryOp::Coalesce,
        BinaryOp::Equal => hir::BinaryOp::Equal,
        BinaryOp::NotEqual => hir::BinaryOp::NotEqual,
        BinaryOp::Less => hir::BinaryOp::Less,
        BinaryOp::LessEqual => hir::BinaryOp::LessEqual,
        BinaryOp::Greater => hir::BinaryOp::Greater,
        BinaryOp::GreaterEqual => hir::BinaryOp::GreaterEqual,
        BinaryOp::And => hir::BinaryOp::And,
        BinaryOp::Or => hir::BinaryOp::Or,
    }
}

/// Whether the operator compares.
pub(super) fn is_comparison(op: BinaryOp) -> bool {
    is_order(op) || matches!(op, BinaryOp::Equal | BinaryOp::NotEqual)
}

fn is_order(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual)
}

fn resolve_arithmetic(context: &mut Context<'_>, op: BinaryOp, left: Expr, right: Expr, span: Span) -> Option<Expr> {
    let texts = op == BinaryOp::Add && (left.ty.ty == Type::String || right.ty.ty == Type::String);
    let fits = |expr: &Expr| match expr.ty.ty {
        Type::String => texts,
        Type::Int | Type::Float => !texts,
        Type::Bool | Type::Date | Type::Timestamp | Type::List(_) | Type::Record(_) | Type::Label(_) => false,
    };
    let needs = if texts { "`+` joins two texts".to_owned() } else { format!("`{}` needs numbers", op.symbol()) };
    let mut fit = true;
    for operand in [&left, &right] {
        if !fits(operand) {
            wrong_operand(context, operand, &needs);
            fit = false;
        }
    }
    if !fit {
        return None;
    }
    let (left, right) = if op == BinaryOp::Divide {
        (convert(left, &Type::Float)?, convert(right, &Type::Float)?)
    } else {
        unify(left, right)?
    };
    let divides_by_zero =
        op == BinaryOp::Divide && !matches!(right.kind, ExprKind::Literal(Literal::Float(divisor)) if divisor != 0.0);
    let nullable = left.ty.nullable || right.ty.nullable || divides_by_zero;
    let ty = FieldType { ty: left.ty.ty.clone(), nullable };
    Some(binary(lower(op), left, right, ty, span))
}

fn resolve_coalesce(
    context: &mut Context<'_>,
    view: &View<'_>,
    op: Span,
    left: &ast::Expr,
    right: &ast::Expr,
    span: Span,
    want: Option<LabelId>,
) -> Option<Expr> {
    let left = resolve_expr(context, view, left, want);
    let right = resolve_expr(context, view, right, want);
    let (left, right) = (left?, right?);
    let (shown_left, shown_right) = (show(context, &left.ty), show(context, &right.ty));
    let (at_left, at_right) = (left.span, right.span);
    let Some((left, right)) = unify(left, right) else {
        context.report(
            Diagnostic::new(Code::WrongType, "the default after `??` has another type", op, "both sides need one type")
                .label(at_left, format!("is `{shown_left}`"))
                .label(at_right, format!("is `{shown_right}`"))
                .help(format!("give a default of type `{}`", shown_left.trim_end_matches('?'))),
        );
        return None;
    };
    let ty = FieldType { ty: left.ty.ty.clone(), nullable: left.ty.nullable && right.ty.nullable };
    Some(binary(hir::BinaryOp::Coalesce, left, right, ty, span))
}

/// The label whose values a side has, seen without resolving it.
fn label_of(view: &View<'_>, expr: &ast::Expr) -> Option<LabelId> {
    let ast::ExprKind::Name(name) = &expr.kind else { return None };
    match view.record.column(view.record.find(&name.name)?).ty.as_ref()?.ty {
        Type::Label(id) => Some(id),
        Type::String
        | Type::Int
        | Type::Float
        | Type::Bool
        | Type::Date
        | Type::Timestamp
        | Type::List(_)
        | Type::Record(_) => None,
    }
}

fn resolve_comparison(
    context: &mut Context<'_>,
    view: &View<'_>,
    op: &Spanned<BinaryOp>,
    left: &ast::Expr,
    right: &ast::Expr,
    span: Span,
) -> Option<Expr> {
    let null = [left, right].into_iter().find(|side| matches!(side.kind, ast::ExprKind::Null));
    if let Some(null) = null {
        let other = if std::ptr::eq(null, left) { right } else { left };
        resolve_expr(context, view, other, None);
        let asked = context.files.text(other.span).to_owned();
        let not = if op.node == BinaryOp::NotEqual { "not " } else { "" };
        context.error(
            Code::ComparisonWithNull,
            "nothing is equal to `null`, not even `null`",
            null.span,
            format!("`{}` with `null` is never true", op.node.symbol()),
            format!("ask for it: `{asked} is {not}null`"),
        );
        return None;
    }
    let (want_left, want_right) = (label_of(view, right), label_of(view, left));
    let both = want_left.is_some() && want_right.is_some();
    let left = resolve_expr(context, view, left, if both { None } else { want_left });
    let right = resolve_expr(context, view, right, if both { None } else { want_right });
    compare(context, op, left?, right?, span)
}

fn compare(context: &mut Context<'_>, op: &Spanned<BinaryOp>, left: Expr, right: Expr, span: Span) -> Option<Expr> {
    let (shown_left, shown_right) = (show(context, &left.ty), show(context, &right.ty));
    let (at_left, at_right) = (left.span, right.span);
    let Some((left, right)) = unify(left, right) else {
        let number = |shown: &str| matches!(shown, "int" | "int?" | "float" | "float?");
        let unquoted = [(&shown_left, at_right), (&shown_right, at_left)]
            .into_iter()
            .find_map(|(other, at)| number(other).then(|| values::unquoted(context, at)).flatten());
        context.report(
            Diagnostic::new(
                Code::ComparisonOfTypes,
                format!("`{}` compares values of one type", op.node.symbol()),
                op.span,
                "the two sides have different types",
            )
            .label(at_left, format!("is `{shown_left}`"))
            .label(at_right, format!("is `{shown_right}`"))
            .help(unquoted.unwrap_or_else(|| "the only conversion is from `int` to `float`".to_owned())),
        );
        return None;
    };
    let comparable = match left.ty.ty {
        Type::String | Type::Int | Type::Float | Type::Date | Type::Timestamp => true,
        Type::Bool | Type::Label(_) => !is_order(op.node),
        Type::List(_) | Type::Record(_) => false,
    };
    if !comparable {
        wrong_operand(context, &left, &format!("`{}` needs values that can be compared so", op.node.symbol()));
        return None;
    }
    let ty = FieldType { ty: Type::Bool, nullable: left.ty.nullable || right.ty.nullable };
    Some(binary(lower(op.node), left, right, ty, span))
}

pub(super) fn resolve_in(
    context: &mut Context<'_>,
    view: &View<'_>,
    value: &ast::Expr,
    list: &ast::Expr,
    negated: bool,
    span: Span,
) -> Option<Expr> {
    let value = resolve_expr(context, view, value, None);
    let list = values::through_constants(context, view, list);
    let ast::ExprKind::List(items) = &list.kind else {
        context.error(
            Code::WrongType,
            "`in` looks into a list of constants",
            list.span,
            "must be a list",
            "write the values out: `in [\"a\", \"b\"]`",
        );
        return None;
    };
    let value = value?;
    let constants: Vec<Option<Literal>> =
        items.iter().map(|item| values::constant(context, view, item, Some(&value.ty.ty))).collect();
    let list = constants.into_iter().collect::<Option<Vec<_>>>()?;
    let ty = FieldType { ty: Type::Bool, nullable: value.ty.nullable };
    Some(Expr { kind: ExprKind::In { value: Box::new(value), list, negated }, ty, span })
}

pub(super) fn resolve_matches(
    context: &mut Context<'_>,
    view: &View<'_>,
    value: &ast::Expr,
    pattern: &ast::Expr,
    span: Span,
) -> Option<Expr> {
    let value = resolve_expr(context, view, value, None);
    let pattern = values::through_constants(context, view, pattern);
    let ast::ExprKind::Regex { pattern: regex, flags } = &pattern.kind else {
        context.error(
            Code::WrongType,
            "`matches` needs a regex",
            pattern.span,
            "is no regex",
            "write the pattern between slashes: `matches /refund|money back/i`",
        );
        return None;
    };
    let pattern = check_regex(context, regex, flags, pattern.span);
    let value = value?;
    if value.ty.ty != Type::String {
        wrong_operand(context, &value, "`matches` looks into a text");
        return None;
    }
    let ty = FieldType { ty: Type::Bool, nullable: value.ty.nullable };
    Some(Expr { kind: ExprKind::Matches { value: Box::new(value), pattern: pattern? }, ty, span })
}

/// The pattern with its flags in it; `None` after a report that points at the place inside the literal.
pub(super) fn check_regex(context: &mut Context<'_>, pattern: &str, flags: &str, span: Span) -> Option<String> {
    // The scanner reported other letters.
    let flags: String = flags.chars().filter(|flag| matches!(flag, 'i' | 's' | 'x')).collect();
    let whole = if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") };
    if context.regexes.contains(&whole) {
        return Some(whole);
    }
    let mut parser = regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.contains('i'))
        .dot_matches_new_line(flags.contains('s'))
        .ignore_whitespace(flags.contains('x'))
        .build();
    let (message, at) = match parser.parse(pattern) {
        Ok(_) => match regex::Regex::new(&whole) {
            Ok(_) => {
                context.regexes.insert(whole.clone());
                return Some(whole);
            }
            Err(_) => ("the pattern needs too much memory".to_owned(), None),
        },
        Err(regex_syntax::Error::Parse(error)) => {
            (error.kind().to_string(), Some(error.span().start.offset..error.span().end.offset))
        }
        Err(regex_syntax::Error::Translate(error)) => {
            (error.kind().to_string(), Some(error.span().start.offset..error.span().end.offset))
        }
        Err(_) => ("the pattern cannot be read".to_owned(), None),
    };
    let place = at.map_or(span, |at| place_in_literal(context, span, at));
    context.error(
        Code::InvalidPattern,
        format!("this regex is wrong: {message}"),
        place,
        message,
        "patterns are those of the Rust `regex` crate: no look-around, no back-references; `\\` takes a character literally",
    );
    None
}

/// The place in the file of a range of the pattern: `\/` is two characters there and one here.
fn place_in_literal(context: &Context<'_>, literal: Span, at: std::ops::Range<usize>) -> Span {
    let written = context.files.text(literal);
    let (mut raw, mut offset) = (1, 0);
    let (mut start, mut end) = (None, None);
    while raw < written.len() {
        if offset >= at.start && start.is_none() {
            start = Some(raw);
        }
        if offset >= at.end && end.is_none() {
            end = Some(raw);
        }
        let rest = &written[raw..];
        let Some(character) = rest.chars().next() else { break };
        if rest.starts_with("\\/") {
            raw += 2;
            offset += 1;
        } else {
            raw += character.len_utf8();
            offset += character.len_utf8();
        }
    }
    match (start, end) {
        (Some(start), Some(end)) => {
            let base = literal.start as usize;
            Span::new(literal.file, base + start, base + end.max(start + 1).min(written.len()))
        }
        _ => literal,
    }
}
