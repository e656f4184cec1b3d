//! What a run tells while it goes on.

use std::collections::VecDeque;
use std::time::Duration;

use super::memory::MemoryPlan;

/// What a run tells while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The data is read and the model is loaded.
    Prepared(Preparation),
    /// The run goes on from a checkpoint, behind this step.
    Resumed(u64),
    /// Something is to be known that does not end the run: a checkpoint that cannot be gone on from, or not be kept.
    Note(String),
    /// An optimizer step is done.
    Step(StepReport),
    /// The validation part was measured.
    Validated(ValidationReport),
    /// The run ends early, for it has not gained for as long as it may.
    Stopped {
        /// Steps done.
        step: u64,
        /// The step of the best measurement.
        best: u64,
    },
    /// The folder is being written; the run does not stop for an interrupt any more.
    Saving,
}

/// What a run starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// Records of the training table.
    pub records: usize,
    /// Of them, those that are too long and lost a part.
    pub truncated: usize,
    /// Answers in these that lost a part, and are not learnt for that reason.
    pub muted: usize,
    /// Of the records, those that were left out because they are too long.
    pub dropped: usize,
    /// What is to be known of the data.
    pub notes: Vec<String>,
    /// Spans in what too-long records lost; they are not learnt.
    pub lost_spans: usize,
    /// Spans that do not begin and end with words.
    pub inexact_spans: usize,
    /// Whether the tokens of the training table are those that another run has kept.
    pub has_kept_tokens: bool,
    /// Weights that are trained.
    pub trained_weights: usize,
    /// Optimizer steps to do.
    pub steps: u64,
    /// What the run will take of the memory.
    pub memory: MemoryPlan,
}

/// One optimizer step, for a progress line.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Counted from 1.
    pub step: u64,
    /// Steps of the run.
    pub steps: u64,
    /// Passes over the training table so far.
    pub epoch: f64,
    /// The mean loss of the step's rows or learnt tokens, in nats.
    pub loss: f64,
    /// The norm of the gradient before it was clipped.
    pub gradient_norm: f64,
    /// The learning rate.
    pub rate: f64,
    /// Tokens of the step, padding not counted.
    pub tokens: usize,
    /// Over the last steps.
    pub tokens_per_second: f64,
    /// At the speed of the last steps.
    pub time_left: Duration,
    /// Where the gradient was too large for 16 bits, so that the step was left out: the scale that the loss had.
    pub skipped: Option<f64>,
}

/// The figures of the validation part.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationReport {
    /// Passes over the training table so far.
    pub epoch: f64,
    /// Steps done.
    pub step: u64,
    /// Mean loss, in nats.
    pub loss: f64,
    /// The share of right classes, or of answers that are preferred rightly; `None` where there is none.
    pub accuracy: Option<f64>,
    /// The figure that the run selects by, with its name.
    pub figure: (String, Option<f64>),
    /// Whether it is the best so far by that figure.
    pub best: bool,
}

/// The speed of the last steps.
#[derive(Default)]
pub(super) struct Speed {
    last: VecDeque<(usize, Duration)>,
}

impl Speed {
    const STEPS: usize = 20;

    pub(super) fn add(&mut self, tokens: usize, took: Duration) {
        if self.last.len() == Self::STEPS {
            self.last.pop_front();
        }
        self.last.push_back((tokens, took));
    }

    fn took(&self) -> f64 {
        self.last.iter().map(|(_, took)| took.as_secs_f64()).sum()
    }

    pub(super) fn tokens_per_second(&self) -> f64 {
        let tokens: usize = self.last.iter().map(|(tokens, _)| tokens).sum();
        if self.took() > 0.0 { tokens as f64 / self.took() } else { 0.0 }
    }

    pub(super) fn time_of(&self, steps: u64) -> Duration {
        Duration::from_secs_f64(self.took() / self.last.len().max(1) as f64 * steps as f64)
    }
}
