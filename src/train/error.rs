//! What can keep a run from starting or going on. No message holds a record's text.

use std::fmt;
use std::path::PathBuf;

use super::memory::{MemoryPlan, mebibytes};
use crate::emit::EmitError;
use crate::runtime::RuntimeError;
use crate::shown::figure;

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
    /// The model's graph cannot be run, or has not the output that is asked for.
    #[error("the model in `{}` cannot be run: {message}", folder.display())]
    Unusable {
        /// The model's folder.
        folder: PathBuf,
        /// The reason.
        message: String,
    },
    /// A model that generates, where one is asked for that says something of a text.
    #[error("the model in `{}` continues texts, and says nothing of one", folder.display())]
    Generates {
        /// The model's folder.
        folder: PathBuf,
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
    /// Pairs whose two sides are equal.
    #[error("{count} records are pairs of equal {what}: {}", listed(ids))]
    SamePair {
        /// How many.
        count: usize,
        /// What is equal, and what to do.
        what: &'static str,
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
    /// A record of which something else would be learnt than what it says.
    #[error("record {id} cannot be learnt from: {what}; {help}")]
    Unlearnable {
        /// The record.
        id: String,
        /// What is wrong with it.
        what: String,
        /// What to do.
        help: String,
    },
    /// Two values of a label that a model would write alike.
    #[error(
        "the values `{}` and `{}` of `{label}` have answers of the same tokens (records {} and {}), so the model could not tell them \
         apart; give one of them another title or name, or print the label without what makes them alike",
        first.0,
        second.0,
        first.1,
        second.1
    )]
    SameAnswer {
        /// The label.
        label: String,
        /// A value, and a record that has it.
        first: (String, String),
        /// Another value, and a record that has it.
        second: (String, String),
    },
    /// A record's label is none of the run's values.
    #[error("record {id} has a label that is not one of the {values} values of the run")]
    UnknownLabel {
        /// The record.
        id: String,
        /// How many values there are.
        values: usize,
    },
    /// A record's label is no number.
    #[error("record {id} has a label that is no finite number")]
    NoNumber {
        /// The record.
        id: String,
    },
    /// A record's number is too large for its loss to be one.
    #[error(
        "record {id} has a label whose square is more than a 32-bit float can be (its size is above {:.1e}), so that its \
         loss would be no number; drop such records, or learn a smaller scale of it",
        f32::MAX.sqrt()
    )]
    NumberTooLarge {
        /// The record.
        id: String,
    },
    /// A file of a trained model is not what its run left.
    #[error(
        "`{}` {what}; put back what was there, or remove `{}` and build again",
        path.display(),
        path.parent().unwrap_or(path).display()
    )]
    Custody {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The run's settings contradict each other or the data.
    #[error("{0}")]
    Settings(String),
    /// The run does not come back from where it has got to.
    #[error(
        "step {step}: {what}; the batch held the records {}; {}; a lower rate, a longer warmup or `clip` may help",
        listed(ids),
        last_good(checkpoint.as_ref())
    )]
    Diverged {
        /// The optimizer step, counted from 1.
        step: u64,
        /// What is no number any more, or too large.
        what: Divergence,
        /// The batch's records.
        ids: Vec<String>,
        /// The last checkpoint: its step and its file.
        checkpoint: Option<(u64, PathBuf)>,
    },
    /// A run that takes more memory than it may.
    #[error(
        "the run needs about {} and may take {}: {}; a smaller `batch` (with `accumulate` for the same step), a shorter \
         `length` or another `optimizer` takes less{}",
        mebibytes(plan.total()),
        mebibytes(*limit),
        plan,
        recomputed.map_or(String::new(), |total| format!("; with `recompute on` it needs about {}", mebibytes(total)))
    )]
    Memory {
        /// What takes it.
        plan: MemoryPlan,
        /// What there is.
        limit: u64,
        /// What the run would take in all if it computed layers again, where that is less.
        recomputed: Option<u64>,
    },
    /// The caller asked to stop.
    #[error("interrupted at step {step}; {}", what_is_kept(*kept))]
    Interrupted {
        /// The last step that was done.
        step: u64,
        /// The step whose state is kept, so that the next run goes on from it.
        kept: Option<u64>,
    },
}

/// How a run shows that it does not come back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divergence {
    /// The loss of a micro-batch is no number.
    Loss(f32),
    /// The norm of the gradient is no number.
    Gradient(f64),
    /// The mean loss of the last steps is beyond what counts as divergence.
    Bound {
        /// The mean.
        mean: f64,
        /// Ten times the loss of guessing.
        bound: f64,
    },
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(loss) => write!(f, "the loss is {loss}"),
            Self::Gradient(norm) => write!(f, "the norm of the gradient is {norm}"),
            Self::Bound { mean, bound } => {
                write!(
                    f,
                    "the loss of the last steps is {}, more than {}, ten times that of guessing",
                    figure(*mean, 3),
                    figure(*bound, 3)
                )
            }
        }
    }
}

fn last_good(checkpoint: Option<&(u64, PathBuf)>) -> String {
    match checkpoint {
        Some((step, path)) => format!("the last good checkpoint is that of step {step}, `{}`", path.display()),
        None => "there is no checkpoint yet".to_owned(),
    }
}

fn what_is_kept(kept: Option<u64>) -> String {
    match kept {
        Some(step) => format!("the next run goes on from step {step}"),
        None => "nothing was written".to_owned(),
    }
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
