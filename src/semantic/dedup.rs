//! `dedup` and `decontaminate`: what is compared, how, and which record stays.

use super::compliance::{find_field, text_field};
use super::quantities::{Bounds, number, whole, word};
use super::scope::{Record, View};
use super::types::{resolve_expr, show};
use super::{Context, paths, source, suggest};
use crate::dedup::near::PRESETS;
use crate::dedup::near::Shingle;
use crate::dedup::pieces::{self, Length, Unit};
use crate::dedup::{Scheme, Threshold};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{ColumnId, Evaluated, Expr, ExprKind, FieldType, Keep, StepKind, Type, extension};
use crate::plan::functions;
use crate::syntax::ast::clean::{DedupHow, Evaluation, Kept, KeptWhich, Near, NearScheme, Pieces};
use crate::syntax::ast::{Ident, Quantity, Text};

/// The longest shingle, passage and run: far beyond what is compared anywhere.
const LONGEST: f64 = 1_000_000.0;

/// `dedup … exactly` and `dedup … near …`.
pub(super) fn resolve_dedup(
    context: &mut Context<'_>,
    fields: &[Ident],
    how: &DedupHow,
    keep: Option<&Kept>,
    record: &Record,
) -> Option<StepKind> {
    match how {
        DedupHow::Exactly(_) => {
            let columns: Vec<_> = fields.iter().map(|field| find_field(context, record, field)).collect();
            let keep = resolve_keep(context, keep, None, record);
            Some(StepKind::DedupExact { columns: columns.into_iter().collect::<Option<Vec<_>>>()?, keep: keep? })
        }
        DedupHow::Near(near) => {
            let scheme = resolve_near(context, near);
            let columns: Vec<_> =
                fields.iter().map(|field| text_field(context, record, field, "`near` compares texts")).collect();
            if let [_, second, ..] = fields {
                context.error(
                    Code::NotSupported,
                    "`near` compares one field",
                    second.span,
                    "a second field",
                    "write one `dedup … near …` for each field, or join the texts with `set` first",
                );
                return None;
            }
            let column = columns.into_iter().next().flatten();
            let keep = resolve_keep(context, keep, column, record);
            Some(StepKind::DedupNear { column: column?, scheme: scheme?, keep: keep? })
        }
    }
}

/// How a `near` compares, in a `dedup` or a split.
pub(super) fn resolve_near(context: &mut Context<'_>, near: &Near) -> Option<Scheme> {
    let bounds = Bounds { open_low: true, ..Bounds::between("a similarity", 0.0, 1.0) };
    let threshold = number(context, &near.threshold, bounds).and_then(Threshold::new);
    match &near.scheme {
        None => threshold.map(Scheme::new),
        Some(NearScheme::Over(length)) => {
            type Unit = (&'static str, fn(usize) -> Shingle);
            const UNITS: [Unit; 2] = [("words", Shingle::Words), ("characters", Shingle::Characters)];
            let (count, unit) = length_in(context, length, "a shingle", &UNITS)?;
            threshold.map(|threshold| Scheme::new(threshold).with_shingle(unit(count)))
        }
        Some(NearScheme::Like(name)) => {
            let presets = PRESETS.each_ref().map(|preset| (preset.name, preset));
            let preset = word(context, name, "named set of shingles and bands", &presets)?;
            threshold.map(|threshold| Scheme::like(threshold, preset))
        }
    }
}

/// A whole number of 1 or more with one of these units; `None` after a report.
fn length_in<T: Copy>(
    context: &mut Context<'_>,
    length: &Quantity,
    what: &'static str,
    units: &[(&'static str, T)],
) -> Option<(usize, T)> {
    let names: Vec<&'static str> = units.iter().map(|(name, _)| *name).collect();
    let Some(unit) = &length.unit else {
        context.error(
            Code::UnknownUnit,
            format!("{what} is counted in {}", names.join(" or ")),
            length.span,
            "needs a unit",
            format!("write `{} {}`", length.value, names.first().copied().unwrap_or_default()),
        );
        return None;
    };
    let Some((_, of)) = units.iter().find(|(name, _)| *name == unit.name) else {
        let help = suggest(&unit.name, names.iter().copied(), "units");
        context.error(
            Code::UnknownUnit,
            format!("{what} has no unit `{}`", unit.name),
            unit.span,
            "unknown unit",
            help,
        );
        return None;
    };
    let alone = Quantity { unit: None, ..length.clone() };
    let count = whole(context, &alone, Bounds::between(what, 1.0, LONGEST))?;
    Some((count as usize, *of))
}

/// Which record stays; `compared` is the text that `near` compares.
fn resolve_keep(
    context: &mut Context<'_>,
    keep: Option<&Kept>,
    compared: Option<ColumnId>,
    record: &Record,
) -> Option<Keep> {
    let Some(keep) = keep else { return Some(Keep::First) };
    match &keep.which {
        KeptWhich::First => Some(Keep::First),
        KeptWhich::Longest => {
            let Some(column) = compared else {
                context.error(
                    Code::KeptInVain,
                    "records that are equal in what is compared are equally long in it",
                    keep.span,
                    "tells none from another",
                    "say by what the kept one is the best: `keep best by chars(text)`",
                );
                return None;
            };
            let chars = functions::lookup("chars").expect("the language measures texts in characters");
            let plain = |ty| FieldType { ty, nullable: true };
            let text = Expr { kind: ExprKind::Column(column), ty: plain(Type::String), span: keep.span };
            let length = ExprKind::Call(chars, vec![text]);
            Some(Keep::Best(Expr { kind: length, ty: plain(Type::Int), span: keep.span }))
        }
        KeptWhich::Best(by) => {
            let by = resolve_expr(context, &View::of(record), by, None)?;
            if matches!(by.ty.ty, Type::Int | Type::Float) {
                return Some(Keep::Best(by));
            }
            let shown = show(context, &by.ty);
            context.error(
                Code::WrongType,
                format!("the best record is the one with the highest number, and this is `{shown}`"),
                by.span,
                format!("is `{shown}`"),
                "give a number: `keep best by words(text)`",
            );
            None
        }
    }
}

/// `dedup lines of …`, `dedup sentences of …`, `dedup substrings of …`.
pub(super) fn resolve_pieces(
    context: &mut Context<'_>,
    pieces: Pieces,
    field: &Ident,
    at_least: Option<&Quantity>,
    record: &Record,
) -> Option<StepKind> {
    let needs = match pieces {
        Pieces::Lines => "only a text has lines",
        Pieces::Sentences => "only a text has sentences",
        Pieces::Substrings => "only a text has substrings",
    };
    let column = text_field(context, record, field, needs);
    const UNITS: [(&str, Unit); 3] = [("words", Unit::Words), ("characters", Unit::Characters), ("bytes", Unit::Bytes)];
    let length = match at_least {
        // Every line has no word or more.
        None => Some(Length { count: 0, unit: Unit::Words }),
        Some(least) => length_in(context, least, "a piece", &UNITS).map(|(count, unit)| Length { count, unit }),
    };
    let (column, length) = column.zip(length)?;
    let pieces = match pieces {
        Pieces::Lines => pieces::Pieces::Lines(length),
        Pieces::Sentences => pieces::Pieces::Sentences(length),
        Pieces::Substrings => pieces::Pieces::Windows(length),
    };
    Some(StepKind::DedupPieces { column, pieces })
}

/// `decontaminate … against … by …`.
pub(super) fn resolve_decontaminate(
    context: &mut Context<'_>,
    field: &Ident,
    against: &[Evaluation],
    by: &Quantity,
    record: &Record,
) -> Option<StepKind> {
    let column = text_field(context, record, field, "`decontaminate` compares words");
    let mut all = Some(Vec::new());
    for evaluation in against {
        let resolved = match evaluation {
            Evaluation::Files(path) => resolve_files(context, path),
            Evaluation::Field(source, field) => resolve_field(context, source, field),
        };
        match (resolved, &mut all) {
            (Some(resolved), Some(all)) => all.push(resolved),
            (None, all) => *all = None,
            (Some(_), None) => {}
        }
    }
    let words = length_in(context, by, "a run", &[("words", ())]).map(|(words, ())| words);
    Some(StepKind::Decontaminate { column: column?, against: all?, words: words? })
}

fn resolve_files(context: &mut Context<'_>, path: &Text) -> Option<Evaluated> {
    if !paths::check_path(context, path) {
        return None;
    }
    if path.node.contains("://") {
        context.error(
            Code::NotSupported,
            "records are held against files of this machine",
            path.span,
            "not a local file",
            "declare a `source` for them and name its field: `against heldout.question`",
        );
        return None;
    }
    let ending = extension(&path.node);
    if !matches!(ending.as_deref(), Some("jsonl" | "ndjson" | "csv" | "txt")) {
        context.error(
            Code::UnknownFormat,
            "the texts of these files cannot be taken as they are",
            path.span,
            "is none of `.jsonl`, `.ndjson`, `.csv`, `.txt`, with `.gz` or `.zst` behind it or not",
            "declare a `source` for them and name its field: `against heldout.question`",
        );
        return None;
    }
    Some(Evaluated::Files { path: path.node.clone(), folder: context.folder_at(path.span) })
}

fn resolve_field(context: &mut Context<'_>, of: &Ident, field: &Ident) -> Option<Evaluated> {
    let (id, position) = source::look_up_field(context, of, field)?;
    let declared = &context.program[id].fields[position];
    let (ty, place) = (declared.ty.clone(), declared.span);
    if ty.ty != Type::String {
        let shown = show(context, &ty);
        context.report(
            Diagnostic::new(
                Code::WrongType,
                format!("`decontaminate` compares words, and `{}` is `{shown}`", field.name),
                field.span,
                format!("is `{shown}`"),
            )
            .label(place, "declared here")
            .help("name a field of type `string`"),
        );
        return None;
    }
    Some(Evaluated::Field { source: id, field: position })
}
