//! Whatever a trained model says of texts: a value, spans, a number, or a vector.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Classifier, Embedder, Regressor, Tagger};
use crate::onnx;
use crate::onnx::surgery::{Family, family};
use crate::runtime::Runtime;
use crate::train::{FoundSpan, TrainError, read_json, read_pooling};

/// A folder with a model that says something of texts.
pub enum Predictor {
    /// One of a label's values, or any number of them.
    Values(Classifier),
    /// Spans of the text.
    Spans(Tagger),
    /// A number.
    Numbers(Regressor),
    /// A vector.
    Vectors(Embedder),
}

impl Predictor {
    /// Opens a folder by what it says that the model is for: `modules.json` a vector, `config.json` a number or a value.
    ///
    /// # Errors
    /// A missing or broken file, a model that is for neither.
    pub fn open(runtime: &Runtime, folder: &Path, threads: usize) -> Result<Self, TrainError> {
        if read_pooling(folder)?.is_some() {
            return Embedder::open(runtime, folder, None, threads).map(Self::Vectors);
        }
        let config = read_json(&folder.join("config.json"))?;
        if config["problem_type"] == "regression" {
            return Regressor::open(runtime, folder, None, threads).map(Self::Numbers);
        }
        // What a model is for stands in the name of its architecture.
        let is_tagger = |name: &Value| name.as_str().is_some_and(|name| name.ends_with("ForTokenClassification"));
        if config["architectures"].as_array().is_some_and(|names| names.iter().any(is_tagger)) {
            return Tagger::open(runtime, folder, None, threads).map(Self::Spans);
        }
        Classifier::open(runtime, folder, None, threads).map(Self::Values).map_err(|error| {
            let generates = continues_texts(folder, &config);
            if generates { TrainError::Generates { folder: folder.to_path_buf() } } else { error }
        })
    }

    /// What it says of texts, in their order, as members of an object: `predicted`, and of a value or of spans the
    /// `probability`; or `vector`. `names` stand in errors in place of texts.
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
            Self::Spans(tagger) => {
                let row = |found: Vec<FoundSpan>| {
                    let probabilities: Vec<f32> = found.iter().map(|found| found.probability).collect();
                    let spans: Vec<_> = found.into_iter().map(|found| found.span).collect();
                    members(&[("predicted", json!(spans)), ("probability", json!(probabilities))])
                };
                Ok(tagger.find(names, texts)?.into_iter().map(row).collect())
            }
            Self::Vectors(embedder) => {
                let vectors = embedder.embed(names, texts)?;
                Ok(vectors.into_iter().map(|vector| members(&[("vector", json!(vector))])).collect())
            }
            Self::Numbers(regressor) => {
                let numbers = regressor.predict(names, texts)?;
                Ok(numbers.into_iter().map(|number| members(&[("predicted", json!(number))])).collect())
            }
        }
    }
}

/// Whether a folder's model is one that generates.
fn continues_texts(folder: &Path, config: &Value) -> bool {
    let graph = onnx::load(folder).ok();
    graph.is_some_and(|graph| matches!(family(&graph, config), Ok(Family::Decoder { .. })))
}
