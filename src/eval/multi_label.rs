//! The figures of a label that gives a record any number of values, with scikit-learn's definitions for an indicator
//! matrix: `classification_report`, `accuracy_score`, `hamming_loss` and `jaccard_score`, all with `zero_division=0`.

use super::metrics::{Scores, ValueScores, mean, ratio, scores};

/// All figures of a classification into several values.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabel {
    /// Records.
    pub records: u64,
    /// Each value, those that do not occur included with zeros.
    pub values: Vec<ValueScores>,
    /// Over the summed counts.
    pub micro: Scores,
    /// The mean over all values, those that do not occur included.
    pub macro_: Scores,
    /// The mean over the values, weighted by support.
    pub weighted: Scores,
    /// The mean over the records of each record's own scores.
    pub samples: Scores,
    /// The share of records whose set of values is exactly right.
    pub subset_accuracy: f64,
    /// The share of all pairs of a record and a value that are wrong.
    pub hamming_loss: f64,
    /// |true ∩ predicted| / |true ∪ predicted|.
    pub jaccard: Jaccard,
}

/// The averages of the Jaccard index.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Jaccard {
    /// Over the summed counts.
    pub micro: f64,
    /// The mean over all values.
    pub macro_: f64,
    /// The mean over the values, weighted by support.
    pub weighted: f64,
    /// The mean over the records.
    pub samples: f64,
}

/// What is right, predicted and true of one value, or of one record.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    correct: u64,
    predicted: u64,
    support: u64,
}

impl Counts {
    fn add(&mut self, gold: bool, predicted: bool) {
        self.correct += u64::from(gold && predicted);
        self.predicted += u64::from(predicted);
        self.support += u64::from(gold);
    }

    fn scores(self) -> Scores {
        scores(self.correct, self.predicted, self.support)
    }

    fn jaccard(self) -> f64 {
        ratio(self.correct, self.predicted + self.support - self.correct)
    }

    fn wrong(self) -> u64 {
        self.predicted + self.support - 2 * self.correct
    }
}

impl MultiLabel {
    /// The figures of pairs of a record's true and predicted values, as indices below `values`; a value that is named
    /// twice counts once.
    #[must_use]
    pub fn of<'a>(values: usize, records: impl IntoIterator<Item = (&'a [usize], &'a [usize])>) -> Self {
        let mut of_value = vec![Counts::default(); values];
        let mut of_record = Vec::new();
        for (gold, predicted) in records {
            let mut own = Counts::default();
            for (value, counts) in of_value.iter_mut().enumerate() {
                let (gold, predicted) = (gold.contains(&value), predicted.contains(&value));
                counts.add(gold, predicted);
                own.add(gold, predicted);
            }
            of_record.push(own);
        }
        let rows: Vec<ValueScores> = of_value.iter().enumerate().map(|(value, counts)| row(value, *counts)).collect();
        let single: Vec<ValueScores> = of_record.iter().map(|counts| row(0, *counts)).collect();
        let total = of_value.iter().fold(Counts::default(), |sum, counts| Counts {
            correct: sum.correct + counts.correct,
            predicted: sum.predicted + counts.predicted,
            support: sum.support + counts.support,
        });
        let right = of_record.iter().filter(|counts| counts.wrong() == 0).count();
        let records = of_record.len() as u64;
        Self {
            records,
            micro: total.scores(),
            macro_: mean(&rows, |_| 1.0),
            weighted: mean(&rows, |row| row.support as f64),
            samples: mean(&single, |_| 1.0),
            subset_accuracy: ratio(right as u64, records),
            hamming_loss: ratio(total.wrong(), records * values as u64),
            jaccard: Jaccard {
                micro: total.jaccard(),
                macro_: mean_jaccard(&of_value, |_| 1.0),
                weighted: mean_jaccard(&of_value, |counts| counts.support as f64),
                samples: mean_jaccard(&of_record, |_| 1.0),
            },
            values: rows,
        }
    }
}

impl MultiLabel {
    /// The Jaccard index of one value, which follows from its F1.
    #[must_use]
    pub fn jaccard_of(&self, value: usize) -> f64 {
        self.values.get(value).map_or(0.0, |row| row.scores.f1 / (2.0 - row.scores.f1))
    }
}

fn row(value: usize, counts: Counts) -> ValueScores {
    ValueScores { value, scores: counts.scores(), support: counts.support, predicted: counts.predicted }
}

fn mean_jaccard(counts: &[Counts], weight: impl Fn(&Counts) -> f64) -> f64 {
    let total: f64 = counts.iter().map(&weight).sum();
    if total == 0.0 {
        return 0.0;
    }
    counts.iter().map(|counts| weight(counts) * counts.jaccard()).sum::<f64>() / total
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close, close_scores};
    use super::*;

    #[test]
    fn figures_are_those_of_scikit_learn() {
        for (number, case) in cases("multi_label").iter().enumerate() {
            let what = |name: &str| format!("case {number}, {name}");
            let rows = |name: &str| -> Vec<Vec<usize>> {
                serde_json::from_value(case[name].clone()).expect("a list of lists of values")
            };
            let (gold, predicted) = (rows("gold"), rows("predicted"));
            let values = usize::try_from(case["values"].as_u64().expect("a number")).expect("a small number");
            let records = gold.iter().map(Vec::as_slice).zip(predicted.iter().map(Vec::as_slice));
            let figures = MultiLabel::of(values, records);
            let averages = [
                ("micro", figures.micro, figures.jaccard.micro),
                ("macro", figures.macro_, figures.jaccard.macro_),
                ("weighted", figures.weighted, figures.jaccard.weighted),
                ("samples", figures.samples, figures.jaccard.samples),
            ];
            for (name, scores, jaccard) in averages {
                close_scores(scores, &case[name], &what(name));
                close(jaccard, &case["jaccard"][name], &what("Jaccard"));
            }
            for row in &figures.values {
                close_scores(row.scores, &case["each"][row.value], &what("a value"));
                assert_eq!(case["support"][row.value], row.support);
            }
            close(figures.subset_accuracy, &case["subset_accuracy"], &what("subset accuracy"));
            close(figures.hamming_loss, &case["hamming_loss"], &what("Hamming loss"));
        }
    }
}
