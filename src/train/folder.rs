//! The folder that a run leaves: staged beside its place, then put there at once.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::TrainError;
use super::tokenizer::{TOKENIZER_FILES, pretty, write};
use crate::onnx::{Graph, save};

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
/// A file that cannot be written.
pub(super) fn write_folder(folder: &TrainedFolder<'_>, destination: &Path) -> Result<(), TrainError> {
    let parent = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(TrainError::io(parent))?;
    let stage = tempfile::Builder::new().prefix(".annotc-model-").tempdir_in(parent).map_err(TrainError::io(parent))?;
    let at = |name: &str| stage.path().join(name);
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
    let hash = hash_model(stage.path())?;
    write(&at("provenance.json"), &pretty(&(folder.provenance)(&hash)))?;
    sync(stage.path())?;
    readable(stage.path())?;
    replace(stage.keep(), destination)
}

/// A staging folder is private; the model is for everybody who may read its neighbours.
#[cfg(unix)]
fn readable(stage: &Path) -> Result<(), TrainError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(stage, std::fs::Permissions::from_mode(0o755)).map_err(TrainError::io(stage))?;
    for entry in std::fs::read_dir(stage).map_err(TrainError::io(stage))?.flatten() {
        let path = entry.path();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).map_err(TrainError::io(&path))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn readable(_stage: &Path) -> Result<(), TrainError> {
    Ok(())
}

fn sync(folder: &Path) -> Result<(), TrainError> {
    for entry in std::fs::read_dir(folder).map_err(TrainError::io(folder))?.flatten() {
        let path = entry.path();
        let file = File::open(&path).map_err(TrainError::io(&path))?;
        file.sync_all().map_err(TrainError::io(&path))?;
    }
    Ok(())
}

/// Puts the stage where the destination is. Where the system can exchange two names at once, there is no moment
/// without a whole folder.
fn replace(stage: PathBuf, destination: &Path) -> Result<(), TrainError> {
    if !destination.exists() {
        return std::fs::rename(&stage, destination).map_err(TrainError::io(destination));
    }
    if !exchange(&stage, destination) {
        let old = stage.with_extension("old");
        std::fs::rename(destination, &old).map_err(TrainError::io(destination))?;
        std::fs::rename(&stage, destination).map_err(TrainError::io(destination))?;
        return std::fs::remove_dir_all(&old).map_err(TrainError::io(&old));
    }
    std::fs::remove_dir_all(&stage).map_err(TrainError::io(&stage))
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
