//! The folder that a run leaves: staged beside its place, then put there at once.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::TrainError;
use super::tokenizer::{TOKENIZER_FILES, pretty, write};
use crate::onnx::{Graph, save};

/// The file that every run leaves.
const PROVENANCE: &str = "provenance.json";

/// The parts of a trained model.
pub(super) struct TrainedFolder<'a> {
    pub(super) graph: &'a Graph,
    /// The folder whose tokenizer files are copied.
    pub(super) tokenizer: &'a Path,
    pub(super) config: &'a Value,
    pub(super) metrics: &'a str,
    /// Called with the hash of the model.
    pub(super) provenance: &'a dyn Fn(&str) -> Value,
}

/// Writes the folder. The old one stays as it was until the new one is whole.
///
/// # Errors
/// A file that cannot be written, a destination that no run has left.
pub(super) fn write_folder(folder: &TrainedFolder<'_>, destination: &Path) -> Result<String, TrainError> {
    check_destination(destination)?;
    let places = Places::of(destination);
    places.recover()?;
    let written = write_stage(folder, &places.stage).and_then(|hash| places.replace(destination).map(|()| hash));
    if written.is_err() && places.stage.exists() {
        std::fs::remove_dir_all(&places.stage).map_err(TrainError::io(&places.stage))?;
    }
    written
}

fn write_stage(folder: &TrainedFolder<'_>, stage: &Path) -> Result<String, TrainError> {
    std::fs::create_dir_all(stage).map_err(TrainError::io(stage))?;
    let at = |name: &str| stage.join(name);
    let model = at("model.onnx");
    save(folder.graph, &model).map_err(|error| TrainError::Io { path: error.path, source: error.source })?;
    for name in TOKENIZER_FILES {
        let from = folder.tokenizer.join(name);
        if from.is_file() {
            std::fs::copy(&from, at(name)).map_err(TrainError::io(&from))?;
        }
    }
    write(&at("config.json"), &pretty(folder.config))?;
    write(&at("metrics.jsonl"), folder.metrics)?;
    let hash = hash_model(stage)?;
    write(&at(PROVENANCE), &pretty(&(folder.provenance)(&hash)))?;
    sync(stage)?;
    Ok(hash)
}

/// Only a folder that a run left, or an empty one, may be replaced: whatever else stands there is somebody's work.
///
/// # Errors
/// [`TrainError::Settings`] for any other file or folder.
pub(super) fn check_destination(destination: &Path) -> Result<(), TrainError> {
    if !destination.exists() || destination.join(PROVENANCE).is_file() {
        return Ok(());
    }
    let is_empty = std::fs::read_dir(destination).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Ok(());
    }
    Err(TrainError::Settings(format!(
        "`{}` is there already, and no training run left it; move it away or name another folder",
        destination.display()
    )))
}

/// Where a folder is staged, and where the old one waits on a system that cannot exchange two names.
struct Places {
    stage: PathBuf,
    old: PathBuf,
    destination: PathBuf,
}

impl Places {
    fn of(destination: &Path) -> Self {
        let beside = |prefix: &str| {
            let mut name = std::ffi::OsString::from(prefix);
            name.push(destination.file_name().unwrap_or_default());
            destination.with_file_name(name)
        };
        Self {
            stage: beside(".annotc-model-"),
            old: beside(".annotc-old-model-"),
            destination: destination.to_path_buf(),
        }
    }

    /// Puts right what a killed run left.
    fn recover(&self) -> Result<(), TrainError> {
        if self.old.exists() && !self.destination.exists() {
            std::fs::rename(&self.old, &self.destination).map_err(TrainError::io(&self.old))?;
        }
        for left in [&self.stage, &self.old] {
            if left.exists() {
                std::fs::remove_dir_all(left).map_err(TrainError::io(left))?;
            }
        }
        Ok(())
    }

    /// Puts the stage where the destination is. Where the system can exchange two names at once, there is no moment
    /// without a whole folder.
    fn replace(&self, destination: &Path) -> Result<(), TrainError> {
        let failed = || TrainError::io(destination);
        if !destination.exists() {
            return std::fs::rename(&self.stage, destination).map_err(failed());
        }
        if exchange(&self.stage, destination) {
            return std::fs::remove_dir_all(&self.stage).map_err(TrainError::io(&self.stage));
        }
        std::fs::rename(destination, &self.old).map_err(failed())?;
        std::fs::rename(&self.stage, destination).map_err(failed())?;
        std::fs::remove_dir_all(&self.old).map_err(TrainError::io(&self.old))
    }
}

fn sync(folder: &Path) -> Result<(), TrainError> {
    for entry in std::fs::read_dir(folder).map_err(TrainError::io(folder))?.flatten() {
        let path = entry.path();
        let file = File::open(&path).map_err(TrainError::io(&path))?;
        file.sync_all().map_err(TrainError::io(&path))?;
    }
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(stage: &Path, destination: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, stage, CWD, destination, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_stage: &Path, _destination: &Path) -> bool {
    false
}

/// BLAKE3 of a folder's `model.onnx` and, where there is one, of the file with its weights.
pub(super) fn hash_model(folder: &Path) -> Result<String, TrainError> {
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
