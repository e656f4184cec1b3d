//! Conversations as tokens: which of them are learnt, and what must hold of them before the first step.
//!
//! An answer is learnt whole, with the token that ends it, or not at all.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::TrainError;
use super::chat::{ChatTemplate, Message, Rendered, is_completion, join_completion};
use super::error::IDS_SHOWN;
use super::example::{Collected, Cut, Encoded, Example, Fate, LengthLimit, Target};
use super::in_order::in_order;
use super::learnable::{Specials, check_learnable, check_turns};
use super::table::Table;
use super::tokenizer::{Tokenizer, Tokens};

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
    encode(table, column, folder, tokenizer, limit, |_| None)
}

/// Conversations with the tokens that are judged: those that are learnt, and of a record that training leaves out for its
/// length what the limit leaves of its start, a part of an answer too. One whose answers all begin behind it is left out.
///
/// # Errors
/// As [`encode_conversations`].
pub fn encode_judged_conversations(
    table: &Table,
    column: &str,
    folder: &Path,
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    let start = |spoken: &Spoken| {
        let is_left_out = limit.fate(spoken.tokens.ids.len()) == Fate::LeftOut;
        is_left_out.then(|| spoken.start(limit.tokens)).filter(|(_, learnt)| learnt.contains(&true))
    };
    encode(table, column, folder, tokenizer, limit, start)
}

/// `instead` gives tokens and what of them is learnt where these are not those that the limit leaves.
fn encode(
    table: &Table,
    column: &str,
    folder: &Path,
    tokenizer: &Tokenizer,
    limit: LengthLimit,
    instead: impl Fn(&Spoken) -> Option<(Vec<u32>, Vec<bool>)>,
) -> Result<Encoded, TrainError> {
    let speaker = Speaker::new(folder, tokenizer)?;
    let mut collected = Collected::new(limit);
    let (mut silent, mut cut_away) = (Vec::new(), Vec::new());
    let rows: Vec<_> = table.ids.iter().zip(table.column(column)).collect();
    let make = |(id, messages): &(&String, &Option<String>)| {
        speaker.speak(id, &read_messages(table, id, messages.as_deref())?)
    };
    in_order(tokenizer.threads(), &rows, make, |(id, _), spoken| {
        if spoken.answers.is_empty() {
            silent.push((*id).clone());
            return;
        }
        let example = |(tokens, learnt)| Example { id: (*id).clone(), tokens, target: Target::Tokens(learnt) };
        if let Some(kept) = instead(&spoken) {
            collected.encoded.examples.push(example(kept));
            return;
        }
        let Some(cut) = collected.admit(id, spoken.tokens.ids.len()) else { return };
        let lost = cut.map_or(0..0, |cut| spoken.lost(limit.tokens, cut));
        collected.encoded.joined.extend(spoken.is_joined.then(|| (*id).clone()));
        let (tokens, learnt) = spoken.kept(&lost);
        collected.encoded.muted += spoken.answers.len() - spoken.whole(&lost).count();
        if !learnt.contains(&true) {
            cut_away.push((*id).clone());
        }
        collected.encoded.examples.push(example((tokens, learnt)));
    })?;
    nothing_learnt(silent, "give them an assistant turn that is not muted and not blank, or drop them")?;
    nothing_learnt(
        cut_away,
        "`length` cuts all their answers, and an answer is learnt whole or not at all; allow more tokens, or say `else drop`",
    )?;
    collected.finish()
}

/// What is said of records whose prompt and completion share a token.
pub(super) fn note_joined(ids: &[String]) -> Option<String> {
    let shown: Vec<&str> = ids.iter().take(3).map(String::as_str).collect();
    let more = if ids.len() > shown.len() { " …" } else { "" };
    (!shown.is_empty()).then(|| {
        format!(
            "of {} records the tokens change where prompt and completion meet (records {}{more}): a program that gives the model the \
             prompt alone gives it other tokens than were trained; end the prompt without a blank, and begin the completion with it",
            ids.len(),
            shown.join(", ")
        )
    })
}

/// The turns of a record in the training table.
pub(super) fn read_messages(table: &Table, id: &str, messages: Option<&str>) -> Result<Vec<Message>, TrainError> {
    serde_json::from_str(messages.unwrap_or("[]")).map_err(|_| TrainError::Table {
        path: table.path.clone(),
        message: format!("record {id} has no list of messages"),
    })
}

/// A conversation as a model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    /// The text that was tokenized.
    pub(super) text: String,
    pub(super) tokens: Tokens,
    /// The tokens of each answer, with the one that ends it.
    pub(super) answers: Vec<Range<usize>>,
    /// Whether a completion stands behind other tokens than its prompt has by itself.
    pub(super) is_joined: bool,
}

impl Spoken {
    /// The tokens that a cut takes away.
    pub(super) fn lost(&self, limit: usize, cut: Cut) -> Range<usize> {
        let all = self.tokens.ids.len();
        match cut {
            Cut::KeepStart => limit.min(all)..all,
            Cut::KeepEnd => 0..all.saturating_sub(limit),
        }
    }

    /// The answers that keep all their tokens, and something before them that they can be predicted from.
    fn whole(&self, lost: &Range<usize>) -> impl Iterator<Item = &Range<usize>> {
        self.answers.iter().filter(move |answer| {
            let keeps_all = answer.end <= lost.start || answer.start >= lost.end;
            let begins_what_is_left = lost.start == 0 && !lost.is_empty() && answer.start == lost.end;
            keeps_all && !begins_what_is_left
        })
    }

    /// For each token, those that are cut among them, whether it is learnt. The first has nothing before it to be predicted from.
    pub(super) fn learnt(&self, lost: &Range<usize>) -> Vec<bool> {
        let mut learnt = vec![false; self.tokens.ids.len()];
        for answer in self.whole(lost) {
            learnt[answer.clone()].fill(true);
        }
        if let Some(first) = learnt.first_mut() {
            *first = false;
        }
        learnt
    }

    /// The first tokens, and for each whether it is of an answer, of one that goes on behind them too.
    fn start(&self, tokens: usize) -> (Vec<u32>, Vec<bool>) {
        let (mut all, mut learnt) = self.kept(&(0..0));
        all.truncate(tokens);
        learnt.truncate(tokens);
        (all, learnt)
    }

    /// The tokens that a cut leaves, and for each whether it is learnt.
    pub(super) fn kept(&self, lost: &Range<usize>) -> (Vec<u32>, Vec<bool>) {
        let learnt = self.learnt(lost);
        let kept = |(at, _): &(usize, (u32, bool))| !lost.contains(at);
        let tokens = self.tokens.ids.iter().copied().zip(learnt);
        tokens.enumerate().filter(kept).map(|(_, token)| token).unzip()
    }
}

/// What conversations and completions become tokens with.
pub(super) struct Speaker<'a> {
    folder: &'a Path,
    tokenizer: &'a Tokenizer,
    specials: Specials,
    /// Loaded for the first conversation: completions need none.
    template: Mutex<Option<Arc<ChatTemplate>>>,
}

impl<'a> Speaker<'a> {
    pub(super) fn new(folder: &'a Path, tokenizer: &'a Tokenizer) -> Result<Self, TrainError> {
        Ok(Self { folder, tokenizer, specials: Specials::of(folder, tokenizer)?, template: Mutex::new(None) })
    }

    /// A record's tokens and answers, where they can be learnt as they are.
    pub(super) fn speak(&self, id: &str, messages: &[Message]) -> Result<Spoken, TrainError> {
        let (rendered, tokens) = self.tokens(id, messages)?;
        let text = rendered.text;
        // White space says nothing, be it all of the turn or all that the template leaves of it.
        let asked = messages.iter().filter(|message| message.train).zip(rendered.learnt);
        let says = |(message, place): (&Message, Range<usize>)| {
            (!message.content.trim().is_empty() && !text[place.clone()].trim().is_empty()).then_some(place)
        };
        let places: Vec<Range<usize>> = asked.filter_map(says).collect();
        let answers = check_learnable(&text, &tokens, &places, &self.specials, self.tokenizer);
        let answers = answers.map_err(|problem| problem.of(id))?;
        let is_joined = self.is_joined(messages, &tokens, answers.first());
        let is_joined = is_joined.map_err(|message| TrainError::Tokenize { id: id.to_owned(), message })?;
        Ok(Spoken { text, tokens, answers, is_joined })
    }

    /// Whether a token is made of the end of a prompt and the beginning of its completion, so that what is trained stands behind
    /// other tokens than those of the prompt that a program gives to be continued.
    fn is_joined(&self, messages: &[Message], tokens: &Tokens, answer: Option<&Range<usize>>) -> Result<bool, String> {
        let Some(answer) = answer.filter(|_| is_completion(messages)) else { return Ok(false) };
        let prompt: String =
            messages.iter().take_while(|message| !message.train).map(|one| one.content.as_str()).collect();
        let alone = self.tokenizer.encode(&prompt, false)?;
        Ok(!tokens.ids[..answer.start].ends_with(&alone.ids))
    }

    fn tokens(&self, id: &str, messages: &[Message]) -> Result<(Rendered, Tokens), TrainError> {
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
        check_turns(messages, &self.specials, self.tokenizer).map_err(|problem| problem.of(id))?;
        let template = self.template()?;
        let render = |message| TrainError::Render { id: id.to_owned(), message };
        let rendered = template.render(messages).map_err(render)?;
        // The template writes the special tokens itself.
        let tokens = self.tokenizer.encode(&rendered.text, false).map_err(failed)?;
        Ok((rendered, tokens))
    }

    fn template(&self) -> Result<Arc<ChatTemplate>, TrainError> {
        let mut template = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = match template.take() {
            Some(loaded) => loaded,
            None => Arc::new(ChatTemplate::load(self.folder, self.tokenizer)?),
        };
        Ok(Arc::clone(template.insert(loaded)))
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
