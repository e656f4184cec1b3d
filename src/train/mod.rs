//! The training loop, optimizer, data loader and checkpoints.
//!
//! ```text
//! TrainRun → Table → Encoded (tokens, targets) ┐
//!          → Model → TrainingPlan → BoundSession ┴→ Trainer: batch → loss, gradients → clip → Optimizer → … → folder
//! ```

mod adapter;
mod alike;
pub(crate) mod batch;
mod board;
mod chat;
mod checkpoint;
mod choices;
#[cfg(test)]
mod choices_tests;
mod conversation;
mod course;
#[cfg(test)]
mod curves_tests;
mod custody;
#[cfg(test)]
mod decoder_tests;
mod draw;
mod error;
mod event;
mod example;
mod finished;
mod folder;
#[cfg(test)]
mod honest_tests;
mod in_order;
mod kept;
mod learnable;
mod learner;
#[cfg(test)]
mod learnt_tests;
#[cfg(test)]
mod loop_tests;
mod memory;
mod micro_batch;
mod model;
mod objective;
mod optimizer;
mod order;
mod origin;
mod pack;
#[cfg(test)]
mod pack_tests;
#[cfg(test)]
mod pair_tests;
mod pairs;
#[cfg(test)]
mod precision_tests;
mod prepare;
#[cfg(test)]
mod quantized_tests;
#[cfg(test)]
mod recompute_tests;
mod run;
mod scale;
mod schedule;
mod select;
mod table;
mod tags;
#[cfg(test)]
mod tags_tests;
#[cfg(test)]
mod tests;
pub mod tokenizer;
mod trainer;
mod turns;
mod unseen;
mod validate;
mod vectors;
mod view;
mod wordpiece;

use std::ops::ControlFlow;

pub use chat::{ChatTemplate, Message, Rendered};
pub use choices::encode_choices;
pub(crate) use choices::{above_half, binary_loss, chosen, sigmoid};
pub use conversation::{encode_conversations, encode_judged_conversations};
pub use custody::{Custody, RecordUse, RecordUses, check_readings};
pub use error::{Divergence, TrainError};
pub use event::{Event, Preparation, StepReport, ValidationReport};
pub(crate) use example::number_of;
pub use example::{Cut, Encoded, Example, Fate, LengthLimit, Target, encode_numbers, encode_texts};
pub use folder::hash_model;
pub use kept::{StoredTokens, prune_tokens, stored_tokens, tokens_folder};
pub(crate) use learnable::end_tokens;
pub use memory::MemoryPlan;
pub(crate) use model::{LOGITS, SEVERAL_VALUES, label_names, positions};
pub use optimizer::{Adafactor, AdamW, Lion, Optimizer, Sgd};
pub use order::{keyed_order, steps_per_epoch};
pub(crate) use pairs::partner_texts;
pub use pairs::{encode_partners, encode_preferences};
pub use run::{
    Checkpoints, Every, Extent, Lora, ModelSource, Overflow, Patience, Pooling, Precision, Selection, Task, TrainRun,
    Tune, Width,
};
pub use schedule::{Decay, Schedule, Stretch};
pub use table::{ID_COLUMN, MESSAGES_COLUMN, Table};
pub use tags::{FoundSpan, TagTarget, Words, encode_spans};
pub(crate) use tags::{kinds_of, read_spans, tag_target};
pub(crate) use tokenizer::read_json;
pub use tokenizer::{Piece, TOKENIZER_FILES, Tokenizer, Tokens, train_wordpiece};
pub(crate) use validate::{argmax, log_softmax};
pub(crate) use vectors::read_pooling;
pub use view::{TokenView, ViewedToken, Viewer};

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
    /// The step whose weights were kept, where `keep best` chose one.
    pub best_step: Option<u64>,
}

/// Trains a model and leaves its folder: `model.onnx`, the tokenizer's files, `config.json`, `metrics.jsonl`, the curves
/// for TensorBoard, `provenance.json`. The folder appears whole or not at all.
///
/// `on_event` hears of each step; when it breaks, the run stops, keeps its state where it has a place for checkpoints,
/// and writes nothing else. The same run gives the same weights with the same library, instruction set and number of
/// threads, whether it was stopped and gone on with or not.
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
    if on_event(Event::Prepared(prepared.preparation.clone())).is_break() {
        return Err(TrainError::Interrupted { step: 0, kept: None });
    }
    let (outcome, finished) = prepared.train(run, runtime, on_event)?;
    // The weights are there: to write them takes less than to train the last steps again.
    let _ = on_event(Event::Saving);
    let weights = finished.write(run, runtime, &outcome)?;
    if let Some(checkpoints) = &run.checkpoints
        && let Err(error) = checkpoint::remove_checkpoint(&checkpoints.path)
    {
        let _ =
            on_event(Event::Note(format!("the checkpoint of the run, which is done, could not be removed: {error}")));
    }
    Ok(Trained { steps: outcome.steps, weights, best_step: outcome.best_step })
}
