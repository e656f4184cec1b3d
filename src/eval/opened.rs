//! An encoder's folder, opened for answers: of a text as a whole, or of each of its tokens.

use std::path::Path;

use serde_json::Value;

use crate::onnx;
use crate::runtime::{Element, Port, Runtime, Session};
use crate::train::batch::{Feeds, by_length};
use crate::train::{
    Cut, Example, LOGITS, LengthLimit, Overflow, Tokenizer, TrainError, label_names, positions, read_json,
};

/// Texts that are given to the model at once.
const BATCH: usize = 32;

/// A model with its tokenizer.
pub(super) struct Opened {
    session: Session,
    feeds: Feeds,
    pub(super) tokenizer: Tokenizer,
    pub(super) config: Value,
    /// The names of the outputs, in their order.
    pub(super) values: Vec<String>,
    /// Whether each token has logits of its own.
    pub(super) is_of_tokens: bool,
    pub(super) limit: usize,
    /// What a longer text keeps.
    pub(super) cut: Cut,
}

impl Opened {
    /// Opens a folder. `limit` is the one that the model was trained with; `None` is what the model takes. A longer text
    /// loses its start where the training cut starts off, else its end.
    pub(super) fn open(
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
        let (is_of_tokens, labels) = match logits {
            Some(Port { element: Element::F32, shape, .. }) if shape.len() == 2 => (false, shape[1]),
            Some(Port { element: Element::F32, shape, .. }) if shape.len() == 3 => (true, shape[2]),
            Some(_) | None => {
                return Err(refuse("it has no output `logits` with one row per text or per token".to_owned()));
            }
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
        Ok(Self { session, feeds, tokenizer, config, values, is_of_tokens, limit, cut })
    }

    /// The logits of examples, in their order: of each text, or of each of its tokens, one behind the other. Texts of similar
    /// length share a batch, so that little is padded.
    pub(super) fn logits(&mut self, examples: &[Example]) -> Result<Vec<Vec<f32>>, TrainError> {
        let lengths: Vec<usize> = examples.iter().map(|example| example.tokens.len()).collect();
        let mut rows: Vec<Vec<f32>> = vec![Vec::new(); examples.len()];
        for batch in by_length(&lengths, BATCH) {
            let members: Vec<&Example> = batch.iter().map(|index| &examples[*index]).collect();
            let outputs = self.session.run(&self.feeds.batch(&members, 1.0), &[LOGITS])?;
            let logits = outputs.first().expect("one output was asked for").f32()?;
            for (index, row) in batch.iter().zip(logits.chunks((logits.len() / batch.len()).max(1))) {
                // What stands behind a text's own tokens is padding.
                let own = if self.is_of_tokens { lengths[*index] * self.values.len() } else { row.len() };
                rows[*index] = row[..own].to_vec();
            }
        }
        Ok(rows)
    }
}
