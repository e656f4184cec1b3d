//! An evaluation of a label of several values: each record's true and predicted sets.

use super::evaluation::{Evaluation, LostRecord, SliceNames, intervals, slices};
use super::figures::Figures;
use super::metric::{Average, Metric};
use super::multi_label::MultiLabel;

/// What is predicted of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct SeveralPrediction {
    /// The record.
    pub id: String,
    /// The indices of its true values.
    pub gold: Vec<usize>,
    /// The indices of the values predicted.
    pub predicted: Vec<usize>,
    /// The model's probability of each of these.
    pub probability: Vec<f32>,
    /// The mean binary cross-entropy over all values, in nats.
    pub loss: f32,
    /// The record's key in each `by`; `None` where the expression gave null.
    pub slices: Vec<Option<String>>,
}

/// A record of the fixed part that never reached the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSeveral {
    /// The record.
    pub id: String,
    /// The indices of its true values, where they are known.
    pub gold: Option<Vec<usize>>,
    /// Why: the rule that took it out.
    pub reason: String,
}

/// Everything that figures are made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeveralEvaluated {
    /// The label's values.
    pub values: Vec<String>,
    /// The slices.
    pub by: SliceNames,
    /// One for each record that reached the model.
    pub predictions: Vec<SeveralPrediction>,
    /// Those that did not.
    pub missing: Vec<MissingSeveral>,
}

/// What a record counts for; the true values of a lost one are all missed, and it is never exactly right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SetOutcome {
    pub(super) gold: Vec<usize>,
    /// Without it the record never reached the model.
    pub(super) predicted: Option<Vec<usize>>,
    loss: Option<f64>,
}

impl SetOutcome {
    fn of(row: &SeveralPrediction) -> Self {
        let (gold, predicted) = (row.gold.clone(), Some(row.predicted.clone()));
        Self { gold, predicted, loss: Some(f64::from(row.loss)) }
    }

    /// Whether the record has exactly the predicted values.
    pub(super) fn is_right(&self) -> bool {
        let same = |predicted: &Vec<usize>| {
            predicted.len() == self.gold.len() && predicted.iter().all(|value| self.gold.contains(value))
        };
        self.predicted.as_ref().is_some_and(same)
    }
}

impl SeveralEvaluated {
    /// What each record counts for, the missing ones at the end.
    pub(super) fn outcomes(&self) -> Vec<(&str, SetOutcome)> {
        let predicted = self.predictions.iter().map(|row| (row.id.as_str(), SetOutcome::of(row)));
        let missing = self.missing.iter().map(|row| {
            let gold = row.gold.clone().unwrap_or_default();
            (row.id.as_str(), SetOutcome { gold, predicted: None, loss: None })
        });
        predicted.chain(missing).collect()
    }
}

/// The figures that are one number over all records.
pub(super) fn several_metrics() -> Vec<Metric> {
    let families: [fn(Average) -> Metric; 4] = [Metric::Precision, Metric::Recall, Metric::F1, Metric::Jaccard];
    let averages = [Average::Micro, Average::Macro, Average::Weighted, Average::Samples];
    let of_values = families.iter().flat_map(|family| averages.iter().cloned().map(family));
    [Metric::Accuracy].into_iter().chain(of_values).chain([Metric::HammingLoss, Metric::Loss]).collect()
}

/// Counts an evaluation of a label of several values. The draws of the intervals are keyed by `seed`.
#[must_use]
pub fn evaluate_several(evaluated: &SeveralEvaluated, seed: u64) -> Evaluation {
    let values = evaluated.values.len();
    let (ids, outcomes): (Vec<&str>, Vec<SetOutcome>) = evaluated.outcomes().into_iter().unzip();
    let outcomes: Vec<&SetOutcome> = outcomes.iter().collect();
    let rows: Vec<(&SeveralPrediction, &[Option<String>])> =
        evaluated.predictions.iter().map(|row| (row, row.slices.as_slice())).collect();
    let of_slice = |rows: &[&SeveralPrediction]| {
        let outcomes: Vec<SetOutcome> = rows.iter().map(|row| SetOutcome::of(row)).collect();
        figures(values, &outcomes.iter().collect::<Vec<_>>(), &vec![1; rows.len()])
    };
    let name = |gold: &usize| evaluated.values[*gold].as_str();
    let told = |row: &MissingSeveral| LostRecord {
        id: row.id.clone(),
        gold: row.gold.as_ref().map(|gold| gold.iter().map(name).collect::<Vec<_>>()).into(),
        reason: row.reason.clone(),
    };
    let mut missing: Vec<LostRecord> = evaluated.missing.iter().map(told).collect();
    missing.sort_by(|a, b| a.id.cmp(&b.id));
    Evaluation {
        values: evaluated.values.clone(),
        figures: figures(values, &outcomes, &vec![1; outcomes.len()]),
        intervals: intervals(seed, &ids, &several_metrics(), &evaluated.values, &|times| {
            figures(values, &outcomes, times)
        }),
        seed,
        slices: slices(&evaluated.by, &rows, &of_slice),
        missing,
    }
}

/// The figures of records that count as often as `times` says.
pub(super) fn figures(values: usize, outcomes: &[&SetOutcome], times: &[u32]) -> Figures {
    let (mut loss, mut losses, mut lost) = (0.0, 0_u64, 0_u64);
    for (outcome, times) in outcomes.iter().zip(times) {
        if let Some(own) = outcome.loss {
            loss += own * f64::from(*times);
            losses += u64::from(*times);
        }
        if outcome.predicted.is_none() {
            lost += u64::from(*times);
        }
    }
    let counted = outcomes.iter().zip(times).flat_map(|(outcome, times)| {
        let predicted = outcome.predicted.as_deref().unwrap_or_default();
        std::iter::repeat_n((outcome.gold.as_slice(), predicted), *times as usize)
    });
    let mut several = MultiLabel::of(values, counted);
    // A lost record without a true value is not right for having no prediction.
    let spared =
        outcomes.iter().zip(times).filter(|(outcome, _)| outcome.predicted.is_none() && outcome.gold.is_empty());
    let spared: u64 = spared.map(|(_, times)| u64::from(*times)).sum();
    if lost > 0 && several.records > 0 {
        several.subset_accuracy -= spared as f64 / several.records as f64;
    }
    Figures {
        records: several.records,
        loss: (losses > 0).then(|| loss / losses as f64),
        several: Some(several),
        ..Figures::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_record_is_wrong_and_its_values_are_missed() {
        let prediction = |id: &str, gold: &[usize], predicted: &[usize]| SeveralPrediction {
            id: id.to_owned(),
            gold: gold.to_vec(),
            predicted: predicted.to_vec(),
            probability: vec![0.9; predicted.len()],
            loss: 0.5,
            slices: Vec::new(),
        };
        let lost = |id: &str, gold: Option<&[usize]>| MissingSeveral {
            id: id.to_owned(),
            gold: gold.map(<[usize]>::to_vec),
            reason: "dropped".to_owned(),
        };
        let evaluated = SeveralEvaluated {
            values: ["card", "fees"].map(str::to_owned).to_vec(),
            predictions: vec![prediction("1", &[0, 1], &[1, 0]), prediction("2", &[0], &[0, 1])],
            missing: vec![lost("3", Some(&[1])), lost("4", None)],
            by: Vec::new(),
        };
        let evaluation = evaluate_several(&evaluated, 7);
        let figure = |name: &str| {
            let metric = Metric::parse(name).expect("a metric");
            evaluation.figures.get(&metric, &evaluation.values).expect(name)
        };
        // By hand: `card` TP 2; `fees` TP 1, FP 1, FN 1.
        for (name, expected) in [
            ("accuracy", 0.25),
            ("f1.micro", 6.0 / 8.0),
            ("f1[fees]", 0.5),
            ("recall.macro", 0.75),
            ("jaccard.micro", 3.0 / 5.0),
            ("jaccard[fees]", 1.0 / 3.0),
            ("hamming_loss", 2.0 / 8.0),
            ("loss", 0.5),
        ] {
            assert!((figure(name) - expected).abs() < 1e-12, "{name}: {}", figure(name));
        }
        assert_eq!(evaluation.intervals.len(), several_metrics().len());
        assert_eq!(evaluation.missing[0].gold, serde_json::json!(["fees"]));
        assert!(evaluation.missing[1].gold.is_null());
    }
}
