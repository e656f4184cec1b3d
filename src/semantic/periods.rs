//! Splits in time: the field that tells it, and the moments at which parts end.

use super::Context;
use super::compliance::find_field;
use super::scope::Record;
use super::types::show;
use crate::diagnostics::{Code, Diagnostic};
use crate::engine::{parse_date, parse_timestamp};
use crate::hir::{ColumnId, Period, TimeOrder, Type};
use crate::source::Span;
use crate::syntax::ast::dataset::{Part, PartKind, Split, SplitBy};
use crate::syntax::ast::{Ident, Text};

/// The order in time of a split: its field, and the periods of its parts, which `position` finds in the split.
pub(super) fn resolve_time(
    context: &mut Context<'_>,
    split: &Split,
    record: &Record,
    position: impl Fn(&str) -> Option<usize>,
) -> Option<TimeOrder> {
    let has_period = |part: &&Part| matches!(part.what, PartKind::Period { .. });
    let first = split.parts.iter().find(has_period);
    let Some(SplitBy::Time(field)) = &split.by else {
        if let Some(part) = first {
            context.error(
                Code::PeriodsDoNotFit,
                format!("nothing says which field tells whether a record belongs to `{}`", part.name.name),
                part.span,
                "a moment of which field",
                "name it at the end: `by time created`",
            );
        }
        return None;
    };
    check_nothing_else(context, split, field);
    let column = time_field(context, record, field);
    let periods = match first {
        None => Some(Vec::new()),
        Some(first) => resolve_periods(context, &split.parts, first, position),
    };
    Some(TimeOrder { column: column?, periods: periods? })
}

/// A split in time leaves nothing to chance, and its parts differ as the times do.
fn check_nothing_else(context: &mut Context<'_>, split: &Split, field: &Ident) {
    let mut useless = Vec::new();
    if let Some(stratify) = &split.stratify {
        useless.push((stratify.span, "take `stratify` out: the parts are as the times are"));
    }
    if let Some(seed) = &split.seed {
        useless.push((seed.span, "take `seed` out: nothing is left to chance"));
    }
    for (span, help) in useless {
        context.report(
            Diagnostic::new(Code::PeriodsDoNotFit, "the time says which part a record goes to", span, "has no effect")
                .label(field.span, "says the time")
                .help(help),
        );
    }
}

fn time_field(context: &mut Context<'_>, record: &Record, field: &Ident) -> Option<ColumnId> {
    let id = find_field(context, record, field)?;
    let column = record.column(id);
    let ty = column.ty.clone()?;
    let (declared, nullable) = (column.declared.first().copied(), ty.nullable && !column.not_null);
    let shown = show(context, &ty);
    let (code, message, help) = match ty.ty {
        Type::Date | Type::Timestamp if !nullable => return Some(id),
        Type::Date | Type::Timestamp => (
            Code::NullableValue,
            format!("`{}` may be null, and a record without a time belongs to no part", field.name),
            format!("drop such records in a `clean`: `drop \"no time\" when {} is null`", field.name),
        ),
        Type::String | Type::Int | Type::Float | Type::Bool | Type::List(_) | Type::Record(_) | Type::Label(_) => (
            Code::WrongType,
            format!("a split in time goes by a date or a timestamp, and `{}` is `{shown}`", field.name),
            "declare the field `date` or `timestamp` in its source".to_owned(),
        ),
    };
    let mut diagnostic = Diagnostic::new(code, message, field.span, format!("is `{shown}`"));
    if let Some(declared) = declared {
        diagnostic = diagnostic.label(declared, "declared here");
    }
    context.report(diagnostic.help(help));
    None
}

/// A period as it is written, its ends as moments.
struct Written {
    part: usize,
    from: Option<(i64, Span)>,
    before: Option<(i64, Span)>,
    span: Span,
}

fn resolve_periods(
    context: &mut Context<'_>,
    parts: &[Part],
    first: &Part,
    position: impl Fn(&str) -> Option<usize>,
) -> Option<Vec<Period>> {
    let mut written = Vec::new();
    let mut wrong = false;
    for part in parts {
        match &part.what {
            PartKind::From(_) => {}
            PartKind::Share(share) => {
                context.report(
                    Diagnostic::new(
                        Code::PeriodsDoNotFit,
                        format!("`{}` has a share where another part has a period", part.name.name),
                        share.span,
                        "a share of what no period takes",
                    )
                    .label(first.span, "has a period")
                    .help("give every part a period, or every part a share: with `by time` the oldest go to the first"),
                );
                wrong = true;
            }
            PartKind::Period { from, before } => {
                let [from, before] = [from, before].map(|end| end.as_ref().map(|text| moment(context, text)));
                wrong |= matches!(from, Some(None)) || matches!(before, Some(None));
                if let Some(part_at) = position(&part.name.name) {
                    let (from, before) = (from.flatten(), before.flatten());
                    written.push(Written { part: part_at, from, before, span: part.span });
                }
            }
        }
    }
    if wrong { None } else { join_periods(context, written) }
}

/// Microseconds since 1970-01-01T00:00:00Z of a day's beginning or of a moment; `None` after a report.
fn moment(context: &mut Context<'_>, text: &Text) -> Option<(i64, Span)> {
    const DAY: i64 = 86_400_000_000;
    let day = parse_date(&text.node).map(|days| i64::from(days) * DAY);
    if let Some(moment) = day.or_else(|| parse_timestamp(&text.node)) {
        return Some((moment, text.span));
    }
    context.error(
        Code::PeriodsDoNotFit,
        format!("`{}` is no day and no moment", text.node),
        text.span,
        "cannot be read",
        "write a day, `\"2024-01-31\"`, or a moment with its offset, `\"2024-01-31T12:00:00Z\"`",
    );
    None
}

/// The periods in order. Each record belongs to one: the first begins before all times, each ends where the next one
/// begins, and the last does not end.
fn join_periods(context: &mut Context<'_>, mut written: Vec<Written>) -> Option<Vec<Period>> {
    written.sort_by_key(|period| (period.from.map(|(at, _)| at), period.before.map_or(i64::MAX, |(at, _)| at)));
    let mut complain = |span: Span, message: &str, label: &str, other: Option<Span>, help: &str| {
        let mut diagnostic = Diagnostic::new(Code::PeriodsDoNotFit, message, span, label);
        if let Some(other) = other {
            diagnostic = diagnostic.label(other, "the period beside it");
        }
        context.report(diagnostic.help(help));
    };
    let (first, last) = (written.first()?, written.last()?);
    if let Some((_, span)) = first.from {
        let help = "let the first part begin with the first record: give it a `before` alone";
        complain(span, "records from before this moment go into no part", "begins too late", None, help);
        return None;
    }
    if let Some((_, span)) = last.before {
        let help = "let the last part go on to the last record: give it a `from` alone";
        complain(span, "records from this moment on go into no part", "ends too early", None, help);
        return None;
    }
    for pair in written.windows(2) {
        let [one, next] = pair else { continue };
        let help =
            "let each part begin where the one before it ends: `train before \"2024-01-01\", test from \"2024-01-01\"`";
        match (one.before, next.from) {
            (Some((end, _)), Some((begin, _))) if end == begin => {}
            (Some((end, _)), Some((begin, span))) if end < begin => {
                complain(span, "records between these periods go into no part", "leaves a gap", Some(one.span), help);
                return None;
            }
            _ => {
                complain(next.span, "a record may belong to two parts", "overlaps", Some(one.span), help);
                return None;
            }
        }
    }
    Some(written.iter().map(|one| Period { part: one.part, before: one.before.map(|(at, _)| at) }).collect())
}
