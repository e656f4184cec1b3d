//! Records as tokens and targets, checked before the first step.

use std::ops::Range;
use std::path::Path;

use super::TrainError;
use super::chat::{ChatTemplate, Message, Rendered, is_completion, join_completion};
use super::error::IDS_SHOWN;
use super::run::Overflow;
use super::table::Table;
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
            Self::Class(_) | Self::Number(_) | Self::Tokens(_) => false,
        }
    }

    /// By how many rows or tokens the loss is divided.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Class(_) | Self::Number(_) | Self::Answer { .. } | Self::Text(_) => 1,
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
    /// Records that were left out because they were too long.
    pub dropped: usize,
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
/// A null label or one that is no number, a tokenizer's failure, too-long records where the run refuses them.
pub fn encode_numbers(
    table: &Table,
    text: &str,
    label: &str,
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    encode_labelled(table, [text, label], tokenizer, limit, |id, label| {
        Ok(Target::Number(number_of(id, label)? as f32))
    })
}

/// A record's number as a table has it.
pub(crate) fn number_of(id: &str, label: Option<&str>) -> Result<f64, TrainError> {
    let number = label.and_then(|label| label.parse().ok()).filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| TrainError::NoNumber { id: id.to_owned() })
}

fn encode_labelled(
    table: &Table,
    [text, label]: [&str; 2],
    tokenizer: &Tokenizer,
    limit: LengthLimit,
    target: impl Fn(&str, Option<&str>) -> Result<Target, TrainError>,
) -> Result<Encoded, TrainError> {
    let mut collected = Collected::new(limit);
    let rows = table.ids.iter().zip(table.column(text)).zip(table.column(label));
    for ((id, text), label) in rows {
        let target = target(id, label.as_deref())?;
        let text = text.as_deref().unwrap_or_default();
        let failed = |message| TrainError::Tokenize { id: id.clone(), message };
        let tokens = tokenizer.encode(text, true).map_err(failed)?.ids;
        if let Some(cut) = collected.admit(id, tokens.len()) {
            let tokens = match cut {
                None => tokens,
                Some(cut) => tokenizer.encode_cut(text, limit.tokens, cut).map_err(failed)?.ids,
            };
            collected.encoded.examples.push(Example { id: id.clone(), tokens, target });
        }
    }
    collected.finish()
}

/// Conversations with the tokens that are learnt.
///
/// # Errors
/// A missing or failing chat template, a conversation that is no JSON, two BOS, an answer without an end that can be
/// learnt, records without a learnt token, too-long records where the run refuses them.
pub fn encode_conversations(
    table: &Table,
    column: &str,
    folder: &Path,
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    let mut source = Source::new(folder, tokenizer);
    let mut collected = Collected::new(limit);
    let (mut silent, mut cut_away) = (Vec::new(), Vec::new());
    for (id, messages) in table.ids.iter().zip(table.column(column)) {
        let messages = read_messages(table, id, messages.as_deref())?;
        let (mut tokens, mut learnt) = source.learnt(id, &messages)?;
        if !learnt.contains(&true) {
            silent.push(id.clone());
            continue;
        }
        let Some(cut) = collected.admit(id, tokens.len()) else { continue };
        if let Some(cut) = cut {
            cut_tokens(&mut tokens, &mut learnt, limit.tokens, cut);
        }
        if !learnt.contains(&true) {
            cut_away.push(id.clone());
        }
        collected.encoded.examples.push(Example { id: id.clone(), tokens, target: Target::Tokens(learnt) });
    }
    nothing_learnt(silent, "give them an assistant turn that is not muted")?;
    nothing_learnt(cut_away, "`length` cuts their answers away; allow more tokens, or say `else drop`")?;
    collected.finish()
}

/// The messages of a record.
pub(super) fn read_messages(table: &Table, id: &str, messages: Option<&str>) -> Result<Vec<Message>, TrainError> {
    serde_json::from_str(messages.unwrap_or("[]")).map_err(|_| TrainError::Table {
        path: table.path.clone(),
        message: format!("record {id} has no list of messages"),
    })
}

/// What conversations and completions become texts with.
pub(super) struct Source<'a> {
    folder: &'a Path,
    tokenizer: &'a Tokenizer,
    bos: Option<u32>,
    /// Loaded for the first conversation: completions need none.
    template: Option<ChatTemplate>,
}

impl<'a> Source<'a> {
    pub(super) fn new(folder: &'a Path, tokenizer: &'a Tokenizer) -> Self {
        let bos = tokenizer.special_text("bos_token").and_then(|token| tokenizer.id_of(token));
        Self { folder, tokenizer, bos, template: None }
    }

    /// The tokens of a conversation or a completion, and for each whether it is learnt.
    pub(super) fn learnt(&mut self, id: &str, messages: &[Message]) -> Result<(Vec<u32>, Vec<bool>), TrainError> {
        let render = |message| TrainError::Render { id: id.to_owned(), message };
        let (rendered, tokens) = self.tokens(id, messages)?;
        if let (Some(bos), [first, second, ..]) = (self.bos, tokens.ids.as_slice())
            && (*first, *second) == (bos, bos)
        {
            return Err(render("it begins with two BOS tokens".to_owned()));
        }
        let answers: Vec<Range<usize>> = rendered.learnt.into_iter().filter(|answer| !answer.is_empty()).collect();
        let mut learnt = learnt_tokens(&tokens.offsets, &answers);
        if !learn_ends(&tokens, &answers, &mut learnt, self.tokenizer) {
            return Err(render(
                "no special token follows a learnt turn, so where an answer ends could not be learnt".to_owned(),
            ));
        }
        Ok((tokens.ids, learnt))
    }

    fn tokens(&mut self, id: &str, messages: &[Message]) -> Result<(Rendered, Tokens), TrainError> {
        let failed = |message| TrainError::Tokenize { id: id.to_owned(), message };
        if is_completion(messages) {
            let eos = self.tokenizer.special_text("eos_token").unwrap_or_default();
            let rendered = join_completion(messages, eos);
            let mut tokens = self.tokenizer.encode(&rendered.text, true).map_err(failed)?;
            // A tokenizer that ends a text by itself would end it twice.
            if let [.., last, added] = tokens.ids.as_slice()
                && last == added
                && Some(*last) == self.tokenizer.id_of(eos)
            {
                tokens.ids.pop();
                tokens.offsets.pop();
            }
            return Ok((rendered, tokens));
        }
        let template = match self.template.take() {
            Some(template) => template,
            None => ChatTemplate::load(self.folder, self.tokenizer)?,
        };
        let template = self.template.insert(template);
        let render = |message| TrainError::Render { id: id.to_owned(), message };
        let rendered = template.render(messages).map_err(render)?;
        // The template writes the special tokens itself.
        let tokens = self.tokenizer.encode(&rendered.text, false).map_err(failed)?;
        Ok((rendered, tokens))
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

/// A token is learnt that holds a character of an answer. The first has nothing before it to be predicted from.
fn learnt_tokens(offsets: &[(usize, usize)], learnt: &[Range<usize>]) -> Vec<bool> {
    let mut mask: Vec<bool> = offsets
        .iter()
        .map(|(start, end)| learnt.iter().any(|range| *start < range.end && range.start < *end))
        .collect();
    if let Some(first) = mask.first_mut() {
        *first = false;
    }
    mask
}

/// Learns the special token after each answer too: it is how a model knows to stop. Template text between the answer
/// and that token, such as a space, is learnt with it. `false` where an answer has no such token.
fn learn_ends(tokens: &Tokens, answers: &[Range<usize>], learnt: &mut [bool], tokenizer: &Tokenizer) -> bool {
    answers.iter().all(|answer| {
        let Some(first) = tokens.offsets.iter().position(|(start, end)| *start >= answer.end && end > start) else {
            return false;
        };
        let after = tokens.ids[first..].iter().take(END_DISTANCE);
        let Some(distance) = after.into_iter().position(|id| tokenizer.is_special(*id)) else { return false };
        learnt[first..=first + distance].fill(true);
        true
    })
}

/// A template puts at most white space between an answer and the token that ends its turn.
const END_DISTANCE: usize = 3;

pub(super) fn cut_tokens(tokens: &mut Vec<u32>, learnt: &mut Vec<bool>, limit: usize, cut: Cut) {
    match cut {
        Cut::KeepStart => {
            tokens.truncate(limit);
            learnt.truncate(limit);
        }
        Cut::KeepEnd => {
            let lost = tokens.len() - limit;
            tokens.drain(..lost);
            learnt.drain(..lost);
            if let Some(first) = learnt.first_mut() {
                *first = false;
            }
        }
    }
}

pub(super) fn nothing_learnt(mut ids: Vec<String>, reason: &'static str) -> Result<(), TrainError> {
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort();
    let count = ids.len();
    ids.truncate(IDS_SHOWN + 1);
    Err(TrainError::NothingToLearn { count, reason, ids })
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
        if tokens <= self.limit.tokens {
            return Some(None);
        }
        self.longest = self.longest.max(tokens);
        match self.limit.overflow {
            Overflow::Refuse => {
                self.too_long.push(id.to_owned());
                None
            }
            Overflow::Drop => {
                self.encoded.dropped += 1;
                None
            }
            Overflow::KeepStart => {
                self.encoded.truncated += 1;
                Some(Some(Cut::KeepStart))
            }
            Overflow::KeepEnd => {
                self.encoded.truncated += 1;
                Some(Some(Cut::KeepEnd))
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
