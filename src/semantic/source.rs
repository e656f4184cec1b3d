//! Sources: paths, formats, fields and their attributes.

use std::collections::BTreeMap;

use super::foreign::{Meant, suggest_meant};
use super::index::{self, SymbolKind};
use super::names::{self, Found, Kind};
use super::quantities::{Once, missing, word};
use super::types::{resolve_type, show};
use super::{Context, compliance, formats, licence, paths, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, FieldType, OnBadRow, Personal, ReadOptions, SourceFormat, SourceId, Type};
use crate::source::Span;
use crate::syntax::ast::source::{Attribute, AttributeArg, Field, Source, SourceItem, SourceItemKind};
use crate::syntax::ast::{self, Ident};

/// The attributes of a field, each with what it says.
pub(super) const ATTRIBUTES: [(&str, &str); 8] = [
    ("key", "the record's stable identity: one value for each record, never null"),
    ("group", "records with one value are never split apart"),
    (
        "personal",
        "may hold personal data until a policy has redacted it; the kinds may be named: `@personal(email, name)`",
    ),
    ("sensitive", "tells a group of people; the kind may be named: `@sensitive(gender)`"),
    ("consent", "tells whether the record may be used"),
    ("created", "tells when the record was made: ages count from it"),
    ("drop", "can be read by rules and is not written"),
    ("column", "the name, or the path of keys, that the source has for it: `@column(\"data.q\")`"),
];

/// Resolves all sources, in order; each gets an id, also one with mistakes.
pub(super) fn resolve_sources(context: &mut Context<'_>, decls: &[&ast::Decl]) {
    for decl in decls {
        if let ast::Decl::Source(source) = decl {
            let id = SourceId(context.program.sources.len() as u32);
            let resolved = resolve_source(context, source, id);
            context.ids.insert(source.name.span, id.0);
            context.program.sources.push(resolved);
        }
    }
}

fn resolve_source(context: &mut Context<'_>, source: &Source, id: SourceId) -> hir::Source {
    let mut resolved = hir::Source {
        name: context.names.title(&source.name),
        doc: source.doc.clone(),
        paths: Vec::new(),
        folder: context.folder_at(source.span),
        format: SourceFormat::Jsonl,
        options: ReadOptions::of(SourceFormat::Jsonl),
        longest_row: None,
        fields: Vec::new(),
        license: None,
        origin: None,
        consent: None,
        on_bad_row: OnBadRow::Quarantine,
        span: source.span,
        path_span: source.name.span,
    };
    let mut once = Once::default();
    let mut format = None;
    for item in &source.items {
        if once.first(context, statement_word(&item.kind), item.span) {
            resolve_item(context, item, id, &mut resolved, &mut format);
        }
    }
    if once.place("path").is_none() && once.place("annotations").is_none() {
        missing(context, "source", &source.name, "path", "path \"data/questions.jsonl\"");
    }
    if once.place("fields").is_none() {
        missing(context, "source", &source.name, "fields", "fields { text: string }");
    } else if resolved.fields.is_empty() && !context.names.is_damaged(&source.name) {
        context.error(
            Code::MissingStatement,
            format!("source `{}` has no field", resolved.name),
            resolved.span,
            "declares nothing to read",
            "name a field: `fields { text: string }`",
        );
    }
    if let Some(path_span) = once.place("path") {
        resolved.path_span = path_span;
        let by_ending = |context: &mut Context<'_>| {
            paths::format_of_paths(context, &resolved.paths, path_span).map(|format| (format, ReadOptions::of(format)))
        };
        if let Some((format, options)) = format.unwrap_or_else(|| by_ending(context)) {
            (resolved.format, resolved.options) = (format, options);
            paths::check_archives(context, &resolved);
            formats::check_columns(context, &resolved);
        }
    }
    resolved
}

fn statement_word(kind: &SourceItemKind) -> &'static str {
    match kind {
        SourceItemKind::Path(_) => "path",
        SourceItemKind::Annotations(_) => "annotations",
        SourceItemKind::Format(..) => "format",
        SourceItemKind::License(_) => "license",
        SourceItemKind::Origin(_) => "origin",
        SourceItemKind::Consent(_) => "consent",
        SourceItemKind::OnBadRow(_) => "on_bad_row",
        SourceItemKind::Row(_) => "row",
        SourceItemKind::Fields(_) => "fields",
    }
}

fn resolve_item(
    context: &mut Context<'_>,
    item: &SourceItem,
    id: SourceId,
    resolved: &mut hir::Source,
    format: &mut Option<Option<(SourceFormat, ReadOptions)>>,
) {
    match &item.kind {
        SourceItemKind::Path(paths) | SourceItemKind::Annotations(paths) => {
            for path in paths {
                paths::check_path(context, path);
            }
            resolved.paths = paths.iter().map(|path| path.node.clone()).collect();
        }
        SourceItemKind::Format(name, settings) => {
            *format = Some(formats::resolve_format(context, name, settings));
        }
        SourceItemKind::License(license) => {
            licence::check_expression(context, license);
            resolved.license = Some(license.node.clone());
        }
        SourceItemKind::Origin(origin) => resolved.origin = Some(origin.node.clone()),
        SourceItemKind::Consent(consent) => resolved.consent = Some(consent.node.clone()),
        SourceItemKind::OnBadRow(what) => {
            let words = [("quarantine", OnBadRow::Quarantine), ("fail", OnBadRow::Fail)];
            if let Some(on_bad_row) = word(context, what, "treatment of a bad row", &words) {
                resolved.on_bad_row = on_bad_row;
            }
        }
        SourceItemKind::Row(longest) => resolved.longest_row = formats::resolve_longest_row(context, longest),
        SourceItemKind::Fields(fields) => resolve_fields(context, fields, id, resolved),
    }
}

fn resolve_fields(context: &mut Context<'_>, fields: &[Field], id: SourceId, resolved: &mut hir::Source) {
    let mut key: Option<Span> = None;
    let mut declared: BTreeMap<&str, Span> = BTreeMap::new();
    for field in fields {
        if let Some(first) = declared.get(field.name.name.as_str()) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("field `{}` is declared twice", field.name.name),
                    field.name.span,
                    "declared again here",
                )
                .label(*first, "first declared here")
                .help("keep one of them; a second column of the file gets another name with `@column(\"…\")`"),
            );
            continue;
        }
        declared.insert(&field.name.name, field.span);
        context.field_names.insert((id, field.name.name.clone()), field.name.span);
        let written = context.files.text(Span { start: field.ty.span.start, ..field.span }).trim();
        let detail = written.split("//").next().unwrap_or(written).trim().to_owned();
        index::define(context, &field.name, SymbolKind::Field, field.doc.as_deref(), detail);
        let column = resolve_field(context, field, id);
        if column.key {
            if let Some(first) = key {
                super::quantities::duplicate(context, "@key", field.span, first);
            }
            key = Some(field.span);
        }
        resolved.fields.push(column);
    }
}

fn resolve_field(context: &mut Context<'_>, field: &Field, id: SourceId) -> hir::SourceField {
    let ty = resolve_type(context, &field.ty);
    let ty = ty.filter(|ty| check_field_type(context, ty, field.ty.span));
    if ty.is_none() {
        context.bare_fields.insert((id, field.name.name.clone()));
    }
    let mut resolved = hir::SourceField {
        name: field.name.name.clone(),
        doc: field.doc.clone(),
        column: vec![field.name.name.clone()],
        ty: ty.unwrap_or(FieldType::or_null(Type::String)),
        personal: None,
        key: false,
        group: false,
        span: field.span,
    };
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for attribute in &field.attributes {
        if let Some((name, first)) = seen.iter().find(|(name, _)| *name == attribute.name.name) {
            super::quantities::duplicate(context, &format!("@{name}"), attribute.span, *first);
            continue;
        }
        seen.push((&attribute.name.name, attribute.span));
        resolve_attribute(context, attribute, id, &mut resolved);
    }
    if resolved.key && resolved.ty.nullable && !context.bare_fields.contains(&(id, resolved.name.clone())) {
        context.error(
            Code::NullableValue,
            "a `@key` is never null",
            field.ty.span,
            "may be null",
            "take the `?` off: a record without a key is quarantined",
        );
    }
    resolved
}

/// A label computed elsewhere is no type of a file's column.
fn check_field_type(context: &mut Context<'_>, ty: &FieldType, span: Span) -> bool {
    if let Type::Label(_) = ty.ty {
        let shown = show(context, ty);
        context.error(
            Code::WrongType,
            format!("a source has raw values, and `{shown}` is a label"),
            span,
            "a label is no type of a source's field",
            format!("read it as `string` and say `label {shown} = …` in the data set"),
        );
        return false;
    }
    true
}

fn resolve_attribute(context: &mut Context<'_>, attribute: &Attribute, id: SourceId, field: &mut hir::SourceField) {
    match attribute.name.name.as_str() {
        "key" => {
            field.key = true;
            no_arguments(context, attribute);
        }
        "group" => {
            field.group = true;
            no_arguments(context, attribute);
        }
        "drop" => {
            context.omitted_fields.insert((id, field.name.clone()));
            no_arguments(context, attribute);
        }
        "created" | "consent" => no_arguments(context, attribute),
        "personal" => field.personal = Some(personal_kinds(context, attribute)),
        "sensitive" => {
            words(context, attribute);
        }
        "column" => {
            if let [AttributeArg::Text(path)] = attribute.args.as_slice()
                && !path.node.split('.').any(str::is_empty)
            {
                field.column = path.node.split('.').map(str::to_owned).collect();
                return;
            }
            bad_attribute(
                context,
                attribute,
                "`@column` takes the name or the path at the source: `@column(\"data.q\")`",
            );
        }
        other => {
            let help = suggest_meant(Meant::Attribute, other, ATTRIBUTES.iter().map(|(name, _)| *name), "attributes");
            context.error(
                Code::UnknownAttribute,
                format!("there is no attribute `@{other}`"),
                attribute.name.span,
                "unknown attribute",
                help,
            );
        }
    }
}

fn bad_attribute(context: &mut Context<'_>, attribute: &Attribute, help: &str) {
    context.error(
        Code::BadAttribute,
        format!("`@{}` does not take this", attribute.name.name),
        attribute.span,
        "wrong arguments",
        help,
    );
}

fn no_arguments(context: &mut Context<'_>, attribute: &Attribute) {
    if !attribute.args.is_empty() {
        bad_attribute(context, attribute, "it takes no arguments: take the parentheses off");
    }
}

fn words<'s>(context: &mut Context<'_>, attribute: &'s Attribute) -> Vec<&'s Ident> {
    let mut words = Vec::new();
    for argument in &attribute.args {
        match argument {
            AttributeArg::Name(name) => words.push(name),
            AttributeArg::Text(_) => {
                bad_attribute(context, attribute, "write words without quotes: `@personal(email, name)`")
            }
        }
    }
    words
}

fn personal_kinds(context: &mut Context<'_>, attribute: &Attribute) -> Personal {
    let words = words(context, attribute);
    if words.is_empty() {
        return Personal::Any;
    }
    let mut kinds = Vec::new();
    for word in words {
        if compliance::check_personal_kind(context, word) && !kinds.contains(&word.name) {
            kinds.push(word.name.clone());
        }
    }
    if kinds.is_empty() { Personal::Any } else { Personal::Kinds(kinds) }
}

/// The source and the place of the field that `SOURCE.FIELD` names; `None` where there is none, which was reported, or where what
/// the source declares of it could not be read.
pub(super) fn look_up_field(context: &mut Context<'_>, source: &Ident, field: &Ident) -> Option<(SourceId, usize)> {
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
    let name_span = context.field_names.get(&(id, field.name.clone())).copied();
    index::refer(context, field.span, name_span.into_iter().collect(), None);
    (!context.bare_fields.contains(&(id, field.name.clone()))).then_some((id, position))
}
