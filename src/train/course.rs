//! The way of a run over its records: which of them each step sees.

use std::time::Instant;

use super::event::Speed;
use super::order::{keyed_order, steps_per_epoch};
use super::run::TrainRun;

/// What is the same throughout a run, or does not decide what comes out.
pub(super) struct Course {
    ids: Vec<String>,
    pub(super) steps: u64,
    pub(super) per_epoch: u64,
    /// The order of the epoch at hand.
    order: Option<(u64, Vec<usize>)>,
    pub(super) speed: Speed,
    /// The last checkpoint: its step, if there is one, and when it was written.
    pub(super) checkpoint: (Option<u64>, Instant),
}

impl Course {
    /// The course of a run over the records with these ids, in the table's order.
    pub(super) fn of(run: &TrainRun, ids: Vec<String>) -> Self {
        Self {
            steps: run.steps(ids.len()),
            per_epoch: steps_per_epoch(ids.len(), run.batch, run.accumulate),
            ids,
            order: None,
            speed: Speed::default(),
            checkpoint: (None, Instant::now()),
        }
    }

    /// The records of a step, counted from 1, in their order.
    pub(super) fn rows(&mut self, run: &TrainRun, step: u64) -> &[usize] {
        let (epoch, at) = ((step - 1) / self.per_epoch, (step - 1) % self.per_epoch);
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let order =
                if run.shuffle { keyed_order(&self.ids, run.seed, epoch) } else { (0..self.ids.len()).collect() };
            self.order = Some((epoch, order));
        }
        let (_, order) = self.order.as_ref().expect("the order was made above");
        let size = run.batch.saturating_mul(run.accumulate);
        let start = usize::try_from(at).expect("an epoch fits the memory") * size;
        &order[start..start.saturating_add(size).min(order.len())]
    }

    /// Passes over the training table behind a step.
    pub(super) fn epochs(&self, step: u64) -> f64 {
        step as f64 / self.per_epoch as f64
    }
}
