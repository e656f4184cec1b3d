//! Stochastic gradient descent with momentum, as Sutskever et al., "On the importance of initialization and momentum in
//! deep learning" (2013), and with PyTorch's order of the rate: the velocity holds gradients, and the rate multiplies it.

use super::{CHUNK, Moment, Parameter, Work, with_one_slot};

/// Settings of gradient descent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// Decay of the velocity; 0 keeps none.
    pub momentum: f64,
    /// Whether the step looks ahead along the velocity.
    pub nesterov: bool,
    /// A multiple of the weights that is added to the gradient; not of biases and normalisation weights.
    pub weight_decay: f64,
}

#[derive(Clone, Copy)]
struct Factors {
    clip: f32,
    decay: f32,
    momentum: f32,
    nesterov: bool,
    rate: f32,
}

impl Sgd {
    /// g ← g + λp; b ← μb + g; p ← p − η·b, or with Nesterov p ← p − η(g + μb). The slot is b.
    pub(super) fn work<'a>(
        &self,
        moment: Moment,
        rate: f64,
        parameter: Parameter<'a>,
        mut slots: Vec<&'a mut [f32]>,
    ) -> Vec<Work<'a>> {
        let factors = Factors {
            clip: moment.clip as f32,
            decay: if parameter.rule.decays { self.weight_decay as f32 } else { 0.0 },
            momentum: self.momentum as f32,
            nesterov: self.nesterov,
            rate: rate as f32,
        };
        match slots.pop() {
            Some(velocity) => with_one_slot(parameter, velocity)
                .map(|(values, gradient, velocity)| -> Work<'a> {
                    Box::new(move || update(values, gradient, velocity, factors))
                })
                .collect(),
            None => parameter
                .values
                .chunks_mut(CHUNK)
                .zip(parameter.gradient.chunks(CHUNK))
                .map(|(values, gradient)| -> Work<'a> { Box::new(move || descend(values, gradient, factors)) })
                .collect(),
        }
    }
}

fn update(values: &mut [f32], gradient: &[f32], velocity: &mut [f32], factors: Factors) {
    let Factors { clip, decay, momentum, nesterov, rate } = factors;
    for ((value, gradient), velocity) in values.iter_mut().zip(gradient).zip(velocity) {
        let gradient = gradient * clip + decay * *value;
        *velocity = momentum * *velocity + gradient;
        *value -= rate * if nesterov { gradient + momentum * *velocity } else { *velocity };
    }
}

fn descend(values: &mut [f32], gradient: &[f32], factors: Factors) {
    for (value, gradient) in values.iter_mut().zip(gradient) {
        *value -= factors.rate * (gradient * factors.clip + factors.decay * *value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Optimizer;
    use super::super::tests::check_formula;
    use super::*;

    #[test]
    fn updates_follow_the_formula() {
        for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
            let settings = Sgd { momentum, nesterov, weight_decay: 0.1 };
            check_formula(Optimizer::Sgd(settings), &|steps, start, decays| {
                let (mut b, mut p) = (0.0, start);
                for (rate, g) in steps {
                    let g = g + if decays { settings.weight_decay * p } else { 0.0 };
                    b = momentum * b + g;
                    p -= rate * if nesterov { g + momentum * b } else { b };
                }
                p
            });
        }
    }
}
