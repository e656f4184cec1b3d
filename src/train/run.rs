//! A training run as plain data: what the caller lowers a resolved program to.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::TrainError;
use super::optimizer::AdamW;
use super::schedule::Schedule;
use crate::eval::Metric;

/// Everything that a run needs.
#[derive(Debug, Clone)]
pub struct TrainRun {
    /// What is trained.
    pub model: ModelSource,
    /// What it learns.
    pub task: Task,
    /// The training table, a Parquet file.
    pub train: PathBuf,
    /// The table that each epoch is measured on.
    pub validation: Option<PathBuf>,
    /// How long.
    pub extent: Extent,
    /// Rows in a micro-batch.
    pub batch: usize,
    /// Micro-batches in an optimizer step.
    pub accumulate: usize,
    /// The learning rate over the steps.
    pub schedule: Schedule,
    /// The optimizer's settings.
    pub optimizer: AdamW,
    /// The peak rate of a new head, where it has one of its own.
    pub head_rate: Option<f64>,
    /// The largest global norm of a gradient.
    pub clip: Option<f64>,
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
    /// Where set, the weights of the epoch that was best on `validation` by this metric are kept, not the last ones.
    pub keep_best: Option<Metric>,
    /// The folder to leave.
    pub output: PathBuf,
    /// What the caller adds to `provenance.json`: hashes of the spec, of the data, of the template.
    pub provenance: Map<String, Value>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// One value of a label from a text.
    Classify {
        /// The table's column with the text.
        text: String,
        /// The table's column with the value's name.
        label: String,
        /// All values, in the schema's order.
        values: Vec<String>,
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
        if self.keep_best.is_some() && self.validation.is_none() {
            return refuse("`keep best` needs a `validation` part");
        }
        match (&self.task, &self.model, &self.tune) {
            (Task::Classify { values, .. }, _, _) if values.len() < 2 => {
                refuse("a classifier needs at least two values to tell apart")
            }
            (Task::Generate { .. }, ModelSource::NewEncoder { .. }, _) => {
                refuse("an encoder cannot generate; name a decoder's folder with `onnx`")
            }
            (Task::Generate { .. }, ModelSource::Folder(_), Tune::Head) => {
                refuse("`tune head` trains a classification head, and `generate` has none; use `tune all`")
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
