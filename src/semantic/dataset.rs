//! Data sets: the union of the sources' fields, and the blocks resolved against it in their order of effect.

use std::collections::BTreeMap;

use super::compliance::{self, Allowed, Gathered};
use super::licence::{self, Licensed};
use super::mapping::{Statement, resolve_label_statements};
use super::names::{self, Found, Kind};
use super::quantities::{Once, missing};
use super::scope::{Record, ScopeColumn};
use super::taint::Taint;
use super::types::show;
use super::{Context, cleaning, index, outputs, purpose, samples, split, strata, unmeetable};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, ColumnId, FieldType, SourceId, SplitRule};
use crate::source::Span;
use crate::syntax::ast::dataset::{Dataset, Item, ItemKind};
use crate::syntax::ast::source::{Source, SourceItemKind};
use crate::syntax::ast::{self, Decl, Ident, Text};

/// What later passes need to know of a data set.
pub(super) struct Facts {
    pub(super) name: String,
    /// Where its name is declared.
    pub(super) place: Span,
    /// The record after all steps.
    pub(super) record: Record,
    /// The parts that were declared, with their places; those with mistakes too.
    pub(super) parts: Vec<(String, Span)>,
    /// Whether the parts are all known: not so when the split is wrong, or a field names them.
    pub(super) parts_known: bool,
    /// The `clean`, `policy` and template blocks that it uses, by the places of their names.
    pub(super) uses: Vec<Span>,
    /// The record before the first step, for unit tests of its blocks.
    pub(super) read: Record,
    /// The record that the label statements see, for unit tests of them.
    pub(super) cleaned: Record,
    /// The fields that its policies allow to hold personal data.
    pub(super) allows: Vec<Allowed>,
}

/// Resolves all data sets, in order.
pub(super) fn resolve_datasets(context: &mut Context<'_>, decls: &[&Decl]) {
    for decl in decls {
        if let Decl::Dataset(dataset) = decl {
            // Of two data sets with one name the second was reported; checking it too finds its own mistakes.
            resolve_dataset(context, dataset);
        }
    }
}

/// The statements of a data set, each kind in the order written.
#[derive(Default)]
struct Parts<'a> {
    from: Vec<&'a Ident>,
    purpose: Option<&'a Text>,
    clean: Vec<&'a Ident>,
    policy: Vec<&'a Ident>,
    labels: Vec<Statement<'a>>,
    samples: Vec<&'a Item>,
    split: Option<(&'a ast::dataset::Split, Span)>,
    writes: Vec<outputs::Write<'a>>,
}

fn gather<'a>(context: &mut Context<'_>, items: &'a [Item]) -> Parts<'a> {
    let mut parts = Parts::default();
    let mut once = Once::default();
    for item in items {
        match &item.kind {
            ItemKind::From(names) => {
                if once.first(context, "from", item.span) {
                    add_names(context, &mut parts.from, names);
                }
            }
            ItemKind::Purpose(purpose) => {
                if once.first(context, "purpose", item.span) {
                    parts.purpose = Some(purpose);
                }
            }
            ItemKind::Clean(names) => {
                if once.first(context, "clean", item.span) {
                    add_names(context, &mut parts.clean, names);
                }
            }
            ItemKind::Policy(names) => {
                if once.first(context, "policy", item.span) {
                    add_names(context, &mut parts.policy, names);
                }
            }
            ItemKind::Label { name, body } => parts.labels.push(Statement { name, body, span: item.span }),
            ItemKind::Sample { .. }
            | ItemKind::Take { .. }
            | ItemKind::Balance { .. }
            | ItemKind::Mix { .. }
            | ItemKind::Weight { .. } => parts.samples.push(item),
            ItemKind::Split(split) => {
                if once.first(context, "split", item.span) {
                    parts.split = Some((split, item.span));
                }
            }
            ItemKind::Write { format, template, name, settings } => {
                parts.writes.push(outputs::Write {
                    format,
                    template: template.as_ref(),
                    name: name.as_ref(),
                    settings,
                    span: item.span,
                });
            }
        }
    }
    parts
}

fn add_names<'a>(context: &mut Context<'_>, into: &mut Vec<&'a Ident>, names: &'a [Ident]) {
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    for name in names {
        if let Some(first) = places.get(name.name.as_str()) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("`{}` stands twice", name.name),
                    name.span,
                    "named again here",
                )
                .label(*first, "first named here")
                .help("take one of them out"),
            );
        } else {
            places.insert(&name.name, name.span);
            into.push(name);
        }
    }
}

fn resolve_dataset(context: &mut Context<'_>, dataset: &Dataset) {
    let parts = gather(context, &dataset.items);
    if parts.from.is_empty() {
        missing(context, "data set", &dataset.name, "from", "from questions");
    }
    let (sources, mut record) = union(context, &parts.from);
    let read = record.clone();
    let mut steps = Vec::new();
    let mut uses = Vec::new();
    for name in &parts.clean {
        if let Found::Declared(Decl::Clean(clean)) = names::look_up(context, name, Kind::Clean) {
            steps.extend(cleaning::resolve_clean(context, clean, &mut record));
            uses.push(clean.name.span);
        }
    }
    let cleaned = record.clone();
    steps.extend(resolve_label_statements(context, &parts.labels, &mut record));
    let mut gathered = Gathered::default();
    let mut silent_policy = false;
    for name in &parts.policy {
        if let Found::Declared(Decl::Policy(policy)) = names::look_up(context, name, Kind::Policy) {
            apply_policy(context, policy, &mut record, &sources, &mut gathered);
            uses.push(policy.name.span);
            silent_policy |= context.names.is_damaged(name);
        } else {
            silent_policy = true;
        }
    }
    if silent_policy || context.names.is_damaged(&dataset.name) {
        // A policy that cannot be looked at may redact: its leaks are no mistakes of their own.
        record.columns.iter_mut().for_each(|column| column.taint = None);
    }
    steps.extend(std::mem::take(&mut gathered.steps));
    index::enter(context, dataset.span, &record);
    let split = split::resolve_split(context, dataset, parts.split, &record, &sources);
    if let Some((written, _)) = parts.split {
        strata::check_strata(context, written, &split.split, &record, &gathered.requirements);
    }
    unmeetable::check_requirements(context, &gathered.requirements, &record);
    let outputs = outputs::resolve_outputs(context, &parts.writes, &record);
    steps.extend(outputs::asked_of_records(context, &outputs));
    steps.extend(samples::resolve_samples(context, dataset, &parts.samples, &split.split, &record, &sources));
    let terms = purpose::resolve_purpose(context, parts.purpose, &sources, &steps, &outputs);
    let licenses: Vec<String> =
        sources.iter().filter_map(|source| context.program[source.id].license.clone()).collect();
    let licenses: Vec<&str> = licenses.iter().map(String::as_str).collect();
    let resolved = hir::Dataset {
        name: context.names.title(&dataset.name),
        doc: dataset.doc.clone(),
        sources: sources.iter().map(|source| source.id).collect(),
        columns: record.columns.iter().map(ScopeColumn::to_hir).collect(),
        steps,
        requirements: gathered.requirements,
        split: split.split.clone(),
        outputs,
        personal: gathered.personal,
        license: licence::join(&licenses),
        terms,
        span: dataset.span,
    };
    context.ids.insert(dataset.name.span, context.program.datasets.len() as u32);
    context.program.datasets.push(resolved);
    let templates = parts.writes.iter().filter_map(|write| write.template);
    uses.extend(templates.filter_map(|template| context.names.get(template)).map(|declared| declared.place));
    remember(context, dataset, Records { read, cleaned, record }, &split, (uses, gathered.allowed));
}

/// A data set's record at three places.
struct Records {
    read: Record,
    cleaned: Record,
    record: Record,
}

fn remember(
    context: &mut Context<'_>,
    dataset: &Dataset,
    records: Records,
    split: &split::Resolved,
    (uses, allows): (Vec<Span>, Vec<Allowed>),
) {
    let parts_known = !split.wrong && !matches!(split.split.rule, SplitRule::ByField(_));
    context.datasets.push(Facts {
        name: context.names.title(&dataset.name),
        place: dataset.name.span,
        record: records.record,
        parts: split.places.clone(),
        parts_known,
        uses,
        read: records.read,
        cleaned: records.cleaned,
        allows,
    });
}

fn apply_policy(
    context: &mut Context<'_>,
    policy: &ast::policy::Policy,
    record: &mut Record,
    sources: &[Taken],
    gathered: &mut Gathered,
) {
    let declared: Vec<hir::Source> = sources.iter().map(|source| context.program[source.id].clone()).collect();
    let licensed: Vec<Licensed<'_>> = sources
        .iter()
        .zip(&declared)
        .map(|(source, declared)| Licensed {
            name: &declared.name,
            license: declared.license.as_deref(),
            damaged: source.damaged,
            from: source.from,
            declared: declared.span,
        })
        .collect();
    compliance::resolve_policy(context, policy, record, &licensed, gathered);
}

/// A source that a data set takes records from.
pub(super) struct Taken {
    pub(super) id: SourceId,
    pub(super) name: String,
    pub(super) from: Span,
    /// Whether a statement of it could not be read.
    damaged: bool,
    /// Where its licence is stated.
    pub(super) license: Option<Span>,
}

fn licence_statement(source: &Source) -> Option<Span> {
    source.items.iter().find(|item| matches!(item.kind, SourceItemKind::License(_))).map(|item| item.span)
}

/// The record of the sources: the union of their fields. A field that one of them lacks may be null; one name with two
/// types is reported.
fn union(context: &mut Context<'_>, from: &[&Ident]) -> (Vec<Taken>, Record) {
    let mut sources = Vec::new();
    let mut record = Record { columns: Vec::new(), complete: !from.is_empty() };
    for name in from {
        let Found::Declared(Decl::Source(declared)) = names::look_up(context, name, Kind::Source) else {
            record.complete = false;
            continue;
        };
        let damaged = context.names.is_damaged(name);
        record.complete &= !damaged;
        let Some(id) = context.id_of(name).map(SourceId) else { continue };
        let license = licence_statement(declared);
        sources.push(Taken { id, name: name.name.clone(), from: name.span, damaged, license });
    }
    // The column of each field, and how many sources have it.
    let mut having: BTreeMap<String, (ColumnId, usize)> = BTreeMap::new();
    for source in &sources {
        for field in context.program[source.id].fields.clone() {
            let next = ColumnId(record.columns.len() as u32);
            let (id, count) = having.entry(field.name.clone()).or_insert((next, 0));
            *count += 1;
            add_field(context, &mut record, source, &field, *id);
        }
    }
    let all_known = sources.len() == from.len();
    for column in &mut record.columns {
        if let Some(ty) = &mut column.ty
            && all_known
            && having.get(&column.name).is_none_or(|(_, count)| *count != sources.len())
        {
            *ty = FieldType::or_null(ty.ty.clone());
        }
    }
    (sources, record)
}

/// Adds a field of a source to the column `id`, which is the next one for a field that no source before has.
fn add_field(context: &mut Context<'_>, record: &mut Record, source: &Taken, field: &hir::SourceField, id: ColumnId) {
    let known = !context.bare_fields.contains(&(source.id, field.name.clone()));
    let ty = known.then(|| field.ty.clone());
    let omitted = context.omitted_fields.contains(&(source.id, field.name.clone()));
    let name_span = context.field_names.get(&(source.id, field.name.clone())).copied().unwrap_or(field.span);
    let taint = field.personal.clone().map(|kinds| Taint::declared(kinds, &field.name, field.span));
    if id.0 as usize == record.columns.len() {
        let mut column = ScopeColumn::new(&field.name, ty, field.span, name_span);
        column.personal = field.personal.clone();
        column.held_personal = taint.is_some();
        column.taint = taint;
        column.key = field.key;
        column.group = field.group;
        column.hidden = omitted;
        record.columns.push(column);
        return;
    }
    let column = record.column(id).clone();
    let joined = match (&column.ty, &ty) {
        (Some(first), Some(second)) if first.ty != second.ty => {
            let (shown_first, shown) = (show(context, first), show(context, second));
            let mut diagnostic = Diagnostic::new(
                Code::FieldTypeClash,
                format!("`{}` is `{shown}` in `{}` and `{shown_first}` in another source", field.name, source.name),
                source.from,
                "joins sources that disagree",
            )
            .label(field.span, format!("`{shown}` here"));
            if let Some(declared) = column.declared.first() {
                diagnostic = diagnostic.label(*declared, format!("`{shown_first}` here"));
            }
            context.report(diagnostic.help("give both one type, or read one under another name with `@column(\"…\")`"));
            None
        }
        (Some(first), Some(second)) => {
            Some(FieldType { ty: first.ty.clone(), nullable: first.nullable || second.nullable })
        }
        (None, _) | (_, None) => None,
    };
    let column = record.column_mut(id);
    column.ty = joined;
    column.declared.push(field.span);
    column.names.push(name_span);
    column.key |= field.key;
    column.group |= field.group;
    column.hidden |= omitted;
    column.held_personal |= taint.is_some();
    column.taint = match (column.taint.take(), taint) {
        (Some(first), Some(second)) => Some(first.join(second)),
        (first, second) => first.or(second),
    };
    column.personal = match (column.personal.take(), field.personal.clone()) {
        (Some(hir::Personal::Kinds(mut first)), Some(hir::Personal::Kinds(second))) => {
            first.extend(second);
            first.sort();
            first.dedup();
            Some(hir::Personal::Kinds(first))
        }
        (Some(_), Some(_)) => Some(hir::Personal::Any),
        (first, second) => first.or(second),
    };
}
