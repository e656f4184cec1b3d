//! BLEU (Papineni et al. 2002) as sacrebleu computes it by default: tokenizer 13a, case kept, n-grams up to 4,
//! exponential smoothing. sacrebleu's signature of it is `case:mixed|eff:no|tok:13a|smooth:exp`; a single sentence has
//! `eff:yes`. Scores are between 0 and 100.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::texts::{in_common, is_space, ngrams, words};

/// The longest n-grams.
const ORDER: usize = 4;

/// What a score is computed from: counts that add up over the records of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BleuCounts {
    /// N-grams of the prediction that a reference has, for n from 1.
    pub correct: [u64; ORDER],
    /// N-grams of the prediction.
    pub total: [u64; ORDER],
    /// Tokens of the prediction.
    pub predicted: u64,
    /// Tokens of the reference that is nearest in length, of equals the shorter.
    pub reference: u64,
}

impl BleuCounts {
    /// The counts of a prediction against its references; without any, all that it says is wrong.
    #[must_use]
    pub fn of(prediction: &str, references: &[&str]) -> Self {
        let prediction = tokens_13a(prediction);
        let references: Vec<Vec<String>> = references.iter().map(|reference| tokens_13a(reference)).collect();
        let mut counts = Self { predicted: prediction.len() as u64, ..Self::default() };
        let nearest = references.iter().map(Vec::len).min_by_key(|length| (length.abs_diff(prediction.len()), *length));
        counts.reference = nearest.unwrap_or(0) as u64;
        for size in 1..=ORDER {
            let own = ngrams(&prediction, size);
            let mut most = std::collections::HashMap::new();
            for reference in &references {
                for (gram, count) in ngrams(reference, size) {
                    let known = most.entry(gram).or_insert(0);
                    *known = count.max(*known);
                }
            }
            counts.total[size - 1] = own.values().sum();
            counts.correct[size - 1] = in_common(&own, &most);
        }
        counts
    }

    /// Adds the counts of a record, `times` over.
    pub fn add(&mut self, record: &Self, times: u64) {
        for order in 0..ORDER {
            self.correct[order] += record.correct[order] * times;
            self.total[order] += record.total[order] * times;
        }
        self.predicted += record.predicted * times;
        self.reference += record.reference * times;
    }

    /// The score of a set of records.
    #[must_use]
    pub fn corpus_score(&self) -> f64 {
        self.score(false)
    }

    /// The score of a single record, over the n-grams that it is long enough for (`effective_order`).
    #[must_use]
    pub fn sentence_score(&self) -> f64 {
        self.score(true)
    }

    fn score(&self, effective_order: bool) -> f64 {
        if self.correct.iter().all(|correct| *correct == 0) {
            return 0.0;
        }
        let mut precisions = [0.0; ORDER];
        let (mut smoothing, mut orders) = (1.0, ORDER);
        for (at, precision) in precisions.iter_mut().enumerate() {
            if self.total[at] == 0 {
                break;
            }
            if effective_order {
                orders = at + 1;
            }
            *precision = if self.correct[at] == 0 {
                smoothing *= 2.0;
                100.0 / (smoothing * self.total[at] as f64)
            } else {
                100.0 * self.correct[at] as f64 / self.total[at] as f64
            };
        }
        let precisions = &precisions[..orders];
        if precisions.contains(&0.0) {
            return 0.0;
        }
        let mean_log = precisions.iter().map(|precision: &f64| precision.ln()).sum::<f64>() / orders as f64;
        self.brevity_penalty() * mean_log.exp()
    }

    /// What a prediction that is shorter than its reference loses.
    fn brevity_penalty(&self) -> f64 {
        match self.predicted {
            0 => 0.0,
            predicted if predicted < self.reference => (1.0 - self.reference as f64 / predicted as f64).exp(),
            _ => 1.0,
        }
    }
}

/// What the tokenizer puts in the place of what, in order.
static RULES: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    let rule = |pattern, put| (Regex::new(pattern).expect("the pattern is well formed"), put);
    [
        // Punctuation but for full stops, commas, dashes and apostrophes.
        rule(r"([{-~\[-` -&(-+:-@/])", " $1 "),
        // Full stops and commas that do not stand between digits.
        rule(r"([^0-9])([.,])", "$1 $2 "),
        rule(r"([.,])([^0-9])", " $1 $2"),
        // Dashes behind a digit.
        rule(r"([0-9])(-)", "$1 $2 "),
    ]
});

/// A text's tokens by sacrebleu's tokenizer `13a`, that of the script mteval-v13a.
#[must_use]
pub fn tokens_13a(text: &str) -> Vec<String> {
    let mut line = text.trim_end_matches(is_space).replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    for (entity, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        line = line.replace(entity, character);
    }
    line = format!(" {line} ");
    for (pattern, put) in RULES.iter() {
        line = pattern.replace_all(&line, *put).into_owned();
    }
    words(&line).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close, fixture};
    use super::*;

    #[test]
    fn scores_are_those_of_sacrebleu() {
        let cases = cases("generation");
        let mut counts = Vec::new();
        for case in &cases {
            let references: Vec<String> = serde_json::from_value(case["references"].clone()).expect("texts");
            let references: Vec<&str> = references.iter().map(String::as_str).collect();
            let prediction = case["prediction"].as_str().expect("a text");
            assert_eq!(case["tokens"], serde_json::json!(tokens_13a(prediction)), "{prediction}");
            let own = BleuCounts::of(prediction, &references);
            close(own.sentence_score(), &case["bleu"], prediction);
            counts.push(own);
        }
        for corpus in fixture("generation")["corpora"].as_array().expect("a list") {
            let mut sum = BleuCounts::default();
            for record in corpus["records"].as_array().expect("a list").iter().filter_map(serde_json::Value::as_u64) {
                sum.add(&counts[usize::try_from(record).expect("a place")], 1);
            }
            close(sum.corpus_score(), &corpus["bleu"], &corpus["records"].to_string());
        }
    }
}
