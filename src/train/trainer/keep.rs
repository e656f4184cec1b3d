//! The state of a loop in a checkpoint and out of it. A checkpoint is a help: that it cannot be written or read ends no run.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::{State, Trainer};
use crate::train::TrainError;
use crate::train::checkpoint::{Header, read_checkpoint, write_checkpoint};
use crate::train::course::Course;
use crate::train::event::Event;
use crate::train::optimizer::Slots;
use crate::train::run::Checkpoints;
use crate::train::scale::LossScale;
use crate::train::select::{Best, Candidate};

/// Where no distance is said, a checkpoint within an epoch is this old at most.
const OLDEST_CHECKPOINT: Duration = Duration::from_secs(600);

impl Trainer<'_> {
    /// The state of a checkpoint of this very run, else that of a run's beginning.
    pub(super) fn begin(
        &mut self,
        course: &mut Course,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<State, TrainError> {
        let fresh = State {
            step: 0,
            validated: false,
            best: Best::default(),
            metrics: String::new(),
            recent: VecDeque::new(),
            order: blake3::Hasher::new(),
            scale: LossScale::of(self.run.precision),
        };
        let run = self.run;
        let Some(checkpoints) = &run.checkpoints else { return Ok(fresh) };
        Ok(self.resume(checkpoints, course, on_event)?.unwrap_or(fresh))
    }

    /// The state in the checkpoint, where it is one of this run; one that cannot be gone on from is told.
    fn resume(
        &mut self,
        checkpoints: &Checkpoints,
        course: &mut Course,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Option<State>, TrainError> {
        let mut order = blake3::Hasher::new();
        let lengths: Vec<usize> = self.learner.values()?.iter().map(Vec::len).collect();
        let slots: Vec<Vec<usize>> =
            self.learner.slots()?.iter().map(|slots| slots.iter().map(Vec::len).collect()).collect();
        let read = read_checkpoint(&checkpoints.path, |header| {
            let slots = slots.iter().flatten().copied();
            let best = header.best.iter().filter(|_| self.run.selection.keep > 0).flat_map(|_| lengths.iter().copied());
            let expected = lengths.iter().copied().chain(slots).chain(best).map(|length| length as u64);
            let is_of_run = header.fingerprint == checkpoints.fingerprint && header.step <= course.steps;
            if !is_of_run || !header.tensors.iter().copied().eq(expected) {
                return false;
            }
            for step in 1..=header.step {
                for row in course.rows(step) {
                    order.update(self.examples[*row].id.as_bytes());
                }
            }
            header.order == order.finalize().to_hex().as_str()
        });
        let (header, tensors) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(None),
            Err(unusable) => {
                let path = checkpoints.path.display();
                // Whoever wants the run to stop is asked again behind its first step.
                let _ = on_event(Event::Note(format!("the checkpoint `{path}` {unusable}; the run begins anew")));
                return Ok(None);
            }
        };
        let mut tensors = tensors.into_iter();
        let values = tensors.by_ref().take(lengths.len()).collect();
        let slots: Slots = slots.iter().map(|slots| tensors.by_ref().take(slots.len()).collect()).collect();
        self.learner.restore(values, slots)?;
        let kept = if self.run.selection.keep > 0 { lengths.len() } else { 0 };
        let candidate = |(step, score): &(u64, u64)| Candidate {
            step: *step,
            score: f64::from_bits(*score),
            weights: tensors.by_ref().take(kept).collect(),
        };
        let ranked = header.best.iter().map(candidate).collect();
        course.checkpoint.0 = Some(header.step);
        Ok(Some(State {
            step: header.step,
            validated: header.validated,
            best: Best { ranked, measured: header.measured.0, gained: header.measured.1 },
            metrics: header.metrics,
            recent: header.recent.into_iter().map(f64::from_bits).collect(),
            order,
            scale: header.scale,
        }))
    }

    pub(super) fn keep_where_due(
        &self,
        state: &State,
        course: &mut Course,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), TrainError> {
        let Some(checkpoints) = &self.run.checkpoints else { return Ok(()) };
        let (last, written) = course.checkpoint;
        if state.step == 0 || last == Some(state.step) {
            return Ok(());
        }
        let is_due = match checkpoints.every {
            Some(every) => every.is_due(state.step, course.per_epoch),
            None => state.step.is_multiple_of(course.per_epoch) || written.elapsed() >= OLDEST_CHECKPOINT,
        };
        if is_due { self.keep(checkpoints, state, course, on_event) } else { Ok(()) }
    }

    /// Keeps the state where that can be done. Where it cannot, the run goes on, an older checkpoint stays, and the first
    /// failure is told.
    fn keep(
        &self,
        checkpoints: &Checkpoints,
        state: &State,
        course: &mut Course,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), TrainError> {
        let (weights, slots) = (self.learner.values()?, self.learner.slots()?);
        let best = state.best.ranked.iter().flat_map(|candidate| &candidate.weights);
        let tensors: Vec<&[f32]> =
            weights.iter().chain(slots.iter().flatten()).chain(best).map(Vec::as_slice).collect();
        let header = Header {
            fingerprint: checkpoints.fingerprint.clone(),
            step: state.step,
            validated: state.validated,
            order: state.order.finalize().to_hex().to_string(),
            metrics: state.metrics.clone(),
            recent: state.recent.iter().map(|loss| loss.to_bits()).collect(),
            best: state.best.ranked.iter().map(|candidate| (candidate.step, candidate.score.to_bits())).collect(),
            measured: (state.best.measured, state.best.gained),
            scale: state.scale,
            tensors: tensors.iter().map(|tensor| tensor.len() as u64).collect(),
        };
        match write_checkpoint(&checkpoints.path, &header, tensors.into_iter()) {
            Ok(()) => course.checkpoint = (Some(state.step), Instant::now()),
            Err(error) => {
                // The next try is as far away as the next checkpoint would be.
                course.checkpoint.1 = Instant::now();
                if !std::mem::replace(&mut course.is_loss_told, true) {
                    let (step, left) = (state.step, what_is_left(course.checkpoint.0));
                    let _ = on_event(Event::Note(format!("step {step} could not be kept: {error}; {left}")));
                }
            }
        }
        Ok(())
    }

    /// Keeps the state of a run that is asked to stop, and gives the error that says what is kept.
    pub(super) fn interrupted(
        &self,
        state: &State,
        course: &mut Course,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<TrainError, TrainError> {
        if let Some(checkpoints) = &self.run.checkpoints {
            self.keep(checkpoints, state, course, on_event)?;
        }
        Ok(TrainError::Interrupted { step: state.step, kept: course.checkpoint.0 })
    }
}

fn what_is_left(kept: Option<u64>) -> String {
    match kept {
        Some(step) => format!("the run goes on, and step {step} stays the last one that is kept"),
        None => "the run goes on without a checkpoint".to_owned(),
    }
}
