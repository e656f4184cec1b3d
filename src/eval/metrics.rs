//! The figures of classification, with scikit-learn's definitions, and perplexity.
//!
//! Precision TP/(TP+FP), recall TP/(TP+FN), F1 2TP/(2TP+FP+FN); 0 where the denominator is 0 (`zero_division=0`).
//! Averages run over the values that occur as true or as predicted, as `precision_recall_fscore_support` does: `macro`
//! is their mean, `weighted` weighs by support, `micro` sums the counts first.

use super::counts::Confusion;

/// Precision, recall and F1 of one value or of an average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// TP / (TP + FP).
    pub precision: f64,
    /// TP / (TP + FN).
    pub recall: f64,
    /// The harmonic mean of both, computed from counts.
    pub f1: f64,
}

/// The scores of one label value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueScores {
    /// The value's index.
    pub value: usize,
    /// Its scores.
    pub scores: Scores,
    /// Records whose true value it is.
    pub support: u64,
    /// Records for which it was predicted.
    pub predicted: u64,
}

/// All figures of a classification.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// Records, those without a prediction included.
    pub records: u64,
    /// Right predictions over all records.
    pub accuracy: f64,
    /// Over the summed counts.
    pub micro: Scores,
    /// The mean over the values that occur.
    pub macro_: Scores,
    /// The mean over the values that occur, weighted by support.
    pub weighted: Scores,
    /// Each value, those that do not occur included with zeros.
    pub values: Vec<ValueScores>,
    /// The counts.
    pub confusion: Confusion,
}

impl Classification {
    /// The figures of a confusion matrix.
    #[must_use]
    pub fn of(confusion: Confusion) -> Self {
        let values: Vec<ValueScores> = (0..confusion.counts.len())
            .map(|value| {
                let (support, predicted) = (confusion.support(value), confusion.predicted(value));
                ValueScores {
                    value,
                    scores: scores(confusion.counts[value][value], predicted, support),
                    support,
                    predicted,
                }
            })
            .collect();
        let occurring: Vec<ValueScores> = confusion.occurring().map(|value| values[value]).collect();
        let predicted = occurring.iter().map(|row| row.predicted).sum();
        let support = occurring.iter().map(|row| row.support).sum();
        Self {
            records: confusion.records(),
            accuracy: ratio(confusion.correct(), confusion.records()),
            micro: scores(confusion.correct(), predicted, support),
            macro_: mean(&occurring, |_| 1.0),
            weighted: mean(&occurring, |row| row.support as f64),
            values,
            confusion,
        }
    }
}

/// exp(summed negative log-likelihood / tokens), in nats; infinite where there is no token.
#[must_use]
pub fn perplexity(summed_loss: f64, tokens: u64) -> f64 {
    if tokens == 0 {
        return f64::INFINITY;
    }
    (summed_loss / tokens as f64).exp()
}

pub(super) fn scores(correct: u64, predicted: u64, support: u64) -> Scores {
    Scores {
        precision: ratio(correct, predicted),
        recall: ratio(correct, support),
        f1: ratio(2 * correct, predicted + support),
    }
}

pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(super) fn mean(rows: &[ValueScores], weight: impl Fn(&ValueScores) -> f64) -> Scores {
    let total: f64 = rows.iter().map(&weight).sum();
    if total == 0.0 {
        return Scores::default();
    }
    let sum = |part: fn(&Scores) -> f64| rows.iter().map(|row| weight(row) * part(&row.scores)).sum::<f64>() / total;
    Scores {
        precision: sum(|scores| scores.precision),
        recall: sum(|scores| scores.recall),
        f1: sum(|scores| scores.f1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::Judged;
    use super::*;

    fn judged(gold: Option<usize>, predicted: Option<usize>) -> Judged {
        Judged { gold, predicted }
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    /// Figures that scikit-learn computed; `benches/peers/make_metrics.py` made the file.
    #[test]
    fn figures_are_those_of_scikit_learn() {
        let text = include_str!("../../tests/fixtures/metrics/classification.json");
        let cases: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
        let cases = cases["cases"].as_array().expect("a list of cases");
        assert!(cases.len() >= 5);
        for case in cases {
            let index = |value: &serde_json::Value| value.as_u64().and_then(|index| usize::try_from(index).ok());
            let list = |name: &str| -> Vec<Option<usize>> {
                case[name].as_array().expect("a list").iter().map(index).collect()
            };
            let values = index(&case["values"]).expect("a number of values");
            let records: Vec<Judged> = list("gold")
                .into_iter()
                .zip(list("predicted"))
                .map(|(gold, predicted)| judged(gold, predicted))
                .collect();
            let figures = Classification::of(Confusion::count(values, &records));
            let expected = |path: &str| case.pointer(path).and_then(serde_json::Value::as_f64).expect("a figure");
            close(figures.accuracy, expected("/accuracy"));
            for (name, scores) in [("micro", figures.micro), ("macro", figures.macro_), ("weighted", figures.weighted)]
            {
                close(scores.precision, expected(&format!("/{name}/precision")));
                close(scores.recall, expected(&format!("/{name}/recall")));
                close(scores.f1, expected(&format!("/{name}/f1")));
            }
            for row in &figures.values {
                close(row.scores.precision, expected(&format!("/precision/{}", row.value)));
                close(row.scores.recall, expected(&format!("/recall/{}", row.value)));
                close(row.scores.f1, expected(&format!("/f1/{}", row.value)));
                close(row.support as f64, expected(&format!("/support/{}", row.value)));
            }
            let confusion = serde_json::to_value(&figures.confusion.counts).expect("numbers");
            assert_eq!(confusion, case["confusion"]);
        }
    }

    #[test]
    fn a_record_without_prediction_is_wrong() {
        // By hand: value 0 has TP 1, FN 1 (lost); value 1 has TP 1; one record's label is unknown.
        let records = [judged(Some(0), Some(0)), judged(Some(0), None), judged(Some(1), Some(1)), judged(None, None)];
        let figures = Classification::of(Confusion::count(2, &records));
        assert_eq!(figures.records, 4);
        close(figures.accuracy, 0.5);
        close(figures.values[0].scores.recall, 0.5);
        close(figures.values[0].scores.precision, 1.0);
        close(figures.values[0].scores.f1, 2.0 / 3.0);
        close(figures.macro_.f1, (2.0 / 3.0 + 1.0) / 2.0);
        close(figures.micro.recall, 2.0 / 3.0);
    }

    #[test]
    fn nothing_is_zero_and_not_nan() {
        let figures = Classification::of(Confusion::count(3, &[]));
        close(figures.accuracy, 0.0);
        close(figures.macro_.f1, 0.0);
        close(figures.weighted.f1, 0.0);
        close(perplexity(2.0 * 3.0_f64.ln(), 2), 3.0);
        assert!(perplexity(0.0, 0).is_infinite());
    }
}
