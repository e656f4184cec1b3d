//! A training graph over flat tensors, for devices with memory of their own: all trainable tensors are one input, all gradients
//! one sum.
//!
//! One tensor can stay on a device from step to step and be updated there by one short graph, whatever the model's tensors are. The
//! graph cuts it into them and joins the gradients behind each other, which is a copy within the device's memory.

use super::TrainingGraph;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo};

/// The input that holds all trainable tensors.
pub const PARAMETERS: &str = "annotc/flat/parameters";
/// The input that holds the sum of the gradients of the micro-batches before this one.
pub const SUM_BEFORE: &str = "annotc/flat/sum_before";
/// The input, a number, that says how much of that sum counts: 0 for the first micro-batch of a step, else 1.
pub const SUM_COUNTS: &str = "annotc/flat/sum_counts";
/// The output that holds the sum with this micro-batch.
pub const SUM: &str = "annotc/flat/sum";

/// The training graph with one input of `length` numbers in place of its trainable tensors, and one output in place of their
/// gradients. The tensors lie behind each other in the `order` of their indices; what is left of the length is filled with zeros.
///
/// # Panics
/// Where the tensors are longer than `length`, or `order` is no order of them.
#[must_use]
pub fn flatten(training: &TrainingGraph, order: &[usize], length: usize) -> Graph {
    let mut graph = training.graph.clone();
    let tensors: Vec<_> = order.iter().map(|index| &training.trainables[*index]).collect();
    assert_eq!(tensors.len(), training.trainables.len(), "each tensor stands in the order once");
    let is_trainable = |name: &str| tensors.iter().any(|tensor| tensor.name == name);
    let is_gradient = |name: &str| tensors.iter().any(|tensor| tensor.gradient == name);
    graph.inputs.retain(|input| !is_trainable(&input.name));
    graph.outputs.retain(|output| !is_gradient(&output.name));
    let axes = [Axis::Fixed(length)];
    for (name, axes) in [(PARAMETERS, &axes[..]), (SUM_BEFORE, &axes[..]), (SUM_COUNTS, &[][..])] {
        graph.inputs.push(ValueInfo::new(name, ElementType::Float, axes));
    }
    graph.outputs.push(ValueInfo::new(SUM, ElementType::Float, &axes));

    let sizes: Vec<usize> = tensors.iter().map(|tensor| tensor.shape.iter().product()).collect();
    let rest = length - sizes.iter().sum::<usize>();
    let signed = |size: &usize| i64::try_from(*size).expect("a tensor in memory is shorter than an i64");
    let mut cut: Vec<i64> = sizes.iter().map(signed).collect();
    let mut pieces: Vec<String> = (0..sizes.len()).map(|at| format!("annotc/flat/piece_{at}")).collect();
    let mut joined: Vec<String> = (0..sizes.len()).map(|at| format!("annotc/flat/gradient_{at}")).collect();
    constant(&mut graph, "annotc/flat/all", &[-1]);
    let mut shaped = Vec::new();
    for (at, tensor) in tensors.iter().enumerate() {
        let shape: Vec<i64> = tensor.shape.iter().map(signed).collect();
        let name = format!("annotc/flat/shape_{at}");
        constant(&mut graph, &name, &shape);
        shaped.push(Node::new("", Op::Reshape, &[&pieces[at], &name], &[&tensor.name]));
        let flat = Node::new("", Op::Reshape, &[&tensor.gradient, "annotc/flat/all"], &[&joined[at]]);
        graph.nodes.push(flat);
    }
    if rest > 0 {
        cut.push(signed(&rest));
        pieces.push("annotc/flat/piece_rest".to_owned());
        joined.push("annotc/flat/gradient_rest".to_owned());
        graph.initializers.insert("annotc/flat/gradient_rest".to_owned(), Tensor::from_f32(&[rest], &vec![0.0; rest]));
    }
    constant(&mut graph, "annotc/flat/cut", &cut);
    let names = |names: &[String]| names.to_vec();
    let mut split = Node::new("", Op::Split, &[PARAMETERS, "annotc/flat/cut"], &[]);
    split.outputs = names(&pieces);
    split.attributes.insert("axis".to_owned(), Attribute::Int(0));
    graph.nodes.splice(0..0, std::iter::once(split).chain(shaped));
    let mut concat = Node::new("", Op::Concat, &[], &["annotc/flat/gradient"]);
    concat.inputs = names(&joined);
    concat.attributes.insert("axis".to_owned(), Attribute::Int(0));
    graph.nodes.push(concat);
    graph.nodes.push(Node::new("", Op::Mul, &[SUM_BEFORE, SUM_COUNTS], &["annotc/flat/sum_counted"]));
    graph.nodes.push(Node::new("", Op::Add, &["annotc/flat/sum_counted", "annotc/flat/gradient"], &[SUM]));
    graph
}

fn constant(graph: &mut Graph, name: &str, values: &[i64]) {
    graph.initializers.insert(name.to_owned(), Tensor::from_i64(&[values.len()], values));
}
