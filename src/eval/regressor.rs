//! Predicting numbers with a trained model, and measuring it on a table.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::classifier::TestTable;
use super::evaluation::MissingRecord;
use super::figures::Figures;
use super::metric::Metric;
use super::regression::{NumberMetric, Regression};
use super::results::{RecordResult, Results, Scored};
use super::text_model::TextModel;
use crate::runtime::Runtime;
use crate::train::{LOGITS, LengthLimit, TrainError, number_of};

/// A folder with a model that gives a number for each text: ours, or any that Optimum exports with one output.
pub struct Regressor {
    model: TextModel,
}

/// A number beside the true one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictedNumber {
    /// The true number.
    pub gold: f64,
    /// The model's.
    pub predicted: f32,
}

impl Regressor {
    /// Opens a folder. `limit` is the one that the model was trained with; `None` is what the model takes.
    ///
    /// # Errors
    /// A missing or broken file, a model that has not one output.
    pub fn open(
        runtime: &Runtime,
        folder: &Path,
        limit: Option<LengthLimit>,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let model = TextModel::open(runtime, folder, limit, threads, &[LOGITS])?;
        if !matches!(model.shape(), [_, Some(1)]) {
            let message = "it has no output `logits` with one number per text".to_owned();
            return Err(TrainError::Unusable { folder: folder.to_path_buf(), message });
        }
        Ok(Self { model })
    }

    /// BLAKE3 of the tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.model.tokenizer_hash()
    }

    /// The numbers of texts, in their order. `ids` name them in errors.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub fn predict(&mut self, ids: &[String], texts: &[&str]) -> Result<Vec<f32>, TrainError> {
        self.model.run(ids, texts, |numbers, _| numbers[0])
    }
}

/// Predicts every record of a test table. `missing` are the records of the part that are not in it.
///
/// # Errors
/// As [`Regressor::predict`]; a true value that is no number.
pub fn evaluate_regressor(
    regressor: &mut Regressor,
    table: &TestTable<'_>,
    missing: Vec<MissingRecord>,
) -> Result<Results<PredictedNumber>, TrainError> {
    let read = table.read()?;
    let texts: Vec<&str> = read.column(table.text).iter().map(|text| text.as_deref().unwrap_or_default()).collect();
    let predicted = regressor.predict(&read.ids, &texts)?;
    let record = |(row, (id, predicted)): (usize, (&String, f32))| {
        let gold = number_of(id, read.column(table.label)[row].as_deref())?;
        let result = PredictedNumber { gold, predicted };
        Ok(RecordResult { id: id.clone(), result, slices: table.keys(&read, row) })
    };
    let records = read.ids.iter().zip(predicted).enumerate().map(record).collect::<Result<_, TrainError>>()?;
    Ok(Results { by: table.slice_names(), records, missing })
}

impl Scored for PredictedNumber {
    fn metrics() -> Vec<Metric> {
        NumberMetric::ALL.into_iter().map(Metric::Number).chain([Metric::Loss]).collect()
    }

    /// A record that never reached the model has no error that could be counted; it counts among the records alone.
    fn figures(results: &[Option<&Self>], times: &[u32]) -> Figures {
        let pairs: Vec<(f64, f64)> = results
            .iter()
            .zip(times)
            .filter_map(|(result, times)| Some((result.as_ref()?, *times)))
            .flat_map(|(result, times)| std::iter::repeat_n((result.gold, f64::from(result.predicted)), times as usize))
            .collect();
        let regression = Regression::of(&pairs);
        Figures {
            records: times.iter().copied().map(u64::from).sum(),
            loss: regression.map(|regression| regression.mse),
            regression,
            ..Figures::default()
        }
    }

    fn is_right(_: &Metric, _: Option<&Self>) -> Option<bool> {
        None
    }

    fn has_truth_of(&self, other: &Self) -> bool {
        self.gold == other.gold
    }
}
