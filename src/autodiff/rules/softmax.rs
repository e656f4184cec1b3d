//! Softmax and its logarithm, along one axis.

use super::{Parts, Site, one};
use crate::onnx::Op;

/// dx = y·(g − Σ g·y)
pub(super) fn softmax(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let axis = s.node.int("axis").unwrap_or(-1);
    let weighted = s.b.mul(&g, &y);
    let total = s.b.reduce_sum(&weighted, &[axis], true);
    let centred = s.b.sub(&g, &total);
    one(s.b.mul(&centred, &y))
}

/// dx = g − eʸ·Σ g
pub(super) fn log_softmax(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let axis = s.node.int("axis").unwrap_or(-1);
    let probabilities = s.b.unary(Op::Exp, &y);
    let total = s.b.reduce_sum(&g, &[axis], true);
    let share = s.b.mul(&probabilities, &total);
    one(s.b.sub(&g, &share))
}
