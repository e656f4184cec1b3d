//! The state of a run in the memory of the processor: the session reads each parameter where the optimizer writes it.

use super::numbers_of;
use super::table::TableGradient;
use crate::runtime::{BoundSession, InputTensor};
use crate::train::TrainError;
use crate::train::optimizer::{Moment, Optimizer, Parameter, ParameterRule, Slots, squared_norm};

/// The session with its parameters and gradients, and what the optimizer remembers.
pub(in crate::train) struct HostState {
    session: BoundSession,
    rules: Vec<ParameterRule>,
    optimizer: Optimizer,
    threads: usize,
    slots: Slots,
    /// By parameter the gradient of a step, where it comes as rows.
    tables: Vec<Option<TableGradient>>,
    /// By parameter the sum of a step's whole gradients, where it has several micro-batches.
    sums: Vec<Option<Vec<f32>>>,
}

impl HostState {
    pub(in crate::train) fn new(
        mut session: BoundSession,
        rules: Vec<ParameterRule>,
        optimizer: Optimizer,
        threads: usize,
    ) -> Self {
        let lengths: Vec<(usize, bool)> =
            session.parameters().map(|(values, gradient)| (values.len(), gradient.is_none())).collect();
        let slots = optimizer.begin(lengths.iter().map(|(length, _)| *length).zip(rules.iter().copied()));
        let tables = lengths.iter().zip(&rules).map(|((length, comes_as_rows), rule)| {
            comes_as_rows.then(|| TableGradient::new(*length, rule.columns.expect("a table has columns")))
        });
        let tables = tables.collect();
        Self { session, rules, optimizer, threads, slots, tables, sums: Vec::new() }
    }

    pub(super) fn run(&mut self, batch: &[InputTensor<'_>], alone: bool) -> Result<Vec<f32>, TrainError> {
        let tables = &mut self.tables;
        let scalars = self.session.run(batch, &mut |index, places, rows| {
            if let Some(table) = &mut tables[index] {
                table.add(places, rows);
            }
        })?;
        if !alone {
            self.accumulate();
        }
        numbers_of(&scalars)
    }

    pub(super) fn gradient(&mut self, batch: &[InputTensor<'_>]) -> Result<Vec<Vec<f32>>, TrainError> {
        self.run(batch, true)?;
        let gradients = self.session.parameters().zip(&mut self.tables).map(|((_, gradient), table)| {
            let of_table = |table: &mut TableGradient| table.whole().0.to_vec();
            gradient.map(|gradient| gradient.to_vec()).or_else(|| table.as_mut().map(of_table)).unwrap_or_default()
        });
        let gradients = gradients.collect();
        self.tables.iter_mut().flatten().for_each(TableGradient::clear);
        Ok(gradients)
    }

    fn accumulate(&mut self) {
        let gradients = self.session.parameters().map(|(_, gradient)| gradient);
        if self.sums.is_empty() {
            self.sums.extend(gradients.map(|gradient| gradient.map(|gradient| gradient.to_vec())));
            return;
        }
        for (sum, gradient) in self.sums.iter_mut().zip(gradients) {
            let (Some(sum), Some(gradient)) = (sum, gradient) else { continue };
            sum.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += *gradient);
        }
    }

    pub(super) fn norm(&mut self) -> f64 {
        let of_tables: f64 = self.tables.iter().flatten().flat_map(TableGradient::rows).map(squared_norm).sum();
        let whole: f64 = if self.sums.is_empty() {
            self.session.parameters().filter_map(|(_, gradient)| gradient).map(|gradient| squared_norm(gradient)).sum()
        } else {
            self.sums.iter().flatten().map(|sum| squared_norm(sum)).sum()
        };
        (of_tables + whole).sqrt()
    }

    pub(super) fn update(&mut self, moment: Moment) {
        let state = self.session.parameters().zip(&mut self.tables).zip(&self.rules).enumerate();
        let parameters = state.map(|(index, (((values, gradient), table), rule))| {
            let sum = self.sums.get(index).and_then(Option::as_deref);
            let (gradient, still) = match (table, sum, gradient) {
                (Some(table), _, _) => table.whole(),
                (None, Some(sum), _) => (sum, &[][..]),
                (None, None, Some(gradient)) => (&*gradient, &[][..]),
                (None, None, None) => unreachable!("a gradient that comes as rows has a table"),
            };
            Parameter { values, gradient, rule: *rule, still }
        });
        let parameters = parameters.collect();
        self.optimizer.update(moment, self.threads, parameters, &mut self.slots);
        self.discard();
    }

    /// Begins the next step.
    pub(super) fn discard(&mut self) {
        self.tables.iter_mut().flatten().for_each(TableGradient::clear);
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
        for (table, slots) in self.tables.iter_mut().zip(&slots) {
            if let Some(table) = table {
                table.restore(slots);
            }
        }
        self.slots = slots;
    }
}
