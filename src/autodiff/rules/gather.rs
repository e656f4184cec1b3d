//! Picking and placing by index. `ScatterElements(add)` sums duplicates in order; `ScatterND(add)` races on them, so it
//! occurs in no rule.

use super::{Parts, Site, one};
use crate::onnx::{Attribute, Op};

fn add_up() -> (&'static str, Attribute) {
    ("reduction", Attribute::String(b"add".to_vec()))
}

/// Rows of a table: each gradient row is added to the row it was read from.
pub(super) fn gather(s: &mut Site<'_>) -> Parts {
    let (g, x, indices) = (s.g()?, s.x(0)?, s.x(1)?);
    let rank = s.rank(0)?;
    let axis = s.axis(0, rank)?;
    let shape = s.b.shape_of(&x);
    let all = s.b.ints(&[-1]);
    let pick = |s: &mut Site<'_>, from: i64, to: i64| {
        let positions = s.b.ints(&(from..to).collect::<Vec<_>>());
        s.b.node(Op::Gather, &[&shape, &positions], &[("axis", Attribute::Int(0))])
    };
    let mut target = Vec::new();
    if axis > 0 {
        target.push(pick(s, 0, axis));
    }
    target.push(all);
    if axis + 1 < rank as i64 {
        target.push(pick(s, axis + 1, rank as i64));
    }
    let target = match target.as_slice() {
        [one] => one.clone(),
        parts => {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            s.b.node(Op::Concat, &parts, &[("axis", Attribute::Int(0))])
        }
    };
    let rows = s.b.node(Op::Reshape, &[&g, &target], &[]);
    let mut lane = vec![1; rank];
    lane[axis as usize] = -1;
    let lane = s.b.ints(&lane);
    let lane = s.b.node(Op::Reshape, &[&indices, &lane], &[]);
    let shape_of_rows = s.b.unary(Op::Shape, &rows);
    let index = s.b.binary(Op::Expand, &lane, &shape_of_rows);
    let zeros = s.b.zeros_like(&x);
    let attributes = [("axis", Attribute::Int(axis)), add_up()];
    one(s.b.node(Op::ScatterElements, &[&zeros, &index, &rows], &attributes))
}

/// Each element goes back to where it was read.
pub(super) fn gather_elements(s: &mut Site<'_>) -> Parts {
    let (g, x, indices) = (s.g()?, s.x(0)?, s.x(1)?);
    let zeros = s.b.zeros_like(&x);
    let attributes = [("axis", Attribute::Int(s.node.int("axis").unwrap_or(0))), add_up()];
    one(s.b.node(Op::ScatterElements, &[&zeros, &indices, &g], &attributes))
}

/// The index vectors become positions in the operand seen as a matrix of rows: `Σ indexⱼ · strideⱼ`.
pub(super) fn gather_nd(s: &mut Site<'_>) -> Parts {
    let (g, x, indices) = (s.g()?, s.x(0)?, s.x(1)?);
    if s.node.int("batch_dims").unwrap_or(0) != 0 {
        return Err("it has batch axes".to_owned());
    }
    let depth = s.b.shapes.dims(&indices).and_then(|dims| dims.last()).and_then(crate::onnx::shapes::Dim::known);
    let depth = depth.ok_or("the length of its index vectors is not known before the run")?;
    let flat = s.b.ints(&[-1]);
    let mut position: Option<String> = None;
    for axis in 0..depth {
        let size = s.b.size_of_axis(&x, axis);
        let at = s.b.int(axis);
        let index = s.b.node(Op::Gather, &[&indices, &at], &[("axis", Attribute::Int(-1))]);
        let index = s.b.node(Op::Reshape, &[&index, &flat], &[]);
        // A negative index counts from the end of its own axis.
        let zero = s.b.int(0);
        let is_negative = s.b.binary(Op::Less, &index, &zero);
        let from_end = s.b.add(&index, &size);
        let index = s.b.node(Op::Where, &[&is_negative, &from_end, &index], &[]);
        position = Some(match position {
            None => index,
            Some(before) => {
                let scaled = s.b.mul(&before, &size);
                s.b.add(&scaled, &index)
            }
        });
    }
    let position = position.ok_or("its index vectors are empty")?;
    let shape = s.b.shape_of(&x);
    let (from, to) = (s.b.ints(&[depth]), s.b.ints(&[i64::MAX]));
    let row = s.b.node(Op::Slice, &[&shape, &from, &to], &[]);
    let width = s.b.node(Op::ReduceProd, &[&row], &[("keepdims", Attribute::Int(1))]);
    let target = s.b.node(Op::Concat, &[&flat, &width], &[("axis", Attribute::Int(0))]);
    let rows = s.b.node(Op::Reshape, &[&g, &target], &[]);
    let column = s.b.ints(&[-1, 1]);
    let column = s.b.node(Op::Reshape, &[&position, &column], &[]);
    let shape_of_rows = s.b.unary(Op::Shape, &rows);
    let index = s.b.binary(Op::Expand, &column, &shape_of_rows);
    let zeros = s.b.zeros_like(&x);
    let zeros = s.b.node(Op::Reshape, &[&zeros, &target], &[]);
    let sum = s.b.node(Op::ScatterElements, &[&zeros, &index, &rows], &[("axis", Attribute::Int(0)), add_up()]);
    one(s.b.reshape_like(&sum, &x))
}

/// Elements that were overwritten have no gradient; the updates have that of where they went.
pub(super) fn scatter_elements(s: &mut Site<'_>) -> Parts {
    let (g, indices, updates) = (s.g()?, s.x(1)?, s.x(2)?);
    let axis = ("axis", Attribute::Int(s.node.int("axis").unwrap_or(0)));
    let data = match s.node.text("reduction") {
        None | Some("none") => {
            let zeros = s.b.zeros_like(&updates);
            s.b.node(Op::ScatterElements, &[&g, &indices, &zeros], std::slice::from_ref(&axis))
        }
        Some("add") => g.clone(),
        Some(_) => return Err("its reduction is neither `none` nor `add`".to_owned()),
    };
    let updates = s.wants(2).then(|| s.b.node(Op::GatherElements, &[&g, &indices], &[axis]));
    Ok(vec![Some(data), None, updates])
}

/// As `scatter_elements`, by index vectors.
pub(super) fn scatter_nd(s: &mut Site<'_>) -> Parts {
    let (g, indices, updates) = (s.g()?, s.x(1)?, s.x(2)?);
    let data = match s.node.text("reduction") {
        None | Some("none") => {
            let zeros = s.b.zeros_like(&updates);
            s.b.node(Op::ScatterNd, &[&g, &indices, &zeros], &[])
        }
        Some("add") => g.clone(),
        Some(_) => return Err("its reduction is neither `none` nor `add`".to_owned()),
    };
    let updates = s.wants(2).then(|| s.b.binary(Op::GatherNd, &g, &indices));
    Ok(vec![Some(data), None, updates])
}

/// The gradient of the values goes to the places that the indices name.
pub(super) fn top_k(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let indices = s.node.outputs.get(1).filter(|name| !name.is_empty()).ok_or("its indices are left out")?.clone();
    let zeros = s.b.zeros_like(&x);
    let axis = ("axis", Attribute::Int(s.node.int("axis").unwrap_or(-1)));
    one(s.b.node(Op::ScatterElements, &[&zeros, &indices, &g], &[axis]))
}
