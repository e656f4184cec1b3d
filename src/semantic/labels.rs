//! Label declarations: schemas and their values.

use super::index::{self, SymbolKind};
use super::names::{Found, Kind};
use super::types::{literal, resolve_type};
use super::{Context, calls, names, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, Expr, FieldType, LabelId, LabelSchema, LabelValue, LabelValues, Literal, SourceId, Type};
use crate::source::Span;
use crate::syntax::ast::label::{Constraint, Label, Schema, Value, Values};
use crate::syntax::ast::{self, Ident, Quantity, Text};

/// The words of schemas without a block.
const SIMPLE: [&str; 5] = ["number", "flag", "text", "rank", "preference"];

/// Resolves all labels, in order, then checks `fn` and `let`, which may speak of them.
pub(super) fn resolve_labels<'a>(context: &mut Context<'a>, decls: &[&'a ast::Decl]) {
    for decl in decls {
        let ast::Decl::Label(label) = decl else { continue };
        let schema = resolve_schema(context, label);
        context.ids.insert(label.name.span, context.program.labels.len() as u32);
        context.program.labels.push(hir::Label {
            name: context.names.title(&label.name),
            doc: label.doc.clone(),
            schema,
            span: label.span,
        });
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
        LabelSchema::Choice(LabelValues::Listed(values)) => Some(values),
        LabelSchema::Choice(LabelValues::Found { .. }) | LabelSchema::Declared(_) => None,
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
    match &label.schema {
        Schema::Choice(values) => {
            let tree =
                matches!(values, Values::Listed(values) if values.iter().any(|value| !value.children.is_empty()));
            match resolve_values(context, &label.name, values) {
                Some(_) if tree => LabelSchema::Declared("choice tree".to_owned()),
                Some(values) => LabelSchema::Choice(values),
                None => LabelSchema::Declared("choice".to_owned()),
            }
        }
        Schema::Choices { count, values } => {
            if let Some((low, high)) = count {
                check_order(context, low, high);
            }
            resolve_values(context, &label.name, values);
            LabelSchema::Declared("choices".to_owned())
        }
        Schema::Spans { values, overlap, .. } => {
            resolve_values(context, &label.name, values);
            if let Some(overlap) = overlap {
                super::quantities::word(context, overlap, "kind of overlap", &[("yes", ()), ("no", ())]);
            }
            LabelSchema::Declared("spans".to_owned())
        }
        Schema::Scale { low, high, constraints } => {
            check_order(context, low, high);
            for constraint in constraints {
                check_constraint(context, constraint);
            }
            LabelSchema::Declared("scale".to_owned())
        }
        Schema::Json(fields) => {
            for field in fields {
                resolve_type(context, &field.ty);
            }
            LabelSchema::Declared("json".to_owned())
        }
        Schema::Simple(word) => {
            let words: Vec<(&str, ())> = SIMPLE.iter().map(|word| (*word, ())).collect();
            super::quantities::word(context, word, "label schema", &words);
            LabelSchema::Declared(word.name.clone())
        }
    }
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

/// A scale's constraint speaks of the label and of the record's fields, which no data set gives it yet: what can be
/// checked without them is that the demands are no plain values.
fn check_constraint(context: &mut Context<'_>, constraint: &Constraint) {
    for side in [&constraint.when, &constraint.require] {
        if !may_be_condition(side) {
            context.error(
                Code::ConditionNotBoolean,
                "a condition is true or false",
                side.span,
                "is no condition",
                "compare it: `flagged == true`",
            );
        }
    }
}

fn may_be_condition(expr: &ast::Expr) -> bool {
    !matches!(
        expr.kind,
        ast::ExprKind::Null
            | ast::ExprKind::Int(_)
            | ast::ExprKind::Float(_)
            | ast::ExprKind::Percent(_)
            | ast::ExprKind::Text(_)
            | ast::ExprKind::Regex { .. }
            | ast::ExprKind::List(_)
            | ast::ExprKind::Record(_)
    )
}

fn resolve_values(context: &mut Context<'_>, label: &Ident, values: &Values) -> Option<LabelValues> {
    match values {
        Values::Listed(values) => {
            let mut listed = Vec::new();
            let mut places = Vec::new();
            list_values(context, values, &mut listed, &mut places);
            if listed.is_empty() && context.names.is_damaged(label) {
                return None;
            }
            if listed.is_empty() {
                context.error(
                    Code::BadLabelSchema,
                    format!("label `{}` has no value", label.name),
                    label.span,
                    "nothing to choose from",
                    "name its values: `choice { now; later }`",
                );
                return None;
            }
            Some(LabelValues::Listed(listed))
        }
        Values::Field { source, field } => found_values(context, source, field),
        Values::File(path) => file_values(context, path).map(LabelValues::Listed),
    }
}

fn list_values(context: &mut Context<'_>, values: &[Value], listed: &mut Vec<LabelValue>, places: &mut Vec<Span>) {
    for value in values {
        if let Some(first) = listed.iter().position(|listed| listed.name == value.name.name) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateLabelValue,
                    format!("value `{}` stands twice", value.name.name),
                    value.name.span,
                    "named again here",
                )
                .label(places[first], "first named here")
                .help("keep one of them"),
            );
        } else {
            listed.push(LabelValue {
                name: value.name.name.clone(),
                title: value.title.as_ref().map_or_else(|| value.name.name.clone(), |title| title.node.clone()),
                guideline: value.doc.clone(),
            });
            places.push(value.name.span);
            let label = LabelId(context.program.labels.len() as u32);
            context.value_places.insert((label, value.name.name.clone()), value.name.span);
            let title = value.title.as_ref().map_or(&value.name.name, |title| &title.node).clone();
            index::define(context, &value.name, SymbolKind::LabelValue, value.doc.as_deref(), title);
        }
        list_values(context, &value.children, listed, places);
    }
}

fn found_values(context: &mut Context<'_>, source: &Ident, field: &Ident) -> Option<LabelValues> {
    let Found::Declared(_) = names::look_up(context, source, Kind::Source) else { return None };
    let id = SourceId(context.id_of(source)?);
    let fields = &context.program[id].fields;
    let Some(position) = fields.iter().position(|declared| declared.name == field.name) else {
        let help = suggest(&field.name, fields.iter().map(|declared| declared.name.as_str()), "fields");
        context.error(
            Code::UnknownField,
            format!("source `{}` has no field `{}`", source.name, field.name),
            field.span,
            "unknown field",
            help,
        );
        return None;
    };
    let declared = &fields[position];
    let name_span = context.field_names.get(&(id, field.name.clone())).copied();
    let (ty, personal, place) = (declared.ty.clone(), declared.personal.is_some(), declared.span);
    index::refer(context, field.span, name_span.into_iter().collect(), None);
    if context.bare_fields.contains(&(id, field.name.clone())) {
        return None;
    }
    if ty.ty != Type::String {
        let shown = super::types::show(context, &FieldType::plain(ty.ty));
        context.report(
            Diagnostic::new(Code::WrongType, "a label's values are texts", field.span, format!("is `{shown}`"))
                .label(place, "declared here")
                .help("write the values out and map the field to them with `match`"),
        );
        return None;
    }
    if personal {
        context.report(
            Diagnostic::new(
                Code::PersonalDataLeak,
                format!("the values of `{}` would be written to the lock file", field.name),
                field.span,
                "personal data reaches the lock file here",
            )
            .label(place, "declared `@personal` here")
            .help("write the label's values out: `choice { … }`"),
        );
        return None;
    }
    Some(LabelValues::Found { source: id, field: position })
}

/// One row of a file of label values.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum FileValue {
    Name(String),
    Row(FileRow),
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    value: String,
    title: Option<String>,
    guideline: Option<String>,
    #[serde(default, rename = "examples")]
    _examples: Vec<String>,
    #[serde(rename = "key")]
    _key: Option<String>,
}

fn file_values(context: &mut Context<'_>, path: &Text) -> Option<Vec<LabelValue>> {
    let wrong = |context: &mut Context<'_>, message: String, label: &str| {
        context.error(
            Code::BadLabelFile,
            message,
            path.span,
            label,
            "the file is a YAML list of names, or of `value`, `title`, `guideline`, `examples`, `key`",
        );
    };
    let text = match context.read(path.span, &path.node) {
        Ok(text) => text,
        Err(reason) => {
            wrong(context, format!("`{}` cannot be read: {reason}", path.node), "names this file");
            return None;
        }
    };
    let rows: Vec<FileValue> = match serde_yaml::from_str(&text) {
        Ok(rows) => rows,
        Err(error) => {
            let at = error.location().map(|place| format!(" in line {}", place.line())).unwrap_or_default();
            wrong(context, format!("`{}` is no list of label values{at}", path.node), "its content is of another form");
            return None;
        }
    };
    let mut values: Vec<LabelValue> = Vec::with_capacity(rows.len());
    for row in rows {
        let (name, title, guideline) = match row {
            FileValue::Name(name) => (name, None, None),
            FileValue::Row(row) => (row.value, row.title, row.guideline),
        };
        if values.iter().any(|value| value.name == name) {
            wrong(context, format!("`{}` has the value `{name}` twice", path.node), "one value stands twice");
            return None;
        }
        values.push(LabelValue { title: title.unwrap_or_else(|| name.clone()), name, guideline });
    }
    if values.is_empty() {
        wrong(context, format!("`{}` has no value", path.node), "nothing to choose from");
        return None;
    }
    Some(values)
}
