//! AdamW (Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019).

use super::{CHUNK, Moment, Parameter, Work, kept};

/// Settings of AdamW.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Decoupled weight decay; not applied to biases and normalisation weights.
    pub weight_decay: f64,
    /// Decay of the first and of the second moment.
    pub betas: [f64; 2],
    /// Keeps the division from blowing up.
    pub epsilon: f64,
}

impl Default for AdamW {
    /// PyTorch's defaults, betas 0.9 and 0.999, epsilon 1e-8, weight decay 0.01.
    fn default() -> Self {
        Self { weight_decay: 0.01, betas: [0.9, 0.999], epsilon: 1e-8 }
    }
}

/// The factors of one update, the same for each element of a parameter.
#[derive(Clone, Copy)]
struct Factors {
    keep: f32,
    beta1: f32,
    beta2: f32,
    step_size: f32,
    correction2: f32,
    epsilon: f32,
    clip: f32,
}

impl AdamW {
    /// p ← (1 − ηλ)p − η·m̂/(√v̂ + ε), the slots being both moments.
    pub(super) fn work<'a>(
        &self,
        moment: Moment,
        rate: f64,
        parameter: Parameter<'a>,
        slots: Vec<&'a mut [f32]>,
    ) -> impl Iterator<Item = Work<'a>> + use<'a> {
        let [beta1, beta2] = self.betas;
        let step = moment.step as f64;
        let factors = Factors {
            keep: kept(rate, self.weight_decay, &parameter.rule),
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            step_size: (rate / (1.0 - beta1.powf(step))) as f32,
            correction2: (1.0 / (1.0 - beta2.powf(step)).sqrt()) as f32,
            epsilon: self.epsilon as f32,
            clip: moment.clip as f32,
        };
        let Ok([first, second]) = <[&mut [f32]; 2]>::try_from(slots) else { unreachable!("AdamW has two slots") };
        let moments = first.chunks_mut(CHUNK).zip(second.chunks_mut(CHUNK));
        let tensors = parameter.values.chunks_mut(CHUNK).zip(parameter.gradient.chunks(CHUNK));
        tensors.zip(moments).map(move |((values, gradient), (first, second))| -> Work<'a> {
            Box::new(move || update(values, gradient, first, second, factors))
        })
    }
}

fn update(values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], factors: Factors) {
    let Factors { keep, beta1, beta2, step_size, correction2, epsilon, clip } = factors;
    let moments = first.iter_mut().zip(second.iter_mut());
    for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
        let gradient = gradient * clip;
        *first = beta1 * *first + (1.0 - beta1) * gradient;
        *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
        *value = keep * *value - step_size * *first / (second.sqrt() * correction2 + epsilon);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Optimizer;
    use super::super::tests::check_formula;
    use super::*;

    /// Algorithm 2 of the paper in double precision, one element at a time.
    #[test]
    fn updates_follow_the_formula() {
        let settings = AdamW::default();
        check_formula(Optimizer::AdamW(settings), &|steps, start, decays| {
            let ([beta1, beta2], mut m, mut v, mut p) = (settings.betas, 0.0, 0.0, start);
            for (t, (rate, g)) in (1..).zip(steps) {
                if decays {
                    p -= rate * settings.weight_decay * p;
                }
                m = beta1 * m + (1.0 - beta1) * g;
                v = beta2 * v + (1.0 - beta2) * g * g;
                let (m_hat, v_hat) = (m / (1.0 - beta1.powi(t)), v / (1.0 - beta2.powi(t)));
                p -= rate * m_hat / (v_hat.sqrt() + settings.epsilon);
            }
            p
        });
    }
}
