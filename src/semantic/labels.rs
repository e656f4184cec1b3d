//! Label declarations: schemas and what their values are in an expression.

use super::label_values::resolve_values;
use super::names::Kind;
use super::quantities::{Bounds, number, whole};
use super::types::{literal, resolve_type};
use super::{Context, calls, constraints, index, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{
    self, Choices, ColumnId, DeclaredSchema, Expr, FieldType, LabelForm, LabelId, LabelSchema, LabelValue, LabelValues,
    Literal, ScalarSchema, Spans, Type,
};
use crate::source::Span;
use crate::syntax::ast::label::{Label, Schema, Values};
use crate::syntax::ast::source::Field;
use crate::syntax::ast::{self, Ident, Quantity};

/// Resolves all labels, in order, then checks `fn` and `let`, which may speak of them.
pub(super) fn resolve_labels<'a>(context: &mut Context<'a>, decls: &[&'a ast::Decl]) {
    for decl in decls {
        let ast::Decl::Label(label) = decl else { continue };
        let schema = resolve_schema(context, label);
        let id = context.program.labels.len() as u32;
        context.ids.insert(label.name.span, id);
        context.label_names.insert(LabelId(id), label.name.span);
        context.program.labels.push(hir::Label {
            name: context.names.title(&label.name),
            doc: label.doc.clone(),
            schema,
            span: label.span,
        });
    }
    for decl in decls {
        if let ast::Decl::Label(label) = decl {
            constraints::check_label(context, label);
        }
    }
    calls::check_definitions(context, decls);
}

/// The id of a declared label.
pub(super) fn label_id(context: &Context<'_>, name: &Ident) -> Option<LabelId> {
    context.names.get(name).filter(|declared| declared.kind == Kind::Label)?;
    context.id_of(name).map(LabelId)
}

/// The values of a label that has them written out, or in a file.
pub(super) fn listed_values<'p>(context: &'p Context<'_>, label: LabelId) -> Option<&'p [LabelValue]> {
    match &context.program[label].schema {
        LabelSchema::Declared(
            DeclaredSchema::Tree(values)
            | DeclaredSchema::Choices(Some(LabelValues::Listed(values)))
            | DeclaredSchema::Spans(Some(LabelValues::Listed(values))),
        ) => Some(values),
        schema => schema.listed(),
    }
}

/// Whether the label's values are known and this is one.
pub(super) fn has_value(context: &Context<'_>, label: LabelId, name: &str) -> bool {
    listed_values(context, label).is_some_and(|values| values.iter().any(|value| value.name == name))
}

/// Where a value is written, for those that are written in a specification.
pub(super) fn value_place(context: &Context<'_>, label: LabelId, name: &str) -> Option<Span> {
    context.value_places.get(&(label, name.to_owned())).copied()
}

/// Whether any text may be a value: it is found in the data, or the schema is not lowered.
pub(super) fn values_are_open(context: &Context<'_>, label: LabelId) -> bool {
    listed_values(context, label).is_none_or(<[LabelValue]>::is_empty)
}

/// A label's value by its name; `None` after a report that there is none.
pub(super) fn value_literal(context: &mut Context<'_>, label: LabelId, name: &str, span: Span) -> Option<Expr> {
    if values_are_open(context, label) || has_value(context, label, name) {
        index::refer_to_value(context, span, label, name);
        return Some(literal(Literal::String(name.to_owned()), Type::Label(label), span));
    }
    let declared = &context.program[label];
    let (of, place) = (declared.name.clone(), declared.span);
    let values = listed_values(context, label).unwrap_or_default();
    let help = suggest(name, values.iter().map(|value| value.name.as_str()), "values");
    context.report(
        Diagnostic::new(Code::UnknownLabelValue, format!("label `{of}` has no value `{name}`"), span, "unknown value")
            .label(place, "declared here")
            .help(help),
    );
    None
}

fn resolve_schema(context: &mut Context<'_>, label: &Label) -> LabelSchema {
    let declared = match &label.schema {
        Schema::Choice(values) => {
            let tree = is_tree(values);
            match resolve_values(context, &label.name, values) {
                Some(LabelValues::Listed(values)) if tree => DeclaredSchema::Tree(values),
                Some(values) => return LabelSchema::Choice(values),
                None => DeclaredSchema::Choice,
            }
        }
        Schema::Choices { count, values } => {
            let tree = is_tree(values);
            let resolved = resolve_values(context, &label.name, values);
            let counts = count.as_ref().map(|(low, high)| check_count(context, low, high, resolved.as_ref()));
            match (resolved, counts) {
                (Some(LabelValues::Listed(values)), None) if !tree => {
                    let most = values.len();
                    return LabelSchema::Choices(Choices { values, least: 0, most });
                }
                (Some(LabelValues::Listed(values)), Some(Some((least, most)))) if !tree => {
                    return LabelSchema::Choices(Choices { values, least, most });
                }
                (resolved, _) => DeclaredSchema::Choices(resolved),
            }
        }
        Schema::Spans { values, overlap, .. } => {
            let tree = is_tree(values);
            let resolved = resolve_values(context, &label.name, values);
            let words = [("yes", true), ("no", false)];
            let may_overlap = match overlap {
                Some(overlap) => super::quantities::word(context, overlap, "kind of overlap", &words),
                None => Some(true),
            };
            match (resolved, may_overlap) {
                (Some(LabelValues::Listed(values)), Some(may_overlap)) if !tree => {
                    return LabelSchema::Spans(Spans { values, may_overlap });
                }
                (resolved, _) => DeclaredSchema::Spans(resolved),
            }
        }
        Schema::Scale { low, high, .. } => {
            let bounds = Bounds::between("the end of a scale", -1e9, 1e9);
            let ends = whole_or_negative(context, low, bounds).zip(whole_or_negative(context, high, bounds));
            check_order(context, low, high);
            let (low, high) = ends.unwrap_or((0, 0));
            return LabelSchema::Scalar(ScalarSchema::Scale { low, high: high.max(low) });
        }
        Schema::Json(fields) => DeclaredSchema::Json(resolve_members(context, fields)),
        Schema::Simple(word) => {
            let words = [("number", 0), ("flag", 1), ("text", 2), ("rank", 3), ("preference", 4)];
            match super::quantities::word(context, word, "label schema", &words) {
                Some(0) => return LabelSchema::Scalar(ScalarSchema::Number),
                Some(1) => return LabelSchema::Scalar(ScalarSchema::Flag),
                Some(3) => DeclaredSchema::Rank,
                Some(4) => DeclaredSchema::Preference,
                Some(_) | None => DeclaredSchema::Text,
            }
        }
    };
    LabelSchema::Declared(declared)
}

fn is_tree(values: &Values) -> bool {
    matches!(values, Values::Listed(values) if values.iter().any(|value| !value.children.is_empty()))
}

/// A whole number that may be below zero; `None` after a report.
fn whole_or_negative(context: &mut Context<'_>, quantity: &Quantity, bounds: Bounds) -> Option<i64> {
    let value = number(context, quantity, bounds)?;
    if value.fract() != 0.0 {
        context.error(
            Code::NumberOutOfRange,
            "the steps of a scale are whole numbers",
            quantity.span,
            "has a fraction",
            format!("write `{}`, or declare a `number`", value.round()),
        );
        return None;
    }
    Some(value as i64)
}

fn resolve_members(context: &mut Context<'_>, fields: &[Field]) -> Vec<(String, FieldType)> {
    let mut members: Vec<(String, FieldType)> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        if let Some(first) = fields[..index].iter().find(|first| first.name.name == field.name.name) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("member `{}` is declared twice", field.name.name),
                    field.name.span,
                    "declared again here",
                )
                .label(first.name.span, "first declared here")
                .help("keep one of them"),
            );
        } else if let Some(ty) = resolve_type(context, &field.ty) {
            members.push((field.name.name.clone(), ty));
        }
    }
    members
}

/// `choices(1..3)`: from some number of values to another, and there are so many; `None` after a report.
fn check_count(
    context: &mut Context<'_>,
    low: &Quantity,
    high: &Quantity,
    values: Option<&LabelValues>,
) -> Option<(usize, usize)> {
    let bounds = Bounds::between("a number of values", 0.0, 1e6);
    let ends = whole(context, low, bounds).zip(whole(context, high, bounds));
    check_order(context, low, high);
    let (low_value, high_value) = ends?;
    let Some(LabelValues::Listed(values)) = values else { return None };
    let there = values.len() as u64;
    if low_value > there || (high_value > there && low_value <= high_value) {
        let what = if low_value > there { low } else { high };
        context.error(
            Code::BadLabelSchema,
            format!("{} values cannot be chosen from {there}", what.value),
            what.span,
            format!("there are {there}"),
            format!("write `choices({}..{there})`", low_value.min(there)),
        );
        return None;
    }
    (low_value <= high_value).then_some((low_value as usize, high_value as usize))
}

fn check_order(context: &mut Context<'_>, low: &Quantity, high: &Quantity) {
    if low.value > high.value {
        context.error(
            Code::NumberOutOfRange,
            "the range ends before it begins",
            low.span.to(high.span),
            "from high to low",
            format!("write `{}..{}`", high.value, low.value),
        );
    }
}

/// What the label makes of its raw value, `over` being the text of spans; `None` where that was reported.
pub(super) fn form(context: &Context<'_>, label: LabelId, over: Option<ColumnId>) -> Option<LabelForm> {
    match &context.program[label].schema {
        LabelSchema::Choices(choices) => Some(LabelForm::Several(choices.clone())),
        LabelSchema::Spans(spans) => over.map(|over| LabelForm::Spans { over, spans: spans.clone() }),
        LabelSchema::Scalar(schema) => Some(LabelForm::Scalar(*schema)),
        LabelSchema::Choice(_) | LabelSchema::Declared(_) => Some(LabelForm::One),
    }
}

/// The type of a label's value in an expression: a choice keeps the label's own type, whose values have names.
pub(super) fn value_type(context: &Context<'_>, label: LabelId) -> Type {
    let text = || FieldType::plain(Type::String);
    match &context.program[label].schema {
        LabelSchema::Choice(_) | LabelSchema::Declared(DeclaredSchema::Choice | DeclaredSchema::Tree(_)) => {
            Type::Label(label)
        }
        LabelSchema::Scalar(schema) => schema.ty(),
        LabelSchema::Declared(DeclaredSchema::Text | DeclaredSchema::Preference) => Type::String,
        LabelSchema::Choices(_) | LabelSchema::Declared(DeclaredSchema::Choices(_) | DeclaredSchema::Rank) => {
            Type::List(Box::new(text()))
        }
        LabelSchema::Spans(_) | LabelSchema::Declared(DeclaredSchema::Spans(_)) => spans_type(),
        LabelSchema::Declared(DeclaredSchema::Json(members)) => Type::Record(members.clone()),
    }
}

/// `list<{ start: int, end: int, label: string }>`
pub(super) fn spans_type() -> Type {
    let offset = || FieldType::plain(Type::Int);
    let members = vec![("start", offset()), ("end", offset()), ("label", FieldType::plain(Type::String))];
    let members = members.into_iter().map(|(name, ty)| (name.to_owned(), ty)).collect();
    Type::List(Box::new(FieldType::plain(Type::Record(members))))
}
