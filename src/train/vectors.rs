//! How the vectors of texts are made from a model's outputs, as the files of sentence-transformers say it.

use std::path::Path;

use serde_json::json;

use super::TrainError;
use super::run::Pooling;
use super::tokenizer::{pretty, read_json, write};

/// The list of what a text goes through.
pub(crate) const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling";

/// Writes what sentence-transformers loads a folder by: the transformer, the pooling, and that vectors have norm 1.
pub(super) fn write_modules(folder: &Path, pooling: Pooling, width: usize) -> Result<(), TrainError> {
    let module = |index: usize, path: &str, name: &str| json!({"idx": index, "name": index.to_string(), "path": path, "type": format!("sentence_transformers.models.{name}")});
    let modules =
        json!([module(0, "", "Transformer"), module(1, POOLING, "Pooling"), module(2, "2_Normalize", "Normalize")]);
    write(&folder.join(MODULES), &pretty(&modules))?;
    let config = json!({
        "word_embedding_dimension": width,
        "pooling_mode_cls_token": pooling == Pooling::Cls,
        "pooling_mode_mean_tokens": pooling == Pooling::Mean,
        "pooling_mode_max_tokens": false,
        "pooling_mode_mean_sqrt_len_tokens": false,
    });
    let path = folder.join(POOLING);
    std::fs::create_dir_all(&path).map_err(TrainError::io(&path))?;
    write(&path.join("config.json"), &pretty(&config))
}

/// How a folder says that the vectors of texts are made; `None` where it does not say so.
///
/// # Errors
/// A file that is none of sentence-transformers, another pooling than the two that annotc has.
pub(crate) fn read_pooling(folder: &Path) -> Result<Option<Pooling>, TrainError> {
    if !folder.join(MODULES).is_file() {
        return Ok(None);
    }
    let path = folder.join(POOLING).join("config.json");
    let config = read_json(&path)?;
    let says = |mode: &str| config[format!("pooling_mode_{mode}")] == true;
    match (says("cls_token"), says("mean_tokens")) {
        (true, false) => Ok(Some(Pooling::Cls)),
        (false, true) => Ok(Some(Pooling::Mean)),
        _ => {
            let message = "it asks for another pooling than the mean of the tokens or the first one".to_owned();
            Err(TrainError::ModelFile { path, message })
        }
    }
}
