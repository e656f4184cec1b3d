//! An evaluation: predictions joined with what was lost on the way, counted as a whole and by slices.

use std::collections::BTreeMap;

use super::counts::{Confusion, Judged};
use super::metric::Figures;
use super::metrics::Classification;

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

/// Everything that figures are made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluated {
    /// The label's values; gold and predicted are indices into it.
    pub values: Vec<String>,
    /// The names of the slices, as `by` says them, each with its keys in the order to show; keys that are not listed
    /// follow in alphabetical order.
    pub by: Vec<(String, Vec<String>)>,
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
    /// The same figures for each slice. A missing record belongs to none: its fields may never have been read.
    pub slices: Vec<Slice>,
    /// Records without a prediction, in order of id.
    pub missing: Vec<MissingRecord>,
}

/// Counts a classification.
#[must_use]
pub fn evaluate_classification(evaluated: &Evaluated) -> Evaluation {
    let values = evaluated.values.len();
    let mut missing = evaluated.missing.clone();
    missing.sort_by(|a, b| a.id.cmp(&b.id));
    let figures = figures(values, evaluated.predictions.iter(), &missing);
    let slices = evaluated
        .by
        .iter()
        .enumerate()
        .flat_map(|(position, (name, order))| slice(evaluated, position, name, order))
        .collect();
    Evaluation { values: evaluated.values.clone(), figures, slices, missing }
}

fn slice(evaluated: &Evaluated, position: usize, name: &str, order: &[String]) -> Vec<Slice> {
    let mut groups: BTreeMap<(usize, &str), Vec<&Prediction>> = BTreeMap::new();
    for prediction in &evaluated.predictions {
        if let Some(Some(key)) = prediction.slices.get(position) {
            let rank = order.iter().position(|known| known == key).unwrap_or(order.len());
            groups.entry((rank, key)).or_default().push(prediction);
        }
    }
    groups
        .into_iter()
        .map(|((_, key), predictions)| Slice {
            by: name.to_owned(),
            key: key.to_owned(),
            figures: figures(evaluated.values.len(), predictions.into_iter(), &[]),
        })
        .collect()
}

fn figures<'a>(
    values: usize,
    predictions: impl Iterator<Item = &'a Prediction> + Clone,
    missing: &[MissingRecord],
) -> Figures {
    let judged: Vec<Judged> = predictions
        .clone()
        .map(|prediction| Judged { gold: Some(prediction.gold), predicted: Some(prediction.predicted) })
        .chain(missing.iter().map(|record| Judged { gold: record.gold, predicted: None }))
        .collect();
    let (sum, count) =
        predictions.fold((0.0, 0_u64), |(sum, count), prediction| (sum + f64::from(prediction.loss), count + 1));
    let classification = Classification::of(Confusion::count(values, &judged));
    Figures {
        records: classification.records,
        loss: (count > 0).then(|| sum / count as f64),
        perplexity: None,
        classification: Some(classification),
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
        evaluate_classification(&Evaluated {
            values: vec!["a".to_owned(), "b".to_owned()],
            by: vec![("length".to_owned(), vec!["short".to_owned(), "long".to_owned()])],
            predictions: vec![
                prediction("1", 0, 0, "short"),
                prediction("2", 1, 1, "short"),
                prediction("3", 1, 0, "long"),
                prediction("4", 0, 0, "long"),
            ],
            missing: Vec::new(),
        })
    }

    #[test]
    fn slices_keep_the_declared_order() {
        let keys: Vec<String> = two_slices().slices.into_iter().map(|slice| slice.key).collect();
        assert_eq!(keys, ["short", "long"]);
    }
}
