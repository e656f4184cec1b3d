//! Direct preference optimization (Rafailov et al., 2023): of two answers to one prompt the chosen one is to become more
//! probable against the rejected one than it is to a reference.
//!
//! ```text
//! π = Σₜ log P(answerₜ)    m = β·((π_chosen − π_rejected) − (ref_chosen − ref_rejected))    loss = Σ w·−log σ(m)
//! ```
//!
//! The reference's numbers are given, so that no second model is needed. The rows of a batch are the chosen answers of all its
//! pairs, then the rejected ones in the same order.

use super::{CrossEntropyNode, LABELS, LossError, WEIGHTS, are_picked, take};
use crate::autodiff::builder::Builder;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Op, Tensor, ValueInfo, surgery::PLACES};

/// The name of the graph input with the reference's log-probability of each row's answer.
pub const REFERENCE: &str = "reference_log_probability";

/// The input whose sizes are those of a batch.
const IDS: &str = "input_ids";

/// The names that the loss adds to a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// Value: the loss, of rank 0.
    pub loss: String,
    /// Value: Σ w over the pairs whose chosen answer has gained more than the rejected one, of rank 0.
    pub accuracy: String,
    /// Value: Σ w·m, of rank 0.
    pub margin: String,
    /// Value: π of each row, of rank 1.
    pub answers: String,
}

/// Adds the loss to a graph with logits `[2·pairs, sequence, vocabulary]`, or those of places that are picked of as many rows. Its inputs
/// are [`LABELS`], negative for tokens that are no part of an answer, [`REFERENCE`] for each row, and [`WEIGHTS`] for each pair.
pub fn preference(graph: &mut Graph, logits: &str, beta: f32) -> Result<Preference, LossError> {
    let names = Preference {
        loss: "loss".to_owned(),
        accuracy: "reward_accuracy".to_owned(),
        margin: "reward_margin".to_owned(),
        answers: "answer_log_probability".to_owned(),
    };
    take(graph, &[&names.loss, &names.accuracy, &names.margin, &names.answers, LABELS, WEIGHTS, REFERENCE])?;
    let axes = graph.output(logits).and_then(|output| output.shape.clone());
    let of_texts = if are_picked(graph) { graph.input(IDS).and_then(|ids| ids.shape.clone()) } else { axes.clone() };
    let (Some([label_axes @ .., _]), Some([rows, ..])) = (axes.as_deref(), of_texts.as_deref()) else {
        return Err(LossError::NoLogits { logits: logits.to_owned() });
    };
    if label_axes.len() != 2 {
        return Err(LossError::NoLogits { logits: logits.to_owned() });
    }
    let mut b = Builder::new(std::mem::replace(graph, Graph::new("", 0)));
    b.declare_input(ValueInfo::new(LABELS, ElementType::Int64, label_axes));
    b.declare_input(ValueInfo::new(REFERENCE, ElementType::Float, std::slice::from_ref(rows)));
    b.declare_input(ValueInfo::new(WEIGHTS, ElementType::Float, &[Axis::named("pairs")]));
    answers(&mut b, logits, &names.answers);
    let gained = b.sub(&names.answers, REFERENCE);
    let halves = b.ints(&[2, -1]);
    let gained = b.node(Op::Reshape, &[&gained, &halves], &[]);
    let signs = b.fresh("signs");
    b.graph.initializers.insert(signs.clone(), Tensor::from_f32(&[2, 1], &[beta, -beta]));
    let gained = b.mul(&gained, &signs);
    let margins = b.reduce_sum(&gained, &[0], false);
    let against = b.unary(Op::Neg, &margins);
    let losses = b.unary(Op::Softplus, &against);
    let zero = b.scalar(0.0);
    let is_right = b.binary(Op::Greater, &margins, &zero);
    let is_right = b.float_of(&is_right);
    for (values, sum) in [(losses, &names.loss), (is_right, &names.accuracy), (margins, &names.margin)] {
        let weighted = b.mul(&values, WEIGHTS);
        b.sum_all(&weighted, sum);
    }
    for sum in [&names.loss, &names.accuracy, &names.margin] {
        b.graph.outputs.push(ValueInfo::new(sum.as_str(), ElementType::Float, &[]));
    }
    b.graph.outputs.push(ValueInfo::new(names.answers.as_str(), ElementType::Float, std::slice::from_ref(rows)));
    *graph = b.graph;
    Ok(names)
}

/// Writes the log-probability of each row's answer to `output`.
fn answers(b: &mut Builder, logits: &str, output: &str) {
    let picked = are_picked(&b.graph);
    let (rows, labels) = if picked {
        (logits.to_owned(), LABELS.to_owned())
    } else {
        (b.shifted(logits, 1, 0, -1), b.shifted(LABELS, 1, 1, i64::MAX))
    };
    let rows = b.rows(&rows);
    let flat = b.ints(&[-1]);
    let flat_labels = b.node(Op::Reshape, &[&labels, &flat], &[]);
    let node = CrossEntropyNode {
        weights: b.scalar(1.0),
        loss: b.fresh("summed_surprise"),
        rows: b.fresh("surprise"),
        labels: flat_labels,
        logits: rows,
    };
    node.add(b);
    let surprise = if picked { in_place(b, &node.rows) } else { b.reshape_like(&node.rows, &labels) };
    let surprise = b.reduce_sum(&surprise, &[1], false);
    b.named(Op::Neg, &[&surprise], &[] as &[(&str, Attribute)], output);
}

/// What was computed of each picked place, where it is in its row, `[rows, sequence]`; 0 at all others.
fn in_place(b: &mut Builder, values: &str) -> String {
    let flat = b.ints(&[-1]);
    let (all, places) = (b.node(Op::Reshape, &[IDS, &flat], &[]), b.node(Op::Reshape, &[PLACES, &flat], &[]));
    let zeros = b.zeros_like(&all);
    let spread = b.node(Op::ScatterElements, &[&zeros, &places, values], &[("axis", Attribute::Int(0))]);
    b.reshape_like(&spread, IDS)
}
