//! A training run as plain data: what the caller lowers a resolved program to.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::TrainError;
use super::checkpoint::remove_abandoned;
use super::optimizer::Optimizer;
use super::schedule::Schedule;
use crate::autodiff::Half;
use crate::eval::Metric;
pub use crate::onnx::surgery::{Pooling, Width};

/// Everything that a run needs.
#[derive(Debug, Clone)]
pub struct TrainRun {
    /// What is trained.
    pub model: ModelSource,
    /// How token vectors become one, where the run says it; else their mean.
    pub pooling: Option<Pooling>,
    /// What it learns.
    pub task: Task,
    /// The label that the answers of a [`Task::Generate`] are the values of, where they are.
    pub answers: Option<String>,
    /// The training table, a Parquet file.
    pub train: PathBuf,
    /// The table that the run is measured on while it goes on.
    pub validation: Option<PathBuf>,
    /// How long.
    pub extent: Extent,
    /// Rows in a micro-batch.
    pub batch: usize,
    /// Micro-batches in an optimizer step.
    pub accumulate: usize,
    /// The learning rate over the steps.
    pub schedule: Schedule,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// The peak rate of the head, where it is said.
    pub head_rate: Option<f64>,
    /// The largest global norm of a gradient.
    pub clip: Option<f64>,
    /// The share of the target that is spread over all classes or tokens (label smoothing).
    pub smooth: f64,
    /// Whether each value of a label weighs the same, however often it stands in the training table.
    pub balanced: bool,
    /// Whether the records of a micro-batch share rows, which they never see each other in.
    pub pack: bool,
    /// Whether the backward part computes again what it reads of the forward part, which then need not be kept (gradient
    /// checkpointing).
    pub recompute: bool,
    /// The floats that products of matrices read and give in training.
    pub precision: Precision,
    /// Whether each epoch has a keyed order of its own; else the table's order.
    pub shuffle: bool,
    /// Keys the order and a new model's weights.
    pub seed: u64,
    /// The longest record in tokens, special ones included; `None` is what the model takes.
    pub length: Option<usize>,
    /// What a longer record gives up.
    pub overflow: Overflow,
    /// Which weights are trained.
    pub tune: Tune,
    /// Threads of the runtime and the optimizer.
    pub threads: usize,
    /// What is selected on `validation`.
    pub selection: Selection,
    /// Where the run's state is kept while it goes on; without it nothing outlives an interrupt.
    pub checkpoints: Option<Checkpoints>,
    /// The folder in which the tokens of its tables are kept for other runs ([`super::tokens_folder`]); without it none are.
    pub kept_tokens: Option<PathBuf>,
    /// The memory that the run may take; more is refused before the first step.
    pub memory: Option<u64>,
    /// The folder to leave.
    pub output: PathBuf,
    /// Whether weights, gradients and what the optimizer remembers stay where sessions compute: for devices with memory of their own.
    pub held: bool,
    /// What the caller adds to `provenance.json`: hashes of the spec, of the data, of the template.
    pub provenance: Map<String, Value>,
}

/// The floats of products of matrices; all else is computed in 32 bits, weights and what they are updated by among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// IEEE's 16 bits, whose range is so small that the loss is scaled.
    F16,
    /// 16 bits with the range of 32.
    Bf16,
}

impl Precision {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// The floats of 16 bits, where it is any.
    pub(super) fn half(self) -> Option<Half> {
        match self {
            Self::F32 => None,
            Self::F16 => Some(Half::F16),
            Self::Bf16 => Some(Half::Bf16),
        }
    }
}

/// What a run selects on its validation part.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// How often the part is measured; at the run's end it always is.
    pub every: Every,
    /// The figure that is looked at.
    pub by: Metric,
    /// How long the run goes on without gain; `None` is to its end.
    pub patience: Option<Patience>,
    /// How many of the best weights are kept, the best as the model itself; with 0 the model has the last ones.
    pub keep: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self { every: Every::Epochs(1), by: Metric::Loss, patience: None, keep: 0 }
    }
}

/// A distance between two moments of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Optimizer steps.
    Steps(u64),
    /// Passes over the training table.
    Epochs(u64),
}

impl Every {
    /// Whether a multiple of the distance ends with this step.
    pub(super) fn is_due(self, step: u64, per_epoch: u64) -> bool {
        let distance = match self {
            Self::Steps(steps) => steps,
            Self::Epochs(epochs) => epochs.saturating_mul(per_epoch),
        };
        step.is_multiple_of(distance.max(1))
    }
}

/// How long a run goes on without gain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Measurements of the validation part.
    Validations(u64),
    /// Passes over the training table.
    Epochs(u64),
}

/// Where the state of a run is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// The file, replaced at each checkpoint and removed when the run's folder is whole.
    pub path: PathBuf,
    /// What decides the weights: a checkpoint of another run is none of this one.
    pub fingerprint: String,
    /// How often; without it at the end of each epoch, and every ten minutes within a long one.
    pub every: Option<Every>,
}

impl Checkpoints {
    /// The folder of a cache that checkpoints lie in.
    #[must_use]
    pub fn folder(cache: &Path) -> PathBuf {
        cache.join("checkpoints")
    }

    /// Removes what killed processes left half-written of checkpoints in a cache; what a process is writing stays.
    pub fn put_right(cache: &Path) {
        remove_abandoned(&Self::folder(cache));
    }
}

/// Where the model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// A folder as Hugging Face Optimum exports it.
    Folder(PathBuf),
    /// A graph and a tokenizer of our own making, the tokenizer trained on the training texts.
    NewEncoder {
        /// Transformer layers.
        layers: usize,
        /// The width.
        hidden: usize,
        /// Attention heads.
        heads: usize,
        /// The largest number of word pieces.
        vocab: usize,
    },
}

/// What is learnt.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// A number from a text.
    Regress {
        /// The table's column with the text.
        text: String,
        /// The table's column with the number; the label's name too.
        label: String,
    },
    /// One value of a label from a text.
    Classify {
        /// The table's column with the text.
        text: String,
        /// The table's column with the value's name.
        label: String,
        /// All values, in the schema's order.
        values: Vec<String>,
    },
    /// Some of a label's values from a text.
    Choose {
        /// The table's column with the text.
        text: String,
        /// The table's column with the list of the values' names.
        label: String,
        /// All values, in the schema's order.
        values: Vec<String>,
    },
    /// The spans of a text.
    Tag {
        /// The table's column with the text.
        text: String,
        /// The table's column with the list of spans.
        label: String,
        /// Their kinds, in the schema's order.
        kinds: Vec<String>,
    },
    /// The better one of two answers to a prompt, against the model as it was before.
    Prefer {
        /// The table's column with the JSON text `[{"role","content","train"}]`: the prompt, the chosen answer, the rejected one.
        messages: String,
        /// The weight of what the model was before.
        beta: f64,
    },
    /// Vectors of texts, near for those that belong together.
    Embed {
        /// The table's column with the JSON text `[{"role","content","train"}]`: a text and its partner.
        messages: String,
    },
    /// The learnt turns of conversations, or the completion of a plain text.
    Generate {
        /// The table's column with the JSON text `[{"role","content","train"}]`.
        messages: String,
    },
}

/// How long a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// Passes over the training table; a fraction is a part of a pass, rounded up to whole steps.
    Epochs(f64),
    /// Optimizer steps.
    Steps(u64),
}

/// What a record gives up that is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The run does not start, and names the records.
    Refuse,
    /// Its end is cut off, and the records are counted.
    KeepStart,
    /// Its start is cut off, and the records are counted.
    KeepEnd,
    /// It is left out, and counted.
    Drop,
}

/// Which weights are trained.
#[derive(Debug, Clone, PartialEq)]
pub enum Tune {
    /// All.
    All,
    /// Those of the classification head; the encoder is frozen.
    Head,
    /// Those of adapters beside frozen layers, and of a classification head.
    Lora(Lora),
}

/// Low-rank adapters.
#[derive(Debug, Clone, PartialEq)]
pub struct Lora {
    /// The rank.
    pub rank: usize,
    /// The product is scaled by `alpha / rank`.
    pub alpha: f64,
    /// The ends of the paths of the layers that are adapted, `*` for any part of a name; empty for the layers that are
    /// usual for the architecture.
    pub targets: Vec<String>,
    /// Whether the product is scaled by `alpha / √rank` instead (Kalajdzievski, *rsLoRA*, 2023).
    pub rank_stabilized: bool,
    /// Whether each output has a magnitude (Liu et al., *DoRA*, 2024).
    pub has_magnitude: bool,
    /// The share of what an adapter reads that is lost in each step (Srivastava et al., *Dropout*, 2014).
    pub dropout: f64,
    /// The integers that frozen layers are made of while the run goes on; without it they are the model's own floats.
    pub base: Option<Width>,
}

impl TrainRun {
    /// # Errors
    /// [`TrainError::Settings`] where settings contradict each other.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let refuse = |message: &str| Err(TrainError::Settings(message.to_owned()));
        if self.batch == 0 || self.accumulate == 0 {
            return refuse("`batch` and `accumulate` must be at least 1");
        }
        match self.extent {
            Extent::Steps(0) => return refuse("`steps` must be at least 1"),
            Extent::Epochs(epochs) if !(epochs > 0.0 && epochs.is_finite()) => {
                return refuse("`epochs` must be more than 0");
            }
            Extent::Steps(_) | Extent::Epochs(_) => {}
        }
        if !(self.schedule.rate > 0.0 && self.schedule.rate.is_finite()) {
            return refuse("`rate` must be more than 0");
        }
        if !(0.0..1.0).contains(&self.smooth) {
            return refuse("`smooth` must be at least 0 and less than 1");
        }
        if (self.selection.keep > 0 || self.selection.patience.is_some()) && self.validation.is_none() {
            return refuse("`keep best` and `stop` need a `validation` part");
        }
        if self.pack && !matches!(self.task, Task::Generate { .. }) {
            return refuse("`pack` lets answers share a row, and only `generate` learns answers");
        }
        match (&self.task, &self.model, &self.tune) {
            (Task::Classify { values, .. }, _, _) if values.len() < 2 => {
                refuse("a classifier needs at least two values to tell apart")
            }
            (Task::Choose { values, .. }, _, _) if values.is_empty() => refuse("there is no value to tell"),
            (Task::Choose { .. }, _, _) if self.smooth > 0.0 => refuse(
                "`smooth` spreads one right value over the others, and a record of `choices` has any number of them",
            ),
            (Task::Tag { kinds, .. }, _, _) if kinds.is_empty() => refuse("there is no kind of span to find"),
            (Task::Tag { .. }, _, _) if self.balanced => {
                refuse("`weights balanced` weighs a label's values, and a tagger learns words")
            }
            (Task::Embed { .. }, _, _) if self.batch < 2 => {
                refuse("`batch` must be at least 2: the other texts of a batch are what a text is told apart from")
            }
            (Task::Embed { .. }, _, Tune::Head) => {
                refuse("`tune head` trains a classification head, and `embed` has none; use `tune all`")
            }
            (Task::Prefer { beta, .. }, _, _) if !(*beta > 0.0 && beta.is_finite()) => {
                refuse("`beta` must be more than 0")
            }
            (Task::Prefer { .. } | Task::Generate { .. }, ModelSource::NewEncoder { .. }, _) => {
                refuse("an encoder cannot generate; name a decoder's folder with `onnx`")
            }
            (Task::Prefer { .. } | Task::Generate { .. }, ModelSource::Folder(_), Tune::Head) => {
                refuse("`tune head` trains a classification head, and a decoder has none; use `tune all`")
            }
            _ => Ok(()),
        }
    }

    /// Optimizer steps of the run over so many records.
    pub(super) fn steps(&self, records: usize) -> u64 {
        match self.extent {
            Extent::Steps(steps) => steps,
            Extent::Epochs(epochs) => {
                let per_epoch = super::order::steps_per_epoch(records, self.batch, self.accumulate);
                (epochs * per_epoch as f64).ceil() as u64
            }
        }
    }
}
