//! Slice and Pad are each other's adjoint. The amounts are computed in the graph, for starts and ends may be anything
//! that an exporter computes there.

use super::{Parts, Site, from_front, one};
use crate::onnx::{Attribute, Op};

/// Zeros around the gradient where it was cut off; a step other than 1 scatters along its one axis.
pub(super) fn slice(s: &mut Site<'_>) -> Parts {
    let (g, x, starts) = (s.g()?, s.x(0)?, s.x(1)?);
    let steps = match s.node.input(4) {
        Some(steps) => Some(s.b.shapes.ints(steps).ok_or("its steps are not known before the run")?),
        None => None,
    };
    if steps.is_some_and(|steps| steps.iter().any(|&step| step != 1)) {
        return strided(s);
    }
    let rank = s.rank(0)?;
    let axes = s.slice_axes(rank)?;
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

fn strided(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let rank = s.rank(0)?;
    let &[axis] = s.slice_axes(rank)?.as_slice() else {
        return Err("it steps over several axes at once".to_owned());
    };
    let size = s.b.size_of_axis(&x, axis);
    let (flat, zero) = (s.b.ints(&[]), s.b.ints(&[0]));
    let count = s.b.node(Op::Reshape, &[&size, &flat], &[]);
    let (from, step) = (s.b.int(0), s.b.int(1));
    let positions = s.b.node(Op::Range, &[&from, &count, &step], &[]);
    let (start, end, stride) = (s.x(1)?, s.x(2)?, s.x(4)?);
    let taken = s.b.node(Op::Slice, &[&positions, &start, &end, &zero, &stride], &[]);
    let mut lane = vec![1; rank];
    lane[axis as usize] = -1;
    let lane = s.b.ints(&lane);
    let taken = s.b.node(Op::Reshape, &[&taken, &lane], &[]);
    let index = s.b.expand_like(&taken, &g);
    let zeros = s.b.zeros_like(&x);
    one(s.b.node(Op::ScatterElements, &[&zeros, &index, &g], &[("axis", Attribute::Int(axis))]))
}

/// The part of the gradient that the operand became.
pub(super) fn pad(s: &mut Site<'_>) -> Parts {
    let (g, x, pads) = (s.g()?, s.x(0)?, s.x(1)?);
    if s.node.text("mode").is_some_and(|mode| mode != "constant") {
        return Err("its mode is not `constant`".to_owned());
    }
    if s.node.input(3).is_some() {
        return Err("it names its axes".to_owned());
    }
    let rank = s.rank(0)? as i64;
    let (zero, middle) = (s.b.ints(&[0]), s.b.ints(&[rank]));
    let begins = s.b.node(Op::Slice, &[&pads, &zero, &middle], &[]);
    let sizes = s.b.shape_of(&x);
    let ends = s.b.add(&begins, &sizes);
    let axes = s.b.ints(&(0..rank).collect::<Vec<_>>());
    let part = s.b.node(Op::Slice, &[&g, &begins, &ends, &axes], &[]);
    let value = s.b.shapes.value(&x);
    s.b.shapes.set(&part, crate::onnx::shapes::Value { content: None, ..value });
    one(part)
}

impl Site<'_> {
    fn slice_axes(&mut self, rank: usize) -> Result<Vec<i64>, String> {
        let axes = match self.node.input(3) {
            Some(axes) => self.b.shapes.ints(axes).ok_or("its axes are not known before the run")?,
            None => {
                let starts = self.x(1)?;
                let count = self.b.shapes.known_dims(&starts).and_then(|dims| dims.first().copied());
                (0..count.ok_or("the number of its axes is not known before the run")?).collect()
            }
        };
        axes.into_iter().map(|axis| from_front(axis, rank)).collect()
    }
}
