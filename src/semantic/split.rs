//! Splits: fixed parts, shares that add up, units and strata.

use std::collections::BTreeMap;

use super::compliance::{find_field, text_field};
use super::dataset::Taken;
use super::index::{self, SymbolKind};
use super::names;
use super::quantities::{Bounds, share, whole};
use super::scope::Record;
use super::types::show;
use super::{Context, dedup, periods, suggest};
use crate::dedup::Scheme;
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{ColumnId, FixedPart, SourceId, Split, SplitRule, Type};
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::syntax::ast::dataset::{self as ast, Dataset, Part, PartKind, SplitBy};

/// The names that a field which says the part may hold.
const PARTS: [&str; 3] = ["train", "validation", "test"];

/// A resolved split.
pub(super) struct Resolved {
    pub(super) split: Split,
    /// The parts with their places.
    pub(super) places: Vec<(String, Span)>,
    /// Whether something was reported that may hide a part.
    pub(super) wrong: bool,
}

/// Resolves the split of a data set; without one everything is `train`, with a warning.
pub(super) fn resolve_split(
    context: &mut Context<'_>,
    dataset: &Dataset,
    split: Option<(&ast::Split, Span)>,
    record: &Record,
    sources: &[Taken],
) -> Resolved {
    let Some((split, span)) = split else {
        if !context.names.is_damaged(&dataset.name) {
            context.error(
                Code::MissingSplit,
                format!("data set `{}` is not split", dataset.name.name),
                dataset.name.span,
                "every record is in `train`",
                "keep some records apart: `split train 80%, validation 10%, test 10%`",
            );
        }
        return Resolved {
            split: Split::all_train(),
            places: vec![("train".to_owned(), dataset.name.span)],
            wrong: false,
        };
    };
    if let Some(field) = &split.by_field {
        return by_field(context, split, field, record);
    }
    shares(context, dataset, (split, span), record, sources)
}

fn by_field(context: &mut Context<'_>, split: &ast::Split, field: &Ident, record: &Record) -> Resolved {
    let column = text_field(context, record, field, "`split as` reads the part's name from a text");
    if let Some(part) = split.parts.first() {
        context.error(
            Code::DuplicateStatement,
            "the field says the part already",
            part.span,
            "a part beside `split as`",
            "use `split as FIELD`, or name the parts with their shares",
        );
    }
    let further = split.by.iter().map(|by| by.field().span).chain(split.seed.iter().map(|seed| seed.span));
    for span in further {
        context.error(
            Code::DuplicateStatement,
            "the field says the part already",
            span,
            "has no effect beside `split as`",
            "take it out, or name the parts with their shares",
        );
    }
    let wrong = column.is_none();
    let rule = column.map_or(SplitRule::AllTrain, SplitRule::ByField);
    let check = checked(context, split, record);
    let split = Split { parts: PARTS.iter().map(|part| (*part).to_owned()).collect(), rule, check };
    Resolved { split, places: PARTS.iter().map(|part| ((*part).to_owned(), field.span)).collect(), wrong }
}

fn shares(
    context: &mut Context<'_>,
    dataset: &Dataset,
    (split, span): (&ast::Split, Span),
    record: &Record,
    sources: &[Taken],
) -> Resolved {
    let places = places(context, &split.parts);
    for part in &split.parts {
        let detail = format!("a part of `{}`: {}", dataset.name.name, context.files.text(part.span));
        index::define(context, &part.name, SymbolKind::Part, None, detail);
    }
    let parts = in_canonical_order(&places);
    let positions: BTreeMap<&str, usize> = parts.iter().enumerate().map(|(at, part)| (part.as_str(), at)).collect();
    let (mut fixed, mut shared) = (Vec::new(), Vec::new());
    let (mut wrong, mut in_time) = (false, false);
    let mut taken: Vec<(SourceId, Span)> = Vec::new();
    for part in &split.parts {
        let Some(position) = positions.get(part.name.name.as_str()).copied() else { continue };
        match &part.what {
            PartKind::From(names) => {
                let ids = fixed_sources(context, part, names, sources, &mut taken);
                wrong |= ids.len() != names.len();
                fixed.push(FixedPart { part: position, sources: ids });
            }
            PartKind::Share(quantity) => match share(context, quantity, "a part's share") {
                Some(value) => shared.push((position, value)),
                None => wrong = true,
            },
            PartKind::Period { .. } => in_time = true,
        }
    }
    let time = periods::resolve_time(context, split, record, |name| positions.get(name).copied());
    // A part whose period is wrong was reported; the others' shares say nothing by themselves.
    wrong |= in_time && time.is_none();
    if !wrong && !in_time && record.complete {
        check_sum(context, &split.parts, &shared, span, sources, &taken);
    }
    if !places.iter().any(|(name, _)| name == "train") {
        let near = places.iter().find(|(name, _)| name.to_lowercase().starts_with("tr"));
        context.error(
            Code::NoTrainPart,
            "this split has no part `train`",
            near.map_or(span, |(_, place)| *place),
            if near.is_some() { "did you mean `train`?" } else { "nothing to learn from" },
            "records are learnt from in the part `train`: `train 90%`",
        );
    }
    let (near, by) = units(context, split, record);
    let check = checked(context, split, record);
    let stratify = split.stratify.as_ref().and_then(|name| stratum(context, record, name));
    let seed = split.seed.as_ref().and_then(|seed| whole(context, seed, Bounds::between("a seed", 0.0, f64::INFINITY)));
    let rule = SplitRule::Shares { fixed, shares: shared, near, by, stratify, time, seed: seed.unwrap_or(0) };
    Resolved { split: Split { parts, rule, check }, places, wrong }
}

/// The parts in the order written; a name that stands twice, or that is no file's name, is reported.
fn places(context: &mut Context<'_>, parts: &[Part]) -> Vec<(String, Span)> {
    let mut places: Vec<(String, Span)> = Vec::new();
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for part in parts {
        names::check_file_name(context, &part.name, "a part");
        if let Some(first) = seen.get(part.name.name.as_str()) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("part `{}` stands twice", part.name.name),
                    part.name.span,
                    "named again here",
                )
                .label(*first, "first named here")
                .help("give each part a name of its own"),
            );
        } else {
            seen.insert(&part.name.name, part.name.span);
            places.push((part.name.name.clone(), part.name.span));
        }
    }
    places
}

fn in_canonical_order(places: &[(String, Span)]) -> Vec<String> {
    let has = |name: &str| places.iter().any(|(place, _)| place == name);
    let first = PARTS.iter().filter(|part| has(part)).map(|part| (*part).to_owned());
    let others = places.iter().map(|(name, _)| name.clone()).filter(|name| !PARTS.contains(&name.as_str()));
    first.chain(others).collect()
}

fn fixed_sources(
    context: &mut Context<'_>,
    part: &Part,
    names: &[Ident],
    sources: &[Taken],
    taken: &mut Vec<(SourceId, Span)>,
) -> Vec<SourceId> {
    let mut ids = Vec::new();
    for name in names {
        let Some(source) = sources.iter().find(|source| source.name == name.name) else {
            if matches!(names::look_up(context, name, names::Kind::Source), names::Found::Declared(_)) {
                let from: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
                let mut help = format!("add `{}` to `from`", name.name);
                if !from.is_empty() {
                    help = format!("{help}; {}", suggest(&name.name, from, "sources in `from`").text);
                }
                context.error(
                    Code::SourceNotInFrom,
                    format!("part `{}` takes `{}`, which the data set does not take from", part.name.name, name.name),
                    name.span,
                    "not in `from`",
                    help,
                );
            }
            continue;
        };
        if let Some((_, first)) = taken.iter().find(|(id, _)| *id == source.id) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("`{}` goes into two parts", name.name),
                    name.span,
                    "taken again here",
                )
                .label(*first, "first taken here")
                .help("a source goes into one part"),
            );
        } else {
            taken.push((source.id, name.span));
        }
        ids.push(source.id);
    }
    ids
}

fn check_sum(
    context: &mut Context<'_>,
    parts: &[Part],
    shares: &[(usize, f64)],
    span: Span,
    sources: &[Taken],
    taken: &[(SourceId, Span)],
) {
    let rest: Vec<&Taken> = sources.iter().filter(|source| !taken.iter().any(|(id, _)| *id == source.id)).collect();
    if shares.is_empty() {
        if let Some(source) = rest.first() {
            context.error(
                Code::SharesDoNotSum,
                format!("the records of `{}` go into no part", source.name),
                span,
                "says nothing of the rest",
                "give the rest to a part: `train 100%`",
            );
        }
        return;
    }
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    let quantities: Vec<Span> = parts
        .iter()
        .filter_map(|part| if let PartKind::Share(share) = &part.what { Some(share.span) } else { None })
        .collect();
    if (sum - 1.0).abs() > 1e-9 {
        let percent = (sum * 1e8).round() / 1e6;
        let over = quantities.first().zip(quantities.last()).map_or(span, |(first, last)| first.to(*last));
        let last = shares.last().map_or(0.0, |(_, share)| share * 100.0);
        let mended = ((last + 100.0 - percent) * 1e6).round() / 1e6;
        let help = if mended > 0.0 { format!("make the last one `{mended}%`") } else { "lower them".to_owned() };
        context.error(
            Code::SharesDoNotSum,
            format!("the shares add up to {percent}%, not to 100%"),
            over,
            format!("{percent}% in all"),
            help,
        );
    } else if rest.is_empty() && !sources.is_empty() {
        context.error(
            Code::SharesDoNotSum,
            "the fixed parts take every source: nothing is left to share",
            quantities.first().copied().unwrap_or(span),
            "a share of nothing",
            "take the shares out, or leave a source to them",
        );
    }
}

/// What may not be split apart: near-duplicates of a field, or records with one value of it.
fn units(
    context: &mut Context<'_>,
    split: &ast::Split,
    record: &Record,
) -> (Option<(ColumnId, Scheme)>, Option<ColumnId>) {
    match &split.by {
        None | Some(SplitBy::Time(_)) => (None, None),
        Some(SplitBy::Field(field)) => (None, find_field(context, record, field)),
        Some(SplitBy::Near(field, near)) => {
            let column = text_field(context, record, field, "`near` compares texts");
            (column.zip(dedup::resolve_near(context, near)), None)
        }
    }
}

/// The texts of which near-duplicates in different parts are counted.
fn checked(context: &mut Context<'_>, split: &ast::Split, record: &Record) -> Option<(ColumnId, Scheme)> {
    let (field, near) = split.check.as_deref()?;
    let column = text_field(context, record, field, "`near` compares texts");
    let scheme = dedup::resolve_near(context, near);
    if let Some(SplitBy::Near(..)) = split.by {
        context.error(
            Code::DuplicateStatement,
            "the split keeps near-duplicates together, and its certificate says so already",
            field.span,
            "a check beside `by … near`",
            "take `check` out, or keep records together by another field",
        );
        return None;
    }
    column.zip(scheme)
}

fn stratum(context: &mut Context<'_>, record: &Record, name: &Ident) -> Option<ColumnId> {
    few_values(context, record, name, "records are stratified by a few values")
}

/// A field that may have few values; reported with what needs them when its type has too many.
pub(super) fn few_values(context: &mut Context<'_>, record: &Record, name: &Ident, needs: &str) -> Option<ColumnId> {
    let id = find_field(context, record, name)?;
    let ty = record.column(id).ty.clone()?;
    match ty.ty {
        Type::String | Type::Int | Type::Bool | Type::Label(_) => Some(id),
        Type::Float | Type::Date | Type::Timestamp | Type::List(_) | Type::Record(_) => {
            let shown = show(context, &ty);
            context.error(
                Code::WrongType,
                format!("{needs}, and `{}` is `{shown}`", name.name),
                name.span,
                format!("is `{shown}`"),
                "name a label, or a field of type `string`, `int` or `bool`",
            );
            None
        }
    }
}
