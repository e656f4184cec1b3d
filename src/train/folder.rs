//! The folder that a run leaves: staged beside its place, then put there at once.

use std::fs::File;
use std::path::Path;

use serde_json::{Map, Value};

use super::TrainError;
use super::adapter::AdapterFiles;
use super::board;
use super::custody::{RECORDS, TrainedRecord, tokenizer_hashes, write_records};
use super::run::Pooling;
use super::tokenizer::{TOKENIZER_FILES, pretty, write};
use super::vectors::write_modules;
use crate::emit::{PROVENANCE, Swap};
use crate::onnx::{Graph, save};

/// Weights as they are saved.
pub(super) struct Weights {
    pub(super) graph: Graph,
    /// The adapter, where one was trained; the graph has it merged.
    pub(super) adapter: Option<AdapterFiles>,
}

/// The parts of a trained model.
pub(super) struct TrainedFolder<'a> {
    pub(super) weights: &'a Weights,
    /// The folder whose tokenizer files are copied.
    pub(super) tokenizer: &'a Path,
    pub(super) config: &'a Value,
    /// How the vector of a text is made, of a model that makes one, and how wide it is.
    pub(super) vectors: Option<(Pooling, usize)>,
    pub(super) metrics: &'a str,
    /// Other weights, each for a folder of its own beside the model: `best-2`, `best-3`, …
    pub(super) others: &'a [Weights],
    /// The records that were trained on, in the table's order.
    pub(super) records: &'a [TrainedRecord],
    /// Called with the rank of weights, 1 of the model's own, and what their folder holds.
    pub(super) provenance: &'a dyn Fn(usize, &Held) -> Value,
}

/// What a folder holds, by its hashes.
pub(super) struct Held {
    /// Of the model.
    pub(super) weights: String,
    /// Of the tokenizer and the chat template, by file.
    pub(super) files: Map<String, Value>,
    /// Of the records that were trained on.
    pub(super) records: String,
}

/// Writes the folder. The old one stays as it was until the new one is whole.
///
/// # Errors
/// A file that cannot be written, a destination that no run has left.
pub(super) fn write_folder(folder: &TrainedFolder<'_>, destination: &Path) -> Result<String, TrainError> {
    let out = destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = destination.file_name().unwrap_or_default().to_string_lossy();
    let swap = Swap::begin(out, &name)?;
    let hash = write_stage(folder, &swap.staging())?;
    swap.commit()?;
    Ok(hash)
}

fn write_stage(folder: &TrainedFolder<'_>, stage: &Path) -> Result<String, TrainError> {
    let at = |name: &str| stage.join(name);
    write_model(folder, folder.weights, stage)?;
    for (weights, rank) in folder.others.iter().zip(2..) {
        let other = at(&format!("best-{rank}"));
        std::fs::create_dir(&other).map_err(TrainError::io(&other))?;
        write_model(folder, weights, &other)?;
        write_chain(folder, rank, &other)?;
    }
    write(&at("metrics.jsonl"), folder.metrics)?;
    let curves = at(board::FILE);
    std::fs::write(&curves, board::events(folder.metrics)).map_err(TrainError::io(&curves))?;
    write_chain(folder, 1, stage)
}

/// The records that weights were trained on, and their provenance; returns the hash of the model. A folder of other weights has its own,
/// so that it can be taken elsewhere as the model can.
fn write_chain(folder: &TrainedFolder<'_>, rank: usize, to: &Path) -> Result<String, TrainError> {
    let records = to.join(RECORDS);
    write_records(&records, folder.records)?;
    let held = Held { weights: hash_model(to)?, files: tokenizer_hashes(to)?, records: hash_file(&records)? };
    write(&to.join(PROVENANCE), &pretty(&(folder.provenance)(rank, &held)))?;
    Ok(held.weights)
}

/// What a model is run from: the graph, the tokenizer's files, the configuration; and the adapter, which other programs put on the
/// model that the run began with.
fn write_model(folder: &TrainedFolder<'_>, weights: &Weights, to: &Path) -> Result<(), TrainError> {
    save(&weights.graph, &to.join("model.onnx"))
        .map_err(|error| TrainError::Io { path: error.path, source: error.source })?;
    for name in TOKENIZER_FILES {
        let from = folder.tokenizer.join(name);
        if from.is_file() {
            std::fs::copy(&from, to.join(name)).map_err(TrainError::io(&from))?;
        }
    }
    if let Some((pooling, width)) = folder.vectors {
        write_modules(to, pooling, width)?;
    }
    if let Some(adapter) = &weights.adapter {
        adapter.write(&to.join("adapter"))?;
    }
    write(&to.join("config.json"), &pretty(folder.config))
}

/// BLAKE3 of a folder's `model.onnx` and, where there is one, of the file with its weights.
pub fn hash_model(folder: &Path) -> Result<String, TrainError> {
    let data = folder.join("model.onnx_data");
    let model = hash_file(&folder.join("model.onnx"))?;
    if !data.is_file() {
        return Ok(model);
    }
    let both = model + &hash_file(&data)?;
    Ok(blake3::hash(both.as_bytes()).to_hex().to_string())
}

/// BLAKE3 of a file in hexadecimal.
pub(super) fn hash_file(path: &Path) -> Result<String, TrainError> {
    let file = File::open(path).map_err(TrainError::io(path))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(TrainError::io(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}
