//! An evaluation: predictions joined with what was lost on the way, counted as a whole and by slices.

use std::collections::BTreeMap;

use super::calibration::Calibration;
use super::counts::{Confusion, Judged};
use super::figures::Figures;
use super::metric::{Average, Metric};
use super::metrics::Classification;
use super::resampling::{Interval, RecordKeys, bootstrap_intervals};

/// A prediction of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The record.
    pub id: String,
    /// The index of the true value.
    pub gold: usize,
    /// The index of the value predicted.
    pub predicted: usize,
    /// The model's probability of it.
    pub probability: f32,
    /// The record's negative log-likelihood of its true value, in nats.
    pub loss: f32,
    /// The record's key in each `by`, in the order of [`Evaluated::by`]; `None` where the expression gave null.
    pub slices: Vec<Option<String>>,
}

/// A record of the fixed part that never reached the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRecord {
    /// The record.
    pub id: String,
    /// The index of its true value, where it is known.
    pub gold: Option<usize>,
    /// Why: the rule that dropped it, or why it was quarantined. Never a text of the record.
    pub reason: String,
}

/// A record without a prediction, as an evaluation tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRecord {
    /// The record.
    pub id: String,
    /// Its true value, or values, by name; null where it is not known.
    pub gold: serde_json::Value,
    /// Why: the rule that took it out.
    pub reason: String,
}

impl MissingRecord {
    /// The same with the name of its true value.
    pub(super) fn told(&self, values: &[String]) -> LostRecord {
        let gold = self.gold.and_then(|gold| values.get(gold)).map(String::as_str).into();
        LostRecord { id: self.id.clone(), gold, reason: self.reason.clone() }
    }
}

/// The names of the slices, as `by` says them, each with its keys in the order to show; keys that are not listed follow
/// in alphabetical order.
pub type SliceNames = Vec<(String, Vec<String>)>;

/// Everything that figures are made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluated {
    /// The label's values; gold and predicted are indices into it.
    pub values: Vec<String>,
    /// The slices.
    pub by: SliceNames,
    /// One for each record that reached the model.
    pub predictions: Vec<Prediction>,
    /// Those that did not.
    pub missing: Vec<MissingRecord>,
}

/// The figures of one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The slice's name, as in `by`.
    pub by: String,
    /// The key its records share.
    pub key: String,
    /// Its figures.
    pub figures: Figures,
}

/// The figures of an evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// The label's values.
    pub values: Vec<String>,
    /// Over all records, the missing ones counted as wrong.
    pub figures: Figures,
    /// The 95 % bootstrap intervals of the figures over all records.
    pub intervals: Vec<(Metric, Interval)>,
    /// The seed that their draws are keyed by.
    pub seed: u64,
    /// The same figures for each slice. A missing record belongs to none: its fields may never have been read.
    pub slices: Vec<Slice>,
    /// Records without a prediction, in order of id.
    pub missing: Vec<LostRecord>,
}

impl Evaluation {
    /// How many records a figure is of: all, or those that reached the model.
    #[must_use]
    pub fn judged(&self, metric: &Metric) -> u64 {
        let missing = if metric.counts_missing() { 0 } else { self.missing.len() as u64 };
        self.figures.records.saturating_sub(missing)
    }
}

/// What a record counts for in a classification.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) judged: Judged,
    /// The probability of the predicted value, where there is one.
    pub(super) probability: Option<f64>,
    pub(super) loss: Option<f64>,
}

impl Evaluated {
    /// What each record counts for, the missing ones at the end.
    pub(super) fn outcomes(&self) -> Vec<(&str, Outcome)> {
        let predicted = self.predictions.iter().map(|row| (row.id.as_str(), Outcome::of(row)));
        let missing = self.missing.iter().map(|row| {
            let judged = Judged { gold: row.gold, predicted: None };
            (row.id.as_str(), Outcome { judged, probability: None, loss: None })
        });
        predicted.chain(missing).collect()
    }
}

impl Outcome {
    fn of(row: &Prediction) -> Self {
        Self {
            judged: Judged { gold: Some(row.gold), predicted: Some(row.predicted) },
            probability: Some(f64::from(row.probability)),
            loss: Some(f64::from(row.loss)),
        }
    }

    pub(super) fn is_right(&self) -> bool {
        self.judged.gold.is_some() && self.judged.gold == self.judged.predicted
    }
}

/// The figures of a classification that are one number over all records.
pub(super) fn classification_metrics() -> Vec<Metric> {
    let families: [fn(Average) -> Metric; 3] = [Metric::Precision, Metric::Recall, Metric::F1];
    let averages = [Average::Micro, Average::Macro, Average::Weighted];
    let of_values = families.iter().flat_map(|family| averages.iter().cloned().map(family));
    [Metric::Accuracy].into_iter().chain(of_values).chain([Metric::Ece, Metric::Loss]).collect()
}

/// Counts a classification. The draws of the intervals are keyed by `seed`.
#[must_use]
pub fn evaluate_classification(evaluated: &Evaluated, seed: u64) -> Evaluation {
    let values = evaluated.values.len();
    let told = |row: &MissingRecord| row.told(&evaluated.values);
    let mut missing: Vec<LostRecord> = evaluated.missing.iter().map(told).collect();
    missing.sort_by(|a, b| a.id.cmp(&b.id));
    let (ids, outcomes): (Vec<&str>, Vec<Outcome>) = evaluated.outcomes().into_iter().unzip();
    let outcomes: Vec<&Outcome> = outcomes.iter().collect();
    let rows: Vec<(&Prediction, &[Option<String>])> =
        evaluated.predictions.iter().map(|row| (row, row.slices.as_slice())).collect();
    let of_slice = |rows: &[&Prediction]| {
        let outcomes: Vec<Outcome> = rows.iter().map(|row| Outcome::of(row)).collect();
        figures(values, &outcomes.iter().collect::<Vec<_>>(), &vec![1; rows.len()])
    };
    Evaluation {
        values: evaluated.values.clone(),
        figures: figures(values, &outcomes, &vec![1; outcomes.len()]),
        intervals: intervals(seed, &ids, &classification_metrics(), &evaluated.values, &|times| {
            figures(values, &outcomes, times)
        }),
        seed,
        slices: slices(&evaluated.by, &rows, &of_slice),
        missing,
    }
}

/// The bootstrap intervals of the metrics that there are; `figures` counts each record as often as it is told.
pub(super) fn intervals(
    seed: u64,
    ids: &[&str],
    metrics: &[Metric],
    values: &[String],
    figures: &dyn Fn(&[u32]) -> Figures,
) -> Vec<(Metric, Interval)> {
    let keys = RecordKeys::new(seed, ids.iter().copied());
    let found = bootstrap_intervals(&keys, metrics.len(), &mut |times| measured(&figures(times), metrics, values));
    metrics.iter().cloned().zip(found).filter_map(|(metric, interval)| Some((metric, interval?))).collect()
}

/// The figures that metrics name; not a number where there is none.
pub(super) fn measured(figures: &Figures, metrics: &[Metric], values: &[String]) -> Vec<f64> {
    metrics.iter().map(|metric| figures.get(metric, values).unwrap_or(f64::NAN)).collect()
}

/// The figures of each group of records, in the order to show; each record comes with its keys.
pub(super) fn slices<R>(
    by: &SliceNames,
    records: &[(&R, &[Option<String>])],
    figures: &dyn Fn(&[&R]) -> Figures,
) -> Vec<Slice> {
    let mut slices = Vec::new();
    for (position, (name, order)) in by.iter().enumerate() {
        let mut groups: BTreeMap<(usize, &str), Vec<&R>> = BTreeMap::new();
        for (record, keys) in records {
            if let Some(Some(key)) = keys.get(position) {
                let rank = order.iter().position(|known| known == key).unwrap_or(order.len());
                groups.entry((rank, key)).or_default().push(record);
            }
        }
        slices.extend(groups.into_iter().map(|((_, key), records)| Slice {
            by: name.clone(),
            key: key.to_owned(),
            figures: figures(&records),
        }));
    }
    slices
}

/// The figures of records that count as often as `times` says.
pub(super) fn figures(values: usize, outcomes: &[&Outcome], times: &[u32]) -> Figures {
    let mut confusion = Confusion::empty(values);
    let mut calibration = Calibration::default();
    let (mut loss, mut losses) = (0.0, 0_u64);
    for (outcome, times) in outcomes.iter().zip(times) {
        confusion.add(&outcome.judged, u64::from(*times));
        if let Some(probability) = outcome.probability {
            calibration.add(probability, outcome.is_right(), *times);
        }
        if let Some(own) = outcome.loss {
            loss += own * f64::from(*times);
            losses += u64::from(*times);
        }
    }
    let classification = Classification::of(confusion);
    Figures {
        records: classification.records,
        loss: (losses > 0).then(|| loss / losses as f64),
        ece: calibration.error(),
        classification: Some(classification),
        ..Figures::default()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn two_slices() -> Evaluation {
        let prediction = |id: &str, gold, predicted, slice: &str| Prediction {
            id: id.to_owned(),
            gold,
            predicted,
            probability: 0.5,
            loss: 1.0,
            slices: vec![Some(slice.to_owned())],
        };
        evaluate_classification(
            &Evaluated {
                values: vec!["a".to_owned(), "b".to_owned()],
                by: vec![("length".to_owned(), vec!["short".to_owned(), "long".to_owned()])],
                predictions: vec![
                    prediction("1", 0, 0, "short"),
                    prediction("2", 1, 1, "short"),
                    prediction("3", 1, 0, "long"),
                    prediction("4", 0, 0, "long"),
                ],
                missing: Vec::new(),
            },
            7,
        )
    }

    #[test]
    fn slices_keep_the_declared_order() {
        let keys: Vec<String> = two_slices().slices.into_iter().map(|slice| slice.key).collect();
        assert_eq!(keys, ["short", "long"]);
    }

    #[test]
    fn every_figure_lies_in_its_interval() {
        let evaluation = two_slices();
        assert_eq!(evaluation.intervals.len(), classification_metrics().len());
        for (metric, interval) in &evaluation.intervals {
            let figure = evaluation.figures.get(metric, &evaluation.values).expect("a figure");
            assert!(interval.low <= figure && figure <= interval.high, "{metric}: {figure} in {interval:?}");
        }
        // Three of four are right, each with probability 1/2.
        assert_eq!(evaluation.figures.ece, Some(0.25));
    }
}
