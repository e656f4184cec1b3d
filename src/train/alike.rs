//! Answers that are the values of a label, told apart by their tokens.
//!
//! A model that generates a label's value decides token by token. Two values that are the same tokens are one value to it,
//! which is an error. Values that begin with the same token, or of which one begins another, are told apart later, which a
//! reader of the first token's probabilities has to know.

use std::collections::BTreeMap;

use super::TrainError;
use super::conversation::{Speaker, read_messages};
use super::table::Table;

/// Pairs of values that stand in a note.
const SHOWN: usize = 3;

/// What a model has to write for a value of the label.
struct Answer {
    value: String,
    text: String,
    tokens: Vec<u32>,
    /// The first record that has the value.
    id: String,
}

/// What is to be known of the answers in a table, of which each depends on the value of a label alone.
///
/// # Errors
/// Two values of the same tokens; a record that cannot be read.
pub(super) fn compare_answers(
    label: &str,
    table: &Table,
    column: &str,
    speaker: &Speaker<'_>,
) -> Result<Vec<String>, TrainError> {
    let mut answers: BTreeMap<&str, Answer> = BTreeMap::new();
    for ((id, messages), value) in table.ids.iter().zip(table.column(column)).zip(table.column(label)) {
        let Some(value) = value.as_deref().filter(|value| !answers.contains_key(value)) else { continue };
        let messages = read_messages(table, id, messages.as_deref())?;
        let Some(answer) = messages.iter().rfind(|message| message.train) else { continue };
        let spoken = speaker.speak(id, &messages)?;
        if let Some(tokens) = spoken.answers.last() {
            let (value_name, text, id) = (value.to_owned(), answer.content.clone(), id.clone());
            let tokens = spoken.tokens.ids[tokens.clone()].to_vec();
            answers.insert(value, Answer { value: value_name, text, tokens, id });
        }
    }
    compare(label, &answers.into_values().collect::<Vec<_>>())
}

fn compare(label: &str, answers: &[Answer]) -> Result<Vec<String>, TrainError> {
    let mut by_tokens: Vec<&Answer> = answers.iter().collect();
    by_tokens.sort_by(|a, b| a.tokens.cmp(&b.tokens).then_with(|| a.value.cmp(&b.value)));
    if let Some([first, second]) = by_tokens.windows(2).find(|pair| pair[0].tokens == pair[1].tokens) {
        let of = |answer: &Answer| (answer.value.clone(), answer.id.clone());
        return Err(TrainError::SameAnswer { label: label.to_owned(), first: of(first), second: of(second) });
    }
    // What all values begin with, such as the words of the template before the label, tells nothing.
    let shared = match (by_tokens.first(), by_tokens.last()) {
        (Some(first), Some(last)) => first.tokens.iter().zip(&last.tokens).take_while(|(a, b)| a == b).count(),
        (None, _) | (_, None) => 0,
    };
    let mut notes = Vec::new();
    let alike = by_tokens.chunk_by(|a, b| a.tokens.get(shared) == b.tokens.get(shared)).filter(|group| group.len() > 1);
    let alike: Vec<&[&Answer]> = alike.collect();
    if answers.len() > 1 && !alike.is_empty() {
        let count: usize = alike.iter().map(|group| group.len()).sum();
        let pairs = alike.iter().map(|group| (group[0].text.as_str(), group[1].text.as_str()));
        notes.push(format!(
            "{count} of {} values of `{label}` begin with the same token as another ({}): the probability of an answer's first \
             token does not tell them apart, the whole answer does",
            answers.len(),
            listed(pairs, "and")
        ));
    }
    // In order of tokens, what begins with a value follows it; the last token of each is its end.
    let begins = |pair: &&[&Answer]| pair[1].tokens.starts_with(&pair[0].tokens[..pair[0].tokens.len() - 1]);
    let begun: Vec<&[&Answer]> = by_tokens.windows(2).filter(begins).collect();
    if !begun.is_empty() {
        let pairs = begun.iter().map(|pair| (pair[0].text.as_str(), pair[1].text.as_str()));
        notes.push(format!(
            "of the values of `{label}`, one is the beginning of another ({}): only the token that ends an answer tells them apart",
            listed(pairs, "of")
        ));
    }
    Ok(notes)
}

fn listed<'a>(pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>, word: &str) -> String {
    let more = if pairs.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<String> = pairs.take(SHOWN).map(|(a, b)| format!("`{a}` {word} `{b}`")).collect();
    format!("{}{more}", shown.join(", "))
}
