//! ROUGE (Lin 2004) as the package rouge-score computes it with `use_stemmer=False`: texts in lower case, tokens of
//! `[a-z0-9]` alone, so that a text in another script has none. Scores are between 0 and 1; the score of a set is the mean
//! of its records' scores.

use std::collections::HashMap;

use super::metrics::Scores;
use super::texts::{in_common, ngrams};

/// The scores of one record.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rouge {
    /// Of tokens.
    pub rouge1: Scores,
    /// Of pairs of tokens.
    pub rouge2: Scores,
    /// Of the longest common subsequence of the whole texts.
    pub rouge_l: Scores,
    /// Of the union of the longest common subsequences of their lines.
    pub rouge_lsum: Scores,
}

impl Rouge {
    /// The scores of a prediction; of several references each score takes the one that it is best with.
    #[must_use]
    pub fn of(prediction: &str, references: &[&str]) -> Self {
        let scores: Vec<Self> = references.iter().map(|reference| Self::against(prediction, reference)).collect();
        let best = |part: fn(&Self) -> Scores| {
            let better = |a: Scores, b: Scores| if b.f1 > a.f1 { b } else { a };
            scores.iter().map(part).reduce(better).unwrap_or_default()
        };
        Self {
            rouge1: best(|scores| scores.rouge1),
            rouge2: best(|scores| scores.rouge2),
            rouge_l: best(|scores| scores.rouge_l),
            rouge_lsum: best(|scores| scores.rouge_lsum),
        }
    }

    fn against(prediction: &str, reference: &str) -> Self {
        let (own, other) = (tokens(prediction), tokens(reference));
        let lines =
            |text: &str| -> Vec<Vec<String>> { text.split('\n').filter(|line| !line.is_empty()).map(tokens).collect() };
        Self {
            rouge1: of_ngrams(&own, &other, 1),
            rouge2: of_ngrams(&own, &other, 2),
            rouge_l: scores(common_subsequence(&other, &own).len(), own.len(), other.len()),
            rouge_lsum: of_lines(&lines(prediction), &lines(reference)),
        }
    }
}

fn tokens(text: &str) -> Vec<String> {
    let is_kept = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let text = text.to_lowercase();
    text.split(|character| !is_kept(character)).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

fn scores(hits: usize, predicted: usize, reference: usize) -> Scores {
    let ratio = |whole: usize| if whole == 0 { 0.0 } else { hits as f64 / whole as f64 };
    let (precision, recall) = (ratio(predicted), ratio(reference));
    let f1 = if hits == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
    Scores { precision, recall, f1 }
}

fn of_ngrams(own: &[String], other: &[String], size: usize) -> Scores {
    let hits = in_common(&ngrams(own, size), &ngrams(other, size)) as usize;
    let count = |tokens: &[String]| (tokens.len() + 1).saturating_sub(size);
    scores(hits, count(own), count(other))
}

/// Section 3.2 of the paper, without counting a token twice, as ROUGE-1.5.5 does it.
fn of_lines(own: &[Vec<String>], other: &[Vec<String>]) -> Scores {
    let count = |lines: &[Vec<String>]| lines.iter().map(Vec::len).sum::<usize>();
    fn left(lines: &[Vec<String>]) -> HashMap<&str, usize> {
        let mut left = HashMap::new();
        for token in lines.iter().flatten() {
            *left.entry(token.as_str()).or_default() += 1;
        }
        left
    }
    let (mut of_own, mut of_other) = (left(own), left(other));
    let mut hits = 0;
    for line in other {
        let mut union: Vec<usize> = own.iter().flat_map(|own| common_subsequence(line, own)).collect();
        union.sort_unstable();
        union.dedup();
        for at in union {
            let token = line[at].as_str();
            if let (Some(own @ 1..), Some(other @ 1..)) = (of_own.get_mut(token), of_other.get_mut(token)) {
                *own -= 1;
                *other -= 1;
                hits += 1;
            }
        }
    }
    scores(hits, count(own), count(other))
}

/// The places in `reference` of a longest common subsequence; of several the one that rouge-score's way back through the
/// table finds, on which the union of lines depends.
fn common_subsequence(reference: &[String], own: &[String]) -> Vec<usize> {
    let width = own.len() + 1;
    let mut table = vec![0_u32; (reference.len() + 1) * width];
    for (row, token) in reference.iter().enumerate() {
        for (column, other) in own.iter().enumerate() {
            table[(row + 1) * width + column + 1] = if token == other {
                table[row * width + column] + 1
            } else {
                table[row * width + column + 1].max(table[(row + 1) * width + column])
            };
        }
    }
    let (mut row, mut column) = (reference.len(), own.len());
    let mut places = Vec::new();
    while row > 0 && column > 0 {
        if reference[row - 1] == own[column - 1] {
            places.push(row - 1);
            row -= 1;
            column -= 1;
        } else if table[row * width + column - 1] > table[(row - 1) * width + column] {
            column -= 1;
        } else {
            row -= 1;
        }
    }
    places.reverse();
    places
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close};
    use super::*;

    #[test]
    fn scores_are_those_of_rouge_score() {
        for case in cases("generation") {
            let references: Vec<String> = serde_json::from_value(case["references"].clone()).expect("texts");
            let references: Vec<&str> = references.iter().map(String::as_str).collect();
            let prediction = case["prediction"].as_str().expect("a text");
            let rouge = Rouge::of(prediction, &references);
            let all = [
                ("rouge1", rouge.rouge1),
                ("rouge2", rouge.rouge2),
                ("rougeL", rouge.rouge_l),
                ("rougeLsum", rouge.rouge_lsum),
            ];
            for (name, scores) in all {
                let what = format!("{name} of {prediction}");
                close(scores.precision, &case["rouge"][name][0], &what);
                close(scores.recall, &case["rouge"][name][1], &what);
                close(scores.f1, &case["rouge"][name][2], &what);
            }
        }
    }
}
