//! What a step changes: weights, sums of gradients, and what the optimizer remembers of them.
//!
//! On the processor they lie where the session reads and writes them ([`HostState`]); on a device with memory of its own they stay
//! there ([`HeldState`]).

mod held;
mod host;
mod table;

pub(super) use held::HeldState;
pub(super) use host::HostState;

use std::borrow::Cow;

use super::TrainError;
use super::optimizer::{Moment, Slots};
use crate::runtime::{InputTensor, OutputTensor};

/// Scalars that a session gives.
fn numbers_of(outputs: &[OutputTensor]) -> Result<Vec<f32>, TrainError> {
    outputs.iter().map(|scalar| Ok(scalar.f32()?.first().copied().unwrap_or(f32::NAN))).collect()
}

/// The state that a step changes, wherever it lies.
pub(super) enum Learner {
    /// In the memory of the processor.
    Host(HostState),
    /// In the memory of a device.
    Held(HeldState),
}

impl Learner {
    /// A micro-batch forward and backward, its gradients added to the step's; gives the loss and what is told beside it. `alone` says
    /// that the step has no other.
    pub(super) fn run(&mut self, batch: Vec<InputTensor<'_>>, alone: bool) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Host(state) => state.run(&batch, alone),
            Self::Held(state) => state.run(batch),
        }
    }

    /// The gradient of a batch, in the order of the parameters; no step is taken.
    pub(super) fn gradient(&mut self, batch: Vec<InputTensor<'_>>) -> Result<Vec<Vec<f32>>, TrainError> {
        match self {
            Self::Host(state) => state.gradient(&batch),
            Self::Held(state) => state.gradient(batch),
        }
    }

    /// The norm of the step's gradient.
    pub(super) fn norm(&mut self) -> Result<f64, TrainError> {
        match self {
            Self::Host(state) => Ok(state.norm()),
            Self::Held(state) => state.norm(),
        }
    }

    /// Updates the weights by the step's gradient, and begins the next step.
    pub(super) fn update(&mut self, moment: Moment) -> Result<(), TrainError> {
        match self {
            Self::Host(state) => {
                state.update(moment);
                Ok(())
            }
            Self::Held(state) => state.update(moment),
        }
    }

    /// Begins the next step without an update.
    pub(super) fn discard(&mut self) -> Result<(), TrainError> {
        match self {
            Self::Host(state) => {
                state.discard();
                Ok(())
            }
            Self::Held(state) => state.discard(),
        }
    }

    /// Copies of the weights, in the order of the parameters.
    pub(super) fn values(&self) -> Result<Vec<Vec<f32>>, TrainError> {
        match self {
            Self::Host(state) => Ok(state.values()),
            Self::Held(state) => state.values(),
        }
    }

    /// What the optimizer remembers.
    pub(super) fn slots(&self) -> Result<Cow<'_, Slots>, TrainError> {
        match self {
            Self::Host(state) => Ok(Cow::Borrowed(state.slots())),
            Self::Held(state) => state.slots().map(Cow::Owned),
        }
    }

    /// Takes the state of a checkpoint, whose tensors have the lengths of these.
    pub(super) fn restore(&mut self, values: Vec<Vec<f32>>, slots: Slots) -> Result<(), TrainError> {
        match self {
            Self::Host(state) => {
                state.restore(&values, slots);
                Ok(())
            }
            Self::Held(state) => state.restore(&values, &slots),
        }
    }
}
