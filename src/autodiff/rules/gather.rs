//! Picking and placing by index. `ScatterElements(add)` sums duplicates in order; `ScatterND(add)` races on them, so it
//! occurs in no rule.

use super::{Parts, Site, one};
use crate::onnx::{Attribute, Op, Tensor};

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

/// Each slice goes back to where its index vector points.
pub(super) fn gather_nd(s: &mut Site<'_>) -> Parts {
    let (g, x, indices) = (s.g()?, s.x(0)?, s.x(1)?);
    let places = s.places(&x);
    let batch = ("batch_dims", Attribute::Int(s.node.int("batch_dims").unwrap_or(0)));
    let taken = s.b.node(Op::GatherNd, &[&places, &indices], &[batch]);
    one(s.scattered(&g, &taken, &x))
}

impl Site<'_> {
    /// Tensor: for each element of `x`, in the shape of `x`, its position row by row. What an operator that only picks
    /// elements makes of it says where each one came from.
    pub(super) fn places(&mut self, x: &str) -> String {
        let (from, count, step) = (self.b.int(0), self.b.unary(Op::Size, x), self.b.int(1));
        let all = self.b.node(Op::Range, &[&from, &count, &step], &[]);
        let shape = self.b.shape_of(x);
        self.b.reshape(&all, &shape)
    }

    /// Zeros in the shape of `x` to which each element of `g` is added at its place.
    pub(super) fn scattered(&mut self, g: &str, places: &str, x: &str) -> String {
        let (flat, count) = (self.b.ints(&[-1]), self.b.unary(Op::Size, x));
        let g = self.b.node(Op::Reshape, &[g, &flat], &[]);
        let places = self.b.node(Op::Reshape, &[places, &flat], &[]);
        let count = self.b.node(Op::Reshape, &[&count, &flat], &[]);
        let value = Attribute::Tensor(Tensor::from_f32(&[1], &[0.0]));
        let zeros = self.b.node(Op::ConstantOfShape, &[&count], &[("value", value)]);
        let attributes = [("axis", Attribute::Int(0)), add_up()];
        let sum = self.b.node(Op::ScatterElements, &[&zeros, &places, &g], &attributes);
        self.b.reshape_like(&sum, x)
    }
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
    let indices = s.saved_output(1);
    let zeros = s.b.zeros_like(&x);
    let axis = ("axis", Attribute::Int(s.node.int("axis").unwrap_or(-1)));
    one(s.b.node(Op::ScatterElements, &[&zeros, &indices, &g], &[axis]))
}
