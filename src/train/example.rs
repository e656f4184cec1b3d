//! Records as tokens and targets, checked before the first step.

use super::TrainError;
use super::error::IDS_SHOWN;
use super::in_order::in_order;
use super::run::Overflow;
use super::table::Table;
use super::tags::TagTarget;
use super::tokenizer::{Tokenizer, Tokens};
use crate::statistics::Histogram;

/// A record ready for a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The record.
    pub id: String,
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// What is learnt from it.
    pub target: Target,
}

/// What is learnt from a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The index of a label's value.
    Class(usize),
    /// For each value of a label, whether the record has it.
    Choices(Vec<bool>),
    /// The tags of words.
    Tags(TagTarget),
    /// A number.
    Number(f32),
    /// For each token, whether predicting it from those before it is learnt. The first never is.
    Tokens(Vec<bool>),
    /// An answer of a pair.
    Answer {
        /// For each token, whether it is part of the answer. The first never is.
        learnt: Vec<bool>,
        /// The answer's log-probability by the reference.
        reference: f32,
    },
    /// A text of a pair; texts of the same tokens have the same number.
    Text(u64),
}

impl Target {
    /// Whether two rows of a batch are one record.
    #[must_use]
    pub fn is_of_pair(&self) -> bool {
        match self {
            Self::Answer { .. } | Self::Text(_) => true,
            Self::Class(_) | Self::Choices(_) | Self::Number(_) | Self::Tags(_) | Self::Tokens(_) => false,
        }
    }

    /// By how many rows or tokens the loss is divided.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Class(_) | Self::Choices(_) | Self::Number(_) | Self::Answer { .. } | Self::Text(_) => 1,
            Self::Tags(target) => target.tags.iter().filter(|tag| **tag >= 0).count(),
            Self::Tokens(learnt) => learnt.iter().filter(|learnt| **learnt).count(),
        }
    }
}

/// Examples, and what the length limit did to the records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Encoded {
    /// In the table's order, without the dropped ones.
    pub examples: Vec<Example>,
    /// Of pairs their second ones, in the order of the first ones; else none.
    pub seconds: Vec<Example>,
    /// Records that lost a part.
    pub truncated: usize,
    /// Of these, the answers that lost a part and are not learnt for that reason.
    pub muted: usize,
    /// Records that were left out because they were too long.
    pub dropped: usize,
    /// Spans that stand in what was cut off, in part or as a whole; they are not learnt.
    pub lost_spans: usize,
    /// Spans that do not begin and end with words; their words are learnt as a whole.
    pub inexact_spans: usize,
    /// Records whose completion stands behind other tokens than their prompt has by itself.
    pub joined: Vec<String>,
    /// The lengths of all records in tokens, of pairs those of the longer one, before anything was cut or left out.
    pub lengths: Histogram,
}

/// The longest record, and what a longer one gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LengthLimit {
    /// Tokens, special ones included.
    pub tokens: usize,
    /// What a longer record gives up.
    pub overflow: Overflow,
}

/// What becomes of a record of some length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// All of it is read.
    Whole,
    /// One of its ends is cut off.
    Cut(Cut),
    /// It is left out.
    LeftOut,
    /// The run does not start.
    Refused,
}

impl LengthLimit {
    /// What becomes of a record of so many tokens.
    #[must_use]
    pub fn fate(&self, tokens: usize) -> Fate {
        if tokens <= self.tokens {
            return Fate::Whole;
        }
        match self.overflow {
            Overflow::Refuse => Fate::Refused,
            Overflow::Drop => Fate::LeftOut,
            Overflow::KeepStart => Fate::Cut(Cut::KeepStart),
            Overflow::KeepEnd => Fate::Cut(Cut::KeepEnd),
        }
    }
}

/// Texts with the index of their label's value.
///
/// # Errors
/// A null or unknown label, a tokenizer's failure, too-long records where the run refuses them.
pub fn encode_texts(
    table: &Table,
    text: &str,
    label: &str,
    values: &[String],
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    encode_labelled(table, [text, label], tokenizer, limit, |id, label| {
        let class = label.and_then(|label| values.iter().position(|value| value == label));
        class.map(Target::Class).ok_or_else(|| TrainError::UnknownLabel { id: id.to_owned(), values: values.len() })
    })
}

/// Texts with their number.
///
/// # Errors
/// A null label, one that is no number or one whose loss would be none, a tokenizer's failure, too-long records where the run refuses them.
pub fn encode_numbers(
    table: &Table,
    text: &str,
    label: &str,
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    encode_labelled(table, [text, label], tokenizer, limit, |id, label| {
        let number = number_of(id, label)? as f32;
        // A loss starts from about the number's square.
        if !(number * number).is_finite() {
            return Err(TrainError::NumberTooLarge { id: id.to_owned() });
        }
        Ok(Target::Number(number))
    })
}

/// A record's number as a table has it.
pub(crate) fn number_of(id: &str, label: Option<&str>) -> Result<f64, TrainError> {
    let number = label.and_then(|label| label.parse().ok()).filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| TrainError::NoNumber { id: id.to_owned() })
}

/// Texts with the target that their label stands for.
pub(super) fn encode_labelled(
    table: &Table,
    [text, label]: [&str; 2],
    tokenizer: &Tokenizer,
    limit: LengthLimit,
    target: impl Fn(&str, Option<&str>) -> Result<Target, TrainError> + Sync,
) -> Result<Encoded, TrainError> {
    let mut collected = Collected::new(limit);
    let rows: Vec<_> = table.ids.iter().zip(table.column(text)).zip(table.column(label)).collect();
    let make = |((id, text), label): &((&String, &Option<String>), &Option<String>)| {
        let target = target(id, label.as_deref())?;
        let failed = |message| TrainError::Tokenize { id: (*id).clone(), message };
        let (tokens, length) = tokens_within(text.as_deref().unwrap_or_default(), tokenizer, limit).map_err(failed)?;
        Ok((target, tokens.ids, length))
    };
    in_order(tokenizer.threads(), &rows, make, |((id, _), _), (target, tokens, length)| {
        if collected.admit(id, length).is_some() {
            collected.encoded.examples.push(Example { id: (*id).clone(), tokens, target });
        }
    })?;
    collected.finish()
}

/// The tokens of a text as a run reads it, and how many it has before anything is cut.
pub(super) fn tokens_within(text: &str, tokenizer: &Tokenizer, limit: LengthLimit) -> Result<(Tokens, usize), String> {
    let tokens = tokenizer.encode(text, true)?;
    let length = tokens.ids.len();
    match limit.fate(length) {
        Fate::Whole | Fate::LeftOut | Fate::Refused => Ok((tokens, length)),
        Fate::Cut(cut) => Ok((tokenizer.encode_cut(text, limit.tokens, cut)?, length)),
    }
}

/// Which end of a too-long record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The end is lost.
    KeepStart,
    /// The start is lost.
    KeepEnd,
}

/// Examples so far, and the records that were too long.
pub(super) struct Collected {
    limit: LengthLimit,
    pub(super) encoded: Encoded,
    too_long: Vec<String>,
    longest: usize,
}

impl Collected {
    pub(super) fn new(limit: LengthLimit) -> Self {
        Self { limit, encoded: Encoded::default(), too_long: Vec::new(), longest: 0 }
    }

    /// `None` where the record is left out; else the cut that it needs, if any.
    pub(super) fn admit(&mut self, id: &str, tokens: usize) -> Option<Option<Cut>> {
        self.encoded.lengths.add(tokens as u64);
        match self.limit.fate(tokens) {
            Fate::Whole => Some(None),
            Fate::Cut(cut) => {
                self.encoded.truncated += 1;
                Some(Some(cut))
            }
            Fate::LeftOut => {
                self.encoded.dropped += 1;
                None
            }
            Fate::Refused => {
                self.longest = self.longest.max(tokens);
                self.too_long.push(id.to_owned());
                None
            }
        }
    }

    pub(super) fn finish(mut self) -> Result<Encoded, TrainError> {
        if self.too_long.is_empty() {
            return Ok(self.encoded);
        }
        self.too_long.sort();
        let count = self.too_long.len();
        self.too_long.truncate(IDS_SHOWN + 1);
        Err(TrainError::TooLong { count, limit: self.limit.tokens, longest: self.longest, ids: self.too_long })
    }
}
