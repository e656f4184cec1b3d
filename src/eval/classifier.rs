//! Predicting with a trained classifier, and measuring it on a table.

use std::path::Path;

use super::evaluation::{Evaluated, MissingRecord, Prediction};
use crate::runtime::{Element, Runtime, Session};
use crate::train::batch::{Feeds, by_length};
use crate::train::{
    Cut, Example, LOGITS, LengthLimit, Overflow, Table, Target, Tokenizer, TrainError, argmax, label_names,
    log_softmax, positions, read_json,
};
use crate::{onnx, runtime};

/// Texts predicted at once.
const BATCH: usize = 32;

/// A folder with a classifier: ours, or any that Optimum exports for sequence classification.
pub struct Classifier {
    session: Session,
    feeds: Feeds,
    tokenizer: Tokenizer,
    values: Vec<String>,
    limit: usize,
    /// What a longer text keeps.
    cut: Cut,
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
        let config_path = folder.join("config.json");
        let config = read_json(&config_path)?;
        let tokenizer = Tokenizer::load(folder)?;
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
        let graph = onnx::load(folder).map_err(|error| refuse(error.to_string()))?;
        let feeds = Feeds::of(&graph, &[], tokenizer.pad_id(), folder)?;
        drop(graph);
        let session = Session::from_file(runtime, &folder.join("model.onnx"), threads)?;
        let logits = session.outputs().iter().find(|output| output.name == LOGITS);
        let labels = match logits {
            Some(runtime::Port { element: Element::F32, shape, .. }) if shape.len() == 2 => shape[1],
            Some(_) | None => return Err(refuse("it has no output `logits` with one row per text".to_owned())),
        };
        let values = label_names(&config);
        if values.is_empty() || labels.is_some_and(|labels| labels != values.len()) {
            return Err(TrainError::ModelFile {
                path: config_path,
                message: format!(
                    "`id2label` names {} values, and the model has {} outputs",
                    values.len(),
                    labels.map_or_else(|| "an unknown number of".to_owned(), |labels| labels.to_string())
                ),
            });
        }
        let cut = match limit.map(|limit| limit.overflow) {
            Some(Overflow::KeepEnd) => Cut::KeepEnd,
            Some(Overflow::KeepStart | Overflow::Refuse | Overflow::Drop) | None => Cut::KeepStart,
        };
        let limits = [limit.map(|limit| limit.tokens), positions(&config), tokenizer.model_max_length()];
        let limit = limits.into_iter().flatten().min().unwrap_or(usize::MAX);
        Ok(Self { session, feeds, tokenizer, values, limit, cut })
    }

    /// The label's values, in the order of the model's outputs.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// BLAKE3 of the tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.tokenizer.hash()
    }

    /// Classifies texts, in their order. Texts of similar length share a batch, so that little is padded. `ids` name
    /// them in errors.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub fn classify(&mut self, ids: &[String], texts: &[&str]) -> Result<Vec<Ranked>, TrainError> {
        let examples = ids
            .iter()
            .zip(texts)
            .map(|(id, text)| self.example(id, text))
            .collect::<Result<Vec<Example>, TrainError>>()?;
        let lengths: Vec<usize> = examples.iter().map(|example| example.tokens.len()).collect();
        let mut ranked: Vec<Option<Ranked>> = vec![None; examples.len()];
        for batch in by_length(&lengths, BATCH) {
            let members: Vec<&Example> = batch.iter().map(|index| &examples[*index]).collect();
            let outputs = self.session.run(&self.feeds.batch(&members, 1.0), &[LOGITS])?;
            let logits = outputs.first().expect("one output was asked for").f32()?;
            for (index, row) in batch.iter().zip(logits.chunks(self.values.len())) {
                let log_probabilities = log_softmax(row);
                let predicted = argmax(row).expect("a classifier has at least one value");
                let probability = log_probabilities[predicted].exp();
                ranked[*index] = Some(Ranked { predicted, probability, log_probabilities });
            }
        }
        Ok(ranked.into_iter().map(|row| row.expect("each text is in one batch")).collect())
    }

    fn example(&self, id: &str, text: &str) -> Result<Example, TrainError> {
        let failed = |message| TrainError::Tokenize { id: id.to_owned(), message };
        let mut tokens = self.tokenizer.encode(text, true).map_err(failed)?;
        if tokens.ids.len() > self.limit {
            tokens = self.tokenizer.encode_cut(text, self.limit, self.cut).map_err(failed)?;
        }
        Ok(Example { id: id.to_owned(), tokens: tokens.ids, target: Target::Class(0) })
    }
}

/// Classifies texts, in their order: the value's name and its probability. `names` stand in errors in place of texts.
///
/// # Errors
/// As [`Classifier::open`] and [`Classifier::classify`].
pub fn predict(
    runtime: &Runtime,
    folder: &Path,
    names: &[String],
    texts: &[&str],
    threads: usize,
) -> Result<Vec<(String, f32)>, TrainError> {
    let mut classifier = Classifier::open(runtime, folder, None, threads)?;
    let ranked = classifier.classify(names, texts)?;
    Ok(ranked.into_iter().map(|row| (classifier.values[row.predicted].clone(), row.probability)).collect())
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
    let mut columns = vec![table.text, table.label];
    columns.extend(table.by.iter().map(|(_, column, _)| column.as_str()));
    columns.sort_unstable();
    columns.dedup();
    let read = Table::read(table.path, &columns)?;
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
            slices: table.by.iter().map(|(_, column, _)| read.column(column)[row].clone()).collect(),
        });
    }
    let missing = missing
        .iter()
        .map(|(id, gold, reason)| {
            let gold = gold.as_deref().map(|gold| index_of(id, gold)).transpose()?;
            Ok(MissingRecord { id: id.clone(), gold, reason: reason.clone() })
        })
        .collect::<Result<Vec<MissingRecord>, TrainError>>()?;
    let by = table.by.iter().map(|(name, _, order)| (name.clone(), order.clone())).collect();
    Ok(Evaluated { values: values.clone(), by, predictions, missing })
}
