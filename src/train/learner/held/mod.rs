//! A run's state on a device with memory of its own: parameters, the sum of the gradients and the optimizer's slots are flat
//! tensors that stay there; a step takes the batch there and brings the loss and the norm back.
//!
//! The processor can do the same, which is how this is tested: it must leave what the way of the processor leaves.

mod layout;
mod update;

use super::numbers_of;
use crate::autodiff::TrainingGraph;
use crate::autodiff::flat::{PARAMETERS, SUM, SUM_BEFORE, SUM_COUNTS, flatten};
use crate::onnx::encode;
use crate::runtime::{HeldSession, HeldTensor, InputTensor, Parameter, Runtime, RuntimeError};
use crate::train::TrainError;
use crate::train::optimizer::{Moment, Optimizer, ParameterRule, Slots};
use layout::Layout;
use update::{GRADIENT, NORM, UPDATED, Update, numbers, slot_names};

/// A tensor that is read while its next state is written, and then changes places with it.
struct Pair {
    now: HeldTensor,
    next: HeldTensor,
}

impl Pair {
    fn of(session: &HeldSession, values: Vec<f32>) -> Result<Self, RuntimeError> {
        let next = session.hold(vec![0.0; values.len()])?;
        Ok(Self { now: session.hold(values)?, next })
    }

    fn swap(&mut self) {
        std::mem::swap(&mut self.now, &mut self.next);
    }
}

/// Sessions and state.
pub(in crate::train) struct HeldState {
    layout: Layout,
    optimizer: Optimizer,
    /// The loss, and what is told beside it.
    scalars: Vec<String>,
    training: HeldSession,
    norm: HeldSession,
    update: HeldSession,
    parameters: Pair,
    sum: Pair,
    slots: Vec<Pair>,
    /// Micro-batches in the sum.
    summed: usize,
}

impl HeldState {
    /// # Errors
    /// An optimizer that is not built for devices; what keeps the sessions from being made or the state from having room.
    pub(in crate::train) fn new(
        runtime: &Runtime,
        training: &TrainingGraph,
        scalars: &[&str],
        threads: usize,
        parameters: &[Parameter],
        rules: &[ParameterRule],
        optimizer: &Optimizer,
    ) -> Result<Self, TrainError> {
        let lengths = parameters.iter().map(|parameter| parameter.values.len());
        let layout = Layout::of(&lengths.zip(rules.iter().copied()).collect::<Vec<_>>());
        let formulas = Update::of(optimizer, &layout)?;
        let order = order_in(training, parameters, &layout);
        let session = HeldSession::new(runtime, &encode(&flatten(training, &order, layout.length)), threads)?;
        let values: Vec<Vec<f32>> = parameters.iter().map(|parameter| parameter.values.clone()).collect();
        let zeros = || Pair::of(&session, vec![0.0; layout.length]);
        Ok(Self {
            optimizer: *optimizer,
            scalars: scalars.iter().map(|name| (*name).to_owned()).collect(),
            norm: HeldSession::new(runtime, &encode(&update::norm(&layout)), threads)?,
            update: HeldSession::new(runtime, &encode(&formulas.graph), threads)?,
            parameters: Pair::of(&session, layout.join(&values))?,
            sum: zeros()?,
            slots: (0..formulas.slots).map(|_| zeros()).collect::<Result<_, _>>()?,
            summed: 0,
            training: session,
            layout,
        })
    }

    /// A micro-batch forward and backward, its gradients added to the step's; gives the loss and what is told beside it.
    pub(super) fn run(&mut self, mut batch: Vec<InputTensor<'_>>) -> Result<Vec<f32>, TrainError> {
        let counts = if self.summed > 0 { 1.0 } else { 0.0 };
        batch.push(InputTensor::f32(SUM_COUNTS, &[], vec![counts]));
        let read = [(PARAMETERS, &self.parameters.now), (SUM_BEFORE, &self.sum.now)];
        let scalars: Vec<&str> = self.scalars.iter().map(String::as_str).collect();
        let outputs = self.training.run(&batch, &read, &mut [(SUM, &mut self.sum.next)], &scalars)?;
        self.sum.swap();
        self.summed += 1;
        numbers_of(&outputs)
    }

    /// The gradient of a batch, between two steps.
    pub(super) fn gradient(&mut self, batch: Vec<InputTensor<'_>>) -> Result<Vec<Vec<f32>>, TrainError> {
        self.run(batch)?;
        self.summed = 0;
        Ok(self.layout.cut(&self.sum.now.values()?))
    }

    /// The norm of the step's gradient.
    pub(super) fn norm(&mut self) -> Result<f64, TrainError> {
        let norms = self.norm.run(&[], &[(GRADIENT, &self.sum.now)], &mut [], &[NORM])?;
        let norm = norms.first().expect("the norm was asked for");
        Ok(f64::from(norm.f32()?.first().copied().unwrap_or(f32::NAN)))
    }

    /// Updates parameters and slots by the step's gradient, and begins the next step.
    pub(super) fn update(&mut self, moment: Moment) -> Result<(), TrainError> {
        let fed = numbers(&self.optimizer, moment, &self.layout.groups);
        let names: Vec<(String, String)> = (0..self.slots.len()).map(slot_names).collect();
        let mut read = vec![(update::PARAMETERS, &self.parameters.now), (GRADIENT, &self.sum.now)];
        let mut written = vec![(UPDATED, &mut self.parameters.next)];
        for (slot, (before, after)) in self.slots.iter_mut().zip(&names) {
            let Pair { now, next } = slot;
            read.push((before, now));
            written.push((after, next));
        }
        self.update.run(&fed, &read, &mut written, &[])?;
        self.parameters.swap();
        self.slots.iter_mut().for_each(Pair::swap);
        self.summed = 0;
        Ok(())
    }

    /// Begins the next step without an update, with a sum that no part of this one's is left in: what is no number stays none,
    /// however little it counts.
    pub(super) fn discard(&mut self) -> Result<(), TrainError> {
        self.sum.now = self.training.hold(vec![0.0; self.layout.length])?;
        self.summed = 0;
        Ok(())
    }

    /// Copies of the parameters, in the order of construction.
    pub(super) fn values(&self) -> Result<Vec<Vec<f32>>, TrainError> {
        Ok(self.layout.cut(&self.parameters.now.values()?))
    }

    /// Copies of what the optimizer remembers.
    pub(super) fn slots(&self) -> Result<Slots, TrainError> {
        let mut slots: Slots = vec![Vec::new(); self.layout.places.len()];
        for pair in &self.slots {
            for (slots, values) in slots.iter_mut().zip(self.layout.cut(&pair.now.values()?)) {
                slots.push(values);
            }
        }
        Ok(slots)
    }

    /// Takes the state of a checkpoint.
    pub(super) fn restore(&mut self, parameters: &[Vec<f32>], slots: &Slots) -> Result<(), TrainError> {
        self.parameters.now = self.training.hold(self.layout.join(parameters))?;
        for (at, pair) in self.slots.iter_mut().enumerate() {
            let values: Vec<Vec<f32>> = slots.iter().map(|slots| slots[at].clone()).collect();
            pair.now = self.training.hold(self.layout.join(&values))?;
        }
        Ok(())
    }
}

/// The layout's order in the indices of the graph's own list of trainable tensors.
fn order_in(training: &TrainingGraph, parameters: &[Parameter], layout: &Layout) -> Vec<usize> {
    let index = |name: &str| training.trainables.iter().position(|tensor| tensor.name == name);
    let find = |at: &usize| index(&parameters[*at].name).expect("every parameter is a trainable tensor of the graph");
    layout.order.iter().map(find).collect()
}
