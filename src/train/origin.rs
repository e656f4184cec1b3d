//! The model that a run begins with: one from a folder, or a new one.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::TrainError;
use super::model::Model;
use super::objective::Objective;
use super::pairs::partner_texts;
use super::run::{ModelSource, Task, TrainRun};
use super::table::Table;
use super::tokenizer::{Tokenizer, pretty, train_wordpiece, write};
use crate::onnx::Graph;
use crate::onnx::encoder::{Encoder, POSITIONS};

/// The folder that the model and its tokenizer are read from.
pub(super) enum ModelFolder {
    Given(PathBuf),
    /// Made for a new encoder; gone when the run is over.
    Made(TempDir),
}

impl ModelFolder {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Made(folder) => folder.path(),
        }
    }
}

/// Reads the model's folder, or makes one with a new tokenizer and a new graph.
pub(super) fn model(run: &TrainRun, table: &Table) -> Result<(ModelFolder, Model), TrainError> {
    let of_texts = |folder: &Path, graph, objective, values: &[String]| {
        Model::of_texts(folder, graph, (objective, values), run.pooling, run.seed)
    };
    let texts = |text: &str| table.column(text).iter().flatten().cloned().collect();
    match &run.task {
        Task::Classify { text, values, .. } => {
            begin(run, &|| Ok(texts(text)), &|folder, graph| of_texts(folder, graph, Objective::Class, values))
        }
        Task::Choose { text, values, .. } => {
            begin(run, &|| Ok(texts(text)), &|folder, graph| of_texts(folder, graph, Objective::Several, values))
        }
        Task::Tag { text, kinds, .. } => {
            begin(run, &|| Ok(texts(text)), &|folder, graph| Model::tagger(folder, graph, kinds, run.seed))
        }
        Task::Regress { text, label } => {
            let values = std::slice::from_ref(label);
            begin(run, &|| Ok(texts(text)), &|folder, graph| of_texts(folder, graph, Objective::Number, values))
        }
        Task::Embed { messages } => begin(run, &|| partner_texts(table, messages), &|folder, graph| {
            Model::of_vectors(folder, graph, run.pooling)
        }),
        Task::Prefer { beta, .. } => decoder(run, Objective::Preference { beta: *beta }),
        Task::Generate { .. } => decoder(run, Objective::NextToken),
    }
}

/// What makes a model of a folder, or of a new graph and the folder that it goes with.
type MakeModel<'m> = dyn Fn(&Path, Option<Graph>) -> Result<Model, TrainError> + 'm;

/// An encoder: that of a folder, or a new one with a tokenizer that is made from `texts`.
fn begin(
    run: &TrainRun,
    texts: &dyn Fn() -> Result<Vec<String>, TrainError>,
    model: &MakeModel<'_>,
) -> Result<(ModelFolder, Model), TrainError> {
    match &run.model {
        ModelSource::Folder(folder) => Ok((ModelFolder::Given(folder.clone()), model(folder, None)?)),
        ModelSource::NewEncoder { layers, hidden, heads, vocab } => {
            let folder = tempfile::tempdir().map_err(TrainError::io(std::env::temp_dir()))?;
            let texts = texts()?;
            let vocabulary = train_wordpiece(texts.iter().map(String::as_str), *vocab, POSITIONS, folder.path())?;
            let encoder = Encoder { layers: *layers, hidden: *hidden, heads: *heads, vocabulary };
            let graph = encoder.build(run.seed).map_err(|error| TrainError::Settings(error.to_string()))?;
            write(&folder.path().join("config.json"), &pretty(&encoder.config()))?;
            let model = model(folder.path(), Some(graph))?;
            Ok((ModelFolder::Made(folder), model))
        }
    }
}

fn decoder(run: &TrainRun, objective: Objective) -> Result<(ModelFolder, Model), TrainError> {
    match &run.model {
        ModelSource::Folder(folder) => Ok((ModelFolder::Given(folder.clone()), Model::decoder(folder, objective)?)),
        ModelSource::NewEncoder { .. } => {
            Err(TrainError::Settings("an encoder cannot generate; name a decoder's folder with `onnx`".to_owned()))
        }
    }
}

/// A token beyond the embedding would be read from nowhere.
pub(super) fn check_vocabulary(model: &Model, tokenizer: &Tokenizer, folder: &Path) -> Result<(), TrainError> {
    let greatest = tokenizer.greatest_id().and_then(|id| usize::try_from(id).ok());
    match (model.vocabulary(), greatest) {
        (Some(size), Some(greatest)) if greatest >= size => Err(TrainError::ModelFile {
            path: folder.join("tokenizer.json"),
            message: format!(
                "the tokenizer has a token of the number {greatest}, and the model knows {size}, from 0 on: they do not belong together"
            ),
        }),
        (_, _) => Ok(()),
    }
}
