//! A model that predicts something of texts, whatever that is.

use std::path::Path;

use serde_json::{Value, json};

use super::classifier::{Chosen, Classifier};
use super::opened::Opened;
use super::tagger::Tagger;
use crate::runtime::Runtime;
use crate::train::{FoundSpan, TrainError};

/// A folder with a model that classifies texts or finds spans in them, as its outputs say.
pub enum Predictor {
    /// A value, or some of them, for each text.
    Classifier(Classifier),
    /// Spans of each text.
    Tagger(Tagger),
}

impl Predictor {
    /// Opens a folder; texts are cut to what the model takes.
    ///
    /// # Errors
    /// As [`Classifier::open`] and [`Tagger::open`].
    pub fn open(runtime: &Runtime, folder: &Path, threads: usize) -> Result<Self, TrainError> {
        let opened = Opened::open(runtime, folder, None, threads)?;
        if opened.is_of_tokens {
            return Tagger::of(opened, folder).map(Self::Tagger);
        }
        Classifier::of(opened, folder).map(Self::Classifier)
    }

    /// What is predicted of each text, and how probable it is: a value, or lists of those that the text has; spans with the
    /// least probability of their words. `names` stand in errors in place of texts.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub fn predict(&mut self, names: &[String], texts: &[&str]) -> Result<Vec<(Value, Value)>, TrainError> {
        match self {
            Self::Tagger(tagger) => {
                let of_text = |found: Vec<FoundSpan>| {
                    let probabilities: Vec<f32> = found.iter().map(|found| found.probability).collect();
                    let spans: Vec<_> = found.into_iter().map(|found| found.span).collect();
                    (json!(spans), json!(probabilities))
                };
                Ok(tagger.find(names, texts)?.into_iter().map(of_text).collect())
            }
            Self::Classifier(classifier) if classifier.is_of_several() => {
                let chosen = classifier.choose(names, texts)?;
                let values = classifier.values();
                let named = |chosen: Chosen| {
                    let predicted: Vec<&String> = chosen.predicted.iter().map(|value| &values[*value]).collect();
                    (json!(predicted), json!(chosen.probability))
                };
                Ok(chosen.into_iter().map(named).collect())
            }
            Self::Classifier(classifier) => {
                let ranked = classifier.classify(names, texts)?;
                let values = classifier.values();
                let named = ranked.into_iter().map(|one| (json!(values[one.predicted]), json!(one.probability)));
                Ok(named.collect())
            }
        }
    }
}
