//! What can keep a run from starting or going on. No message holds a record's text.

use std::path::PathBuf;

use crate::emit::EmitError;
use crate::runtime::RuntimeError;

/// A failure of a training or evaluation run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The runtime library failed.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The folder could not be published.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// A file could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of the model's folder is not what it should be.
    #[error("`{}`: {message}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The model's graph cannot be trained.
    #[error("the model in `{}` cannot be trained: {message}", folder.display())]
    Graph {
        /// The model's folder.
        folder: PathBuf,
        /// The reason, with the node's name.
        message: String,
    },
    /// The training table is not what the run needs.
    #[error("`{}`: {message}", path.display())]
    Table {
        /// The table's file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The tokenizer failed on a record.
    #[error("the tokenizer failed on record {id}: {message}")]
    Tokenize {
        /// The record.
        id: String,
        /// What the tokenizer said.
        message: String,
    },
    /// Records longer than `length` allows, and the run does not say what to give up.
    #[error(
        "{count} records are longer than `length {limit} tokens`, the longest has {longest}: {}; \
         say what a too-long record gives up (`else keep start`, `else drop`) or allow more",
        listed(ids)
    )]
    TooLong {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
        /// Tokens of the longest.
        longest: usize,
        /// The first of them, in order of id.
        ids: Vec<String>,
    },
    /// Records from which nothing is learnt.
    #[error("{count} records have no token to learn: {}; {reason}", listed(ids))]
    NothingToLearn {
        /// How many.
        count: usize,
        /// Why, and what to do.
        reason: &'static str,
        /// The first of them, in order of id.
        ids: Vec<String>,
    },
    /// The chat template cannot be used for training.
    #[error("the chat template of `{}` {message}", folder.display())]
    Template {
        /// The model's folder.
        folder: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The chat template failed on one record.
    #[error("the chat template failed on record {id}: {message}")]
    Render {
        /// The record.
        id: String,
        /// What is wrong.
        message: String,
    },
    /// A record's label is none of the run's values.
    #[error("record {id} has a label that is not one of the {values} values of the run")]
    UnknownLabel {
        /// The record.
        id: String,
        /// How many values there are.
        values: usize,
    },
    /// The run's settings contradict each other or the data.
    #[error("{0}")]
    Settings(String),
    /// The loss is no number any more.
    #[error(
        "the loss of step {step} is {loss}; the batch held the records {}; a lower rate, a longer warmup or `clip` may help",
        listed(ids)
    )]
    Diverged {
        /// The optimizer step, counted from 1.
        step: u64,
        /// The loss.
        loss: f32,
        /// The batch's records.
        ids: Vec<String>,
    },
    /// The caller asked to stop.
    #[error("interrupted at step {step}; nothing was written")]
    Interrupted {
        /// The last step that was done.
        step: u64,
    },
}

impl TrainError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// At most this many record ids stand in a message.
pub(super) const IDS_SHOWN: usize = 10;

fn listed(ids: &[String]) -> String {
    let shown = ids.iter().take(IDS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if ids.len() > IDS_SHOWN { format!("{shown} …") } else { shown }
}
