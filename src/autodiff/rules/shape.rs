//! Operators that only move elements.

use super::{Parts, Site, one};
use crate::onnx::{Attribute, Op};

/// Reshape, Flatten, Squeeze, Unsqueeze: the same elements in the operand's shape.
pub(super) fn reshape(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    one(s.b.reshape_like(&g, &x))
}

/// The inverse permutation.
pub(super) fn transpose(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    let attributes = match s.node.ints("perm") {
        Some(perm) => {
            let mut inverse = vec![0; perm.len()];
            for (to, &from) in perm.iter().enumerate() {
                *inverse.get_mut(from as usize).ok_or("its permutation is not one")? = to as i64;
            }
            vec![("perm", Attribute::Ints(inverse))]
        }
        None => Vec::new(),
    };
    one(s.b.node(Op::Transpose, &[&g], &attributes))
}

/// The sum over the repeated axes.
pub(super) fn expand(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    one(s.b.unbroadcast(&g, &x))
}

/// Each axis of size r·d seen as two, [r, d]; the sum over all r.
pub(super) fn tile(s: &mut Site<'_>) -> Parts {
    let (g, x, repeats) = (s.g()?, s.x(0)?, s.x(1)?);
    let rank = s.rank(0)? as i64;
    let shape = s.b.shape_of(&x);
    let column = s.b.ints(&[-1, 1]);
    let repeats = s.b.node(Op::Reshape, &[&repeats, &column], &[]);
    let sizes = s.b.node(Op::Reshape, &[&shape, &column], &[]);
    let pairs = s.b.node(Op::Concat, &[&repeats, &sizes], &[("axis", Attribute::Int(1))]);
    let flat = s.b.ints(&[-1]);
    let pairs = s.b.node(Op::Reshape, &[&pairs, &flat], &[]);
    let split = s.b.reshape(&g, &pairs);
    let axes: Vec<i64> = (0..rank).map(|axis| 2 * axis).collect();
    let sum = s.b.reduce_sum(&split, &axes, false);
    one(s.b.reshape_like(&sum, &x))
}

/// Cut at the operands' sizes.
pub(super) fn concat(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    let axis = s.axis(0, s.rank(0)?)?;
    let mut sizes = Vec::new();
    for position in 0..s.node.inputs.len() {
        let x = s.x(position)?;
        sizes.push(s.b.size_of_axis(&x, axis));
    }
    if let [_] = sizes.as_slice() {
        return one(g);
    }
    let parts =
        s.b.node(Op::Concat, &sizes.iter().map(String::as_str).collect::<Vec<_>>(), &[("axis", Attribute::Int(0))]);
    let parts = s.b.nodes(Op::Split, &[&g, &parts], &[("axis", Attribute::Int(axis))], sizes.len());
    for (part, x) in parts.iter().zip(&s.node.inputs) {
        let value = s.b.shapes.value(x);
        s.b.shapes.set(part, crate::onnx::shapes::Value { content: None, ..value });
    }
    Ok(parts.into_iter().map(Some).collect())
}

/// Joined again, with zeros for an output that does not reach the loss.
pub(super) fn split(s: &mut Site<'_>) -> Parts {
    let axis = s.node.int("axis").unwrap_or(0);
    let mut parts = Vec::new();
    for (output, gradient) in s.node.outputs.iter().zip(s.gradients.clone()) {
        parts.push(match gradient {
            Some(gradient) => gradient,
            None => s.b.zeros_like(output),
        });
    }
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    one(s.b.node(Op::Concat, &names, &[("axis", Attribute::Int(axis))]))
}

/// The same triangle of the gradient.
pub(super) fn trilu(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    let upper = ("upper", Attribute::Int(s.node.int("upper").unwrap_or(1)));
    let operands: Vec<&str> = std::iter::once(g.as_str()).chain(s.node.input(1)).collect();
    one(s.b.node(Op::Trilu, &operands, &[upper]))
}
