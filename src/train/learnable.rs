//! What must hold of an answer's tokens, so that what is learnt from them is what will be generated.
//!
//! A model stops where it writes a token that its own files name as an end. That token has to follow each answer, be one
//! token of the tokenizer, and stand nowhere within an answer.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::TrainError;
use super::chat::Message;
use super::tokenizer::{Tokenizer, Tokens, read_json};

/// A template puts at most white space between an answer and the token that ends its turn.
const END_DISTANCE: usize = 3;

/// The tokens that steer a model, by their roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Specials {
    bos: Option<u32>,
    unknown: Option<u32>,
    /// Those that any of the model's files name as an end.
    named_ends: Vec<u32>,
    ends: Ends,
}

impl Specials {
    pub(super) fn of(folder: &Path, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let id = |role| tokenizer.special_text(role).and_then(|token| tokenizer.id_of(token));
        let named = named_ends(folder, tokenizer)?;
        let named_ends = named.iter().flat_map(|ends| ends.ids.iter().copied()).collect();
        Ok(Self { bos: id("bos_token"), unknown: id("unk_token"), named_ends, ends: deciding(named) })
    }
}

/// The tokens at which generating stops, and the file that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ends {
    file: &'static str,
    ids: Vec<u32>,
}

/// The tokens at which generating stops: `eos_token_id` of `generation_config.json`; where that names none, of `config.json`; else the
/// tokenizer's `eos_token`. Other programs stop by the first of these alone, so that the others add nothing to it.
pub(crate) fn end_tokens(folder: &Path, tokenizer: &Tokenizer) -> Result<Vec<u32>, TrainError> {
    Ok(deciding(named_ends(folder, tokenizer)?).ids)
}

/// The first that names any; none where no file says.
fn deciding(named: [Ends; 3]) -> Ends {
    let [generation, config, tokenizer] = named;
    [generation, config].into_iter().find(|ends| !ends.ids.is_empty()).unwrap_or(tokenizer)
}

/// What each of a model's files names as an end, the one that other programs look at first before the others.
fn named_ends(folder: &Path, tokenizer: &Tokenizer) -> Result<[Ends; 3], TrainError> {
    let of_file = |file: &'static str| -> Result<Ends, TrainError> {
        let config = read_json(&folder.join(file))?;
        // A number or a list of them.
        let ids = &config["eos_token_id"];
        let ids = ids.as_array().map_or(std::slice::from_ref(ids), Vec::as_slice);
        let mut ids: Vec<u32> = ids.iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Ends { file, ids })
    };
    let own = tokenizer.special_text("eos_token").and_then(|token| tokenizer.id_of(token));
    let own = Ends { file: "tokenizer_config.json", ids: own.into_iter().collect() };
    Ok([of_file("generation_config.json")?, of_file("config.json")?, own])
}

/// Why a record cannot be learnt from, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    what: String,
    help: String,
}

impl Problem {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into() }
    }

    pub(super) fn of(self, id: &str) -> TrainError {
        TrainError::Unlearnable { id: id.to_owned(), what: self.what, help: self.help }
    }
}

/// What to do with the text of a token in the data.
const WITHOUT_TOKEN: &str = "take it out of the data with a rule; the chat template writes it where it belongs";

/// A turn is text: where some of it is the text of a control token, the tokenizer would make that token of it, and the record would
/// speak in a role that is not its own. An assistant may use those that neither begin nor end a text: it is the one to write them.
pub(super) fn check_turns(messages: &[Message], specials: &Specials, tokenizer: &Tokenizer) -> Result<(), Problem> {
    // Of an answer that is learnt the tokens themselves are looked at.
    for message in messages.iter().filter(|message| !message.train) {
        let frames = |id: &u32| specials.bos == Some(*id) || specials.named_ends.contains(id);
        let mut found = tokenizer.specials_in(&message.content).into_iter();
        if let Some(id) = found.find(|id| message.role != "assistant" || frames(id)) {
            let what = format!(
                "its `{}` turn holds the text `{}`, which is a control token of the model",
                message.role,
                tokenizer.piece(id).entry
            );
            return Err(Problem::new(what, WITHOUT_TOKEN));
        }
    }
    Ok(())
}

/// The tokens of each answer, which stands at a place of the text, with the token that ends it. Template text between the
/// two, such as a space, is learnt with them.
pub(super) fn check_learnable(
    text: &str,
    tokens: &Tokens,
    places: &[Range<usize>],
    specials: &Specials,
    tokenizer: &Tokenizer,
) -> Result<Vec<Range<usize>>, Problem> {
    if let (Some(bos), [first, second, ..]) = (specials.bos, tokens.ids.as_slice())
        && (*first, *second) == (bos, bos)
    {
        let help = "write it once: take it out of the chat template, or out of the text that the template is given";
        return Err(Problem::new("it begins with two BOS tokens", help));
    }
    places.iter().map(|place| answer(text, tokens, place, specials, tokenizer)).collect()
}

fn answer(
    text: &str,
    tokens: &Tokens,
    place: &Range<usize>,
    specials: &Specials,
    tokenizer: &Tokenizer,
) -> Result<Range<usize>, Problem> {
    // A token belongs to an answer that holds one of its characters.
    let holds = |(start, end): &(usize, usize)| *start < place.end && place.start < *end;
    let begin = tokens.offsets.iter().position(holds).unwrap_or(tokens.ids.len());
    let behind = tokens.offsets.iter().position(|(start, end)| *start >= place.end && end > start);
    let within = &tokens.ids[begin..behind.unwrap_or(tokens.ids.len()).max(begin)];
    check_within(within, specials, tokenizer)?;
    let is_end = |id: &u32| tokenizer.is_special(*id) || specials.named_ends.contains(id);
    let end = behind.and_then(|behind| {
        let distance = tokens.ids[behind..].iter().take(END_DISTANCE).position(is_end)?;
        Some(behind + distance)
    });
    let end = end.ok_or_else(|| no_end(&text[place.end..], specials, tokenizer))?;
    check_end(tokens.ids[end], specials, tokenizer)?;
    Ok(begin..end + 1)
}

/// A token that steers the model has no place within an answer.
fn check_within(answer: &[u32], specials: &Specials, tokenizer: &Tokenizer) -> Result<(), Problem> {
    let named = |id: u32| tokenizer.piece(id).entry;
    for id in answer {
        let is_end = specials.named_ends.contains(id);
        if is_end || specials.bos == Some(*id) {
            return Err(Problem::new(
                format!(
                    "an answer holds the text `{}`, which is a token that {} a text",
                    named(*id),
                    if is_end { "ends" } else { "begins" }
                ),
                WITHOUT_TOKEN,
            ));
        }
        if specials.unknown == Some(*id) {
            return Err(Problem::new(
                format!(
                    "an answer holds a character that the tokenizer does not know, and the model would learn to write `{}`",
                    named(*id)
                ),
                "bring the text into the tokenizer's alphabet with a rule (`nfc`, `normalize_quotes`), or drop such records",
            ));
        }
    }
    Ok(())
}

/// Why no end follows an answer; `behind` is the text from there on.
fn no_end(behind: &str, specials: &Specials, tokenizer: &Tokenizer) -> Problem {
    static MARKER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\s*(<[^<>\s]{1,40}>|\[/?[A-Z_]{2,20}\])").expect("the pattern is well formed"));
    let ends: Vec<String> = specials.ends.ids.iter().map(|id| format!("`{}`", tokenizer.piece(*id).entry)).collect();
    // What the template writes there; never a text of the data, which has no such form by itself.
    if let Some(marker) = MARKER.captures(behind).map(|found| found[1].to_owned()) {
        let pieces = tokenizer.encode(&marker, false).map_or(0, |tokens| tokens.ids.len());
        return Problem::new(
            format!(
                "its answer is followed by `{marker}`, which is {pieces} tokens of this tokenizer and not a special one"
            ),
            "chat template and tokenizer do not belong together: take both from one model, or add the token to the tokenizer",
        );
    }
    let what = "no token ends its answer, so where an answer ends could not be learnt";
    if ends.is_empty() {
        return Problem::new(
            what,
            "give the tokenizer an `eos_token`, and write `{{ eos_token }}` behind the assistant's turn in the chat template",
        );
    }
    Problem::new(what, format!("write {} behind the assistant's turn in the chat template", ends.join(" or ")))
}

/// The token that ends an answer must be one at which generating stops.
fn check_end(id: u32, specials: &Specials, tokenizer: &Tokenizer) -> Result<(), Problem> {
    let Ends { file, ids } = &specials.ends;
    if ids.is_empty() || ids.contains(&id) {
        return Ok(());
    }
    let named = |id: &u32| format!("`{}`", tokenizer.piece(*id).entry);
    let ends: Vec<String> = ids.iter().map(named).collect();
    Err(Problem::new(
        format!(
            "its answer ends with {}, and by `{file}` generating stops at {} alone, which is never learnt",
            named(&id),
            ends.join(" or ")
        ),
        format!("add {id} to `eos_token_id` in `generation_config.json`, or end the answer with {}", ends.join(" or ")),
    ))
}
