//! The way of a run over its records: which of them each step sees.

use std::time::Instant;

use super::event::Speed;
use super::order::Passes;
use super::run::TrainRun;

/// What is the same throughout a run, or does not decide what comes out.
pub(super) struct Course {
    passes: Passes,
    pub(super) steps: u64,
    pub(super) per_epoch: u64,
    pub(super) speed: Speed,
    /// The last checkpoint: its step, if there is one, and when it was written.
    pub(super) checkpoint: (Option<u64>, Instant),
    /// Whether it was told that a checkpoint could not be kept, which is told once.
    pub(super) is_loss_told: bool,
}

impl Course {
    /// The course of a run over the records with these ids, in the table's order.
    pub(super) fn of(run: &TrainRun, ids: Vec<String>) -> Self {
        let steps = run.steps(ids.len());
        let passes = Passes::over(ids, run.shuffle.then_some(run.seed), run.batch, run.accumulate);
        Self {
            steps,
            per_epoch: passes.per_epoch,
            passes,
            speed: Speed::default(),
            checkpoint: (None, Instant::now()),
            is_loss_told: false,
        }
    }

    /// The records of a step, counted from 1, in their order.
    pub(super) fn rows(&mut self, step: u64) -> &[usize] {
        self.passes.rows(step)
    }

    /// Passes over the training table behind a step.
    pub(super) fn epochs(&self, step: u64) -> f64 {
        step as f64 / self.per_epoch as f64
    }
}
