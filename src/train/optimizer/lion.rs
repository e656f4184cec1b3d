//! Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023): the sign of an interpolated momentum.

use super::{Moment, Parameter, Work, kept, with_one_slot};

/// Settings of Lion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lion {
    /// Decoupled weight decay; not applied to biases and normalisation weights.
    pub weight_decay: f64,
    /// The interpolation for the sign, and the decay of the momentum.
    pub betas: [f64; 2],
}

#[derive(Clone, Copy)]
struct Factors {
    keep: f32,
    beta1: f32,
    beta2: f32,
    rate: f32,
    clip: f32,
}

impl Lion {
    /// c = β₁m + (1 − β₁)g; p ← (1 − ηλ)p − η·sign(c); m ← β₂m + (1 − β₂)g. The slot is m.
    pub(super) fn work<'a>(
        &self,
        moment: Moment,
        rate: f64,
        parameter: Parameter<'a>,
        slots: Vec<&'a mut [f32]>,
    ) -> impl Iterator<Item = Work<'a>> + use<'a> {
        let factors = Factors {
            keep: kept(rate, self.weight_decay, &parameter.rule),
            beta1: self.betas[0] as f32,
            beta2: self.betas[1] as f32,
            rate: rate as f32,
            clip: moment.clip as f32,
        };
        let Ok([momentum]) = <[&mut [f32]; 1]>::try_from(slots) else { unreachable!("Lion has one slot") };
        with_one_slot(parameter, momentum).map(move |(values, gradient, momentum)| -> Work<'a> {
            Box::new(move || update(values, gradient, momentum, factors))
        })
    }
}

fn update(values: &mut [f32], gradient: &[f32], momentum: &mut [f32], factors: Factors) {
    let Factors { keep, beta1, beta2, rate, clip } = factors;
    for ((value, gradient), momentum) in values.iter_mut().zip(gradient).zip(momentum) {
        let gradient = gradient * clip;
        let direction = beta1 * *momentum + (1.0 - beta1) * gradient;
        // `signum` of zero is one; where nothing pulls, nothing moves.
        let sign = if direction == 0.0 { 0.0 } else { direction.signum() };
        *value = keep * *value - rate * sign;
        *momentum = beta2 * *momentum + (1.0 - beta2) * gradient;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_formula, updated};
    use super::super::{Optimizer, ParameterRule};
    use super::*;

    /// Program 1 of the paper in double precision, one element at a time.
    #[test]
    fn updates_follow_the_formula() {
        let settings = Lion { weight_decay: 0.1, betas: [0.9, 0.99] };
        check_formula(Optimizer::Lion(settings), &|steps, start, decays| {
            let ([beta1, beta2], mut m, mut p) = (settings.betas, 0.0, start);
            for (rate, g) in steps {
                let c: f64 = beta1 * m + (1.0 - beta1) * g;
                m = beta2 * m + (1.0 - beta2) * g;
                p -= rate * (c.signum() + if decays { settings.weight_decay * p } else { 0.0 });
            }
            p
        });
    }

    #[test]
    fn nothing_moves_where_nothing_pulls() {
        let settings = Optimizer::Lion(Lion { weight_decay: 0.0, betas: [0.9, 0.99] });
        let rule = ParameterRule::of(&[1], 1.0);
        assert_eq!(updated(settings, rule, 1, 0.5, &[(0.1, 0.0), (0.1, 0.0)]), [0.5; 2]);
    }
}
