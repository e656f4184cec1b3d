//! What may come next in an expression.

use super::want::Want::{self, FieldOf, Function, Value, ValueOf, Words};
use super::want::plain;
use crate::syntax::HARD_WORDS;

const OPERATORS: Want = Words(&["and", "or", "in", "not in", "is null", "is not null", "matches", "match", "|>"]);

/// The next word of an expression, after the words of it that are there.
pub fn value(words: &[&str]) -> Vec<Want> {
    let [before @ .., last] = words else { return vec![Value] };
    match *last {
        "|>" => vec![Function],
        "." => match before.last() {
            Some(name) => vec![FieldOf(plain(name))],
            None => Vec::new(),
        },
        "is" => vec![Words(&["null", "not null"])],
        "not" if before.last() == Some(&"is") => vec![Words(&["null"])],
        "not" if before.last().is_some_and(|word| is_operand(word)) => vec![Words(&["in"])],
        "==" | "!=" | "=>" => [subject(before), vec![Value]].concat(),
        "[" | "," => match listed(before, last) {
            Some(wants) => wants,
            None => vec![Value],
        },
        "matches" | "match" => Vec::new(),
        word if is_operand(word) => vec![OPERATORS],
        _ => vec![Value],
    }
}

/// The values that the name before a comparison may have.
fn subject(before: &[&str]) -> Vec<Want> {
    match before {
        [.., ")"] => Vec::new(),
        [.., name] if is_name(name) => vec![ValueOf(plain(name))],
        _ => Vec::new(),
    }
}

/// What stands in a list after `in`: values of the name before it.
fn listed(before: &[&str], last: &str) -> Option<Vec<Want>> {
    let open = if last == "[" { before.len() } else { before.iter().rposition(|word| *word == "[")? };
    match &before[..open] {
        [.., name, "not", "in"] | [.., name, "in"] => Some(subject(&[*name])),
        _ => None,
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with('`') || word.starts_with(|c: char| c.is_alphabetic() || c == '_') && !HARD_WORDS.contains(&word)
}

/// Whether a word ends an operand, so that an operator may follow.
fn is_operand(word: &str) -> bool {
    let is_constant = matches!(word, "true" | "false" | "null");
    is_name(word)
        || is_constant
        || matches!(word, ")" | "]" | "}")
        || word.starts_with(|c: char| c.is_ascii_digit() || c == '"')
}
