//! The state of a run in the memory of the processor: the session reads each parameter where the optimizer writes it.

use super::numbers_of;
use crate::runtime::{BoundSession, InputTensor};
use crate::train::TrainError;
use crate::train::optimizer::{Moment, Optimizer, Parameter, ParameterRule, Slots, global_norm};

/// The session with its parameters and gradients, and what the optimizer remembers.
pub(in crate::train) struct HostState {
    session: BoundSession,
    rules: Vec<ParameterRule>,
    optimizer: Optimizer,
    threads: usize,
    slots: Slots,
    /// The sums of a step's gradients, where it has several micro-batches.
    sums: Vec<Vec<f32>>,
}

impl HostState {
    pub(in crate::train) fn new(
        mut session: BoundSession,
        rules: Vec<ParameterRule>,
        optimizer: Optimizer,
        threads: usize,
    ) -> Self {
        let lengths = session.parameters().map(|(values, _)| values.len());
        let slots = optimizer.begin(lengths.zip(rules.iter().copied()));
        Self { session, rules, optimizer, threads, slots, sums: Vec::new() }
    }

    pub(super) fn run(&mut self, batch: &[InputTensor<'_>], alone: bool) -> Result<Vec<f32>, TrainError> {
        let scalars = numbers_of(&self.session.run(batch)?)?;
        if !alone {
            self.accumulate();
        }
        Ok(scalars)
    }

    pub(super) fn gradient(&mut self, batch: &[InputTensor<'_>]) -> Result<Vec<Vec<f32>>, TrainError> {
        self.run(batch, true)?;
        Ok(self.session.parameters().map(|(_, gradient)| gradient.to_vec()).collect())
    }

    fn accumulate(&mut self) {
        let gradients = self.session.parameters().map(|(_, gradient)| gradient);
        if self.sums.is_empty() {
            self.sums.extend(gradients.map(|gradient| gradient.to_vec()));
            return;
        }
        for (sum, gradient) in self.sums.iter_mut().zip(gradients) {
            for (sum, gradient) in sum.iter_mut().zip(gradient) {
                *sum += *gradient;
            }
        }
    }

    pub(super) fn norm(&mut self) -> f64 {
        if self.sums.is_empty() {
            global_norm(self.session.parameters().map(|(_, gradient)| &*gradient))
        } else {
            global_norm(self.sums.iter().map(Vec::as_slice))
        }
    }

    pub(super) fn update(&mut self, moment: Moment) {
        let parameters: Vec<Parameter<'_>> = self
            .session
            .parameters()
            .enumerate()
            .zip(&self.rules)
            .map(|((index, (values, gradient)), rule)| {
                let gradient: &[f32] = self.sums.get(index).map_or(gradient, Vec::as_slice);
                Parameter { values, gradient, rule: *rule }
            })
            .collect();
        self.optimizer.update(moment, self.threads, parameters, &mut self.slots);
        self.sums.clear();
    }

    pub(super) fn values(&self) -> Vec<Vec<f32>> {
        self.session.values()
    }

    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(super) fn restore(&mut self, values: &[Vec<f32>], slots: Slots) {
        for ((parameter, _), values) in self.session.parameters().zip(values) {
            parameter.copy_from_slice(values);
        }
        self.slots = slots;
    }
}
