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

/// What is to be known of the answers in a table, which are the values of a label.
///
/// # Errors
/// Two values of the same tokens; a record that cannot be read.
pub(super) fn compare_answers(
    label: &str,
    table: &Table,
    column: &str,
    speaker: &Speaker<'_>,
) -> Result<Vec<String>, TrainError> {
    let mut answers: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (id, messages) in table.ids.iter().zip(table.column(column)) {
        let messages = read_messages(table, id, messages.as_deref())?;
        let Some(answer) = messages.iter().rfind(|message| message.train) else { continue };
        if answers.contains_key(&answer.content) {
            continue;
        }
        let spoken = speaker.speak(id, &messages)?;
        if let Some(tokens) = spoken.answers.last() {
            answers.insert(answer.content.clone(), spoken.tokens.ids[tokens.clone()].to_vec());
        }
    }
    let answers: Vec<(String, Vec<u32>)> = answers.into_iter().collect();
    compare(label, &answers)
}

fn compare(label: &str, answers: &[(String, Vec<u32>)]) -> Result<Vec<String>, TrainError> {
    let mut by_tokens: Vec<&(String, Vec<u32>)> = answers.iter().collect();
    by_tokens.sort_by(|(a, a_tokens), (b, b_tokens)| a_tokens.cmp(b_tokens).then_with(|| a.cmp(b)));
    if let Some([first, second]) = by_tokens.windows(2).find(|pair| pair[0].1 == pair[1].1) {
        let (first, second) = (first.0.clone(), second.0.clone());
        return Err(TrainError::SameAnswer { label: label.to_owned(), first, second });
    }
    // What all values begin with, such as the words of the template before the label, tells nothing.
    let shared = match (by_tokens.first(), by_tokens.last()) {
        (Some((_, first)), Some((_, last))) => first.iter().zip(last).take_while(|(a, b)| a == b).count(),
        (None, _) | (_, None) => 0,
    };
    let mut notes = Vec::new();
    let alike = by_tokens.chunk_by(|(_, a), (_, b)| a.get(shared) == b.get(shared)).filter(|group| group.len() > 1);
    let alike: Vec<&[&(String, Vec<u32>)]> = alike.collect();
    if answers.len() > 1 && !alike.is_empty() {
        let count: usize = alike.iter().map(|group| group.len()).sum();
        let pairs = alike.iter().map(|group| (group[0].0.as_str(), group[1].0.as_str()));
        notes.push(format!(
            "{count} of {} values of `{label}` begin with the same token as another ({}): the probability of an answer's first \
             token does not tell them apart, the whole answer does",
            answers.len(),
            listed(pairs, "and")
        ));
    }
    // In order of tokens, what begins with a value follows it; the last token of each is its end.
    let begins = |pair: &&[&(String, Vec<u32>)]| pair[1].1.starts_with(&pair[0].1[..pair[0].1.len() - 1]);
    let begun: Vec<&[&(String, Vec<u32>)]> = by_tokens.windows(2).filter(begins).collect();
    if !begun.is_empty() {
        let pairs = begun.iter().map(|pair| (pair[0].0.as_str(), pair[1].0.as_str()));
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
