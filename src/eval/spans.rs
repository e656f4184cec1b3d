//! Spans out of a tagger's tags, and their figures, as seqeval has them.
//!
//! seqeval reads tags in two ways. Its default is that of `conlleval`: a span also begins at an `I-` or `E-` where none is
//! open, and a tag of another kind ends one and begins another. Its strict mode takes a scheme at its word: a span that
//! does not begin with `B-` (or `S-`), or in IOBES does not end with `E-` (or `S-`), is none.

use std::collections::BTreeMap;

use super::metrics::{Scores, ValueScores, mean, scores};

/// A span of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaggedSpan {
    /// Its kind, `PER`; `_` for tags without a kind.
    pub kind: String,
    /// Its first token.
    pub start: usize,
    /// The token behind its last.
    pub end: usize,
}

/// How tags are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagReading {
    /// As `conlleval` reads them: what stands there counts, whatever the scheme.
    Default,
    /// `B-` begins, `I-` goes on.
    StrictIob2,
    /// `B-` begins, `I-` goes on, `E-` ends, `S-` is a span of one token.
    StrictIobes,
}

impl TagReading {
    /// The strict reading of a model's tags: of IOBES where some say that a span ends, else of IOB2.
    #[must_use]
    pub fn strict<S: AsRef<str>>(tags: &[S]) -> Self {
        let says_ends = tags.iter().any(|tag| tag.as_ref().starts_with(['E', 'S']));
        if says_ends { Self::StrictIobes } else { Self::StrictIob2 }
    }
}

/// A tag that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tag of token {at} is none of {known}")]
pub struct UnknownTag {
    /// The token's number in its sentence, from 0.
    pub at: usize,
    /// The tags that there are.
    pub known: &'static str,
}

/// The figures of spans: a span is right where its kind, its start and its end are.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanFigures {
    /// The kinds that occur, as true or as predicted, in alphabetical order: [`ValueScores::value`] is a place here.
    pub kinds: Vec<String>,
    /// Each kind's scores.
    pub values: Vec<ValueScores>,
    /// Over the summed counts.
    pub micro: Scores,
    /// The mean over the kinds.
    pub macro_: Scores,
    /// The mean over the kinds, weighted by support.
    pub weighted: Scores,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Outside,
    Begin,
    Inside,
    End,
    Single,
}

/// The spans of a sentence's tags, `O` or a letter, `-` and a kind.
///
/// # Errors
/// A tag that the reading does not know; seqeval warns of it by default and fails in strict mode.
pub fn spans_of<S: AsRef<str>>(tags: &[S], reading: TagReading) -> Result<Vec<TaggedSpan>, UnknownTag> {
    let known = match reading {
        TagReading::StrictIob2 => "`O`, `B-`, `I-`",
        TagReading::Default | TagReading::StrictIobes => "`O`, `B-`, `I-`, `E-`, `S-`",
    };
    let tags: Vec<(Prefix, &str)> = tags
        .iter()
        .enumerate()
        .map(|(at, tag)| parse(tag.as_ref(), reading).ok_or(UnknownTag { at, known }))
        .collect::<Result<_, _>>()?;
    Ok(match reading {
        TagReading::Default => lenient(&tags),
        TagReading::StrictIob2 | TagReading::StrictIobes => strict(&tags, reading),
    })
}

fn parse(tag: &str, reading: TagReading) -> Option<(Prefix, &str)> {
    let prefix = match tag.chars().next()? {
        'O' if tag == "O" => Prefix::Outside,
        'B' => Prefix::Begin,
        'I' => Prefix::Inside,
        'E' if reading != TagReading::StrictIob2 => Prefix::End,
        'S' if reading != TagReading::StrictIob2 => Prefix::Single,
        _ => return None,
    };
    let kind = match &tag[1..] {
        "" => "",
        rest => rest.strip_prefix('-')?,
    };
    Some((prefix, if kind.is_empty() { "_" } else { kind }))
}

fn lenient(tags: &[(Prefix, &str)]) -> Vec<TaggedSpan> {
    let mut spans = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    let mut before = (Prefix::Outside, "_");
    for (at, tag) in tags.iter().copied().chain([(Prefix::Outside, "_")]).enumerate() {
        let ends = match (before.0, tag.0) {
            (Prefix::Outside, _) => false,
            (Prefix::End | Prefix::Single, _) => true,
            (Prefix::Begin | Prefix::Inside, Prefix::Begin | Prefix::Single | Prefix::Outside) => true,
            (Prefix::Begin | Prefix::Inside, Prefix::Inside | Prefix::End) => before.1 != tag.1,
        };
        let begins = match (before.0, tag.0) {
            (_, Prefix::Outside) => false,
            (_, Prefix::Begin | Prefix::Single) => true,
            (Prefix::Outside | Prefix::End | Prefix::Single, Prefix::Inside | Prefix::End) => true,
            (Prefix::Begin | Prefix::Inside, Prefix::Inside | Prefix::End) => before.1 != tag.1,
        };
        if ends && let Some((start, kind)) = open.take() {
            spans.push(TaggedSpan { kind: kind.to_owned(), start, end: at });
        }
        if begins {
            open = Some((at, tag.1));
        }
        before = tag;
    }
    spans
}

fn strict(tags: &[(Prefix, &str)], reading: TagReading) -> Vec<TaggedSpan> {
    let mut spans = Vec::new();
    let mut at = 0;
    while at < tags.len() {
        let (first, kind) = tags[at];
        let start = at;
        at += 1;
        if !matches!(first, Prefix::Begin | Prefix::Single) {
            continue;
        }
        let mut last = first;
        while at < tags.len() && goes_on(last, tags[at].0) && tags[at].1 == kind {
            last = tags[at].0;
            at += 1;
        }
        let is_whole = match reading {
            TagReading::Default | TagReading::StrictIob2 => true,
            TagReading::StrictIobes => matches!(last, Prefix::End | Prefix::Single),
        };
        if is_whole {
            spans.push(TaggedSpan { kind: kind.to_owned(), start, end: at });
        }
    }
    spans
}

fn goes_on(last: Prefix, next: Prefix) -> bool {
    matches!((last, next), (Prefix::Begin | Prefix::Inside, Prefix::Inside | Prefix::End))
}

impl SpanFigures {
    /// The same figures with these kinds in this order, those that do not occur with zeros; the averages stay.
    #[must_use]
    pub fn among(mut self, kinds: &[String]) -> Self {
        let of = |(value, kind): (usize, &String)| {
            let found = self.kinds.iter().position(|known| known == kind).map(|at| self.values[at]);
            let none = ValueScores { value, scores: Scores::default(), support: 0, predicted: 0 };
            ValueScores { value, ..found.unwrap_or(none) }
        };
        self.values = kinds.iter().enumerate().map(of).collect();
        self.kinds = kinds.to_vec();
        self
    }

    /// The figures of pairs of a sentence's true and predicted spans.
    #[must_use]
    pub fn of<'a>(sentences: impl IntoIterator<Item = (&'a [TaggedSpan], &'a [TaggedSpan])>) -> Self {
        let mut counts: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
        for (gold, predicted) in sentences {
            for span in gold {
                counts.entry(&span.kind).or_default().2 += 1;
            }
            for span in predicted {
                let (correct, found, _) = counts.entry(&span.kind).or_default();
                *found += 1;
                *correct += u64::from(gold.contains(span));
            }
        }
        let row = |(value, (correct, predicted, support)): (usize, &(u64, u64, u64))| ValueScores {
            value,
            scores: scores(*correct, *predicted, *support),
            support: *support,
            predicted: *predicted,
        };
        let values: Vec<ValueScores> = counts.values().enumerate().map(row).collect();
        let sum = |part: fn(&(u64, u64, u64)) -> u64| counts.values().map(part).sum();
        Self {
            micro: scores(sum(|counts| counts.0), sum(|counts| counts.1), sum(|counts| counts.2)),
            macro_: mean(&values, |_| 1.0),
            weighted: mean(&values, |row| row.support as f64),
            kinds: counts.keys().map(|kind| (*kind).to_owned()).collect(),
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close_scores, texts};
    use super::*;

    fn check(case: &serde_json::Value, reading: TagReading, expected: &serde_json::Value, what: &str) {
        let read = |name: &str| -> Vec<Vec<TaggedSpan>> {
            texts(&case[name]).iter().map(|tags| spans_of(tags, reading).expect("known tags")).collect()
        };
        let (gold, predicted) = (read("gold"), read("predicted"));
        let figures = SpanFigures::of(gold.iter().map(Vec::as_slice).zip(predicted.iter().map(Vec::as_slice)));
        for (name, scores) in [("micro", figures.micro), ("macro", figures.macro_), ("weighted", figures.weighted)] {
            close_scores(scores, &expected[name], &format!("{what}, {name}"));
        }
        assert_eq!(figures.values.len(), expected["each"].as_array().expect("a list").len(), "{what}");
        for row in &figures.values {
            close_scores(row.scores, &expected["each"][row.value], &format!("{what}, {}", figures.kinds[row.value]));
            assert_eq!(expected["each"][row.value]["support"], row.support, "{what}");
        }
    }

    #[test]
    fn figures_are_those_of_seqeval() {
        for (number, case) in cases("spans").iter().enumerate() {
            let strict = if case["scheme"] == "iob2" { TagReading::StrictIob2 } else { TagReading::StrictIobes };
            check(case, TagReading::Default, &case["default"], &format!("case {number}"));
            check(case, strict, &case["strict"], &format!("case {number}, strict"));
        }
    }

    #[test]
    fn a_tag_that_is_none_is_named_by_its_place() {
        let at = |tags: &[&str], reading| spans_of(tags, reading).map_err(|unknown| unknown.at);
        assert_eq!(at(&["O", "X-PER"], TagReading::Default), Err(1));
        assert_eq!(at(&["BPER"], TagReading::Default), Err(0));
        assert_eq!(at(&["S-PER"], TagReading::StrictIob2), Err(0));
        assert_eq!(at(&["O", ""], TagReading::StrictIobes), Err(1));
        assert!(at(&["S-PER"], TagReading::StrictIobes).is_ok());
    }
}
