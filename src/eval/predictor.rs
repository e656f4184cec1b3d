//! Whatever a trained model says of texts: a value, or a number.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Classifier, Regressor};
use crate::runtime::Runtime;
use crate::train::{TrainError, read_json};

/// A folder with a model that says something of texts.
pub enum Predictor {
    /// One of a label's values, or any number of them.
    Values(Classifier),
    /// A number.
    Numbers(Regressor),
}

impl Predictor {
    /// Opens a folder by what its `config.json` says that the model is for.
    ///
    /// # Errors
    /// A missing or broken file, a model that is for neither.
    pub fn open(runtime: &Runtime, folder: &Path, threads: usize) -> Result<Self, TrainError> {
        let config = read_json(&folder.join("config.json"))?;
        if config["problem_type"] == "regression" {
            return Regressor::open(runtime, folder, None, threads).map(Self::Numbers);
        }
        Classifier::open(runtime, folder, None, threads).map(Self::Values)
    }

    /// What it says of texts, in their order, as members of an object: `predicted`, and of a value its `probability`. `names`
    /// stand in errors in place of texts.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub fn predict(&mut self, names: &[String], texts: &[&str]) -> Result<Vec<Map<String, Value>>, TrainError> {
        let members =
            |entries: &[(&str, Value)]| entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
        match self {
            Self::Values(classifier) if classifier.is_of_several() => {
                let chosen = classifier.choose(names, texts)?;
                let values = classifier.values();
                let row = |chosen: super::Chosen| {
                    let predicted: Vec<&String> = chosen.predicted.iter().map(|value| &values[*value]).collect();
                    members(&[("predicted", json!(predicted)), ("probability", json!(chosen.probability))])
                };
                Ok(chosen.into_iter().map(row).collect())
            }
            Self::Values(classifier) => {
                let ranked = classifier.classify(names, texts)?;
                let row = |row: super::Ranked| {
                    let predicted = json!(classifier.values()[row.predicted]);
                    members(&[("predicted", predicted), ("probability", json!(row.probability))])
                };
                Ok(ranked.into_iter().map(row).collect())
            }
            Self::Numbers(regressor) => {
                let numbers = regressor.predict(names, texts)?;
                Ok(numbers.into_iter().map(|number| members(&[("predicted", json!(number))])).collect())
            }
        }
    }
}
