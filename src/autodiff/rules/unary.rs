//! Elementwise functions of one operand. `x` is the operand, `y` the result, `g` the result's gradient.

use super::{Parts, Site, one};
use crate::onnx::{Attribute, Op};

/// d|x| = sign(x)
pub(super) fn abs(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let sign = s.b.unary(Op::Sign, &x);
    one(s.b.mul(&g, &sign))
}

/// A conversion between float types converts back.
pub(super) fn cast(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let (from, to) = (s.b.shapes.element(&x), s.b.shapes.element(&s.node.outputs[0]));
    match (from, to) {
        (Some(from), Some(to)) if from == to => Ok(vec![Some(g), None]),
        (Some(from), Some(to)) if from.is_float() && to.is_float() => {
            let back = ("to", Attribute::Int(from.onnx().into()));
            Ok(vec![Some(s.b.node(Op::Cast, &[&g], &[back])), None])
        }
        (Some(_), Some(_)) => Ok(vec![None, None]),
        (None, _) | (_, None) => Err("its element types are not known before the run".to_owned()),
    }
}

/// d cos(x) = −sin(x)
pub(super) fn cos(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let sin = s.b.unary(Op::Sin, &x);
    let part = s.b.mul(&g, &sin);
    one(s.b.unary(Op::Neg, &part))
}

/// d sin(x) = cos(x)
pub(super) fn sin(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let cos = s.b.unary(Op::Cos, &x);
    one(s.b.mul(&g, &cos))
}

/// d erf(x) = 2/√π · exp(−x²)
pub(super) fn erf(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let square = s.b.mul(&x, &x);
    let minus = s.b.unary(Op::Neg, &square);
    let bell = s.b.unary(Op::Exp, &minus);
    let part = s.b.mul(&g, &bell);
    one(s.b.scale(&part, std::f32::consts::FRAC_2_SQRT_PI))
}

/// d exp(x) = y
pub(super) fn exp(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    one(s.b.mul(&g, &y))
}

/// The identity.
pub(super) fn identity(s: &mut Site<'_>) -> Parts {
    one(s.g()?)
}

/// d log(x) = 1/x
pub(super) fn log(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    one(s.b.div(&g, &x))
}

/// d(−x) = −1
pub(super) fn neg(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    one(s.b.unary(Op::Neg, &g))
}

/// d(1/x) = −y²
pub(super) fn reciprocal(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let square = s.b.mul(&y, &y);
    let part = s.b.mul(&g, &square);
    one(s.b.unary(Op::Neg, &part))
}

/// dσ(x) = y·(1 − y) = y − y²
pub(super) fn sigmoid(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let square = s.b.mul(&y, &y);
    let slope = s.b.sub(&y, &square);
    one(s.b.mul(&g, &slope))
}

/// d√x = ½/y
pub(super) fn sqrt(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let half = s.b.scale(&g, 0.5);
    one(s.b.div(&half, &y))
}

/// d tanh(x) = 1 − y²
pub(super) fn tanh(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let square = s.b.mul(&y, &y);
    let unit = s.b.scalar(1.0);
    let slope = s.b.sub(&unit, &square);
    one(s.b.mul(&g, &slope))
}

/// d tan(x) = 1 + y²
pub(super) fn tan(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let square = s.b.mul(&y, &y);
    let unit = s.b.scalar(1.0);
    let slope = s.b.add(&unit, &square);
    one(s.b.mul(&g, &slope))
}

/// d atan(x) = 1/(1 + x²)
pub(super) fn atan(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let square = s.b.mul(&x, &x);
    let unit = s.b.scalar(1.0);
    let sum = s.b.add(&unit, &square);
    one(s.b.div(&g, &sum))
}

/// d sinh(x) = cosh(x)
pub(super) fn sinh(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let slope = s.b.unary(Op::Cosh, &x);
    one(s.b.mul(&g, &slope))
}

/// d cosh(x) = sinh(x)
pub(super) fn cosh(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let slope = s.b.unary(Op::Sinh, &x);
    one(s.b.mul(&g, &slope))
}

/// d x/(1 + |x|) = (1 − |y|)²
pub(super) fn softsign(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let size = s.b.unary(Op::Abs, &y);
    let unit = s.b.scalar(1.0);
    let rest = s.b.sub(&unit, &size);
    let slope = s.b.mul(&rest, &rest);
    one(s.b.mul(&g, &slope))
}
