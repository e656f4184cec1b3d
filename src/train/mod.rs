//! The training loop, optimizer, data loader and checkpoints.
//!
//! ```text
//! TrainRun → Table → Encoded (tokens, targets) ┐
//!          → Model → TrainingPlan → BoundSession ┴→ Trainer: batch → loss, gradients → clip → AdamW → … → folder
//! ```

mod adapter;
pub(crate) mod batch;
mod chat;
mod error;
mod example;
mod folder;
mod model;
mod optimizer;
mod order;
mod prepare;
mod run;
mod schedule;
mod table;
#[cfg(test)]
mod tests;
pub mod tokenizer;
mod trainer;
mod validate;
mod wordpiece;

use std::ops::ControlFlow;

pub use chat::{ChatTemplate, Message, Rendered};
pub use error::TrainError;
pub use example::{Cut, Encoded, Example, LengthLimit, Target, encode_conversations, encode_texts};
pub use folder::hash_model;
pub(crate) use model::{LOGITS, label_names, positions};
pub use optimizer::{AdamW, AdamWState, ParameterRule, clip_factor, global_norm, weight_decays};
pub use order::{keyed_order, steps_of_epoch, steps_per_epoch};
pub use run::{Extent, Lora, ModelSource, Overflow, Task, TrainRun, Tune};
pub use schedule::{Decay, Schedule, Warmup};
pub use table::{ID_COLUMN, Table};
pub(crate) use tokenizer::read_json;
pub use tokenizer::{TOKENIZER_FILES, Tokenizer, Tokens, train_wordpiece};
pub use trainer::{Event, Preparation, StepReport, ValidationReport};
pub(crate) use validate::{argmax, log_softmax};

#[cfg(test)]
pub(crate) use table::tests::write_table;

use crate::runtime::Runtime;

/// What a finished run did.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Optimizer steps done.
    pub steps: u64,
    /// BLAKE3 of `model.onnx`; with weights in a file of their own, of both files' sums.
    pub weights: String,
    /// The epoch whose weights were kept, where `keep best` chose one.
    pub best_epoch: Option<u64>,
}

/// Trains a model and leaves its folder: `model.onnx`, the tokenizer's files, `config.json`, `metrics.jsonl`,
/// `provenance.json`. The folder appears whole or not at all.
///
/// `on_event` hears of each step; when it breaks, the run stops and nothing is written. The same run gives the same
/// weights with the same library, instruction set and number of threads.
///
/// # Errors
/// Whatever is wrong with the settings, the data, the model or the machine; see [`TrainError`].
pub fn train(
    run: &TrainRun,
    runtime: &Runtime,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    run.check()?;
    let prepared = prepare::prepare(run, runtime)?;
    let interrupted = Err(TrainError::Interrupted { step: 0 });
    if on_event(Event::Prepared(prepared.preparation.clone())).is_break() {
        return interrupted;
    }
    let (outcome, finished) = prepared.train(run, runtime, on_event)?;
    if on_event(Event::Saving).is_break() {
        return Err(TrainError::Interrupted { step: outcome.steps });
    }
    let weights = finished.write(run, runtime, &outcome)?;
    Ok(Trained { steps: outcome.steps, weights, best_epoch: outcome.best_epoch })
}
