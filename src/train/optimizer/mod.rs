//! Optimizers: how the gradients of a step change the weights, in one pass over each tensor.
//!
//! What an optimizer remembers lies in *slots*, tensors of floats beside each parameter, so that a checkpoint and the
//! plan of the memory need not know which one it is.

mod adafactor;
mod adamw;
mod lion;
#[cfg(test)]
mod peers_tests;
mod sgd;

use std::ops::Range;
use std::thread;

pub use adafactor::Adafactor;
pub use adamw::AdamW;
pub use lion::Lion;
pub use sgd::Sgd;

/// An optimizer with its settings, which hold for a whole run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
    /// Gradient descent, with a momentum or without.
    Sgd(Sgd),
    /// The sign of an interpolated momentum.
    Lion(Lion),
    /// Second moments as sums of rows and columns.
    Adafactor(Adafactor),
}

/// How one parameter is updated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParameterRule {
    /// Factor on the scheduled rate: `head_rate / rate` for a head, else 1.
    pub rate_factor: f64,
    /// Whether weight decay applies.
    pub decays: bool,
    /// The length of the last axis of a tensor of two axes and more.
    pub columns: Option<usize>,
}

impl ParameterRule {
    /// The rule of a tensor of this shape. Biases, and the weights and biases of normalisation, are exempt from weight
    /// decay: these are the tensors of one axis.
    #[must_use]
    pub fn of(shape: &[usize], rate_factor: f64) -> Self {
        let columns = shape.last().copied().filter(|columns| shape.len() > 1 && *columns > 0);
        Self { rate_factor, decays: shape.len() > 1, columns }
    }
}

/// A parameter at an update.
pub struct Parameter<'a> {
    /// Its values.
    pub values: &'a mut [f32],
    /// The loss's gradient by it.
    pub gradient: &'a [f32],
    /// How it is updated.
    pub rule: ParameterRule,
    /// Stretches of it whose gradient has been 0 at every step until now, this one included: rising, and apart from each other. What an
    /// optimizer remembers of them is 0, so that all but decay may leave them alone.
    pub still: &'a [Range<usize>],
}

/// What an optimizer remembers: for each parameter its slots, in the optimizer's order.
pub type Slots = Vec<Vec<Vec<f32>>>;

/// What holds of one update of all parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The step, counted from 1.
    pub step: u64,
    /// The scheduled rate.
    pub rate: f64,
    /// The factor on each gradient.
    pub clip: f64,
}

/// Elements that one thread takes at a time; also the pieces of the norm's sum, so that it is the same at any number
/// of threads.
const CHUNK: usize = 1 << 16;

impl Optimizer {
    /// The name that the language has for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AdamW(_) => "adamw",
            Self::Sgd(_) => "sgd",
            Self::Lion(_) => "lion",
            Self::Adafactor(_) => "adafactor",
        }
    }

    /// The lengths of the slots of a parameter with so many elements.
    #[must_use]
    pub fn slots(&self, length: usize, rule: &ParameterRule) -> Vec<usize> {
        match self {
            Self::AdamW(_) => vec![length; 2],
            Self::Sgd(sgd) => {
                if sgd.momentum > 0.0 {
                    vec![length]
                } else {
                    Vec::new()
                }
            }
            Self::Lion(_) => vec![length],
            Self::Adafactor(_) => adafactor::slots(length, rule),
        }
    }

    /// The slots before the first update, of parameters with these lengths.
    #[must_use]
    pub fn begin(&self, parameters: impl IntoIterator<Item = (usize, ParameterRule)>) -> Slots {
        let zeros = |(length, rule)| self.slots(length, &rule).into_iter().map(|length| vec![0.0; length]).collect();
        parameters.into_iter().map(zeros).collect()
    }

    /// One update of every parameter, the same tensors in the same order at each call.
    pub fn update(&self, moment: Moment, threads: usize, parameters: Vec<Parameter<'_>>, slots: &mut Slots) {
        let mut work: Vec<Work<'_>> = Vec::new();
        for (parameter, slots) in parameters.into_iter().zip(slots.iter_mut()) {
            let rate = moment.rate * parameter.rule.rate_factor;
            let slots: Vec<&mut [f32]> = slots.iter_mut().map(Vec::as_mut_slice).collect();
            let Some(keep) = self.kept_of_still(rate, &parameter.rule) else {
                work.extend(self.work(moment, rate, parameter, slots));
                continue;
            };
            for (piece, slots, is_still) in pieces(parameter, slots) {
                if !is_still {
                    work.extend(self.work(moment, rate, piece, slots));
                } else if keep < 1.0 {
                    let chunks = piece.values.chunks_mut(CHUNK);
                    work.extend(chunks.map(|values| -> Work<'_> {
                        Box::new(move || values.iter_mut().for_each(|value| *value *= keep))
                    }));
                }
            }
        }
        share_out(work, threads);
    }

    fn work<'a>(
        &self,
        moment: Moment,
        rate: f64,
        parameter: Parameter<'a>,
        slots: Vec<&'a mut [f32]>,
    ) -> Vec<Work<'a>> {
        match self {
            Self::AdamW(adamw) => adamw.work(moment, rate, parameter, slots).collect(),
            Self::Sgd(sgd) => sgd.work(moment, rate, parameter, slots),
            Self::Lion(lion) => lion.work(moment, rate, parameter, slots).collect(),
            Self::Adafactor(adafactor) => vec![adafactor.work(moment, rate, parameter, slots)],
        }
    }

    /// The factor that an update is for values whose gradient has always been 0; `None` where it is more than a factor.
    fn kept_of_still(&self, rate: f64, rule: &ParameterRule) -> Option<f32> {
        match self {
            Self::AdamW(adamw) => Some(kept(rate, adamw.weight_decay, rule)),
            Self::Lion(lion) => Some(kept(rate, lion.weight_decay, rule)),
            // Here decay is part of the gradient.
            Self::Sgd(sgd) => (sgd.weight_decay == 0.0 || !rule.decays).then_some(1.0),
            // A row's second moment depends on the whole matrix.
            Self::Adafactor(_) => None,
        }
    }
}

/// The stretches of a parameter with their slots, and whether they are still.
fn pieces<'a>(
    parameter: Parameter<'a>,
    mut slots: Vec<&'a mut [f32]>,
) -> Vec<(Parameter<'a>, Vec<&'a mut [f32]>, bool)> {
    let Parameter { mut values, mut gradient, rule, still } = parameter;
    let mut pieces = Vec::new();
    let (mut begin, length) = (0, values.len());
    let mut cut = |end: usize, is_still: bool| {
        if end == begin {
            return;
        }
        let count = end - begin;
        let (of_values, rest) = std::mem::take(&mut values).split_at_mut(count);
        let (of_gradient, rest_of_gradient) = gradient.split_at(count);
        (values, gradient, begin) = (rest, rest_of_gradient, end);
        let of_slots = slots.iter_mut().map(|slot| {
            let (of_slot, rest) = std::mem::take(slot).split_at_mut(count);
            *slot = rest;
            of_slot
        });
        let of_slots = of_slots.collect();
        pieces.push((Parameter { values: of_values, gradient: of_gradient, rule, still: &[] }, of_slots, is_still));
    };
    for stretch in still {
        cut(stretch.start, false);
        cut(stretch.end, true);
    }
    cut(length, false);
    pieces
}

/// A piece of an update that is independent of all others.
type Work<'a> = Box<dyn FnOnce() + Send + 'a>;

fn share_out(work: Vec<Work<'_>>, threads: usize) {
    let mut shares: Vec<Vec<Work<'_>>> = (0..threads.max(1)).map(|_| Vec::new()).collect();
    let count = shares.len();
    for (index, piece) in work.into_iter().enumerate() {
        shares[index % count].push(piece);
    }
    let run = |share: Vec<Work<'_>>| share.into_iter().for_each(|piece| piece());
    let last = shares.pop().expect("there is at least one share");
    thread::scope(|scope| {
        for share in shares {
            scope.spawn(move || run(share));
        }
        run(last);
    });
}

/// The pieces of a parameter with one slot.
fn with_one_slot<'a>(
    parameter: Parameter<'a>,
    slot: &'a mut [f32],
) -> impl Iterator<Item = (&'a mut [f32], &'a [f32], &'a mut [f32])> {
    let tensors = parameter.values.chunks_mut(CHUNK).zip(parameter.gradient.chunks(CHUNK));
    tensors.zip(slot.chunks_mut(CHUNK)).map(|((values, gradient), slot)| (values, gradient, slot))
}

/// What is left of a weight when decoupled weight decay has taken its part.
pub(super) fn kept(rate: f64, weight_decay: f64, rule: &ParameterRule) -> f32 {
    if rule.decays { (1.0 - rate * weight_decay) as f32 } else { 1.0 }
}

/// The square of a gradient's Euclidean norm, summed in fixed pieces.
#[must_use]
pub fn squared_norm(gradient: &[f32]) -> f64 {
    gradient.chunks(CHUNK).map(squares).sum()
}

/// The sum of squares, in as many sums side by side as a processor adds at once.
fn squares(piece: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (eights, rest) = piece.as_chunks::<8>();
    for eight in eights {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    let rest: f64 = rest.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    sums.iter().sum::<f64>() + rest
}

/// The factor that brings a norm down to `limit`; 1 where it is below.
#[must_use]
pub fn clip_factor(norm: f64, limit: Option<f64>) -> f64 {
    match limit {
        Some(limit) if norm > limit => limit / norm,
        Some(_) | None => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Updates a tensor of one value throughout, with one gradient throughout for each step, and gives what its first
    /// and its last element became.
    pub(super) fn updated(
        optimizer: Optimizer,
        rule: ParameterRule,
        threads: usize,
        start: f32,
        steps: &[(f64, f64)],
    ) -> [f32; 2] {
        let size = CHUNK + 2;
        let mut values = vec![start; size];
        let mut slots = optimizer.begin([(size, rule)]);
        for (step, (rate, gradient)) in (1..).zip(steps) {
            let gradient = vec![*gradient as f32; size];
            let parameters = vec![Parameter { values: &mut values, gradient: &gradient, rule, still: &[] }];
            optimizer.update(Moment { step, rate: *rate, clip: 1.0 }, threads, parameters, &mut slots);
        }
        [values[0], values[size - 1]]
    }

    /// The steps that every optimizer is tried with: a rate and a gradient for each.
    pub(super) const STEPS: [(f64, f64); 3] = [(1e-2, 0.3), (2e-2, -0.2), (1e-3, 4.0)];

    /// The weight after steps of a rate and a gradient each, from its first value, with or without decay.
    type Formula<'f> = dyn Fn(&[(f64, f64)], f64, bool) -> f64 + 'f;

    /// Asserts that an optimizer does what a formula says, at any number of threads.
    pub(super) fn check_formula(optimizer: Optimizer, formula: &Formula<'_>) {
        for (threads, decays, factor) in [(1, true, 1.0), (3, true, 10.0), (2, false, 1.0)] {
            let rule = ParameterRule { rate_factor: factor, decays, columns: None };
            let scaled = STEPS.map(|(rate, gradient)| (rate * factor, gradient));
            let expected = formula(&scaled, 0.5, decays);
            for value in updated(optimizer, rule, threads, 0.5, &STEPS) {
                assert!((f64::from(value) - expected).abs() < 1e-6, "{optimizer:?}: {value} is not {expected}");
            }
        }
    }

    #[test]
    fn clipping_scales_to_the_limit() {
        let gradients: [&[f32]; 2] = [&[3.0; 9], &[4.0; 9]];
        let norm = gradients.into_iter().map(squared_norm).sum::<f64>().sqrt();
        assert!((norm - 15.0).abs() < 1e-12);
        assert!((clip_factor(norm, Some(3.0)) - 0.2).abs() < 1e-12);
        assert!((clip_factor(norm, Some(16.0)) - 1.0).abs() < 1e-12);
        assert!((clip_factor(norm, None) - 1.0).abs() < 1e-12);
        assert!(squared_norm(&[1.0, f32::NAN]).is_nan());
    }

    #[test]
    fn biases_do_not_decay() {
        assert_eq!(ParameterRule::of(&[4], 1.0), ParameterRule { rate_factor: 1.0, decays: false, columns: None });
        let matrix = ParameterRule { rate_factor: 2.0, decays: true, columns: Some(3) };
        assert_eq!(ParameterRule::of(&[4, 3], 2.0), matrix);
    }
}
