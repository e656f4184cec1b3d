//! Dropout by keys, see `onnx::surgery::add_dropout`: the node with stock operators, and its gradient.
//!
//! ```text
//! y = x ∘ m      m = α where (a·point + b) mod p ≥ threshold, else 0      ∂y/∂x = m
//! ```

use super::builder::Builder;
use crate::onnx::surgery::PRIME;
use crate::onnx::{Node, Op};

/// Writes a node with stock operators; its second output is m.
pub(super) fn lower(b: &mut Builder, node: &Node) {
    let [x, keys, points] = node.inputs.as_slice() else { unreachable!("dropout has three inputs") };
    let [y, kept] = node.outputs.as_slice() else { unreachable!("dropout has two outputs") };
    let mut key = |at: i64| {
        let (start, end, axis) = (b.ints(&[at]), b.ints(&[at + 1]), b.ints(&[-1]));
        b.node(Op::Slice, &[keys, &start, &end, &axis], &[])
    };
    let (factor, term) = (key(0), key(1));
    let (product, prime) = (b.mul(&factor, points), b.int(PRIME));
    let sum = b.add(&product, &term);
    let hash = b.binary(Op::Mod, &sum, &prime);
    let threshold = b.int(node.int("threshold").unwrap_or(0));
    let stays = b.binary(Op::GreaterOrEqual, &hash, &threshold);
    let (alpha, nothing) = (b.scalar(node.float("alpha").unwrap_or(1.0)), b.scalar(0.0));
    b.named(Op::Where, &[&stays, &alpha, &nothing], &[], kept);
    b.named(Op::Mul, &[x, kept], &[], y);
}

/// The gradient of x: that of y, dropped as x was.
pub(super) fn gradient(b: &mut Builder, node: &Node, upstream: &str) -> String {
    let [x, keys, points] = node.inputs.as_slice() else { unreachable!("dropout has three inputs") };
    if !b.has_ours() {
        return b.mul(upstream, &node.outputs[1]);
    }
    let upstream = b.expand_like(upstream, x);
    let attributes: Vec<_> = node.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    b.node(Op::KeyedDropout, &[&upstream, keys, points], &attributes)
}
