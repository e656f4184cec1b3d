//! `GeluGrad(g, x)`: g·(Φ(x) + x·φ(x)), Φ and φ being the distribution function and the density of the standard normal.
//!
//! Φ is 1 − ½·t·p(t)·e^(−x²/2) with t = 1/(1 + k·|x|/√2) for positive x (Abramowitz and Stegun, *Handbook of Mathematical
//! Functions*, 7.1.26, within 1.5e-7 of the error function): the exponential is the one that the density needs anyway.

use std::f32::consts::FRAC_1_SQRT_2;

use super::lanes::{exp, wide};
use super::{FLOAT, Like, Ours};

pub(super) const OPERATOR: Ours = Ours {
    name: "GeluGrad",
    inputs: &[FLOAT, FLOAT],
    outputs: &[Like::Input(0)],
    required: 1,
    compute: |call| call.elementwise(gelu_grad),
};

/// 1/√(2π)
const FRAC_1_SQRT_2_PI: f32 = 0.398_942_3;

wide! {
    fn gelu_grad(g: &[f32], x: &[f32], dx: &mut [f32]) {
        for ((dx, g), x) in dx.iter_mut().zip(g).zip(x) {
            let (x, size) = (*x, x.abs());
            let bell = exp(-0.5 * x * x);
            let t = 1.0 / (1.0 + 0.327_591_1 * FRAC_1_SQRT_2 * size);
            let mut p = 1.061_405_4;
            p = p * t - 1.453_152_1;
            p = p * t + 1.421_413_7;
            p = p * t - 0.284_496_72;
            p = p * t + 0.254_829_6;
            let tail = 0.5 * t * p * bell;
            let cumulative = if x < 0.0 { tail } else { 1.0 - tail };
            *dx = g * (cumulative + x * (FRAC_1_SQRT_2_PI * bell));
        }
    }
}
