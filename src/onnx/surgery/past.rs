//! Decoders exported with past: key and value inputs per layer.

use crate::onnx::{Axis, Graph};

/// A key or value input of a decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastInput {
    /// The graph input.
    pub name: String,
    axes: Vec<Axis>,
}

impl PastInput {
    /// The shape that says "nothing came before": the past axis has size 0, the batch axis `batch`.
    pub fn empty_shape(&self, batch: usize) -> Vec<usize> {
        let size = |(at, axis): (usize, &Axis)| match axis {
            Axis::Fixed(size) => *size,
            Axis::Named(name) if is_past(name) => 0,
            Axis::Named(_) | Axis::Free => {
                if at == 0 {
                    batch
                } else {
                    0
                }
            }
        };
        self.axes.iter().enumerate().map(size).collect()
    }
}

/// The key and value inputs, in the graph's order.
pub fn past_inputs(graph: &Graph) -> Vec<PastInput> {
    let past = graph.inputs.iter().filter(|input| input.name.starts_with("past_key_values"));
    past.filter_map(|input| Some(PastInput { name: input.name.clone(), axes: input.shape.clone()? })).collect()
}

/// Declares that the past is empty, so that past plus present is the present: shapes that depend on it become known
/// before the run, and the gradient needs no run-time reductions. For training; a saved graph keeps its past.
pub fn fix_past(graph: &mut Graph) {
    let past: Vec<String> = past_inputs(graph).into_iter().map(|input| input.name).collect();
    for input in graph.inputs.iter_mut().chain(&mut graph.outputs) {
        let is_past_input = past.contains(&input.name);
        for (at, axis) in input.shape.iter_mut().flatten().enumerate() {
            *axis = match axis {
                Axis::Named(name) if is_past(name) => Axis::Fixed(0),
                Axis::Named(name) => match name.split_once(" + ") {
                    Some((before, rest)) if is_past(before.trim()) => Axis::named(rest.trim()),
                    Some((rest, after)) if is_past(after.trim()) => Axis::named(rest.trim()),
                    Some(_) | None => continue,
                },
                Axis::Free if is_past_input && at > 0 => Axis::Fixed(0),
                Axis::Fixed(_) | Axis::Free => continue,
            };
        }
    }
}

fn is_past(axis: &str) -> bool {
    axis.starts_with("past") && !axis.contains('+')
}
