//! `sample`, `take`, `balance`, `mix` and `weight`: which records a data set takes when it does not take all.

use super::dataset::Taken as Source;
use super::quantities::{Bounds, number, share, whole};
use super::scope::Record;
use super::split::few_values;
use super::{Context, cleaning, names, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{FixedPart, SourceId, Split, SplitRule, Step, StepBlock, StepKind, Taken};
use crate::source::Span;
use crate::syntax::ast::dataset::{Dataset, Item, ItemKind};
use crate::syntax::ast::{Ident, Quantity};

/// Resolves the samples of a data set, in order, and reports those that contradict each other.
pub(super) fn resolve_samples(
    context: &mut Context<'_>,
    dataset: &Dataset,
    items: &[&Item],
    split: &Split,
    record: &Record,
    sources: &[Source],
) -> Vec<Step> {
    check_together(context, items);
    let mut steps = Vec::new();
    for item in items {
        let scope = Scope { split, record, sources };
        let Some((taken, seed)) = resolve_sample(context, item, &scope) else { continue };
        let seed = match seed {
            None => Some(0),
            Some(seed) => whole(context, seed, Bounds::between("a seed", 0.0, f64::INFINITY)),
        };
        let Some(seed) = seed else { continue };
        let rule = cleaning::in_short(context, item.span);
        let kind = StepKind::Sample { taken, seed };
        let name = context.names.title(&dataset.name);
        steps.push(cleaning::step(context, StepBlock::Dataset, &name, kind, rule, item.span));
    }
    steps
}

/// What a sample can name.
struct Scope<'s> {
    split: &'s Split,
    record: &'s Record,
    sources: &'s [Source],
}

impl Scope<'_> {
    fn fixed(&self) -> &[FixedPart] {
        match &self.split.rule {
            SplitRule::Shares { fixed, .. } => fixed,
            SplitRule::AllTrain | SplitRule::ByField(_) => &[],
        }
    }

    /// The part that takes a source as a whole.
    fn part_of(&self, source: SourceId) -> Option<&str> {
        let part = self.fixed().iter().find(|part| part.sources.contains(&source))?;
        Some(&self.split.parts[part.part])
    }
}

fn resolve_sample<'i>(
    context: &mut Context<'_>,
    item: &'i Item,
    scope: &Scope<'_>,
) -> Option<(Taken, Option<&'i Quantity>)> {
    match &item.kind {
        ItemKind::Sample { share: written, seed } => {
            let value = share(context, written, "a sample")?;
            if value == 0.0 {
                nothing_left(context, written.span);
                return None;
            }
            Some((Taken::Share(value), seed.as_ref()))
        }
        ItemKind::Take { count, per, seed } => {
            let count = whole(context, count, Bounds::between("a number of records", 1.0, f64::INFINITY));
            let per = per.as_ref().map(|per| few_values(context, scope.record, per, "records are taken per value"));
            let per = match per {
                None => None,
                Some(column) => Some(column?),
            };
            Some((Taken::Count { count: count?, per }, seed.as_ref()))
        }
        ItemKind::Balance { field, at_most, seed } => {
            let column = few_values(context, scope.record, field, "what is balanced has a few values");
            let bounds = Bounds::between("how many times the rarest value", 1.0, 1e9).unit(&["times"]);
            let times = match at_most {
                None => Some(1.0),
                Some(at_most) => number(context, at_most, bounds),
            };
            Some((Taken::Balanced { column: column?, times: times? }, seed.as_ref()))
        }
        ItemKind::Mix { shares, seed } => Some((resolve_mix(context, shares, item.span, scope)?, seed.as_ref())),
        ItemKind::Weight { source, weight, seed } => {
            let bounds = Bounds { open_low: true, ..Bounds::between("a weight", 0.0, 1000.0) };
            let weight = number(context, weight, bounds);
            let source = source_to_sample(context, source, scope)?;
            Some((Taken::Weighted { source, weight: weight? }, seed.as_ref()))
        }
        ItemKind::From(_)
        | ItemKind::Purpose(_)
        | ItemKind::Clean(_)
        | ItemKind::Policy(_)
        | ItemKind::Label { .. }
        | ItemKind::Split(_)
        | ItemKind::Write { .. } => None,
    }
}

fn nothing_left(context: &mut Context<'_>, span: Span) {
    context.error(
        Code::NumberOutOfRange,
        "a sample of 0% is empty",
        span,
        "takes no record",
        "give a share above 0%, or take the statement out",
    );
}

/// A source of the data set that no part takes as a whole.
fn source_to_sample(context: &mut Context<'_>, name: &Ident, scope: &Scope<'_>) -> Option<SourceId> {
    let Some(source) = scope.sources.iter().find(|source| source.name == name.name) else {
        if matches!(names::look_up(context, name, names::Kind::Source), names::Found::Declared(_)) {
            let from: Vec<&str> = scope.sources.iter().map(|source| source.name.as_str()).collect();
            let help = suggest(&name.name, from, "sources in `from`").text;
            context.error(
                Code::SourceNotInFrom,
                format!("the data set does not take from `{}`", name.name),
                name.span,
                "not in `from`",
                format!("add `{}` to `from`; {help}", name.name),
            );
        }
        return None;
    };
    names::look_up(context, name, names::Kind::Source);
    if let Some(part) = scope.part_of(source.id) {
        context.error(
            Code::ContradictorySample,
            format!("part `{part}` takes `{}` as a whole", name.name),
            name.span,
            "its records all stay",
            "take the source out here, or out of the part",
        );
        return None;
    }
    Some(source.id)
}

fn resolve_mix(
    context: &mut Context<'_>,
    shares: &[(Ident, Quantity)],
    span: Span,
    scope: &Scope<'_>,
) -> Option<Taken> {
    let mut mixed: Vec<(SourceId, f64)> = Vec::new();
    let mut wrong = false;
    for (at, (name, quantity)) in shares.iter().enumerate() {
        let value = share(context, quantity, "a source's share");
        let source = source_to_sample(context, name, scope);
        if let Some((first, _)) = shares[..at].iter().find(|(earlier, _)| earlier.name == name.name) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("`{}` stands twice", name.name),
                    name.span,
                    "named again here",
                )
                .label(first.span, "first named here")
                .help("give each source one share"),
            );
            wrong = true;
        }
        match source.zip(value) {
            Some(of) => mixed.push(of),
            None => wrong = true,
        }
    }
    if wrong {
        return None;
    }
    let sum: f64 = mixed.iter().map(|(_, share)| share).sum();
    if (sum - 1.0).abs() > 1e-9 {
        let percent = (sum * 1e8).round() / 1e6;
        context.error(
            Code::SharesDoNotSum,
            format!("the shares add up to {percent}%, not to 100%"),
            shares.first().zip(shares.last()).map_or(span, |(first, last)| first.1.span.to(last.1.span)),
            format!("{percent}% in all"),
            "a mixture is made of its sources alone: their shares add up to 100%",
        );
        return None;
    }
    let left = |source: &&Source| {
        !mixed.iter().any(|(id, share)| *id == source.id && *share > 0.0) && scope.part_of(source.id).is_none()
    };
    if let Some(source) = scope.sources.iter().find(left) {
        context.error(
            Code::ContradictorySample,
            format!("the records of `{}` have no share in this mixture", source.name),
            span,
            "leaves a source out",
            format!("give `{}` a share, or take it out of `from`", source.name),
        );
        return None;
    }
    Some(Taken::Mixed(mixed))
}

/// Two statements that decide the same: two mixtures, a mixture and a weight, two weights of one source.
fn check_together(context: &mut Context<'_>, items: &[&Item]) {
    let proportions = |item: &&&Item| matches!(item.kind, ItemKind::Mix { .. } | ItemKind::Weight { .. });
    let mut seen: Vec<&Item> = Vec::new();
    for item in items.iter().filter(proportions) {
        let contradicts = |earlier: &&&Item| match (&earlier.kind, &item.kind) {
            (ItemKind::Weight { source: first, .. }, ItemKind::Weight { source, .. }) => first.name == source.name,
            _ => true,
        };
        if let Some(first) = seen.iter().find(contradicts) {
            context.report(
                Diagnostic::new(
                    Code::ContradictorySample,
                    "the proportions of the sources are said already",
                    item.span,
                    "says something else of them",
                )
                .label(first.span, "said here")
                .help("keep one of them: `mix` for the sources' shares, or one `weight` for each source"),
            );
        }
        seen.push(item);
    }
}
