//! The values written in a test, typed against the fields that they are given to.

use super::super::scope::{Record, View};
use super::super::types::show;
use super::super::{Context, suggest, values};
use crate::diagnostics::{Code, Diagnostic};
use crate::engine::read::moment::{parse_date, parse_timestamp};
use crate::hir::{FieldType, Literal, Type, Value};
use crate::syntax::ast::{Expr, ExprKind, Ident};

/// The value that an expression writes for a field, or for the part of one that `path` names; `None` after a report.
pub(super) fn typed(context: &mut Context<'_>, path: &str, ty: &FieldType, written: &Expr) -> Option<Value> {
    match (&ty.ty, &written.kind) {
        (_, ExprKind::Null) if ty.nullable => Some(Value::NULL),
        (_, ExprKind::Null) => {
            let shown = show(context, ty);
            context.error(
                Code::NullableValue,
                format!("`{path}` is `{shown}`, which is never null"),
                written.span,
                "is null",
                "give it a value",
            );
            None
        }
        (Type::List(of), ExprKind::List(items)) => {
            let items = items.iter().enumerate();
            let items: Vec<Option<Value>> =
                items.map(|(at, item)| typed(context, &format!("{path}[{at}]"), of, item)).collect();
            Some(Value::List(items.into_iter().collect::<Option<_>>()?))
        }
        (Type::Record(members), ExprKind::Record(_)) => typed_record(context, path, members, written),
        (Type::Date | Type::Timestamp, ExprKind::Text(text)) => typed_moment(context, path, &ty.ty, text, written),
        (Type::List(_) | Type::Record(_), _) | (_, ExprKind::List(_) | ExprKind::Record(_)) => {
            other_shape(context, path, ty, written);
            None
        }
        (Type::String | Type::Int | Type::Float | Type::Bool | Type::Date | Type::Timestamp | Type::Label(_), _) => {
            let empty = Record { columns: Vec::new(), complete: true };
            values::constant(context, &View::of(&empty), written, Some(&ty.ty)).map(Value::Constant)
        }
    }
}

/// The members in the order of the type. One that may be null may be left out.
fn typed_record(
    context: &mut Context<'_>,
    path: &str,
    members: &[(String, FieldType)],
    written: &Expr,
) -> Option<Value> {
    let given = super::record_literal(context, written)?.members;
    let mut whole = true;
    for (name, _) in given {
        if members.iter().all(|(member, _)| *member != name.name) {
            unknown_member(context, path, members, name);
            whole = false;
        }
    }
    let mut row = Vec::with_capacity(members.len());
    for (name, ty) in members {
        let value = given.iter().find(|(member, _)| member.name == *name);
        let value = match value {
            Some((_, value)) => typed(context, &format!("{path}.{name}"), ty, value),
            None if ty.nullable => Some(Value::NULL),
            None => {
                context.error(
                    Code::NullableValue,
                    format!("`{path}.{name}` is never null, and this record leaves it out"),
                    written.span,
                    format!("has no `{name}`"),
                    format!("add `{name}: …`"),
                );
                None
            }
        };
        whole &= value.is_some();
        row.extend(value);
    }
    whole.then_some(Value::Record(row))
}

fn unknown_member(context: &mut Context<'_>, path: &str, members: &[(String, FieldType)], name: &Ident) {
    let help = suggest(&name.name, members.iter().map(|(member, _)| member.as_str()), "members");
    context.error(
        Code::UnknownField,
        format!("`{path}` has no member `{}`", name.name),
        name.span,
        "unknown member",
        help,
    );
}

fn typed_moment(context: &mut Context<'_>, path: &str, ty: &Type, text: &str, written: &Expr) -> Option<Value> {
    let (known, help) = match ty {
        Type::Date => (parse_date(text).is_some(), "write the day as `\"2024-05-31\"`"),
        _ => (parse_timestamp(text).is_some(), "write the moment with its offset: `\"2024-05-31T12:00:00Z\"`"),
    };
    if known {
        return Some(Value::Constant(Literal::String(text.to_owned())));
    }
    let shown = show(context, &FieldType::plain(ty.clone()));
    context.error(
        Code::WrongType,
        format!("`{path}` is `{shown}`, and this text is none"),
        written.span,
        format!("is no `{shown}`"),
        help,
    );
    None
}

/// Reports a list, a record or a plain value where another of the three is needed.
fn other_shape(context: &mut Context<'_>, path: &str, ty: &FieldType, written: &Expr) {
    let shown = show(context, ty);
    let is = match written.kind {
        ExprKind::List(_) => "a list",
        ExprKind::Record(_) => "a record",
        _ => "a single value",
    };
    let help = match &ty.ty {
        Type::List(_) => "write the items in brackets: `[ …, … ]`".to_owned(),
        Type::Record(members) => {
            let members: Vec<String> = members.iter().map(|(name, _)| format!("{name}: …")).collect();
            format!("write `{{ {} }}`", members.join(", "))
        }
        Type::String | Type::Int | Type::Float | Type::Bool | Type::Date | Type::Timestamp | Type::Label(_) => {
            format!("write one `{shown}`")
        }
    };
    context.error(
        Code::WrongType,
        format!("`{path}` is `{shown}`, and this is {is}"),
        written.span,
        format!("is {is}"),
        help,
    );
}

/// The type that all values written for a field have, where no declaration says it; `None` after a report.
pub(super) fn common_type(context: &mut Context<'_>, path: &str, written: &[&Expr]) -> Option<FieldType> {
    let mut common: Option<Type> = None;
    let mut nullable = false;
    let mut whole = true;
    for value in written {
        if matches!(value.kind, ExprKind::Null) {
            nullable = true;
            continue;
        }
        let Some(ty) = inferred(context, path, value) else {
            whole = false;
            continue;
        };
        common = match common.take() {
            None => Some(ty),
            Some(first) => match joined(&first, &ty) {
                Some(joined) => Some(joined),
                None => {
                    differs(context, path, &first, &ty, value);
                    return None;
                }
            },
        };
    }
    whole.then(|| FieldType { ty: common.unwrap_or(Type::String), nullable })
}

fn differs(context: &mut Context<'_>, path: &str, first: &Type, ty: &Type, value: &Expr) {
    let plain = |ty: &Type| FieldType::plain(ty.clone());
    let (first, shown) = (show(context, &plain(first)), show(context, &plain(ty)));
    context.report(
        Diagnostic::new(
            Code::WrongType,
            format!("`{path}` is `{first}` elsewhere in this test, and `{shown}` here"),
            value.span,
            format!("is `{shown}`"),
        )
        .help("give it values of one type"),
    );
}

/// The type of one value that is not null.
fn inferred(context: &mut Context<'_>, path: &str, written: &Expr) -> Option<Type> {
    match &written.kind {
        ExprKind::List(items) if items.is_empty() => {
            context.error(
                Code::WrongType,
                format!("nothing says what `{path}` is a list of"),
                written.span,
                "is empty",
                "use the block in a data set, whose fields have types, or give one item",
            );
            None
        }
        ExprKind::List(items) => {
            let items: Vec<&Expr> = items.iter().collect();
            Some(Type::List(Box::new(common_type(context, &format!("{path}[…]"), &items)?)))
        }
        ExprKind::Record(_) => {
            let members = super::record_literal(context, written)?.members;
            let mut types = Vec::with_capacity(members.len());
            for (name, value) in members {
                types.push((name.name.clone(), common_type(context, &format!("{path}.{}", name.name), &[value])));
            }
            let types: Option<Vec<_>> = types.into_iter().map(|(name, ty)| Some((name, ty?))).collect();
            Some(Type::Record(types?))
        }
        _ => {
            let empty = Record { columns: Vec::new(), complete: true };
            match values::constant(context, &View::of(&empty), written, None)? {
                Literal::Null | Literal::String(_) => Some(Type::String),
                Literal::Bool(_) => Some(Type::Bool),
                Literal::Int(_) => Some(Type::Int),
                Literal::Float(_) => Some(Type::Float),
            }
        }
    }
}

/// The type that has the values of both; a member that one of two records lacks may be null.
fn joined(first: &Type, second: &Type) -> Option<Type> {
    match (first, second) {
        _ if first == second => Some(first.clone()),
        (Type::Int, Type::Float) | (Type::Float, Type::Int) => Some(Type::Float),
        (Type::List(first), Type::List(second)) => Some(Type::List(Box::new(joined_fields(first, second)?))),
        (Type::Record(first), Type::Record(second)) => {
            let mut members: Vec<(String, FieldType)> = Vec::new();
            for (name, ty) in first {
                let other = second.iter().find(|(member, _)| member == name);
                let ty = match other {
                    Some((_, other)) => joined_fields(ty, other)?,
                    None => FieldType::or_null(ty.ty.clone()),
                };
                members.push((name.clone(), ty));
            }
            let further = second.iter().filter(|(name, _)| first.iter().all(|(member, _)| member != name));
            members.extend(further.map(|(name, ty)| (name.clone(), FieldType::or_null(ty.ty.clone()))));
            Some(Type::Record(members))
        }
        _ => None,
    }
}

/// A null has the type `string?` until another value says more.
fn joined_fields(first: &FieldType, second: &FieldType) -> Option<FieldType> {
    let unknown = FieldType::or_null(Type::String);
    if *first == unknown || *second == unknown {
        let known = if *first == unknown { second } else { first };
        return Some(FieldType::or_null(known.ty.clone()));
    }
    Some(FieldType { ty: joined(&first.ty, &second.ty)?, nullable: first.nullable || second.nullable })
}
