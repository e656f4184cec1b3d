//! AdamW (Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019) and clipping by the global norm.

use std::thread;

/// Settings of the optimizer that hold for a whole run.
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

/// How one parameter is updated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParameterRule {
    /// Factor on the scheduled rate: `head_rate / rate` for a new head, else 1.
    pub rate_factor: f64,
    /// Whether weight decay applies.
    pub decays: bool,
}

/// First and second moments of every parameter.
#[derive(Debug, Clone, Default)]
pub struct AdamWState {
    moments: Vec<[Vec<f32>; 2]>,
    step: i32,
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

/// Elements that one thread takes at a time; also the pieces of the norm's sum, so that it is the same at any number
/// of threads.
const CHUNK: usize = 1 << 16;

impl AdamWState {
    /// One update of every parameter in one pass: p ← (1 − ηλ)p − η·m̂/(√v̂ + ε), the gradient scaled by `clip` first.
    ///
    /// `parameters` are (values, gradient, rule), the same tensors in the same order at each call.
    pub fn update(
        &mut self,
        settings: &AdamW,
        rate: f64,
        clip: f64,
        threads: usize,
        parameters: Vec<(&mut [f32], &[f32], ParameterRule)>,
    ) {
        if self.moments.is_empty() {
            let zeros = |values: &[f32]| [vec![0.0; values.len()], vec![0.0; values.len()]];
            self.moments = parameters.iter().map(|(values, ..)| zeros(values)).collect();
        }
        self.step += 1;
        let [beta1, beta2] = settings.betas;
        let correction1 = 1.0 - beta1.powi(self.step);
        let correction2 = (1.0 - beta2.powi(self.step)).sqrt();
        let mut pieces = Vec::new();
        for ((values, gradient, rule), [first, second]) in parameters.into_iter().zip(&mut self.moments) {
            let rate = rate * rule.rate_factor;
            let decay = if rule.decays { settings.weight_decay } else { 0.0 };
            let factors = Factors {
                keep: (1.0 - rate * decay) as f32,
                beta1: beta1 as f32,
                beta2: beta2 as f32,
                step_size: (rate / correction1) as f32,
                correction2: (1.0 / correction2) as f32,
                epsilon: settings.epsilon as f32,
                clip: clip as f32,
            };
            let moments = first.chunks_mut(CHUNK).zip(second.chunks_mut(CHUNK));
            let tensors = values.chunks_mut(CHUNK).zip(gradient.chunks(CHUNK));
            pieces.extend(tensors.zip(moments).map(|pair| (pair, factors)));
        }
        let mut shares: Vec<Vec<_>> = (0..threads.max(1)).map(|_| Vec::new()).collect();
        let count = shares.len();
        for (index, piece) in pieces.into_iter().enumerate() {
            shares[index % count].push(piece);
        }
        let run = |share: Vec<_>| {
            for (((values, gradient), (first, second)), factors) in share {
                update_chunk(values, gradient, first, second, factors);
            }
        };
        let last = shares.pop().expect("there is at least one share");
        thread::scope(|scope| {
            for share in shares {
                scope.spawn(move || run(share));
            }
            run(last);
        });
    }
}

fn update_chunk(values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], factors: Factors) {
    let Factors { keep, beta1, beta2, step_size, correction2, epsilon, clip } = factors;
    let moments = first.iter_mut().zip(second.iter_mut());
    for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
        let gradient = gradient * clip;
        *first = beta1 * *first + (1.0 - beta1) * gradient;
        *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
        *value = keep * *value - step_size * *first / (second.sqrt() * correction2 + epsilon);
    }
}

/// The Euclidean norm over all gradients, summed in fixed pieces.
#[must_use]
pub fn global_norm<'a>(gradients: impl IntoIterator<Item = &'a [f32]>) -> f64 {
    let square = |piece: &[f32]| piece.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>();
    gradients.into_iter().map(|gradient| gradient.chunks(CHUNK).map(square).sum::<f64>()).sum::<f64>().sqrt()
}

/// The factor that brings a norm down to `limit`; 1 where it is below.
#[must_use]
pub fn clip_factor(norm: f64, limit: Option<f64>) -> f64 {
    match limit {
        Some(limit) if norm > limit => limit / norm,
        Some(_) | None => 1.0,
    }
}

/// Whether weight decay applies to a parameter: biases, and the weights and biases of normalisation, are exempt. These
/// are the tensors of one dimension.
#[must_use]
pub fn weight_decays(shape: &[usize]) -> bool {
    shape.len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula written out in double precision, one element at a time.
    fn reference(settings: &AdamW, rates: &[f64], gradients: &[f64], start: f64, decays: bool) -> f64 {
        let ([beta1, beta2], mut m, mut v, mut p) = (settings.betas, 0.0, 0.0, start);
        for (index, (rate, g)) in rates.iter().zip(gradients).enumerate() {
            let t = i32::try_from(index + 1).expect("few steps");
            if decays {
                p -= rate * settings.weight_decay * p;
            }
            m = beta1 * m + (1.0 - beta1) * g;
            v = beta2 * v + (1.0 - beta2) * g * g;
            let (m_hat, v_hat) = (m / (1.0 - beta1.powi(t)), v / (1.0 - beta2.powi(t)));
            p -= rate * m_hat / (v_hat.sqrt() + settings.epsilon);
        }
        p
    }

    #[test]
    fn updates_follow_the_formula_at_any_number_of_threads() {
        let settings = AdamW::default();
        let rates = [1e-2, 2e-2, 1e-3];
        let gradients = [0.3, -0.2, 4.0];
        let size = CHUNK + 3;
        let check = |threads: usize, decays: bool, factor: f64| {
            let rule = ParameterRule { rate_factor: factor, decays };
            let mut state = AdamWState::default();
            let mut values = vec![0.5_f32; size];
            for (rate, gradient) in rates.iter().zip(gradients) {
                let gradient = vec![gradient as f32; size];
                state.update(&settings, *rate, 1.0, threads, vec![(&mut values, &gradient, rule)]);
            }
            let scaled: Vec<f64> = rates.iter().map(|rate| rate * factor).collect();
            let expected = reference(&settings, &scaled, &gradients, 0.5, decays);
            for value in [values[0], values[size - 1]] {
                assert!((f64::from(value) - expected).abs() < 1e-6, "{value} is not {expected}");
            }
        };
        check(1, true, 1.0);
        check(3, true, 10.0);
        check(2, false, 1.0);
    }

    #[test]
    fn clipping_scales_to_the_limit() {
        let gradients: [&[f32]; 2] = [&[3.0], &[4.0]];
        let norm = global_norm(gradients);
        assert!((norm - 5.0).abs() < 1e-12);
        assert!((clip_factor(norm, Some(1.0)) - 0.2).abs() < 1e-12);
        assert!((clip_factor(norm, Some(6.0)) - 1.0).abs() < 1e-12);
        assert!((clip_factor(norm, None) - 1.0).abs() < 1e-12);
    }
}
