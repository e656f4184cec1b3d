//! Predicting with a trained classifier, and measuring it on a table.

use std::path::Path;

use super::evaluation::{Evaluated, MissingRecord, Prediction};
use super::several::{MissingSeveral, SeveralEvaluated, SeveralPrediction};
use super::text_model::TextModel;
use crate::runtime::Runtime;
use crate::train::{
    LOGITS, LengthLimit, SEVERAL_VALUES, Table, TrainError, above_half, argmax, binary_loss, chosen, label_names,
    log_softmax, sigmoid,
};

/// A folder with a classifier: ours, or any that Optimum exports for sequence classification.
pub struct Classifier {
    model: TextModel,
    values: Vec<String>,
    /// Whether a text has any number of the values.
    is_of_several: bool,
}

/// What a classifier says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The index of the most probable value.
    pub predicted: usize,
    /// Its probability.
    pub probability: f32,
    /// The logarithm of each value's probability.
    pub log_probabilities: Vec<f32>,
}

/// The values that a text is said to have.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Their indices, in the model's order.
    pub predicted: Vec<usize>,
    /// The probability of each.
    pub probability: Vec<f32>,
    /// The logit of every value.
    pub logits: Vec<f32>,
}

/// The table of a test part.
#[derive(Debug, Clone, Copy)]
pub struct TestTable<'a> {
    /// The Parquet file.
    pub path: &'a Path,
    /// The column with the text.
    pub text: &'a str,
    /// The column with the true value's name.
    pub label: &'a str,
    /// For each `by`: its name, the column with the records' keys, and the keys in the order to show.
    pub by: &'a [(String, String, Vec<String>)],
}

impl TestTable<'_> {
    /// Its columns.
    pub(super) fn read(&self) -> Result<Table, TrainError> {
        let mut columns = vec![self.text, self.label];
        columns.extend(self.by.iter().map(|(_, column, _)| column.as_str()));
        columns.sort_unstable();
        columns.dedup();
        Table::read(self.path, &columns)
    }

    /// The keys of a record in each slice.
    pub(super) fn keys(&self, read: &Table, row: usize) -> Vec<Option<String>> {
        self.by.iter().map(|(_, column, _)| read.column(column)[row].clone()).collect()
    }

    /// The slices' names with their keys in the order to show.
    pub(super) fn slice_names(&self) -> Vec<(String, Vec<String>)> {
        self.by.iter().map(|(name, _, order)| (name.clone(), order.clone())).collect()
    }
}

impl Classifier {
    /// Opens a folder. `limit` is the one that the model was trained with; `None` is what the model takes. A longer text loses
    /// its start where the training cut starts off, else its end: a class is said of every text.
    ///
    /// # Errors
    /// A missing or broken file, a model that is no text classifier, a `config.json` whose labels are not its outputs.
    pub fn open(
        runtime: &Runtime,
        folder: &Path,
        limit: Option<LengthLimit>,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let model = TextModel::open(runtime, folder, limit, threads, &[LOGITS])?;
        let &[_, labels] = model.shape() else {
            let message = "it has no output `logits` with one row per text".to_owned();
            return Err(TrainError::Unusable { folder: folder.to_path_buf(), message });
        };
        let values = label_names(model.config());
        if values.is_empty() || labels.is_some_and(|labels| labels != values.len()) {
            return Err(TrainError::ModelFile {
                path: folder.join("config.json"),
                message: format!(
                    "`id2label` names {} values, and the model has {} outputs",
                    values.len(),
                    labels.map_or_else(|| "an unknown number of".to_owned(), |labels| labels.to_string())
                ),
            });
        }
        let is_of_several = model.config().get("problem_type").and_then(|kind| kind.as_str()) == Some(SEVERAL_VALUES);
        Ok(Self { model, values, is_of_several })
    }

    /// The label's values, in the order of the model's outputs.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether a text has any number of the values, as `problem_type` of `config.json` says.
    #[must_use]
    pub fn is_of_several(&self) -> bool {
        self.is_of_several
    }

    /// BLAKE3 of the tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.model.tokenizer_hash()
    }

    /// Classifies texts, in their order. Texts of similar length share a batch, so that little is padded. `ids` name
    /// them in errors.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub fn classify(&mut self, ids: &[String], texts: &[&str]) -> Result<Vec<Ranked>, TrainError> {
        self.model.run(ids, texts, |logits, _| {
            let log_probabilities = log_softmax(logits);
            let predicted = argmax(logits).expect("a classifier has at least one value");
            Ranked { predicted, probability: log_probabilities[predicted].exp(), log_probabilities }
        })
    }

    /// The values of texts of which each has any number, in the texts' order: those with a probability above a half.
    ///
    /// # Errors
    /// As [`Classifier::classify`].
    pub fn choose(&mut self, ids: &[String], texts: &[&str]) -> Result<Vec<Chosen>, TrainError> {
        self.model.run(ids, texts, |logits, _| {
            let predicted = above_half(logits);
            let probability = predicted.iter().map(|value| sigmoid(logits[*value])).collect();
            Chosen { predicted, probability, logits: logits.to_vec() }
        })
    }
}

/// Predicts every record of a test table whose label has several values. `missing` are the records of the part that are not
/// in it, with the names of their true values where they are known.
///
/// # Errors
/// As [`evaluate_classifier`].
pub fn evaluate_choices(
    classifier: &mut Classifier,
    table: &TestTable<'_>,
    missing: &[(String, Option<Vec<String>>, String)],
) -> Result<SeveralEvaluated, TrainError> {
    let read = table.read()?;
    let values = classifier.values.clone();
    let unknown = |id: &str| TrainError::UnknownLabel { id: id.to_owned(), values: values.len() };
    let texts: Vec<&str> = read.column(table.text).iter().map(|text| text.as_deref().unwrap_or_default()).collect();
    let answers = classifier.choose(&read.ids, &texts)?;
    let mut predictions = Vec::with_capacity(answers.len());
    for (row, (id, answer)) in read.ids.iter().zip(answers).enumerate() {
        let names = read.column(table.label)[row].as_deref().unwrap_or_default();
        let gold = chosen(names, &values).ok_or_else(|| unknown(id))?;
        let has: Vec<bool> = (0..values.len()).map(|value| gold.contains(&value)).collect();
        predictions.push(SeveralPrediction {
            id: id.clone(),
            loss: binary_loss(&answer.logits, &has) as f32,
            gold,
            predicted: answer.predicted,
            probability: answer.probability,
            slices: table.keys(&read, row),
        });
    }
    let place = |id: &str, name: &String| values.iter().position(|value| value == name).ok_or_else(|| unknown(id));
    let missing = missing.iter().map(|(id, gold, reason)| {
        let places = |gold: &Vec<String>| gold.iter().map(|name| place(id, name)).collect::<Result<Vec<_>, _>>();
        let gold = gold.as_ref().map(places).transpose()?;
        Ok(MissingSeveral { id: id.clone(), gold, reason: reason.clone() })
    });
    let missing = missing.collect::<Result<Vec<_>, TrainError>>()?;
    Ok(SeveralEvaluated { values, by: table.slice_names(), predictions, missing })
}

/// Predicts every record of a test table. `missing` are the records of the part that are not in it, with the names of
/// their true values where they are known.
///
/// # Errors
/// As [`Classifier::classify`]; a true value that the model does not know.
pub fn evaluate_classifier(
    classifier: &mut Classifier,
    table: &TestTable<'_>,
    missing: &[(String, Option<String>, String)],
) -> Result<Evaluated, TrainError> {
    let read = table.read()?;
    let values = classifier.values.clone();
    let index_of = |id: &str, name: &str| {
        let found = values.iter().position(|value| value == name);
        found.ok_or_else(|| TrainError::UnknownLabel { id: id.to_owned(), values: values.len() })
    };
    let texts: Vec<&str> = read.column(table.text).iter().map(|text| text.as_deref().unwrap_or_default()).collect();
    let ranked = classifier.classify(&read.ids, &texts)?;
    let mut predictions = Vec::with_capacity(ranked.len());
    for (row, (id, ranked)) in read.ids.iter().zip(ranked).enumerate() {
        let gold = index_of(id, read.column(table.label)[row].as_deref().unwrap_or_default())?;
        predictions.push(Prediction {
            id: id.clone(),
            gold,
            predicted: ranked.predicted,
            probability: ranked.probability,
            loss: -ranked.log_probabilities[gold],
            slices: table.keys(&read, row),
        });
    }
    let missing = missing
        .iter()
        .map(|(id, gold, reason)| {
            let gold = gold.as_deref().map(|gold| index_of(id, gold)).transpose()?;
            Ok(MissingRecord { id: id.clone(), gold, reason: reason.clone() })
        })
        .collect::<Result<Vec<MissingRecord>, TrainError>>()?;
    Ok(Evaluated { values: values.clone(), by: table.slice_names(), predictions, missing })
}
