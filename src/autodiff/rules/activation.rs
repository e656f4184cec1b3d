//! Activation functions and dropout. Φ and φ are the distribution function and the density of the standard normal.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use super::{Parts, Site, one};
use crate::onnx::{Attribute, Op};

/// 1/√(2π)
const FRAC_1_SQRT_2_PI: f32 = 0.398_942_3;
/// The cubic coefficient of the tanh approximation (Hendrycks and Gimpel, *Gaussian Error Linear Units*, 2016).
const CUBIC: f32 = 0.044_715;

/// gelu(x) = x·Φ(x), in the form that the node's `approximate` says.
pub(super) fn gelu(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    match s.node.text("approximate") {
        Some("tanh") => {
            let slope = s.tanh_gelu_slope(&x);
            one(s.b.mul(&g, &slope))
        }
        Some(_) | None => one(s.gelu_part(&g, &x)),
    }
}

/// gelu(x + bias)
pub(super) fn bias_gelu(s: &mut Site<'_>) -> Parts {
    let (g, x, bias) = (s.g()?, s.x(0)?, s.x(1)?);
    let sum = s.b.add(&x, &bias);
    let part = s.gelu_part(&g, &sum);
    let bias = s.wants(1).then(|| s.b.unbroadcast(&part, &bias));
    Ok(vec![Some(part), bias])
}

/// The tanh approximation, with an optional bias.
pub(super) fn fast_gelu(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let bias = s.node.input(1).map(str::to_owned);
    let sum = bias.as_ref().map_or(x.clone(), |bias| s.b.add(&x, bias));
    let slope = s.tanh_gelu_slope(&sum);
    let part = s.b.mul(&g, &slope);
    let bias = bias.filter(|_| s.wants(1)).map(|bias| s.b.unbroadcast(&part, &bias));
    Ok(vec![Some(part), bias])
}

/// x·σ(αx), α = 1.702
pub(super) fn quick_gelu(s: &mut Site<'_>) -> Parts {
    let alpha = s.node.float("alpha").unwrap_or(1.702);
    s.scaled_swish(alpha)
}

/// x·σ(αx), α = 1
pub(super) fn swish(s: &mut Site<'_>) -> Parts {
    let alpha = s.node.float("alpha").unwrap_or(1.0);
    s.scaled_swish(alpha)
}

impl Site<'_> {
    /// g·(Φ(x) + x·φ(x)). `HardSigmoid(½, ½)` turns the error function into Φ in one pass.
    fn gelu_part(&mut self, g: &str, x: &str) -> String {
        let b = &mut *self.b;
        if b.has_ours() {
            return b.binary(Op::GeluGrad, g, x);
        }
        let u = b.scale(x, FRAC_1_SQRT_2);
        let erf = b.unary(Op::Erf, &u);
        let half = |name| (name, Attribute::Float(0.5));
        let cumulative = b.node(Op::HardSigmoid, &[&erf], &[half("alpha"), half("beta")]);
        let square = b.mul(&u, &u);
        let minus = b.unary(Op::Neg, &square);
        let bell = b.unary(Op::Exp, &minus);
        let scaled = b.scale(x, FRAC_1_SQRT_2_PI);
        let density = b.mul(&bell, &scaled);
        let slope = b.add(&cumulative, &density);
        b.mul(g, &slope)
    }

    /// With t = tanh(c·(x + k·x³)), c = √(2/π): ½(1 + t) + ½x(1 − t²)·c·(1 + 3k·x²).
    fn tanh_gelu_slope(&mut self, x: &str) -> String {
        let b = &mut *self.b;
        let c = FRAC_2_PI.sqrt();
        let unit = b.scalar(1.0);
        let square = b.mul(x, x);
        let cubic = b.scale(&square, CUBIC);
        let cubic = b.add(&cubic, &unit);
        let inner = b.mul(&cubic, x);
        let inner = b.scale(&inner, c);
        let t = b.unary(Op::Tanh, &inner);
        let sum = b.add(&t, &unit);
        let left = b.scale(&sum, 0.5);
        let t_square = b.mul(&t, &t);
        let rest = b.sub(&unit, &t_square);
        let inner_slope = b.scale(&square, 3.0 * CUBIC);
        let inner_slope = b.add(&inner_slope, &unit);
        let right = b.mul(&rest, &inner_slope);
        let right = b.mul(&right, x);
        let right = b.scale(&right, 0.5 * c);
        b.add(&left, &right)
    }

    /// σ + αx·σ·(1 − σ), σ = σ(αx)
    fn scaled_swish(&mut self, alpha: f32) -> Parts {
        let (g, x) = (self.g()?, self.x(0)?);
        let b = &mut *self.b;
        if b.has_ours() {
            return one(b.node(Op::SiluGrad, &[&g, &x], &[("alpha", Attribute::Float(alpha))]));
        }
        let scaled = b.scale(&x, alpha);
        let sigmoid = b.unary(Op::Sigmoid, &scaled);
        let unit = b.scalar(1.0);
        let rest = b.sub(&unit, &sigmoid);
        let inner = b.mul(&scaled, &rest);
        let inner = b.add(&inner, &unit);
        let slope = b.mul(&sigmoid, &inner);
        one(b.mul(&g, &slope))
    }

    /// `g` where `x` lies above `bound`, `other` elsewhere.
    fn where_above(&mut self, x: &str, bound: f32, g: &str, other: &str) -> String {
        let bound = self.b.scalar(bound);
        let above = self.b.binary(Op::Greater, x, &bound);
        self.b.node(Op::Where, &[&above, g, other], &[])
    }
}

/// max(x, 0)
pub(super) fn relu(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let zero = s.b.scalar(0.0);
    one(s.where_above(&y, 0.0, &g, &zero))
}

/// x above 0, αx below
pub(super) fn leaky_relu(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let below = s.b.scale(&g, s.node.float("alpha").unwrap_or(0.01));
    one(s.where_above(&x, 0.0, &g, &below))
}

/// x above 0, α(eˣ − 1) below, where the slope is y + α
pub(super) fn elu(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let alpha = s.b.scalar(s.node.float("alpha").unwrap_or(1.0));
    let slope = s.b.add(&y, &alpha);
    let below = s.b.mul(&g, &slope);
    one(s.where_above(&x, 0.0, &g, &below))
}

/// γx above 0, γα(eˣ − 1) below, where the slope is y + γα; the defaults are those of Klambauer et al.,
/// *Self-Normalizing Neural Networks*, 2017
pub(super) fn selu(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let gamma = s.node.float("gamma").unwrap_or(1.050_701);
    let alpha = s.b.scalar(gamma * s.node.float("alpha").unwrap_or(1.673_263_2));
    let slope = s.b.add(&y, &alpha);
    let below = s.b.mul(&g, &slope);
    let above = s.b.scale(&g, gamma);
    one(s.where_above(&x, 0.0, &above, &below))
}

/// x above 0, α(e^(x/α) − 1) below, where the slope is y/α + 1
pub(super) fn celu(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let inner = s.b.scale(&y, 1.0 / s.node.float("alpha").unwrap_or(1.0));
    let unit = s.b.scalar(1.0);
    let slope = s.b.add(&inner, &unit);
    let below = s.b.mul(&g, &slope);
    one(s.where_above(&x, 0.0, &g, &below))
}

/// x above 0, wx below, with a trained w that broadcasts
pub(super) fn prelu(s: &mut Site<'_>) -> Parts {
    let (g, x, w) = (s.g()?, s.x(0)?, s.x(1)?);
    let below = s.b.mul(&g, &w);
    let dx = s.where_above(&x, 0.0, &g, &below);
    let dw = s.wants(1).then(|| {
        let zero = s.b.scalar(0.0);
        let negative = s.b.binary(Op::Min, &x, &zero);
        let part = s.b.mul(&g, &negative);
        s.b.unbroadcast(&part, &w)
    });
    Ok(vec![Some(dx), dw])
}

/// x above α, 0 below
pub(super) fn thresholded_relu(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let zero = s.b.scalar(0.0);
    one(s.where_above(&x, s.node.float("alpha").unwrap_or(1.0), &g, &zero))
}

/// max(0, min(1, αx + β))
pub(super) fn hard_sigmoid(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let inside = s.b.scale(&g, s.node.float("alpha").unwrap_or(0.2));
    let (zero, minus) = (s.b.scalar(0.0), s.b.unary(Op::Neg, &y));
    let part = s.where_above(&minus, -1.0, &inside, &zero);
    one(s.where_above(&y, 0.0, &part, &zero))
}

/// x·max(0, min(1, x/6 + ½)): slope 0 below −3, 1 above 3, x/3 + ½ between
pub(super) fn hard_swish(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let third = s.b.scale(&x, 1.0 / 3.0);
    let half = s.b.scalar(0.5);
    let slope = s.b.add(&third, &half);
    let between = s.b.mul(&g, &slope);
    let zero = s.b.scalar(0.0);
    let above = s.where_above(&x, 3.0, &g, &between);
    one(s.where_above(&x, -3.0, &above, &zero))
}

/// log(1 + eˣ)
pub(super) fn softplus(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let slope = s.b.unary(Op::Sigmoid, &x);
    one(s.b.mul(&g, &slope))
}

/// x·t, t = tanh(softplus(x)): slope t + x·(1 − t²)·σ(x)
pub(super) fn mish(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let softplus = s.b.unary(Op::Softplus, &x);
    let t = s.b.unary(Op::Tanh, &softplus);
    let square = s.b.mul(&t, &t);
    let unit = s.b.scalar(1.0);
    let rest = s.b.sub(&unit, &square);
    let sigmoid = s.b.unary(Op::Sigmoid, &x);
    let inner = s.b.mul(&rest, &sigmoid);
    let inner = s.b.mul(&inner, &x);
    let slope = s.b.add(&t, &inner);
    one(s.b.mul(&g, &slope))
}

/// In inference mode the identity; in training mode its mask differs from run to run, so the gradient would need the
/// mask of the same run.
pub(super) fn dropout(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    let training = match s.node.input(2) {
        Some(name) => {
            let flag = s.b.graph.initializers.get(name).map(|tensor| tensor.data().first().copied().unwrap_or(0));
            flag.ok_or("whether it is in training mode is not known before the run")? != 0
        }
        None => false,
    };
    if training {
        return Err("it is in training mode".to_owned());
    }
    one(g)
}
