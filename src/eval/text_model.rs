//! A model that reads texts and gives numbers for each: opened from its folder, run over texts of similar length at once.

use std::path::Path;

use serde_json::Value;

use crate::runtime::{Element, Runtime, Session};
use crate::train::batch::{Feeds, by_length};
use crate::train::{Cut, Example, LengthLimit, Overflow, Target, Tokenizer, Tokens, TrainError, positions, read_json};
use crate::{onnx, runtime};

/// Texts read at once.
const BATCH: usize = 32;

/// A model's folder, opened.
pub(super) struct TextModel {
    session: Session,
    feeds: Feeds,
    tokenizer: Tokenizer,
    limit: usize,
    /// What a longer text keeps.
    cut: Cut,
    /// The output that is read.
    output: String,
    /// Its dimensions; `None` for those that the run decides.
    shape: Vec<Option<usize>>,
    config: Value,
}

impl TextModel {
    /// Opens a folder to read the float output of one of these names. `limit` is the one that the model was trained with;
    /// `None` is what the model takes. A longer text loses its start where the training cut starts off, else its end:
    /// something is said of every text.
    ///
    /// # Errors
    /// A missing or broken file, a model that has none of the outputs.
    pub(super) fn open(
        runtime: &Runtime,
        folder: &Path,
        limit: Option<LengthLimit>,
        threads: usize,
        outputs: &[&str],
    ) -> Result<Self, TrainError> {
        let config = read_json(&folder.join("config.json"))?;
        let tokenizer = Tokenizer::load(folder)?;
        let refuse = |message: String| TrainError::Unusable { folder: folder.to_path_buf(), message };
        let graph = onnx::load(folder).map_err(|error| refuse(error.to_string()))?;
        let feeds = Feeds::of(&graph, &[], tokenizer.pad_id(), folder).map_err(|error| match error {
            TrainError::Graph { message, .. } => refuse(message),
            other => other,
        })?;
        drop(graph);
        let session = Session::from_file(runtime, &folder.join("model.onnx"), threads)?;
        let is_read = |port: &&runtime::Port| port.element == Element::F32 && outputs.contains(&port.name.as_str());
        let port = session.outputs().iter().find(is_read).cloned();
        let port = port.ok_or_else(|| refuse(format!("it has no output `{}`", outputs.join("` or `"))))?;
        let cut = match limit.map(|limit| limit.overflow) {
            Some(Overflow::KeepEnd) => Cut::KeepEnd,
            Some(Overflow::KeepStart | Overflow::Refuse | Overflow::Drop) | None => Cut::KeepStart,
        };
        let limits = [limit.map(|limit| limit.tokens), positions(&config), tokenizer.model_max_length()];
        let limit = limits.into_iter().flatten().min().unwrap_or(usize::MAX);
        Ok(Self { session, feeds, tokenizer, limit, cut, output: port.name, shape: port.shape, config })
    }

    /// The dimensions of the output that is read.
    pub(super) fn shape(&self) -> &[Option<usize>] {
        &self.shape
    }

    /// `config.json`.
    pub(super) fn config(&self) -> &Value {
        &self.config
    }

    /// BLAKE3 of the tokenizer.
    pub(super) fn tokenizer_hash(&self) -> &str {
        self.tokenizer.hash()
    }

    /// Runs over texts and gives what `read` makes of each one's numbers and its number of tokens, in the texts' order.
    /// `ids` name them in errors.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub(super) fn run<T: Clone>(
        &mut self,
        ids: &[String],
        texts: &[&str],
        read: impl Fn(&[f32], usize) -> T,
    ) -> Result<Vec<T>, TrainError> {
        let examples = ids
            .iter()
            .zip(texts)
            .map(|(id, text)| self.example(id, text))
            .collect::<Result<Vec<Example>, TrainError>>()?;
        let lengths: Vec<usize> = examples.iter().map(|example| example.tokens.len()).collect();
        self.run_over(&examples, |at, row| read(row, lengths[at]))
    }

    /// Runs over texts that are tokens already, and gives what `read` makes of each one's place and numbers.
    ///
    /// # Errors
    /// The runtime fails.
    pub(super) fn run_over<T: Clone>(
        &mut self,
        examples: &[Example],
        read: impl Fn(usize, &[f32]) -> T,
    ) -> Result<Vec<T>, TrainError> {
        let lengths: Vec<usize> = examples.iter().map(|example| example.tokens.len()).collect();
        let mut results: Vec<Option<T>> = vec![None; examples.len()];
        for batch in by_length(&lengths, BATCH) {
            let members: Vec<&Example> = batch.iter().map(|index| &examples[*index]).collect();
            let outputs = self.session.run(&self.feeds.batch(&members, 1.0), &[self.output.as_str()])?;
            let numbers = outputs.first().expect("one output was asked for").f32()?;
            for (index, row) in batch.iter().zip(numbers.chunks(numbers.len() / batch.len())) {
                results[*index] = Some(read(*index, row));
            }
        }
        Ok(results.into_iter().map(|row| row.expect("each text is in one batch")).collect())
    }

    /// The tokens of a text, and whether they are not all of it.
    pub(super) fn tokens(&self, id: &str, text: &str) -> Result<(Tokens, bool), TrainError> {
        let failed = |message| TrainError::Tokenize { id: id.to_owned(), message };
        let tokens = self.tokenizer.encode(text, true).map_err(failed)?;
        if tokens.ids.len() <= self.limit {
            return Ok((tokens, false));
        }
        Ok((self.tokenizer.encode_cut(text, self.limit, self.cut).map_err(failed)?, true))
    }

    fn example(&self, id: &str, text: &str) -> Result<Example, TrainError> {
        let (tokens, _) = self.tokens(id, text)?;
        Ok(Example { id: id.to_owned(), tokens: tokens.ids, target: Target::Class(0) })
    }
}
