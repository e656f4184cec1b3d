//! Adafactor (Shazeer & Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018), without a first
//! moment.
//!
//! The scheduled rate stands where the paper has its own relative step ρ; as there, it is multiplied by the root mean
//! square of the weights. A tensor of more than two axes is a matrix whose columns are its last axis.
//!
//! PyTorch's is the same but for three things. It takes no rate above 1/√t at step t; here the schedule alone says the rate. It has the
//! epsilon of the float type (1.2e-7) where the paper, and so this, has 1e-30, by which updates from gradients below about 3e-4 come out
//! larger before they are cut. And a tensor of more than two axes is several matrices there, of its last two.

use super::{Moment, Parameter, ParameterRule, Work, kept};

/// Settings of Adafactor; those of the paper's section 9 stand for the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adafactor {
    /// Decoupled weight decay; not applied to biases and normalisation weights.
    pub weight_decay: f64,
}

/// ε₁, added to each squared gradient.
const EPSILON: f64 = 1e-30;
/// ε₂, the least root mean square of weights that a step is scaled by.
const LEAST_SCALE: f64 = 1e-3;
/// d, the greatest root mean square of an update.
const GREATEST_UPDATE: f64 = 1.0;
/// The exponent of the second moments' decay, 1 − t^−0.8.
const DECAY: f64 = -0.8;

/// The lengths of the slots: sums of rows and of columns for a matrix, else one number for each element.
pub(super) fn slots(length: usize, rule: &ParameterRule) -> Vec<usize> {
    match rule.columns {
        Some(columns) => vec![length / columns, columns],
        None => vec![length],
    }
}

impl Adafactor {
    pub(super) fn work<'a>(
        &self,
        moment: Moment,
        rate: f64,
        parameter: Parameter<'a>,
        mut slots: Vec<&'a mut [f32]>,
    ) -> Work<'a> {
        let keep = kept(rate, self.weight_decay, &parameter.rule);
        Box::new(move || update(moment, rate, keep, parameter, &mut slots))
    }
}

/// Algorithm 4 of the paper for a vector, algorithm 5 for a matrix.
fn update(moment: Moment, rate: f64, keep: f32, parameter: Parameter<'_>, slots: &mut [&mut [f32]]) {
    let Parameter { values, gradient, rule: _, still: _ } = parameter;
    if values.is_empty() {
        return;
    }
    let clip = moment.clip;
    let forget = (moment.step as f64).powf(DECAY);
    let square = |gradient: &f32| (f64::from(*gradient) * clip).powi(2) + EPSILON;
    let step = rate * root_mean_square(values.iter().map(|value| f64::from(*value))).max(LEAST_SCALE);
    let moment_of: Box<dyn Fn(usize) -> f64 + '_> = match slots {
        [rows, columns] => {
            remember(rows, columns, gradient, forget, &square);
            let (rows, columns) = (&*rows, &*columns);
            let all: f64 = rows.iter().map(|row| f64::from(*row)).sum::<f64>() / rows.len() as f64;
            let width = columns.len();
            Box::new(move |at| f64::from(rows[at / width]) * f64::from(columns[at % width]) / all)
        }
        [second] => {
            for (second, gradient) in second.iter_mut().zip(gradient) {
                *second = ((1.0 - forget) * f64::from(*second) + forget * square(gradient)) as f32;
            }
            let second = &*second;
            Box::new(move |at| f64::from(second[at]))
        }
        _ => unreachable!("Adafactor has one slot or two"),
    };
    // ε₁ is far below what a float holds beside a gradient, so where all gradients are zero so may a moment be.
    let direction = |at: usize| f64::from(gradient[at]) * clip / moment_of(at).max(EPSILON).sqrt();
    let size = root_mean_square((0..values.len()).map(direction));
    let step = step / (size / GREATEST_UPDATE).max(1.0);
    for (at, value) in values.iter_mut().enumerate() {
        *value = keep * *value - (step * direction(at)) as f32;
    }
}

/// The means of rows and of columns move towards those of the squared gradient. The paper keeps sums; with means the
/// quotient is the same, and a float holds them better.
fn remember(rows: &mut [f32], columns: &mut [f32], gradient: &[f32], forget: f64, square: &dyn Fn(&f32) -> f64) {
    let (height, width) = (rows.len(), columns.len());
    let mut sums = vec![0.0_f64; width];
    for (row, gradient) in rows.iter_mut().zip(gradient.chunks(width)) {
        let mut of_row = 0.0;
        for (sum, gradient) in sums.iter_mut().zip(gradient) {
            let square = square(gradient);
            *sum += square;
            of_row += square;
        }
        *row = ((1.0 - forget) * f64::from(*row) + forget * of_row / width as f64) as f32;
    }
    for (column, sum) in columns.iter_mut().zip(sums) {
        *column = ((1.0 - forget) * f64::from(*column) + forget * sum / height as f64) as f32;
    }
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(|value| value * value).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::Optimizer;
    use super::super::tests::check_formula;
    use super::*;

    #[test]
    fn vectors_follow_the_formula() {
        let settings = Adafactor { weight_decay: 0.1 };
        check_formula(Optimizer::Adafactor(settings), &|steps, start, decays| {
            let (mut v, mut p) = (0.0, start);
            for (t, (rate, g)) in (1_u32..).zip(steps) {
                let beta = 1.0 - f64::from(t).powf(-0.8);
                v = beta * v + (1.0 - beta) * (g * g + 1e-30);
                let u: f64 = g / f64::sqrt(v);
                // All elements are equal, so the root mean squares are their sizes.
                let alpha = f64::max(1e-3, f64::abs(p)) * rate;
                p -= if decays { rate * settings.weight_decay * p } else { 0.0 };
                p -= alpha * u / f64::max(1.0, u.abs());
            }
            p
        });
    }

    /// Algorithm 4 of the paper, with its sums, on a matrix of two rows and three columns.
    #[test]
    fn matrices_follow_the_formula() {
        let optimizer = Optimizer::Adafactor(Adafactor { weight_decay: 0.0 });
        let rule = ParameterRule::of(&[2, 3], 1.0);
        let start = [0.5, -0.25, 1.0, 0.0, 2.0, -1.5];
        let gradients = [[0.1, -0.2, 0.3, 0.4, -0.5, 0.6], [-0.3, 0.1, 0.0, 0.2, 2.0, -0.1]];
        let (mut expected, mut r, mut c) = (start, [0.0; 2], [0.0; 3]);
        for (t, g) in (1_u32..).zip(gradients) {
            let beta = 1.0 - f64::from(t).powf(-0.8);
            for (i, r) in r.iter_mut().enumerate() {
                *r = beta * *r + (1.0 - beta) * (0..3).map(|j| g[3 * i + j] * g[3 * i + j]).sum::<f64>();
            }
            for (j, c) in c.iter_mut().enumerate() {
                *c = beta * *c + (1.0 - beta) * (0..2).map(|i| g[3 * i + j] * g[3 * i + j]).sum::<f64>();
            }
            let all: f64 = r.iter().sum();
            let u: Vec<f64> = (0..6).map(|k| g[k] / (r[k / 3] * c[k % 3] / all).sqrt()).collect();
            let rms = |values: &[f64]| (values.iter().map(|v| v * v).sum::<f64>() / 6.0).sqrt();
            let alpha = 0.01 * rms(&expected).max(1e-3) / rms(&u).max(1.0);
            expected.iter_mut().zip(&u).for_each(|(value, u)| *value -= alpha * u);
        }
        let mut values = start.map(|value| value as f32);
        let mut slots = optimizer.begin([(6, rule)]);
        assert_eq!(slots[0].iter().map(Vec::len).collect::<Vec<_>>(), [2, 3]);
        for (step, gradient) in (1..).zip(gradients) {
            let gradient = gradient.map(|value| value as f32);
            let parameters = vec![Parameter { values: &mut values, gradient: &gradient, rule, still: &[] }];
            optimizer.update(Moment { step, rate: 0.01, clip: 1.0 }, 1, parameters, &mut slots);
        }
        for (value, expected) in values.iter().zip(expected) {
            assert!((f64::from(*value) - expected).abs() < 1e-6, "{values:?} is not {expected:?}");
        }
    }
}
