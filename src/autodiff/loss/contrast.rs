//! Multiple negatives ranking (Henderson et al., 2017; InfoNCE of van den Oord et al., 2018): a text is to be closer to its own
//! partner than to those of the other texts of the batch.
//!
//! ```text
//! s[i, j] = scale·cos(aᵢ, pⱼ), −∞ where pⱼ is a partner of aᵢ too    loss = Σ w·cross_entropy(s[i, ·], i)
//! ```
//!
//! The rows of a batch are the first texts of all its pairs, then their partners in the same order.

use super::{CrossEntropyNode, LABELS, LossError, WEIGHTS, take};
use crate::autodiff::builder::Builder;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Op, ValueInfo};

/// The name of the graph input that is 1 where the partner of a column is one of the row's text as well, off the diagonal.
pub const SAME: &str = "same_text";

/// What is added to a score that must not count: its exponential is 0.
const NEVER: f32 = -1e9;

/// The least norm that a vector is divided by.
const LEAST_NORM: f32 = 1e-12;

/// Adds the loss to a graph with the output `vectors` `[2·pairs, width]` and returns its name, a value of rank 0. Its inputs are
/// [`LABELS`], the number of each pair in the batch from 0, [`SAME`] `[pairs, pairs]`, and [`WEIGHTS`] for each pair.
pub fn contrast(graph: &mut Graph, vectors: &str, scale: f32) -> Result<String, LossError> {
    let loss = "loss".to_owned();
    take(graph, &[&loss, LABELS, WEIGHTS, SAME])?;
    let axes = graph.output(vectors).and_then(|output| output.shape.clone());
    let Some([_, Axis::Fixed(width)]) = axes.as_deref() else {
        return Err(LossError::NoLogits { logits: vectors.to_owned() });
    };
    let mut b = Builder::new(std::mem::replace(graph, Graph::new("", 0)));
    let pairs = [Axis::named("pairs")];
    b.declare_input(ValueInfo::new(LABELS, ElementType::Int64, &pairs));
    b.declare_input(ValueInfo::new(WEIGHTS, ElementType::Float, &pairs));
    b.declare_input(ValueInfo::new(SAME, ElementType::Float, &[pairs[0].clone(), pairs[0].clone()]));
    let norm = b.reduce(Op::ReduceL2, vectors, &[1]);
    let least = b.scalar(LEAST_NORM);
    let norm = b.binary(Op::Max, &norm, &least);
    let unit = b.div(vectors, &norm);
    let halves = b.ints(&[2, -1, *width as i64]);
    let halves = b.node(Op::Reshape, &[&unit, &halves], &[]);
    let mut half = |at: i64| {
        let at = b.int(at);
        b.node(Op::Gather, &[&halves, &at], &[("axis", Attribute::Int(0))])
    };
    let (first, partners) = (half(0), half(1));
    let partners = b.node(Op::Transpose, &[&partners], &[("perm", Attribute::Ints(vec![1, 0]))]);
    let scores = b.binary(Op::MatMul, &first, &partners);
    let scores = b.scale(&scores, scale);
    let never = b.scale(SAME, NEVER);
    let scores = b.add(&scores, &never);
    let node = CrossEntropyNode {
        weights: WEIGHTS.to_owned(),
        loss: loss.clone(),
        rows: b.fresh("surprise"),
        labels: LABELS.to_owned(),
        logits: scores,
    };
    node.add(&mut b);
    b.graph.outputs.push(ValueInfo::new(loss.as_str(), ElementType::Float, &[]));
    *graph = b.graph;
    Ok(loss)
}
