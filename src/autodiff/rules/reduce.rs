//! Reductions and cumulative sums. `ȳ` and `ḡ` are the result and its gradient with the reduced axes kept at size 1.

use super::{Parts, Site, one};
use crate::onnx::{Attribute, Op, shapes::Dim};

impl Site<'_> {
    /// A value of the output's shape with the reduced axes put back at size 1.
    fn kept(&mut self, value: &str) -> Result<String, String> {
        if self.node.int("keepdims").unwrap_or(1) != 0 {
            return Ok(value.to_owned());
        }
        let axes = match (self.node.ints("axes").map(<[i64]>::to_vec), self.node.input(1).map(str::to_owned)) {
            (Some(axes), _) => self.b.ints(&axes),
            (None, Some(axes)) => axes,
            // Everything is reduced: a single number broadcasts by itself.
            (None, None) => return Ok(value.to_owned()),
        };
        if self.b.shapes.known_dims(&axes) == Some(vec![0]) {
            return Ok(value.to_owned());
        }
        Ok(self.b.binary(Op::Unsqueeze, value, &axes))
    }

    /// Another reduction over the node's own axes, which it keeps at size 1. The axes of a sum are an input from operator
    /// set 13 on, those of all others from 18 on.
    fn reduced_again(&mut self, op: Op, x: &str) -> String {
        let noop = ("noop_with_empty_axes", Attribute::Int(self.node.int("noop_with_empty_axes").unwrap_or(0)));
        let keep = ("keepdims", Attribute::Int(1));
        let as_input = op == Op::ReduceSum || self.b.graph.opset() >= 18;
        let axes = match (self.node.ints("axes"), self.node.input(1)) {
            (Some(axes), _) if as_input => Some(self.b.ints(axes)),
            (Some(axes), _) => {
                return self.b.node(op, &[x], &[("axes", Attribute::Ints(axes.to_vec())), keep]);
            }
            (None, axes) => axes.map(str::to_owned),
        };
        let operands: Vec<&str> = std::iter::once(x).chain(axes.as_deref()).collect();
        if as_input { self.b.node(op, &operands, &[keep, noop]) } else { self.b.node(op, &operands, &[keep]) }
    }

    /// How many elements each result was made of, as a float of rank 0.
    fn reduced_count(&mut self, x: &str) -> String {
        let sizes = |name: &str| self.b.shapes.known_dims(name).map(|dims| dims.iter().product::<i64>());
        if let (Some(all), Some(left @ 1..)) = (sizes(x), sizes(&self.node.outputs[0])) {
            return self.b.scalar((all / left) as f32);
        }
        if let Some(count) = self.static_count(x) {
            return self.b.scalar(count as f32);
        }
        let (all, left) = (self.b.unary(Op::Size, x), self.b.unary(Op::Size, &self.node.outputs[0]));
        let count = self.b.div(&all, &left);
        self.b.float_of(&count)
    }

    /// The product of the reduced sizes, where the axes and their sizes are known though others are not.
    fn static_count(&self, x: &str) -> Option<i64> {
        let dims = self.b.shapes.dims(x)?;
        let axes = match (self.node.ints("axes"), self.node.input(1)) {
            (Some(axes), _) => axes.to_vec(),
            (None, Some(axes)) => self.b.shapes.ints(axes)?,
            (None, None) => return None,
        };
        let size = |axis: i64| {
            let axis = if axis < 0 { axis + dims.len() as i64 } else { axis };
            dims.get(usize::try_from(axis).ok()?).and_then(Dim::known)
        };
        (!axes.is_empty()).then(|| axes.into_iter().map(size).product::<Option<i64>>()).flatten()
    }
}

/// d Σx = ḡ, repeated
pub(super) fn sum(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let g = s.kept(&g)?;
    one(s.b.expand_like(&g, &x))
}

/// d mean(x) = ḡ/n, repeated
pub(super) fn mean(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let count = s.reduced_count(&x);
    let g = s.kept(&g)?;
    let g = s.b.div(&g, &count);
    one(s.b.expand_like(&g, &x))
}

/// d Σx² = 2·x·ḡ
pub(super) fn sum_square(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let g = s.kept(&g)?;
    let g = s.b.scale(&g, 2.0);
    one(s.b.mul(&x, &g))
}

/// d√Σx² = x·ḡ/ȳ
pub(super) fn l2(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let ratio = s.b.div(&g, &y);
    let ratio = s.kept(&ratio)?;
    one(s.b.mul(&x, &ratio))
}

/// d log Σeˣ = ḡ·e^(x − ȳ)
pub(super) fn log_sum_exp(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let (g, y) = (s.kept(&g)?, s.kept(&y)?);
    let difference = s.b.sub(&x, &y);
    let share = s.b.unary(Op::Exp, &difference);
    one(s.b.mul(&share, &g))
}

/// d Σ|x| = sign(x)·ḡ
pub(super) fn l1(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let g = s.kept(&g)?;
    let sign = s.b.unary(Op::Sign, &x);
    one(s.b.mul(&sign, &g))
}

/// d log Σx = ḡ/Σx, repeated
pub(super) fn log_sum(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let sum = s.b.unary(Op::Exp, &y);
    let ratio = s.b.div(&g, &sum);
    let ratio = s.kept(&ratio)?;
    one(s.b.expand_like(&ratio, &x))
}

/// d Πx = ḡ·(product of the other elements). Zeros are counted and left out of the product: an element has a slope only
/// where no other element is zero.
pub(super) fn product(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let zero = s.b.scalar(0.0);
    let is_zero = s.b.binary(Op::Equal, &x, &zero);
    let is_zero = s.b.float_of(&is_zero);
    let filled = s.b.add(&x, &is_zero);
    let whole = s.reduced_again(Op::ReduceProd, &filled);
    let zeros = s.reduced_again(Op::ReduceSum, &is_zero);
    let others = s.b.sub(&zeros, &is_zero);
    let alone = s.b.binary(Op::Equal, &others, &zero);
    let rest = s.b.div(&whole, &filled);
    let slope = s.b.node(Op::Where, &[&alone, &rest, &zero], &[]);
    let g = s.kept(&g)?;
    one(s.b.mul(&slope, &g))
}

/// The gradient goes to the largest (smallest) element; several equal ones share it.
pub(super) fn extremum(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let (g, y) = (s.kept(&g)?, s.kept(&y)?);
    let chosen = s.b.binary(Op::Equal, &x, &y);
    let chosen = s.b.float_of(&chosen);
    let count = s.reduced_again(Op::ReduceSum, &chosen);
    let share = s.b.div(&g, &count);
    one(s.b.mul(&chosen, &share))
}

/// The cumulative sum from the other end.
pub(super) fn cumsum(s: &mut Site<'_>) -> Parts {
    let (g, axis) = (s.g()?, s.x(1)?);
    let reverse = ("reverse", Attribute::Int(1 - s.node.int("reverse").unwrap_or(0)));
    let exclusive = ("exclusive", Attribute::Int(s.node.int("exclusive").unwrap_or(0)));
    one(s.b.node(Op::CumSum, &[&g, &axis], &[reverse, exclusive]))
}
