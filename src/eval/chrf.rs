//! chrF (Popović 2015) and chrF++ (Popović 2017) as sacrebleu computes them: F2 over character n-grams up to 6 without
//! whitespace, for chrF++ also over words and pairs of words; the mean is taken over the orders that both texts are long
//! enough for (`nc:6|nw:0|space:no`, `nw:2` for chrF++). Scores are between 0 and 100.

use serde::{Deserialize, Serialize};

use super::texts::{in_common, is_space, ngrams, words};

/// The longest n-grams of characters.
const CHARACTERS: usize = 6;
/// The longest n-grams of words, in chrF++.
const WORDS: usize = 2;
/// How much more recall weighs than precision.
const BETA: f64 = 2.0;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chrf {
    /// Of characters alone.
    Characters,
    /// chrF++: of characters, words and pairs of words.
    WithWords,
}

/// What a score is computed from: counts that add up over the records of a set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChrfCounts {
    /// For each order: n-grams of the prediction, of the reference, and those in both.
    orders: [[u64; 3]; CHARACTERS + WORDS],
}

impl ChrfCounts {
    /// The counts of a prediction against that of its references which gives the best score.
    #[must_use]
    pub fn of(prediction: &str, references: &[&str], chrf: Chrf) -> Self {
        let mut best: Option<(f64, Self)> = None;
        for reference in references {
            let counts = Self::against(prediction, reference, chrf);
            let score = counts.score();
            if best.as_ref().is_none_or(|(known, _)| score > *known) {
                best = Some((score, counts));
            }
        }
        best.map(|(_, counts)| counts).unwrap_or_default()
    }

    fn against(prediction: &str, reference: &str, chrf: Chrf) -> Self {
        let mut counts = Self::default();
        let characters = |text: &str| -> Vec<char> { text.chars().filter(|character| !is_space(*character)).collect() };
        let (own, other) = (characters(prediction), characters(reference));
        for (at, order) in counts.orders[..CHARACTERS].iter_mut().enumerate() {
            *order = matched(&own, &other, at + 1);
        }
        if chrf == Chrf::WithWords {
            let (own, other) = (split_punctuation(prediction), split_punctuation(reference));
            for (at, order) in counts.orders[CHARACTERS..].iter_mut().enumerate() {
                *order = matched(&own, &other, at + 1);
            }
        }
        counts
    }

    /// Adds the counts of a record, `times` over.
    pub fn add(&mut self, record: &Self, times: u64) {
        for (sum, order) in self.orders.iter_mut().zip(&record.orders) {
            for (sum, count) in sum.iter_mut().zip(order) {
                *sum += count * times;
            }
        }
    }

    /// The score of the counts, of one record or of a set.
    #[must_use]
    pub fn score(&self) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for [predicted, reference, matched] in self.orders {
            if predicted > 0 && reference > 0 {
                precision += matched as f64 / predicted as f64;
                recall += matched as f64 / reference as f64;
                orders += 1.0;
            }
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        let factor = BETA * BETA;
        100.0 * (1.0 + factor) * precision * recall / (factor * precision + recall)
    }
}

fn matched<T: Eq + std::hash::Hash>(own: &[T], other: &[T], size: usize) -> [u64; 3] {
    let (own, other) = (ngrams(own, size), ngrams(other, size));
    let reference = other.values().sum();
    // What the reference is too short for is no mistake of the prediction.
    let predicted = if reference > 0 { own.values().sum() } else { 0 };
    [predicted, reference, in_common(&own, &other)]
}

/// Words, the punctuation at the end of one, else at its start, parted from it.
fn split_punctuation(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for word in words(text) {
        let mut rest = word.chars();
        let (first, last) = (rest.next(), rest.next_back());
        let is_mark = |character: Option<char>| character.is_some_and(|character| character.is_ascii_punctuation());
        let at = if last.is_none() {
            0
        } else if is_mark(last) {
            word.len() - 1
        } else if is_mark(first) {
            1
        } else {
            0
        };
        let (before, behind) = word.split_at(at);
        parts.extend([before, behind].into_iter().filter(|part| !part.is_empty()).map(str::to_owned));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close, fixture};
    use super::*;

    fn check(chrf: Chrf, name: &str) {
        let mut counts = Vec::new();
        for case in cases("generation") {
            let references: Vec<String> = serde_json::from_value(case["references"].clone()).expect("texts");
            let references: Vec<&str> = references.iter().map(String::as_str).collect();
            let prediction = case["prediction"].as_str().expect("a text");
            let own = ChrfCounts::of(prediction, &references, chrf);
            close(own.score(), &case[name], &format!("{name} of {prediction}"));
            counts.push(own);
        }
        for corpus in fixture("generation")["corpora"].as_array().expect("a list") {
            let mut sum = ChrfCounts::default();
            for record in corpus["records"].as_array().expect("a list").iter().filter_map(serde_json::Value::as_u64) {
                sum.add(&counts[usize::try_from(record).expect("a place")], 1);
            }
            close(sum.score(), &corpus[name], &corpus["records"].to_string());
        }
    }

    #[test]
    fn scores_are_those_of_sacrebleu() {
        check(Chrf::Characters, "chrf");
        check(Chrf::WithWords, "chrf_plus_plus");
    }
}
