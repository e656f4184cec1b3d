//! Gradients of tables as rows: of an embedding a step reads some rows, and all others have no gradient.
//!
//! A rule gives the whole gradient, zeros to which rows are added. Where nothing else adds to it, the graph can give the rows and
//! their places instead; who sums them up outside never touches the rest of the table.

use super::TrainingGraph;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, ValueInfo};

/// A table with fewer numbers is not worth the trouble.
const LEAST: usize = 1 << 14;

/// Outputs that give a gradient as rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradientRows {
    /// Which rows of the table, in 64-bit integers, negative ones counted from its end; a row may occur any number of times.
    pub places: String,
    /// What is added to each of them, `[places, columns]`.
    pub rows: String,
}

impl TrainingGraph {
    /// Takes the gradients of tables out of the outputs and gives their rows instead, wherever a gradient is nothing but a sum of rows.
    pub fn give_rows(&mut self) {
        for trainable in &mut self.trainables {
            let &[height, columns] = trainable.shape.as_slice() else { continue };
            let Some((places, rows)) =
                summed_rows(&self.graph, &trainable.gradient).filter(|_| height * columns >= LEAST)
            else {
                continue;
            };
            let given = GradientRows {
                places: format!("{}/places", trainable.gradient),
                rows: format!("{}/rows", trainable.gradient),
            };
            let to = Attribute::Int(ElementType::Int64.onnx().into());
            self.graph.nodes.push(Node::new("", Op::Cast, &[&places], &[&given.places]).with("to", to));
            self.graph.nodes.push(Node::new("", Op::Identity, &[&rows], &[&given.rows]));
            let outputs = &mut self.graph.outputs;
            outputs.retain(|output| output.name != trainable.gradient);
            outputs.push(ValueInfo::new(&given.places, ElementType::Int64, &[Axis::Free, Axis::Fixed(1)]));
            outputs.push(ValueInfo::new(&given.rows, ElementType::Float, &[Axis::Free, Axis::Fixed(columns)]));
            trainable.rows = Some(given);
        }
        self.graph.prune();
    }
}

/// The places `[n, 1]` and the rows `[n, columns]` of a value that is zeros with rows added, as the rule of `Gather` makes it.
fn summed_rows(graph: &Graph, value: &str) -> Option<(String, String)> {
    let producer = |value: &str| graph.nodes.iter().find(|node| node.outputs.iter().any(|output| output == value));
    let mut sum = producer(value)?;
    while sum.op == Op::Identity {
        sum = producer(&sum.inputs[0])?;
    }
    let adds = sum.text("reduction") == Some("add") && sum.int("axis") == Some(0);
    let [zeros, places, rows] = sum.inputs.as_slice() else { return None };
    if sum.op != Op::ScatterElements || !adds || producer(zeros)?.op != Op::ConstantOfShape {
        return None;
    }
    let spread = producer(places)?;
    (spread.op == Op::Expand).then(|| (spread.inputs[0].clone(), rows.clone()))
}
