//! `purpose`: what a data set is for, against what the licences of its sources allow.
//!
//! All sources' terms hold for the whole; of `A OR B` the author chooses, so a conflict is one that every choice has.

use super::dataset::Taken;
use super::licence::terms::{self, Changes, Licence};
use super::licence::{Spdx, parse};
use super::{Context, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Credit, Output, Purpose, Step, StepKind, Terms};
use crate::source::Span;
use crate::syntax::ast::Text;

/// The words of a purpose and what each of them means.
pub(super) const WORDS: [(Purpose, &str); 4] = [
    (Purpose::Research, "to find something out, without earning money by it"),
    (Purpose::Internal, "inside an organisation, for its business too, with nothing given away"),
    (Purpose::Commercial, "to earn money: in a product, for customers, for pay"),
    (Purpose::Publication, "the records themselves are given to others"),
];

/// Resolves the purpose of a data set and compares it with the licences of its sources. `None` where none is stated.
pub(super) fn resolve_purpose(
    context: &mut Context<'_>,
    purpose: Option<&Text>,
    sources: &[Taken],
    steps: &[Step],
    outputs: &[Output],
) -> Option<Terms> {
    let purpose = purpose?;
    let words = words(context, purpose);
    let changed = outputs.iter().any(|output| output.template.is_some())
        || steps
            .iter()
            .any(|step| matches!(step.kind, StepKind::Set { .. } | StepKind::Label { .. } | StepKind::Redact { .. }));
    let parties: Vec<Party<'_>> = sources
        .iter()
        .map(|source| {
            let text = context.program[source.id].license.clone();
            let spdx = text.as_deref().and_then(parse);
            Party { source, text, spdx }
        })
        .collect();
    if words.is_empty() {
        return None;
    }
    for (word, span) in &words {
        check_word(context, *word, *span, changed, &parties);
    }
    let purposes: Vec<Purpose> = words.iter().map(|(word, _)| *word).collect();
    check_known(context, purpose, &purposes, changed, &parties);
    if let Some((_, span)) = words.iter().find(|(word, _)| *word == Purpose::Publication) {
        check_joins(context, *span, &parties);
    }
    Some(Terms { credits: credits(&parties, &purposes, changed), purposes })
}

/// A source with its licence.
struct Party<'s> {
    source: &'s Taken,
    text: Option<String>,
    /// `None` where it states none, or one that cannot be read, which was reported.
    spdx: Option<Spdx>,
}

impl Party<'_> {
    /// Where its licence is stated, else where the data set takes from it.
    fn stated(&self) -> Span {
        self.source.license.unwrap_or(self.source.from)
    }
}

/// The words of a purpose, each with its place; unknown and repeated ones are reported.
fn words(context: &mut Context<'_>, purpose: &Text) -> Vec<(Purpose, Span)> {
    // Only in a plain literal are the characters of the text those of the file.
    let plain = context.files.text(purpose.span).strip_prefix('"').is_some_and(|raw| raw.starts_with(&purpose.node));
    let mut found: Vec<(Purpose, Span)> = Vec::new();
    let mut at = 0;
    for part in purpose.node.split(',') {
        let word = part.trim();
        let start = purpose.span.start as usize + 1 + at + (part.len() - part.trim_start().len());
        let span = if plain && !word.is_empty() {
            Span::new(purpose.span.file, start, start + word.len())
        } else {
            purpose.span
        };
        at += part.len() + 1;
        let Some((known, _)) = WORDS.iter().find(|(known, _)| known.word() == word) else {
            unknown_word(context, word, span);
            continue;
        };
        if let Some((_, first)) = found.iter().find(|(seen, _)| seen == known) {
            context.report(
                Diagnostic::new(Code::DuplicateName, format!("`{word}` stands twice"), span, "named again here")
                    .label(*first, "first named here")
                    .help("take one of them out"),
            );
        } else {
            found.push((*known, span));
        }
    }
    found
}

fn unknown_word(context: &mut Context<'_>, word: &str, span: Span) {
    let near = suggest(word, WORDS.iter().map(|(known, _)| known.word()), "purposes");
    let meanings: Vec<String> = WORDS.iter().map(|(known, meaning)| format!("`{}`: {meaning}", known.word())).collect();
    let help = if near.instead.is_some() { near } else { meanings.join("; ").into() };
    let message = if word.is_empty() { "this names no purpose".to_owned() } else { format!("`{word}` is no purpose") };
    context.error(Code::UnknownWord, message, span, "unknown purpose", help);
}

/// What a licence forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bar {
    Business,
    Sharing,
    Changing,
}

impl Bar {
    /// What it says, after the licence's name.
    fn says(self) -> &'static str {
        match self {
            Self::Business => "allows no use for business",
            Self::Sharing => "allows nobody to pass on what was changed",
            Self::Changing => "gives no right to change the work",
        }
    }

    /// A way out.
    fn help(self) -> &'static str {
        match self {
            Self::Business => {
                "take the source out of `from`, get a licence for it that allows this, or name another purpose"
            }
            Self::Sharing | Self::Changing => {
                "take the source out of `from`, or leave its records as they are: no `set`, no `label`, no `redact`, no template"
            }
        }
    }
}

/// How an expression of licences stands to a purpose, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict<'l> {
    Fits,
    /// The terms of this licence are not known.
    Unknown(&'l str),
    Barred(&'l str, Bar),
}

impl Verdict<'_> {
    fn rank(&self) -> u8 {
        match self {
            Self::Fits => 0,
            Self::Unknown(_) => 1,
            Self::Barred(..) => 2,
        }
    }
}

fn row(id: &str) -> Option<&'static Licence> {
    terms::lookup(id.split(" WITH ").next().unwrap_or(id).trim_end_matches('+'))
}

fn verdict(spdx: &Spdx, purpose: Purpose, changed: bool) -> Verdict<'_> {
    match spdx {
        Spdx::Id(id) => match row(id).map(|licence| bar(licence, purpose, changed)) {
            None => Verdict::Unknown(id),
            Some(None) => Verdict::Fits,
            Some(Some(bar)) => Verdict::Barred(id, bar),
        },
        Spdx::And(left, right) | Spdx::Or(left, right) => {
            let (left, right) = (verdict(left, purpose, changed), verdict(right, purpose, changed));
            let right_wins = match spdx {
                Spdx::And(..) => right.rank() > left.rank(),
                Spdx::Or(..) | Spdx::Id(_) => right.rank() < left.rank(),
            };
            if right_wins { right } else { left }
        }
    }
}

fn bar(licence: &Licence, purpose: Purpose, changed: bool) -> Option<Bar> {
    let business = match purpose {
        Purpose::Commercial | Purpose::Internal => true,
        Purpose::Research | Purpose::Publication => false,
    };
    match licence.changes {
        _ if business && !licence.commercial => Some(Bar::Business),
        Changes::Never if changed => Some(Bar::Changing),
        Changes::Unshared if changed && purpose == Purpose::Publication => Some(Bar::Sharing),
        Changes::Never | Changes::Unshared | Changes::Free => None,
    }
}

/// One report for each word, with all the sources that stand against it.
fn check_word(context: &mut Context<'_>, purpose: Purpose, span: Span, changed: bool, parties: &[Party<'_>]) {
    let against: Vec<(&Party<'_>, &str, Bar)> = parties
        .iter()
        .filter_map(|party| match verdict(party.spdx.as_ref()?, purpose, changed) {
            Verdict::Barred(id, bar) => Some((party, id, bar)),
            Verdict::Fits | Verdict::Unknown(_) => None,
        })
        .collect();
    let Some((first, id, bar)) = against.first() else { return };
    let more = if against.len() > 1 { format!(", and {} more", against.len() - 1) } else { String::new() };
    let mut diagnostic = Diagnostic::new(
        Code::PurposeConflict,
        format!(
            "`{}` conflicts with a licence: `{id}` of `{}`{more} {}",
            purpose.word(),
            first.source.name,
            bar.says()
        ),
        span,
        WORDS.iter().find(|(known, _)| *known == purpose).map_or("", |(_, meaning)| meaning),
    );
    for (party, id, bar) in &against {
        diagnostic = diagnostic
            .label(party.stated(), format!("`{id}` {}", bar.says()))
            .label(party.source.from, format!("takes the records of `{}`", party.source.name));
    }
    context.report(diagnostic.help(bar.help()));
}

/// Warns of sources whose terms are not known.
fn check_known(context: &mut Context<'_>, purpose: &Text, purposes: &[Purpose], changed: bool, parties: &[Party<'_>]) {
    for party in parties {
        let name = &party.source.name;
        let (message, label) = match (&party.text, &party.spdx) {
            (None, _) => (
                format!("source `{name}` states no licence: whether it may be used so is not known"),
                format!("`{name}` says no `license`"),
            ),
            (Some(_), None) => continue,
            (Some(_), Some(spdx)) => {
                let unknown = purposes.iter().find_map(|purpose| match verdict(spdx, *purpose, changed) {
                    Verdict::Unknown(id) => Some(id),
                    Verdict::Fits | Verdict::Barred(..) => None,
                });
                let Some(id) = unknown else { continue };
                (
                    format!("the terms of `{id}` are not known: whether it allows this use is for you to read"),
                    format!("`{id}` has no known terms"),
                )
            }
        };
        let help = match party.text {
            None => "say it at the source: `license \"CC-BY-4.0\"`",
            Some(_) => "read the licence; where it leaves a choice, say so: `license \"LicenseRef-own OR CC-BY-4.0\"`",
        };
        let mut diagnostic = Diagnostic::new(Code::UnknownTerms, message, party.stated(), label)
            .label(purpose.span, "what the data set is for");
        if party.stated() != party.source.from {
            diagnostic = diagnostic.label(party.source.from, format!("takes the records of `{name}`"));
        }
        context.report(diagnostic.help(help));
    }
}

/// Alternatives that are looked at; more of them are taken to hold one that fits.
const MOST_CHOICES: usize = 64;

/// The terms under which what is made of a source may be passed on, one for each choice that its licence leaves.
fn onward(spdx: &Spdx) -> Vec<u32> {
    let mut choices = match spdx {
        Spdx::Id(id) => vec![row(id).map_or(u32::MAX, |licence| licence.onward)],
        Spdx::Or(left, right) => [onward(left), onward(right)].concat(),
        Spdx::And(left, right) => joined(&onward(left), &onward(right)),
    };
    choices.sort_unstable();
    choices.dedup();
    if choices.len() > MOST_CHOICES { vec![u32::MAX] } else { choices }
}

fn joined(left: &[u32], right: &[u32]) -> Vec<u32> {
    let mut both: Vec<u32> = left.iter().flat_map(|a| right.iter().map(move |b| a & b)).collect();
    both.sort_unstable();
    both.dedup();
    both
}

/// Warns where two sources each ask that the whole be passed on under terms that the other does not take. Whether records
/// side by side are such a whole is not for a compiler to settle, so this is no error.
fn check_joins(context: &mut Context<'_>, span: Span, parties: &[Party<'_>]) {
    let terms: Vec<(&Party<'_>, Vec<u32>)> =
        parties.iter().filter_map(|party| Some((party, onward(party.spdx.as_ref()?)))).collect();
    let never = |a: &[u32], b: &[u32]| joined(a, b).iter().all(|choice| *choice == 0);
    for (at, (later, its)) in terms.iter().enumerate() {
        let Some((earlier, _)) = terms[..at].iter().find(|(_, others)| never(others, its)) else { continue };
        let shown = |party: &Party<'_>| party.text.clone().unwrap_or_default();
        context.report(
            Diagnostic::new(
                Code::UnknownTerms,
                format!(
                    "`{}` and `{}` each ask for the whole under their own terms: whether both may be published together is not known",
                    shown(earlier),
                    shown(later)
                ),
                span,
                "the records are given to others together",
            )
            .label(earlier.stated(), format!("`{}` comes with one of them", earlier.source.name))
            .label(later.stated(), format!("`{}` comes with the other", later.source.name))
            .help("publish them as two data sets, or take one of the sources out of `from`"),
        );
        return;
    }
}

/// What each source's licence asks of who passes its records on. Of a choice the one that fits the purposes best counts,
/// of those the one that asks for no terms of its own, of those the first.
fn credits(parties: &[Party<'_>], purposes: &[Purpose], changed: bool) -> Vec<Credit> {
    let mut credits = Vec::new();
    for party in parties {
        let Some(spdx) = &party.spdx else { continue };
        let mut ids: Vec<&str> = Vec::new();
        chosen(spdx, purposes, changed, &mut ids);
        for id in ids {
            if let Some(duty) = row(id).and_then(Licence::asks) {
                credits.push(Credit { source: party.source.id, license: id.to_owned(), duty });
            }
        }
    }
    credits
}

fn chosen<'l>(spdx: &'l Spdx, purposes: &[Purpose], changed: bool, into: &mut Vec<&'l str>) {
    let cost = |spdx: &Spdx| {
        let worst = purposes.iter().map(|purpose| verdict(spdx, *purpose, changed).rank()).max();
        (worst, !onward(spdx).contains(&u32::MAX))
    };
    match spdx {
        Spdx::Id(id) if into.contains(&id.as_str()) => {}
        Spdx::Id(id) => into.push(id),
        Spdx::And(left, right) => {
            chosen(left, purposes, changed, into);
            chosen(right, purposes, changed, into);
        }
        Spdx::Or(left, right) => {
            let better = if cost(right) < cost(left) { right } else { left };
            chosen(better, purposes, changed, into);
        }
    }
}
