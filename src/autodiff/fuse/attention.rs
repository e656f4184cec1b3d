//! Attention as exporters write it, a product, a scale, a mask, a softmax and a product, becomes `annotc:MaskedAttention`.

use super::{Found, Index, other};
use crate::onnx::{
    Attribute, ElementType, Node, Op,
    shapes::{Dim, Shapes},
};

pub(super) fn find(index: &Index<'_>, softmax: usize) -> Option<Found> {
    let node = index.node(softmax);
    let guarded = match node.op {
        Op::GuardedSoftmax => true,
        Op::Softmax if node.int("axis").unwrap_or(-1) == -1 => false,
        _ => return None,
    };
    let probabilities = node.outputs.first()?;
    let applied = index.only_reader_of(softmax, &Op::MatMul)?;
    let [left, values] = index.node(applied).inputs.as_slice() else { return None };
    if left != probabilities {
        return None;
    }
    let masked = index.written_by(node.input(0)?, &Op::Add).filter(|add| index.only_reader(*add) == Some(softmax))?;
    let sum = index.node(masked);
    let scores = sum.inputs.iter().find_map(|input| Scores::of(index, input, masked).map(|scores| (input, scores)));
    let (input, scores) = scores?;
    let mask = other(sum, input)?;
    let [queries, keys] = index.node(scores.product).inputs.as_slice() else { return None };
    let operands = [queries.as_str(), keys.as_str(), values.as_str(), mask];
    let is_joined = operands.iter().all(|operand| index.is_batch_of_matrices(operand))
        && index.is_repeated_over(mask, 2, queries)
        && index.is_repeated_over(mask, 1, keys);
    if !is_joined {
        return None;
    }
    let mut parts = vec![scores.product, masked, softmax, applied];
    parts.extend(scores.scaled);
    parts.sort_unstable();
    let outputs = [index.node(applied).outputs[0].as_str(), probabilities];
    let node = Node::new("", Op::MaskedAttention, &operands, &outputs)
        .with("alpha", Attribute::Float(scores.alpha))
        .with("guarded", Attribute::Int(guarded.into()));
    Some(Found { parts, node })
}

/// The product of queries and keys, and what it is multiplied by.
struct Scores {
    product: usize,
    scaled: Option<usize>,
    alpha: f32,
}

impl Scores {
    /// Those that a value is, if only that node reads it.
    fn of(index: &Index<'_>, value: &str, reader: usize) -> Option<Self> {
        let read_by = |node: &usize, reader: usize| index.only_reader(*node) == Some(reader);
        if let Some(product) = index.written_by(value, &Op::MatMul) {
            return read_by(&product, reader).then_some(Self { product, scaled: None, alpha: 1.0 });
        }
        let scaled = [Op::Div, Op::Mul].iter().find_map(|op| index.written_by(value, op));
        let scaled = scaled.filter(|scaled| read_by(scaled, reader))?;
        let (operand, by) = index.operand_and_constant(scaled)?;
        let alpha = if index.node(scaled).op == Op::Div { 1.0 / by } else { by };
        let product = index.written_by(operand, &Op::MatMul).filter(|product| read_by(product, scaled))?;
        alpha.is_finite().then_some(Self { product, scaled: Some(scaled), alpha })
    }
}

impl Index<'_> {
    fn shapes(&self) -> &Shapes {
        self.shapes.get_or_init(|| Shapes::of(self.graph))
    }

    /// Whether a mask's axis, counted from the end, may be that of the scores, which come from an operand: not if the scores have one
    /// place there and it has more.
    fn is_repeated_over(&self, mask: &str, axis: usize, operand: &str) -> bool {
        let size = |value: &str| {
            let dims = self.shapes().dims(value)?;
            dims.get(dims.len().checked_sub(axis)?).cloned()
        };
        size(operand) != Some(Dim::Known(1)) || size(mask) == Some(Dim::Known(1))
    }

    /// Whether a value is known to be matrices of 32-bit floats.
    fn is_batch_of_matrices(&self, value: &str) -> bool {
        let shapes = self.shapes();
        shapes.rank(value).is_some_and(|rank| rank >= 2) && shapes.element(value) == Some(ElementType::Float)
    }
}
