//! Exact match of a generated text with a reference.

use std::sync::LazyLock;

use regex::Regex;

use super::texts::words;

/// Runs of letters, numbers and underscores, between which Python's `\b` stands.
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]+").expect("the pattern is well formed"));

/// What two texts are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// Character by character, without whitespace at either end.
    Plain,
    /// As SQuAD 1.1's evaluation script normalizes answers: in lower case, without ASCII punctuation, without the words
    /// `a`, `an` and `the`, with single spaces.
    Squad,
}

/// Whether a prediction matches any of the references.
#[must_use]
pub fn exact_match(prediction: &str, references: &[&str], matching: Matching) -> bool {
    match matching {
        Matching::Plain => references.iter().any(|reference| reference.trim() == prediction.trim()),
        Matching::Squad => {
            let prediction = squad_normalized(prediction);
            references.iter().any(|reference| squad_normalized(reference) == prediction)
        }
    }
}

/// A text as SQuAD 1.1 compares it.
#[must_use]
pub fn squad_normalized(text: &str) -> String {
    let text: String = text.to_lowercase().chars().filter(|character| !character.is_ascii_punctuation()).collect();
    let without_articles = WORD.replace_all(&text, |word: &regex::Captures<'_>| match &word[0] {
        "a" | "an" | "the" => " ".to_owned(),
        word => word.to_owned(),
    });
    words(&without_articles).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, fixture};
    use super::*;

    #[test]
    fn matches_are_those_of_squad() {
        for case in cases("generation") {
            let references: Vec<String> = serde_json::from_value(case["references"].clone()).expect("texts");
            let references: Vec<&str> = references.iter().map(String::as_str).collect();
            let prediction = case["prediction"].as_str().expect("a text");
            let matches = exact_match(prediction, &references, Matching::Squad);
            assert_eq!(case["squad_exact_match"], matches, "{prediction}");
        }
        for pair in fixture("generation")["normalized"].as_array().expect("a list") {
            let text = pair[0].as_str().expect("a text");
            assert_eq!(pair[1], squad_normalized(text), "{text}");
        }
    }

    #[test]
    fn plain_matching_forgives_outer_whitespace_alone() {
        assert!(exact_match(" 12 \n", &["11", "12"], Matching::Plain));
        assert!(!exact_match("Yes", &["yes"], Matching::Plain));
        assert!(!exact_match("a  b", &["a b"], Matching::Plain));
        assert!(!exact_match("", &[], Matching::Squad));
    }
}
