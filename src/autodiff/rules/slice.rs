//! Slice and Pad are each other's adjoint. The amounts are computed in the graph, for starts and ends may be anything
//! that an exporter computes there.

use super::{Parts, Site, from_front, one};
use crate::onnx::{Attribute, Op};

/// Zeros around the gradient where it was cut off; where steps other than 1 are taken, or the axes are only known at run
/// time, each element goes back to its place.
pub(super) fn slice(s: &mut Site<'_>) -> Parts {
    let (g, x, starts) = (s.g()?, s.x(0)?, s.x(1)?);
    let steps = s.node.input(4).map(|steps| s.b.shapes.ints(steps));
    let one_by_one = steps.is_none_or(|steps| steps.is_some_and(|steps| steps.iter().all(|&step| step == 1)));
    let (rank, axes) = match (s.b.shapes.rank(&x), one_by_one) {
        (Some(rank), true) => (rank, s.slice_axes(rank)),
        (Some(_) | None, _) => return picked(s, Op::Slice, &[]),
    };
    let Some(axes) = axes? else { return picked(s, Op::Slice, &[]) };
    let mut begins = Vec::new();
    let mut ends = Vec::new();
    let zero = s.b.ints(&[0]);
    for axis in 0..rank as i64 {
        let Some(position) = axes.iter().position(|&at| at == axis) else {
            begins.push(zero.clone());
            ends.push(zero.clone());
            continue;
        };
        let size = s.b.size_of_axis(&x, axis);
        let position = s.b.ints(&[position as i64]);
        let start = s.b.node(Op::Gather, &[&starts, &position], &[("axis", Attribute::Int(0))]);
        let start =
            s.b.node(Op::Cast, &[&start], &[("to", Attribute::Int(crate::onnx::ElementType::Int64.onnx().into()))]);
        // A negative start counts from the end; what lies outside is drawn to the border, as the operator itself does.
        let is_negative = s.b.binary(Op::Less, &start, &zero);
        let from_end = s.b.add(&start, &size);
        let start = s.b.node(Op::Where, &[&is_negative, &from_end, &start], &[]);
        let start = s.b.node(Op::Max, &[&start, &zero], &[]);
        let start = s.b.node(Op::Min, &[&start, &size], &[]);
        let kept = s.b.size_of_axis(&g, axis);
        let rest = s.b.sub(&size, &start);
        let rest = s.b.sub(&rest, &kept);
        begins.push(start);
        ends.push(rest);
    }
    let pads: Vec<&str> = begins.iter().chain(&ends).map(String::as_str).collect();
    let pads = s.b.node(Op::Concat, &pads, &[("axis", Attribute::Int(0))]);
    let padded = s.b.binary(Op::Pad, &g, &pads);
    let value = s.b.shapes.value(&x);
    s.b.shapes.set(&padded, crate::onnx::shapes::Value { content: None, ..value });
    one(padded)
}

/// The operator is applied to the places of the operand's elements: its result says where each element came from.
fn picked(s: &mut Site<'_>, op: Op, attributes: &[(&str, Attribute)]) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let places = s.places(&x);
    let operands: Vec<&str> =
        std::iter::once(places.as_str()).chain(s.node.inputs[1..].iter().map(String::as_str)).collect();
    let taken = s.b.node(op, &operands, attributes);
    one(s.scattered(&g, &taken, &x))
}

/// The part of the gradient that the operand became. In a mode that repeats elements, each sums up its copies.
pub(super) fn pad(s: &mut Site<'_>) -> Parts {
    let (g, x, pads) = (s.g()?, s.x(0)?, s.x(1)?);
    if s.wants(2) {
        return Err("what it pads with cannot be trained".to_owned());
    }
    if let Some(mode) = s.node.text("mode").filter(|&mode| mode != "constant") {
        return picked(s, Op::Pad, &[("mode", Attribute::String(mode.into()))]);
    }
    // Negative amounts cut: what was added is cut off, and what was cut off has no gradient.
    let amounts = s.b.unary(Op::Neg, &pads);
    let operands = match s.node.input(3) {
        Some(axes) => vec![&*g, &*amounts, "", axes],
        None => vec![&*g, &*amounts],
    };
    let part = s.b.node(Op::Pad, &operands, &[]);
    let value = s.b.shapes.value(&x);
    s.b.shapes.set(&part, crate::onnx::shapes::Value { content: None, ..value });
    one(part)
}

impl Site<'_> {
    /// The axes from the front, where they are known before the run.
    fn slice_axes(&mut self, rank: usize) -> Result<Option<Vec<i64>>, String> {
        let axes = match self.node.input(3) {
            Some(axes) => self.b.shapes.ints(axes),
            None => {
                let starts = self.x(1)?;
                let count = self.b.shapes.known_dims(&starts).and_then(|dims| dims.first().copied());
                count.map(|count| (0..count).collect())
            }
        };
        axes.map(|axes| axes.into_iter().map(|axis| from_front(axis, rank)).collect()).transpose()
    }
}
