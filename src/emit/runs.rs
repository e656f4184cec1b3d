//! What training runs left, as it is read back: what decided the weights, the steps, the figures.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{AtPath, EmitError};
use super::swap::PROVENANCE;
use crate::statistics::Histogram;

/// The ending of a file of predictions.
const PREDICTIONS: &str = ".predictions.jsonl";

/// The files of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFiles {
    /// The run's name.
    pub name: String,
    /// The name of the data set that it was trained on.
    pub dataset: String,
    /// What decided the weights.
    pub provenance: Value,
    /// The steps.
    pub metrics: Vec<Metric>,
    /// The evaluations by their names, `helpdesk.test`, in order of name.
    pub evaluations: Vec<(String, Value)>,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Metric {
    /// Its number, from 1.
    pub step: u64,
    /// The loss.
    #[serde(default)]
    pub loss: f64,
    /// The learning rate.
    #[serde(default)]
    pub rate: f64,
    /// The loss of the validation part, where it was measured behind this step.
    #[serde(default)]
    pub validation_loss: Option<f64>,
}

/// What a run says of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionLine {
    /// The true value, or a list of them; null where it is not known.
    #[serde(default)]
    pub gold: Value,
    /// The value predicted, or a list of them; null of a record that never reached the model.
    #[serde(default)]
    pub predicted: Value,
    /// The model's probability of it, or of each of them.
    #[serde(default)]
    pub probability: Value,
}

impl RunFiles {
    /// Reads what a run left in its folder; `None` where it left nothing.
    ///
    /// # Errors
    /// Files that cannot be read, or are not what a run writes.
    pub fn read(folder: &Path) -> Result<Option<Self>, EmitError> {
        let path = folder.join(PROVENANCE);
        if !path.is_file() {
            return Ok(None);
        }
        let provenance = json(&path)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut metrics = Vec::new();
        let path = folder.join("metrics.jsonl");
        if path.is_file() {
            for line in fs::read_to_string(&path).at("read", &path)?.lines() {
                metrics.push(serde_json::from_str(line).map_err(|error| unreadable(&path, &error))?);
            }
        }
        let mut evaluations = Vec::new();
        for name in evaluations_of(folder)? {
            let figures = json(&figures_path(folder, &name))?;
            evaluations.push((name, figures));
        }
        Ok(Some(Self {
            name: text(&provenance["run"]),
            dataset: text(&provenance["dataset"]["name"]),
            provenance,
            metrics: merged(metrics),
            evaluations,
        }))
    }

    /// All runs under a folder, in order of name.
    pub fn all(out: &Path) -> Result<Vec<Self>, EmitError> {
        let mut folders: Vec<_> = fs::read_dir(out)
            .at("read", out)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()
            .at("read", out)?;
        folders.retain(|folder| folder.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
        folders.sort();
        folders.iter().filter_map(|folder| Self::read(folder).transpose()).collect()
    }

    /// Whether it was trained on the data set with this fingerprint.
    pub fn is_of(&self, fingerprint: &str) -> bool {
        self.provenance["dataset"]["fingerprint"] == fingerprint
    }

    /// The lengths of its records in tokens, part by part.
    pub fn tokens(&self) -> Vec<(String, Histogram)> {
        let lengths = self.provenance["data"]["tokens"].as_object().into_iter().flatten();
        let read = |value: &Value| serde_json::from_value::<Histogram>(value.clone()).ok();
        lengths.filter_map(|(part, lengths)| Some((part.clone(), read(lengths)?))).collect()
    }
}

/// The names of the evaluations in a run's folder, in order.
pub fn evaluations_of(folder: &Path) -> Result<Vec<String>, EmitError> {
    let folder = folder.join("evaluation");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).at("read", &folder)? {
        let name = entry.at("read", &folder)?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".json").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// The file of an evaluation's figures.
pub fn figures_path(folder: &Path, evaluation: &str) -> PathBuf {
    folder.join("evaluation").join(format!("{evaluation}.json"))
}

/// The file of an evaluation's predictions.
pub fn predictions_path(folder: &Path, evaluation: &str) -> PathBuf {
    folder.join("evaluation").join(format!("{evaluation}{PREDICTIONS}"))
}

/// The text of an evaluation's predictions, held against the hash that its figures have of it.
///
/// # Errors
/// Files that cannot be read, predictions that are not those that the figures are of.
pub fn predictions(folder: &Path, evaluation: &str) -> Result<String, EmitError> {
    let (path, figures) = (predictions_path(folder, evaluation), figures_path(folder, evaluation));
    let text = fs::read_to_string(&path).at("read", &path)?;
    let Some(recorded) = json(&figures)?["predictions"].as_str().map(str::to_owned) else {
        return Err(EmitError::Edited { path: figures, what: "does not say which predictions its figures are of" });
    };
    if recorded != blake3::hash(text.as_bytes()).to_hex().as_str() {
        return Err(EmitError::Edited { path, what: "is not what its evaluation left" });
    }
    Ok(text)
}

/// What an evaluation says of a record; `None` where it is not among its records, or there are no predictions.
pub fn prediction(folder: &Path, evaluation: &str, id: &str) -> Result<Option<PredictionLine>, EmitError> {
    let path = predictions_path(folder, evaluation);
    if !path.is_file() {
        return Ok(None);
    }
    let text = predictions(folder, evaluation)?;
    let Some(line) = text.lines().find(|line| line.contains(id)) else { return Ok(None) };
    let line: Value = serde_json::from_str(line).map_err(|error| unreadable(&path, &error))?;
    // Of a text that was generated nothing was predicted; of a record that never reached the model nothing is known at all.
    let tells = |(name, value): (&String, &Value)| name != "id" && !value.is_null();
    let is_lost = !line.as_object().into_iter().flatten().any(tells);
    if line.get("predicted").is_none() && !is_lost {
        return Ok(None);
    }
    serde_json::from_value(line).map(Some).map_err(|error| unreadable(&path, &error))
}

/// The lines of one step joined: a validation has a line of its own.
fn merged(lines: Vec<Metric>) -> Vec<Metric> {
    let mut merged: Vec<Metric> = Vec::with_capacity(lines.len());
    for line in lines {
        match merged.last_mut() {
            Some(last) if last.step == line.step => {
                last.validation_loss = line.validation_loss.or(last.validation_loss)
            }
            _ => merged.push(line),
        }
    }
    merged
}

fn json(path: &Path) -> Result<Value, EmitError> {
    serde_json::from_slice(&fs::read(path).at("read", path)?).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &serde_json::Error) -> EmitError {
    EmitError::Unreadable { path: path.to_owned(), reason: error.to_string() }
}
