//! The standard set's attention and rotary embedding, of operator set 23.

use super::{Parts, Site};
use crate::onnx::{Attribute, ElementType, Op};

/// A rotation of pairs: its transpose, the rotation by the opposite angle, takes the gradient back.
pub(super) fn rotary_embedding(s: &mut Site<'_>) -> Parts {
    let (g, cos, sin) = (s.g()?, s.x(1)?, s.x(2)?);
    if s.wants(1) || s.wants(2) {
        return Err("its angles cannot be trained".to_owned());
    }
    let opposite = s.b.unary(Op::Neg, &sin);
    let attributes: Vec<(&str, Attribute)> =
        s.node.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let operands: Vec<&str> = [&*g, &*cos, &*opposite].into_iter().chain(s.node.input(3)).collect();
    Ok(vec![Some(s.b.node(Op::RotaryEmbedding, &operands, &attributes))])
}

/// softmax(scale·Q·Kᵀ + mask)·V, composed of products and a softmax. Heads of keys that several heads of queries share
/// are an axis of size 1 that the products broadcast.
pub(super) fn attention(s: &mut Site<'_>) -> Parts {
    if s.node.input(6).is_some() {
        return Err("it takes the number of keys of each record".to_owned());
    }
    let flat = s.rank(0)? == 3;
    s.composed(|s| {
        let queries = s.heads(0, "q_num_heads", flat)?;
        let (mut keys, mut values) = (s.heads(1, "kv_num_heads", flat)?, s.heads(2, "kv_num_heads", flat)?);
        if let (Some(past_keys), Some(past_values)) = (s.node.input(4), s.node.input(5)) {
            keys = s.b.node(Op::Concat, &[past_keys, &keys], &super::along(2));
            values = s.b.node(Op::Concat, &[past_values, &values], &super::along(2));
        }
        let shared = s.shared_heads(&queries, &keys);
        let (q, k, v) = match &shared {
            Some(shape) => {
                let two = s.b.ints(&[2]);
                let (k, v) = (s.b.binary(Op::Unsqueeze, &keys, &two), s.b.binary(Op::Unsqueeze, &values, &two));
                (s.b.reshape(&queries, shape), k, v)
            }
            None => (queries.clone(), keys.clone(), values.clone()),
        };
        let scores = s.scores(&q, &k, &queries)?;
        let scores = if shared.is_some() { s.joined_heads(&scores) } else { scores };
        let scores = s.masked(&scores, &queries, &keys)?;
        let mut weights = s.b.node(Op::Softmax, &[&scores], &super::along(-1));
        if let Some(shape) = &shared {
            weights = s.b.reshape(&weights, shape);
        }
        let mut y = s.b.binary(Op::MatMul, &weights, &v);
        if shared.is_some() {
            y = s.joined_heads(&y);
        }
        if flat {
            y = s.b.node(Op::Transpose, &[&y], &[("perm", Attribute::Ints(vec![0, 2, 1, 3]))]);
            let rows = s.b.ints(&[0, 0, -1]);
            y = s.b.node(Op::Reshape, &[&y, &rows], &[]);
        }
        Ok(vec![y, keys, values])
    })
}

impl Site<'_> {
    /// An operand as `[batch, heads, length, size]`.
    fn heads(&mut self, position: usize, count: &str, flat: bool) -> Result<String, String> {
        let x = self.x(position)?;
        if !flat {
            return Ok(x);
        }
        let count = self.node.int(count).ok_or_else(|| format!("it has no `{count}`"))?;
        let target = self.b.ints(&[0, 0, count, -1]);
        let split = self.b.node(Op::Reshape, &[&x, &target], &[]);
        Ok(self.b.node(Op::Transpose, &[&split], &[("perm", Attribute::Ints(vec![0, 2, 1, 3]))]))
    }

    /// Where queries have more heads than keys: the shape `[batch, heads of keys, queries per key, length, −1]`.
    fn shared_heads(&mut self, queries: &str, keys: &str) -> Option<String> {
        let heads = |site: &Self, name: &str| site.b.shapes.dims(name).and_then(|dims| dims.get(1).cloned());
        if let (Some(of_queries), Some(of_keys)) = (heads(self, queries), heads(self, keys))
            && of_queries == of_keys
        {
            return None;
        }
        let (batch, of_queries) = (self.b.size_of_axis(queries, 0), self.b.size_of_axis(queries, 1));
        let (of_keys, length) = (self.b.size_of_axis(keys, 1), self.b.size_of_axis(queries, 2));
        let (each, rest) = (self.b.div(&of_queries, &of_keys), self.b.ints(&[-1]));
        Some(self.b.node(Op::Concat, &[&batch, &of_keys, &each, &length, &rest], &super::along(0)))
    }

    /// `[batch, heads of keys, queries per key, length, size]` as `[batch, heads, length, size]`
    fn joined_heads(&mut self, x: &str) -> String {
        let batch = self.b.size_of_axis(x, 0);
        let (length, size, rest) = (self.b.size_of_axis(x, 3), self.b.size_of_axis(x, 4), self.b.ints(&[-1]));
        let target = self.b.node(Op::Concat, &[&batch, &rest, &length, &size], &super::along(0));
        self.b.node(Op::Reshape, &[x, &target], &[])
    }

    /// scale·Q·Kᵀ; the scale is 1/√size unless the node has its own.
    fn scores(&mut self, q: &str, k: &str, queries: &str) -> Result<String, String> {
        let product = self.fused(q, k, false, true, 1.0);
        if let Some(scale) = self.node.float("scale") {
            return Ok(self.b.scale(&product, scale));
        }
        let size = self.b.size_of_axis(queries, 3);
        let size = self.b.float_of(&size);
        let root = self.b.unary(Op::Sqrt, &size);
        Ok(self.b.div(&product, &root))
    }

    /// The bound c·tanh(x/c), then the mask, in the runtime's order; then the triangle that lets no query see a later key.
    fn masked(&mut self, scores: &str, queries: &str, keys: &str) -> Result<String, String> {
        let mut scores = scores.to_owned();
        let lowest = self.b.scalar(f32::MIN);
        if let Some(cap) = self.node.float("softcap").filter(|&cap| cap != 0.0) {
            let small = self.b.scale(&scores, 1.0 / cap);
            let bounded = self.b.unary(Op::Tanh, &small);
            scores = self.b.scale(&bounded, cap);
        }
        let mask = self.node.input(3).map(str::to_owned);
        match mask.as_deref().map(|mask| (mask, self.b.shapes.element(mask))) {
            Some((mask, Some(ElementType::Bool))) => {
                scores = self.b.node(Op::Where, &[mask, &scores, &lowest], &[]);
            }
            Some((mask, Some(element))) if element.is_float() => scores = self.b.add(&scores, mask),
            Some(_) => return Err("its mask is neither a truth value nor a float".to_owned()),
            None => {}
        }
        if self.node.int("is_causal").unwrap_or(0) != 0 {
            let visible = self.causal_triangle(queries, keys);
            scores = self.b.node(Op::Where, &[&visible, &scores, &lowest], &[]);
        }
        Ok(scores)
    }

    /// Truth values `[queries, keys]`: whether the key is not later than the query. A past counts as earlier.
    fn causal_triangle(&mut self, queries: &str, keys: &str) -> String {
        let (rows, columns) = (self.b.size_of_axis(queries, 2), self.b.size_of_axis(keys, 2));
        let (from, step, flat) = (self.b.int(0), self.b.int(1), self.b.ints(&[]));
        let positions = |site: &mut Self, size: &str| {
            let count = site.b.node(Op::Reshape, &[size, &flat], &[]);
            site.b.node(Op::Range, &[&from, &count, &step], &[])
        };
        let (row, column) = (positions(self, &rows), positions(self, &columns));
        let past = match self.node.input(4) {
            Some(_) => self.b.sub(&columns, &rows),
            None => self.b.ints(&[0]),
        };
        let row = self.b.add(&row, &past);
        let upright = self.b.ints(&[1]);
        let row = self.b.binary(Op::Unsqueeze, &row, &upright);
        self.b.binary(Op::GreaterOrEqual, &row, &column)
    }
}
