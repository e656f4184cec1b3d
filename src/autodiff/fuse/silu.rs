//! `x·σ(x)`, two nodes, becomes `com.microsoft:QuickGelu` with α = 1.

use super::{Found, Index, other};
use crate::onnx::{Attribute, Node, Op};

pub(super) fn find(index: &Index<'_>, sigmoid: usize) -> Option<Found> {
    let node = index.node(sigmoid);
    if node.op != Op::Sigmoid {
        return None;
    }
    let x = node.input(0)?;
    let product = index.only_reader_of(sigmoid, &Op::Mul)?;
    let y = index.node(product);
    (other(y, &node.outputs[0])? == x).then(|| Found {
        parts: vec![sigmoid, product],
        node: Node::new("", Op::QuickGelu, &[x], &[&y.outputs[0]]).with("alpha", Attribute::Float(1.0)),
    })
}
