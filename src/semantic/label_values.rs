//! The values of a label: written out, found in a source's field, or listed in a file.

use std::collections::BTreeMap;

use super::index::{self, SymbolKind};
use super::{Context, source};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{FieldType, LabelId, LabelValue, LabelValues, Type};
use crate::source::Span;
use crate::syntax::ast::label::{Value, Values};
use crate::syntax::ast::{Ident, Text};

/// The values of a label; `None` after a report.
pub(super) fn resolve_values(context: &mut Context<'_>, label: &Ident, values: &Values) -> Option<LabelValues> {
    match values {
        Values::Listed(values) => {
            let mut listed = Vec::new();
            list_values(context, values, &mut listed, &mut BTreeMap::new());
            check_keys(context, values, &mut BTreeMap::new());
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

fn list_values<'v>(
    context: &mut Context<'_>,
    values: &'v [Value],
    listed: &mut Vec<LabelValue>,
    places: &mut BTreeMap<&'v str, Span>,
) {
    for value in values {
        if let Some(first) = places.get(value.name.name.as_str()) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateLabelValue,
                    format!("value `{}` stands twice", value.name.name),
                    value.name.span,
                    "named again here",
                )
                .label(*first, "first named here")
                .help("keep one of them"),
            );
        } else {
            listed.push(LabelValue {
                name: value.name.name.clone(),
                title: value.title.as_ref().map_or_else(|| value.name.name.clone(), |title| title.node.clone()),
                guideline: value.doc.clone(),
            });
            places.insert(&value.name.name, value.name.span);
            let label = LabelId(context.program.labels.len() as u32);
            context.value_places.insert((label, value.name.name.clone()), value.name.span);
            let title = value.title.as_ref().map_or(&value.name.name, |title| &title.node).clone();
            index::define(context, &value.name, SymbolKind::LabelValue, value.doc.as_deref(), title);
        }
        list_values(context, &value.children, listed, places);
    }
}

/// Keys that label by one stroke: each is one character and means one value.
fn check_keys<'v>(context: &mut Context<'_>, values: &'v [Value], seen: &mut BTreeMap<&'v str, Span>) {
    for value in values {
        if let Some(key) = &value.key {
            if let Some(first) = seen.get(key.node.as_str()) {
                context.report(
                    Diagnostic::new(
                        Code::DuplicateKey,
                        format!("the key `{}` means two values", key.node),
                        key.span,
                        "the same key again",
                    )
                    .label(*first, "first used here")
                    .help("give each value a key of its own"),
                );
            } else if key.node.chars().count() != 1 {
                context.error(
                    Code::BadLabelSchema,
                    "a key is one character",
                    key.span,
                    "not one stroke",
                    "write one letter or digit: `key \"n\"`",
                );
            }
            seen.entry(&key.node).or_insert(key.span);
        }
        check_keys(context, &value.children, seen);
    }
}

fn found_values(context: &mut Context<'_>, of: &Ident, field: &Ident) -> Option<LabelValues> {
    let (id, position) = source::look_up_field(context, of, field)?;
    let declared = &context.program[id].fields[position];
    let (ty, personal, place) = (declared.ty.clone(), declared.personal.is_some(), declared.span);
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
