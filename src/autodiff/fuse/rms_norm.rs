//! `x·(1/√(mean(x²) + ε))·w` along the last axis, seven nodes with a cast of floats to floats among them or not, becomes
//! `SimplifiedLayerNormalization`.

use super::{Found, Index, other};
use crate::onnx::{Attribute, ElementType, Node, Op};

pub(super) fn find(index: &Index<'_>, mean: usize) -> Option<Found> {
    if !is_mean_of_rows(index, mean) {
        return None;
    }
    let square = index.written_by(index.node(mean).input(0)?, &Op::Pow)?;
    let (x, two) = index.operand_and_constant(square)?;
    let shifted = index.only_reader_of(mean, &Op::Add)?;
    let (_, epsilon) = index.operand_and_constant(shifted)?;
    let root = index.only_reader_of(shifted, &Op::Sqrt)?;
    let inverse = index.only_reader(root).filter(|at| is_inverse(index, *at))?;
    let scaled = index.only_reader_of(inverse, &Op::Mul)?;
    let reads_x = other(index.node(scaled), &index.node(inverse).outputs[0])? == x;
    let mut parts = vec![square, mean, shifted, root, inverse, scaled];
    let mut normalized = scaled;
    let to = |at: usize| index.node(at).int("to");
    if let Some(cast) = index.only_reader_of(scaled, &Op::Cast)
        && to(cast) == Some(ElementType::Float.onnx().into())
    {
        parts.push(cast);
        normalized = cast;
    }
    let weighted = index.only_reader_of(normalized, &Op::Mul)?;
    let weight = other(index.node(weighted), &index.node(normalized).outputs[0])?;
    let is_vector =
        index.graph.initializers.get(weight).is_some_and(|weight| {
            weight.shape().len() == 1 && weight.len() > 1 && weight.element() == ElementType::Float
        });
    let one_use = index.only_reader(square) == Some(mean);
    parts.push(weighted);
    (two == 2.0 && reads_x && is_vector && one_use).then(|| Found {
        parts,
        node: Node::new("", Op::SimplifiedLayerNormalization, &[x, weight], &[&index.node(weighted).outputs[0]])
            .with("axis", Attribute::Int(-1))
            .with("epsilon", Attribute::Float(epsilon)),
    })
}

/// Whether the mean is taken over the last axis alone, which stays with size 1.
fn is_mean_of_rows(index: &Index<'_>, at: usize) -> bool {
    let node = index.node(at);
    let axes = match node.input(1) {
        Some(name) => index.graph.initializers.get(name).and_then(|axes| axes.to_i64()),
        None => node.ints("axes").map(<[i64]>::to_vec),
    };
    node.op == Op::ReduceMean && axes.as_deref() == Some(&[-1]) && node.int("keepdims").unwrap_or(1) == 1
}

fn is_inverse(index: &Index<'_>, at: usize) -> bool {
    let node = index.node(at);
    match node.op {
        Op::Reciprocal => true,
        Op::Div => node.input(0).and_then(|one| index.constant(one)) == Some(1.0),
        _ => false,
    }
}
