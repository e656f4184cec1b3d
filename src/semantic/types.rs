//! Types and typed expressions: the dispatcher; calls, comparisons and `match` have files of their own.

use super::foreign::{Meant, suggest_meant};
use super::scope::View;
use super::{Context, calls, compare, index, labels, matching, names, suggest, values};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Expr, ExprKind, FieldType, LabelId, Literal, Type};
use crate::source::Span;
use crate::syntax::ast::source::{TypeExpr, TypeExprKind};
use crate::syntax::ast::{self, Ident, UnaryOp};

/// The names of the plain types.
pub(super) const PLAIN: [(&str, Type); 6] = [
    ("string", Type::String),
    ("int", Type::Int),
    ("float", Type::Float),
    ("bool", Type::Bool),
    ("date", Type::Date),
    ("timestamp", Type::Timestamp),
];

/// The type that was written; `None` after a report.
pub(super) fn resolve_type(context: &mut Context<'_>, written: &TypeExpr) -> Option<FieldType> {
    let ty = match &written.kind {
        TypeExprKind::Name(name) => named_type(context, name)?,
        TypeExprKind::List(of) => Type::List(Box::new(resolve_type(context, of)?)),
        TypeExprKind::Record(members) => {
            let mut resolved = Vec::with_capacity(members.len());
            for (name, ty) in members {
                resolved.push((name.name.clone(), resolve_type(context, ty)));
            }
            let members: Option<Vec<_>> = resolved.into_iter().map(|(name, ty)| Some((name, ty?))).collect();
            Type::Record(members?)
        }
    };
    Some(FieldType { ty, nullable: written.nullable })
}

fn named_type(context: &mut Context<'_>, name: &Ident) -> Option<Type> {
    if let Some((_, ty)) = PLAIN.iter().find(|(word, _)| *word == name.name) {
        return Some(ty.clone());
    }
    if let Some(id) = labels::label_id(context, name) {
        values::meet_constant(context, name);
        return Some(Type::Label(id));
    }
    let labels: Vec<&str> = context.names.of_kind(name.span.file, names::Kind::Label).collect();
    let candidates = PLAIN.iter().map(|(word, _)| *word).chain(["list"]).chain(labels);
    let help = suggest_meant(Meant::Type, &name.name, candidates, "types");
    context.error(Code::UnknownType, format!("there is no type `{}`", name.name), name.span, "unknown type", help);
    None
}

/// A type as the language writes it.
pub(super) fn show(context: &Context<'_>, ty: &FieldType) -> String {
    let plain = match &ty.ty {
        Type::String => "string".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Timestamp => "timestamp".to_owned(),
        Type::List(of) => format!("list<{}>", show(context, of)),
        Type::Record(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, ty)| format!("{name}: {}", show(context, ty))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Type::Label(id) => context.program[*id].name.clone(),
    };
    if ty.nullable { plain + "?" } else { plain }
}

/// Resolves an expression; `None` after a report. `want` is the label whose values are sought, where names of values
/// may stand.
pub(super) fn resolve_expr(
    context: &mut Context<'_>,
    view: &View<'_>,
    expr: &ast::Expr,
    want: Option<LabelId>,
) -> Option<Expr> {
    if context.depth >= DEEPEST {
        too_large(context, expr.span);
        return None;
    }
    context.depth += 1;
    let resolved = resolve_form(context, view, expr, want);
    context.depth -= 1;
    resolved
}

/// Expressions nested deeper than this are refused: each stage walks them by recursion.
const DEEPEST: u32 = 400;

/// Constants and functions that lead to one another further than this are refused.
pub(super) const MOST_OPEN: usize = 64;

/// Reports an expression that is too large, or becomes so when its functions are written out.
pub(super) fn too_large(context: &mut Context<'_>, span: Span) {
    context.error(
        Code::NestedTooDeep,
        "this expression is too large",
        span,
        "too many operations in one another",
        "compute a part of it with `set` first, or ask with `in [ … ]` or one regex",
    );
}

fn resolve_form(context: &mut Context<'_>, view: &View<'_>, expr: &ast::Expr, want: Option<LabelId>) -> Option<Expr> {
    let span = expr.span;
    match &expr.kind {
        ast::ExprKind::Null => {
            Some(Expr { kind: ExprKind::Literal(Literal::Null), ty: FieldType::or_null(Type::String), span })
        }
        ast::ExprKind::Bool(value) => Some(literal(Literal::Bool(*value), Type::Bool, span)),
        ast::ExprKind::Int(value) => Some(literal(Literal::Int(*value), Type::Int, span)),
        ast::ExprKind::Float(value) => Some(literal(Literal::Float(*value), Type::Float, span)),
        ast::ExprKind::Percent(value) => Some(literal(Literal::Float(*value / 100.0), Type::Float, span)),
        ast::ExprKind::Text(text) => match want {
            Some(label) => labels::value_literal(context, label, text, span),
            None => Some(literal(Literal::String(text.clone()), Type::String, span)),
        },
        ast::ExprKind::Name(name) => resolve_name(context, view, name, want),
        ast::ExprKind::Member(of, member) => resolve_member(context, view, of, member, span),
        ast::ExprKind::Call { function, args, piped } => {
            calls::resolve_call(context, view, function, args, *piped, span)
        }
        ast::ExprKind::Unary(op, operand) => resolve_unary(context, view, op.node, operand, span),
        ast::ExprKind::Binary(op, left, right) => compare::resolve_binary(context, view, op, left, right, span, want),
        ast::ExprKind::IsNull { value, negated } => {
            let value = Box::new(resolve_expr(context, view, value, None)?);
            Some(Expr { kind: ExprKind::IsNull { value, negated: *negated }, ty: FieldType::plain(Type::Bool), span })
        }
        ast::ExprKind::In { value, list, negated } => compare::resolve_in(context, view, value, list, *negated, span),
        ast::ExprKind::Matches { value, pattern } => compare::resolve_matches(context, view, value, pattern, span),
        ast::ExprKind::Match { subject, arms } => {
            let matched = matching::resolve_match(context, view, subject, arms, span, want)?;
            matching::refuse_drop(context, arms);
            Some(matched.value)
        }
        ast::ExprKind::Regex { .. } => misplaced(context, span, "a regex", "write it after `matches`"),
        ast::ExprKind::By(_) => {
            misplaced(context, span, "a slice", "slices stand in `gap(METRIC, by …)` of an evaluation")
        }
        ast::ExprKind::List(_) => misplaced(context, span, "a list", "write it after `in`"),
        ast::ExprKind::Record(_) => {
            misplaced(context, span, "a record", "records stand in the `given` and `expect` of a test")
        }
        ast::ExprKind::Index(of, place) => resolve_element(context, view, of, place, span),
    }
}

fn misplaced(context: &mut Context<'_>, span: Span, what: &str, help: &str) -> Option<Expr> {
    context.error(
        Code::WrongType,
        format!("{what} is no value of a record"),
        span,
        format!("{what} cannot stand here"),
        help,
    );
    None
}

/// A constant with its plain type.
pub(super) fn literal(value: Literal, ty: Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(value), ty: FieldType::plain(ty), span }
}

fn resolve_name(context: &mut Context<'_>, view: &View<'_>, name: &Ident, want: Option<LabelId>) -> Option<Expr> {
    if let Some((_, argument)) = view.arguments.iter().find(|(parameter, _)| *parameter == name.name) {
        return argument.clone().map(|argument| Expr { span: name.span, ..argument });
    }
    if let Some(label) = want
        && labels::has_value(context, label, &name.name)
    {
        return labels::value_literal(context, label, &name.name, name.span);
    }
    if !view.closed
        && let Some(id) = view.record.find(&name.name)
    {
        index::refer_to_column(context, name.span, view.record.column(id));
        let ty = in_expression(context, view.record.column(id).current()?);
        return Some(Expr { kind: ExprKind::Column(id), ty, span: name.span });
    }
    if let Some(value) = constant_declaration(context, name) {
        values::meet_constant(context, name);
        return expand_constant(context, view, name, value, want);
    }
    unknown_name(context, view, name, want)
}

/// The type that a column has in an expression: a label other than a choice is its value.
fn in_expression(context: &Context<'_>, ty: FieldType) -> FieldType {
    match ty.ty {
        Type::Label(label) => FieldType { ty: labels::value_type(context, label), nullable: ty.nullable },
        _ => ty,
    }
}

fn unknown_name(context: &mut Context<'_>, view: &View<'_>, name: &Ident, want: Option<LabelId>) -> Option<Expr> {
    if let Some(label) = want
        && (view.closed || view.record.find(&name.name).is_none())
        && labels::values_are_open(context, label)
    {
        return labels::value_literal(context, label, &name.name, name.span);
    }
    if !view.record.complete || name.name.starts_with('@') && view.closed {
        return None;
    }
    if let Some(declared) = context.names.get(name) {
        context.names.mark_used(name);
        if declared.kind != names::Kind::Imported {
            context.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{}` is {}, and a field is needed here", name.name, declared.kind.described()),
                    name.span,
                    "must name a field",
                )
                .label(declared.span, format!("declared here as {}", declared.kind.described()))
                .help(suggest(&name.name, view.record.names(), "fields")),
            );
        }
        return None;
    }
    if let Some(label) = want {
        return labels::value_literal(context, label, &name.name, name.span);
    }
    unknown_field(context, view, name);
    None
}

/// Reports a name that is no field.
pub(super) fn unknown_field(context: &mut Context<'_>, view: &View<'_>, name: &Ident) {
    if view.closed {
        let help = suggest(&name.name, view.arguments.iter().map(|(parameter, _)| *parameter), "parameters");
        context.error(
            Code::UnknownField,
            format!("`{}` is no parameter and no constant", name.name),
            name.span,
            "unknown name: a `fn` or `let` sees no field",
            help,
        );
        return;
    }
    if view.record.complete {
        let help = suggest_meant(Meant::Value, &name.name, view.record.names(), "fields");
        context.error(
            Code::UnknownField,
            format!("the record has no field `{}`", name.name),
            name.span,
            "unknown field",
            help,
        );
    }
}

/// The value of a `let` of this name.
pub(super) fn constant_declaration<'a>(context: &Context<'a>, name: &Ident) -> Option<&'a ast::Let> {
    match context.names.get(name)?.decl {
        ast::Decl::Let(constant) => Some(constant),
        _ => None,
    }
}

fn expand_constant(
    context: &mut Context<'_>,
    view: &View<'_>,
    name: &Ident,
    constant: &ast::Let,
    want: Option<LabelId>,
) -> Option<Expr> {
    if view.open.len() >= MOST_OPEN {
        too_large(context, name.span);
        return None;
    }
    if view.open.contains(&constant.name.span) {
        context.error(
            Code::RecursiveDefinition,
            format!("`{}` is defined by itself", name.name),
            name.span,
            "leads back to itself",
            "a constant or function may use only what does not use it",
        );
        return None;
    }
    let mut open = view.open.clone();
    open.push(constant.name.span);
    let inner = View { record: view.record, arguments: Vec::new(), open, closed: true };
    let value = resolve_expr(context, &inner, &constant.value, want)?;
    Some(Expr { span: name.span, ..value })
}

fn resolve_member(
    context: &mut Context<'_>,
    view: &View<'_>,
    of: &ast::Expr,
    member: &Ident,
    span: Span,
) -> Option<Expr> {
    let of = resolve_expr(context, view, of, None)?;
    let Type::Record(members) = &of.ty.ty else {
        let shown = show(context, &of.ty);
        context.report(
            Diagnostic::new(
                Code::UnknownField,
                format!("a `{shown}` has no member `{}`", member.name),
                member.span,
                "only records have members",
            )
            .label(of.span, format!("a `{shown}`"))
            .help("take the member off, or declare the field as `{ name: type }`"),
        );
        return None;
    };
    let Some((_, ty)) = members.iter().find(|(name, _)| *name == member.name) else {
        let help = suggest(&member.name, members.iter().map(|(name, _)| name.as_str()), "members");
        context.error(
            Code::UnknownField,
            format!("the record has no member `{}`", member.name),
            member.span,
            "unknown member",
            help,
        );
        return None;
    };
    let ty = FieldType { ty: ty.ty.clone(), nullable: ty.nullable || of.ty.nullable };
    Some(Expr { ty, kind: ExprKind::Member(Box::new(of), member.name.clone()), span })
}

/// `a[0]`: an element by a constant place, which a list may lack.
fn resolve_element(
    context: &mut Context<'_>,
    view: &View<'_>,
    of: &ast::Expr,
    place: &ast::Expr,
    span: Span,
) -> Option<Expr> {
    let of = resolve_expr(context, view, of, None);
    let place = values::constant(context, view, place, Some(&Type::Int));
    let (of, Literal::Int(place)) = (of?, place?) else { return None };
    let Type::List(item) = &of.ty.ty else {
        compare::wrong_operand(context, &of, "`[ ]` takes an element of a list");
        return None;
    };
    let ty = FieldType::or_null(item.ty.clone());
    Some(Expr { ty, kind: ExprKind::Element(Box::new(of), place), span })
}

fn resolve_unary(
    context: &mut Context<'_>,
    view: &View<'_>,
    op: UnaryOp,
    operand: &ast::Expr,
    span: Span,
) -> Option<Expr> {
    let operand = resolve_expr(context, view, operand, None)?;
    match op {
        UnaryOp::Negate => {
            match operand.kind {
                ExprKind::Literal(Literal::Int(value)) => {
                    return Some(literal(Literal::Int(value.saturating_neg()), Type::Int, span));
                }
                ExprKind::Literal(Literal::Float(value)) => {
                    return Some(literal(Literal::Float(-value), Type::Float, span));
                }
                _ => {}
            }
            if !matches!(operand.ty.ty, Type::Int | Type::Float) {
                compare::wrong_operand(context, &operand, "`-` needs a number");
                return None;
            }
            Some(Expr { ty: operand.ty.clone(), kind: ExprKind::Negate(Box::new(operand)), span })
        }
        UnaryOp::Not => {
            if operand.ty.ty != Type::Bool {
                compare::wrong_operand(context, &operand, "`not` needs a condition");
                return None;
            }
            Some(Expr { ty: operand.ty.clone(), kind: ExprKind::Not(Box::new(operand)), span })
        }
    }
}

/// Resolves a condition: a boolean, maybe null.
pub(super) fn resolve_condition(context: &mut Context<'_>, view: &View<'_>, expr: &ast::Expr) -> Option<Expr> {
    let condition = resolve_expr(context, view, expr, None)?;
    if condition.ty.ty == Type::Bool {
        return Some(condition);
    }
    let shown = show(context, &condition.ty);
    context.error(
        Code::ConditionNotBoolean,
        format!("a condition is true or false, and this is `{shown}`"),
        condition.span,
        format!("is `{shown}`"),
        match condition.ty.ty {
            Type::Int | Type::Float => "compare it with a number: `… > 0`",
            Type::String => "compare it with a text, or ask for a pattern: `… matches /…/`",
            Type::Bool | Type::Date | Type::Timestamp | Type::List(_) | Type::Record(_) | Type::Label(_) => {
                "ask for it with a comparison, `in`, `matches` or `is null`"
            }
        },
    );
    None
}
