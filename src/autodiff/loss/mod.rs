//! The training loss: weighted cross-entropy over rows of logits.
//!
//! In a graph that is not yet lowered the loss is one node, `annotc:CrossEntropy`, so that its gradient is one rule.
//! `lower` writes it with stock operators:
//!
//! ```text
//! P = softmax(x)    lse = max(x) − log(max(P))    ce = lse − x[label]    loss = Σ w·ce    ∂loss/∂x = w·(P − onehot)
//! ```
//!
//! `max(P)` is at least 1/C, so the logarithm never meets a zero, and no pass over the logits is spent on a shift.
//!
//! `soften` has what smooths the target and weighs the classes, `binary` the loss of a label of several values.

mod binary;
mod contrast;
#[cfg(test)]
mod exports;
mod preference;
mod soften;
mod squared;
#[cfg(test)]
mod tests;

pub use binary::binary_cross_entropy;
pub use contrast::{SAME, contrast};
pub use preference::{Preference, REFERENCE, preference};
pub use soften::{Softening, soft_cross_entropy};
pub use squared::squared_error;

use std::collections::BTreeSet;

use self::soften::Softened;
use super::builder::{Builder, Operators};
use super::{dropout, picked};
use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, ValueInfo, shapes::Dim, surgery::PLACES};

/// How rows of logits and labels belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// `logits[…, t]` is judged by `labels[…, t]`: classes of a text or of a token.
    Same,
    /// `logits[…, t]` is judged by `labels[…, t + 1]`: a language model that predicts the next token. Labels and weights
    /// align with `input_ids`; the first of each row is never a target. Where the logits are computed for places that are
    /// picked (`onnx::surgery::pick_learnt`), each has its own label, that of the token behind it.
    Next,
}

/// The names that a loss adds to a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Value: the loss, a float of rank 0: Σ weight · cross-entropy. The caller divides the weights by the number of
    /// trained tokens of the whole optimizer step, so that accumulated micro-batches add up to one mean.
    pub loss: String,
    /// Value: the unweighted cross-entropy of each row, float of rank 1 ; with `Alignment::Next` the last of each
    /// sequence is 0.
    pub rows: String,
    /// Graph input: class numbers, int64, in the shape of the logits without their last axis. A negative label (−100 by
    /// convention) is no target: its weight counts as 0.
    pub labels: String,
    /// Graph input: a float weight per label, in the labels' shape.
    pub weights: String,
}

/// The name of the graph input with the labels.
pub const LABELS: &str = "labels";
/// The name of the graph input with the weights.
pub const WEIGHTS: &str = "loss_weight";

/// Why no loss could be added.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LossError {
    /// The logits are not an output, or their rank is unknown.
    #[error("the graph has no output `{logits}` of a known rank of at least 2")]
    NoLogits {
        /// The name asked for.
        logits: String,
    },
    /// Classes are to weigh or to be smoothed over, and there are other classes or an unknown number of them.
    #[error("the number of classes of `{logits}` is not fixed, or not that of the weights")]
    Classes {
        /// The name asked for.
        logits: String,
    },
    /// The graph has a value of a name that the loss needs.
    #[error("the graph has a value `{name}` already, which the loss needs for itself")]
    Taken {
        /// The name.
        name: String,
    },
}

/// Adds a weighted cross-entropy of `logits` (float, `[…, classes]`) to the graph, with two graph inputs and two outputs.
/// The graph is then not runnable as it is: `differentiate` and `forward` lower it.
pub fn cross_entropy(graph: &mut Graph, logits: &str, alignment: Alignment) -> Result<Loss, LossError> {
    let no_logits = || LossError::NoLogits { logits: logits.to_owned() };
    let axes = graph.output(logits).and_then(|output| output.shape.clone()).ok_or_else(no_logits)?;
    let Some((_, label_axes)) = axes.split_last().filter(|(_, rest)| !rest.is_empty()) else { return Err(no_logits()) };
    let alignment = if are_picked(graph) { Alignment::Same } else { alignment };
    let loss = claim(graph)?;
    let mut b = Builder::new(std::mem::replace(graph, Graph::new("", 0)));
    for (name, element) in [(&loss.labels, ElementType::Int64), (&loss.weights, ElementType::Float)] {
        b.declare_input(ValueInfo::new(name.clone(), element, label_axes));
    }
    let (rows, labels, weights) = match alignment {
        Alignment::Same => (logits.to_owned(), loss.labels.clone(), loss.weights.clone()),
        Alignment::Next => {
            let time = label_axes.len() as i64 - 1;
            // The last of each row is judged by nothing: to leave it there costs less than to copy all others.
            let (none, nothing) = (b.int(NO_TARGET), b.scalar(0.0));
            let (labels, weights) = (b.next(&loss.labels, time, &none), b.next(&loss.weights, time, &nothing));
            (logits.to_owned(), labels, weights)
        }
    };
    let flat = b.ints(&[-1]);
    let labels = b.node(Op::Reshape, &[&labels, &flat], &[]);
    let weights = b.node(Op::Reshape, &[&weights, &flat], &[]);
    let node =
        CrossEntropyNode { logits: b.rows(&rows), labels, weights, loss: loss.loss.clone(), rows: loss.rows.clone() };
    node.add(&mut b);
    loss.declare_outputs(&mut b.graph);
    *graph = b.graph;
    Ok(loss)
}

/// A cross-entropy over rows of logits: the node with what it reads and writes.
struct CrossEntropyNode {
    /// `[rows, classes]`
    logits: String,
    /// `[rows]`; a negative one is no target.
    labels: String,
    /// `[rows]`, or one for all.
    weights: String,
    /// Where Σ weight · cross-entropy is written.
    loss: String,
    /// Where the cross-entropy of each row is written.
    rows: String,
}

impl CrossEntropyNode {
    fn add(&self, b: &mut Builder) {
        let probabilities = b.fresh("probabilities");
        b.graph.nodes.push(Node::new(
            &self.loss,
            Op::CrossEntropy,
            &[&self.logits, &self.labels, &self.weights],
            &[&self.loss, &self.rows, &probabilities],
        ));
        b.graph.import_opset(Op::CrossEntropy.domain(), 1);
    }
}

/// Whether the logits are those of picked places.
fn are_picked(graph: &Graph) -> bool {
    graph.input(PLACES).is_some()
}

/// The names that a loss takes for itself.
fn claim(graph: &Graph) -> Result<Loss, LossError> {
    let loss = Loss {
        loss: "loss".to_owned(),
        rows: "row_losses".to_owned(),
        labels: LABELS.to_owned(),
        weights: WEIGHTS.to_owned(),
    };
    take(graph, &[&loss.loss, &loss.rows, &loss.labels, &loss.weights])?;
    Ok(loss)
}

/// Fails where a graph has one of these names already.
fn take(graph: &Graph, names: &[&str]) -> Result<(), LossError> {
    let taken = graph.names();
    match names.iter().find(|name| taken.contains(**name)) {
        Some(name) => Err(LossError::Taken { name: (*name).to_owned() }),
        None => Ok(()),
    }
}

impl Loss {
    fn declare_outputs(&self, graph: &mut Graph) {
        graph.outputs.push(ValueInfo::new(self.loss.clone(), ElementType::Float, &[]));
        graph.outputs.push(ValueInfo::new(self.rows.clone(), ElementType::Float, &[Axis::Free]));
    }
}

/// The part of a graph that computes `outputs`, lowered, so that the runtime can run it: for measuring a loss.
pub fn forward(graph: &Graph, outputs: &[&str]) -> Graph {
    let mut graph = graph.clone();
    graph.outputs.retain(|output| outputs.contains(&output.name.as_str()));
    graph.prune();
    lower(&mut graph, Operators::Stock);
    let read: BTreeSet<String> = graph.nodes.iter().flat_map(Node::reads).map(str::to_owned).collect();
    graph.inputs.retain(|input| read.contains(&input.name));
    graph.prune();
    graph
}

/// Writes every node of our own with stock operators: the loss, dropout, rows that are picked, and what is detached from the
/// gradient, which is the value itself. Outputs keep their names. A plain loss stays as it is where the runtime's own operator may stand for it, which
/// returns the gradient of its sum in place of the probabilities; it cannot where the gradients of rows are asked for.
pub(super) fn lower(graph: &mut Graph, operators: Operators) {
    if !graph.nodes.iter().any(|node| node.op.domain() == Op::CrossEntropy.domain()) {
        return;
    }
    let read: BTreeSet<String> = graph.nodes.iter().flat_map(Node::reads).map(str::to_owned).collect();
    let stays =
        |node: &Node| operators == Operators::Ours && Softened::of(node).is_none() && !read.contains(&node.outputs[1]);
    let mut b = Builder::new(std::mem::replace(graph, Graph::new("", 0)));
    for mut node in std::mem::take(&mut b.graph.nodes) {
        if node.op == Op::CrossEntropy && !stays(&node) {
            lower_node(&mut b, &node);
            continue;
        }
        if node.op == Op::KeyedDropout {
            match operators {
                Operators::Stock => {
                    dropout::lower(&mut b, &node);
                    continue;
                }
                // The gradient drops again what was dropped, so that nothing need be kept of it.
                Operators::Ours => node.outputs.truncate(1),
            }
        }
        if node.op == Op::PickRows {
            picked::lower(&mut b, &node);
            continue;
        }
        if node.op == Op::Detach {
            node.op = Op::Identity;
        }
        b.graph.nodes.push(node);
    }
    if !b.graph.nodes.iter().any(|node| node.op.domain() == Op::CrossEntropy.domain()) {
        b.graph.opsets.remove(Op::CrossEntropy.domain());
    }
    *graph = b.graph;
}

fn lower_node(b: &mut Builder, node: &Node) {
    let (logits, labels, weights) = inputs(node);
    let [loss, rows, probabilities] = node.outputs.as_slice() else { unreachable!("a loss node has three outputs") };
    let last = ("axis", Attribute::Int(-1));
    b.named(Op::Softmax, &[logits], &[last], probabilities);
    let peak = b.reduce(Op::ReduceMax, logits, &[1]);
    let peak_probability = b.reduce(Op::ReduceMax, probabilities, &[1]);
    let log = b.unary(Op::Log, &peak_probability);
    let log_sum = b.sub(&peak, &log);
    let (index, mask) = targets(b, labels);
    let chosen = b.node(Op::GatherElements, &[logits, &index], &[("axis", Attribute::Int(1))]);
    let surprise = b.sub(&log_sum, &chosen);
    let flat = b.ints(&[-1]);
    let flattened = b.node(Op::Reshape, &[&surprise, &flat], &[]);
    b.named(Op::Mul, &[&flattened, &mask], &[], rows);
    let weighted = match Softened::of(node) {
        None => b.mul(rows, weights),
        Some(softened) => {
            let hard = softened.hard(b, &index);
            let hard = b.mul(&surprise, &hard);
            let spread = softened.spread(b, logits, &log_sum);
            let soft = b.add(&hard, &spread);
            let soft = b.node(Op::Reshape, &[&soft, &flat], &[]);
            let soft = b.mul(&soft, &mask);
            b.mul(&soft, weights)
        }
    };
    b.sum_all(&weighted, loss);
}

fn inputs(node: &Node) -> (&str, &str, &str) {
    let [logits, labels, weights, ..] = node.inputs.as_slice() else { unreachable!("a loss node has three inputs") };
    (logits, labels, weights)
}

/// The labels as indices `[rows, 1]`, with 0 in place of a negative one, and 1 or 0 per row: whether it has a target.
fn targets(b: &mut Builder, labels: &str) -> (String, String) {
    let zero = b.int(0);
    let is_target = b.binary(Op::GreaterOrEqual, labels, &zero);
    let mask = b.float_of(&is_target);
    let safe = b.node(Op::Max, &[labels, &zero], &[]);
    let column = b.ints(&[-1, 1]);
    (b.node(Op::Reshape, &[&safe, &column], &[]), mask)
}

/// ∂loss/∂logits = w·(P − onehot(label)), or as a softened loss has it, scaled by the loss's own gradient where that is
/// not 1.
pub(super) fn gradient(b: &mut Builder, node: &Node, upstream: Option<&str>) -> String {
    let stayed = |other: &Node| other.op == Op::CrossEntropy && other.outputs == node.outputs;
    if b.graph.nodes.iter().any(stayed) {
        return upstream.map_or_else(|| node.outputs[2].clone(), |upstream| b.mul(&node.outputs[2], upstream));
    }
    let (_, labels, weights) = inputs(node);
    let (index, mask) = targets(b, labels);
    let weights = b.mul(weights, &mask);
    let weights = match upstream {
        Some(upstream) => b.mul(&weights, upstream),
        None => weights,
    };
    let column = b.ints(&[-1, 1]);
    let weights = b.node(Op::Reshape, &[&weights, &column], &[]);
    let (scaled, minus) = match Softened::of(node) {
        None => (b.mul(&node.outputs[2], &weights), b.unary(Op::Neg, &weights)),
        Some(softened) => {
            let hard = softened.hard(b, &index);
            let over_all = b.scalar(softened.spread_over_all);
            let all = b.add(&hard, &over_all);
            let all = b.mul(&weights, &all);
            let (row, hard) = (softened.row(b), b.mul(&weights, &hard));
            let (scaled, spread) = (b.mul(&node.outputs[2], &all), b.mul(&weights, &row));
            (b.sub(&scaled, &spread), b.unary(Op::Neg, &hard))
        }
    };
    let add = ("reduction", Attribute::String(b"add".to_vec()));
    b.node(Op::ScatterElements, &[&scaled, &index, &minus], &[("axis", Attribute::Int(1)), add])
}

/// ∂/∂logits of the cross-entropies of the rows, which neither weights nor smoothing touch, where `upstream` is the gradient of
/// each.
pub(super) fn gradient_of_rows(b: &mut Builder, node: &Node, upstream: &str) -> String {
    let (_, labels, _) = inputs(node);
    let (index, mask) = targets(b, labels);
    let weights = b.mul(upstream, &mask);
    let column = b.ints(&[-1, 1]);
    let weights = b.node(Op::Reshape, &[&weights, &column], &[]);
    let (scaled, minus) = (b.mul(&node.outputs[2], &weights), b.unary(Op::Neg, &weights));
    let add = ("reduction", Attribute::String(b"add".to_vec()));
    b.node(Op::ScatterElements, &[&scaled, &index, &minus], &[("axis", Attribute::Int(1)), add])
}

/// A label that is no target.
const NO_TARGET: i64 = -100;

impl Builder {
    /// `x[…, 1:, …]` along `axis`, the last of `x`, and `end` behind it.
    fn next(&mut self, x: &str, axis: i64, end: &str) -> String {
        let rest = self.shifted(x, axis, 1, i64::MAX);
        let mut widths = vec![0; 2 * (axis as usize + 1)];
        widths.last_mut().into_iter().for_each(|width| *width = 1);
        let widths = self.ints(&widths);
        self.node(Op::Pad, &[&rest, &widths, end], &[])
    }

    /// Declares a graph input.
    fn declare_input(&mut self, input: ValueInfo) {
        let dims = input.shape.iter().flatten().map(|axis| match axis {
            Axis::Fixed(size) => Dim::Known(*size as i64),
            Axis::Named(name) => Dim::Symbol(name.clone()),
            Axis::Free => Dim::Symbol(format!("{}'s", input.name)),
        });
        let value =
            crate::onnx::shapes::Value { element: Some(input.element), dims: Some(dims.collect()), content: None };
        self.shapes.set(&input.name, value);
        self.graph.inputs.push(input);
    }

    /// `x[…, start:end, …]` along `axis`.
    fn shifted(&mut self, x: &str, axis: i64, start: i64, end: i64) -> String {
        let (start, end, axis) = (self.ints(&[start]), self.ints(&[end]), self.ints(&[axis]));
        self.node(Op::Slice, &[x, &start, &end, &axis], &[])
    }

    /// Writes the sum of all elements, of rank 0, to `output`.
    fn sum_all(&mut self, x: &str, output: &str) {
        self.named(Op::ReduceSum, &[x], &[("keepdims", Attribute::Int(0))], output);
    }
}
