//! What a run will take of the machine's memory, told from shapes before the first step.

use std::collections::HashMap;
use std::fmt;

use crate::onnx::surgery::past_inputs;
use crate::onnx::{Axis, Graph, Op, shapes::Shapes};

/// The parts of a run's memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Weights, trained and frozen.
    pub weights: u64,
    /// Gradients, and their sums where micro-batches add up.
    pub gradients: u64,
    /// What the optimizer remembers.
    pub optimizer: u64,
    /// What the graph computes for a batch of the longest records and still needs, at the fullest moment.
    pub activations: u64,
    /// Copies of weights for measuring the validation part, and those of its best measurements.
    pub copies: u64,
}

impl MemoryPlan {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights + self.gradients + self.optimizer + self.activations + self.copies
    }
}

/// Whole mebibytes, rounded up.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

impl fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "weights {}, gradients {}, optimizer {}, activations {}",
            mebibytes(self.weights),
            mebibytes(self.gradients),
            mebibytes(self.optimizer),
            mebibytes(self.activations)
        )?;
        if self.copies > 0 { write!(f, ", kept weights {}", mebibytes(self.copies)) } else { Ok(()) }
    }
}

/// The most bytes that the values between a graph's inputs and outputs take at one time, for a batch of `rows` texts of
/// `length` tokens.
///
/// A value lives from the node that writes it to the last one that reads it; one that is another in a new shape shares
/// its place. A size that only the run knows is taken to be that of the node's largest input.
pub(super) fn peak(graph: &Graph, rows: usize, length: usize) -> u64 {
    let mut graph = graph.clone();
    fix_inputs(&mut graph, rows, length);
    let shapes = Shapes::of(&graph);
    let mut bytes: HashMap<&str, u64> = graph.inputs.iter().map(|input| (input.name.as_str(), 0)).collect();
    let mut roots: HashMap<&str, &str> = HashMap::new();
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let largest = node.reads().map(|name| known(&shapes, name).unwrap_or(bytes.get(name).copied().unwrap_or(0)));
        let largest = largest.max().unwrap_or(0);
        for name in node.reads() {
            last.insert(roots.get(name).copied().unwrap_or(name), at);
        }
        for output in node.outputs.iter().filter(|output| !output.is_empty()) {
            bytes.insert(output, known(&shapes, output).unwrap_or(largest));
            if let (true, Some(input)) = (is_view(&node.op), node.input(0)) {
                roots.insert(output, roots.get(input).copied().unwrap_or(input));
            }
        }
    }
    // Outputs have buffers of their own, which are counted elsewhere.
    let outside: Vec<&str> = graph.outputs.iter().map(|output| output.name.as_str()).collect();
    let (mut live, mut most) = (0_u64, 0_u64);
    let mut freed: HashMap<usize, u64> = HashMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        for output in node.outputs.iter().map(String::as_str) {
            if output.is_empty() || outside.contains(&output) || roots.contains_key(output) {
                continue;
            }
            let size = bytes.get(output).copied().unwrap_or(0);
            live += size;
            *freed.entry(last.get(output).copied().unwrap_or(at)).or_default() += size;
        }
        most = most.max(live);
        live -= freed.remove(&at).unwrap_or(0);
    }
    most
}

fn fix_inputs(graph: &mut Graph, rows: usize, length: usize) {
    let past = past_inputs(graph);
    for input in &mut graph.inputs {
        let past = past.iter().find(|past| past.name == input.name);
        let Some(axes) = &mut input.shape else { continue };
        let sizes: Vec<usize> = match past {
            Some(past) => past.empty_shape(rows),
            None => std::iter::once(rows).chain(std::iter::repeat(length)).take(axes.len()).collect(),
        };
        for (axis, size) in axes.iter_mut().zip(sizes) {
            if !matches!(axis, Axis::Fixed(_)) {
                *axis = Axis::Fixed(size);
            }
        }
    }
}

fn known(shapes: &Shapes, name: &str) -> Option<u64> {
    let elements = shapes
        .known_dims(name)?
        .iter()
        .try_fold(1_usize, |product, size| product.checked_mul(usize::try_from(*size).ok()?))?;
    shapes.element(name)?.bytes(elements).map(|bytes| bytes as u64)
}

/// Whether an operator's output is its first input in a new shape.
fn is_view(op: &Op) -> bool {
    matches!(op, Op::Reshape | Op::Flatten | Op::Squeeze | Op::Unsqueeze | Op::Identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{ElementType, Node, Tensor, ValueInfo};

    #[test]
    fn a_value_lives_from_its_node_to_its_last_reader() {
        let mut graph = Graph::new("g", 18);
        let axes = [Axis::named("batch"), Axis::named("sequence")];
        graph.inputs.push(ValueInfo::new("x", ElementType::Float, &axes));
        graph.initializers.insert("flat".to_owned(), Tensor::from_i64(&[1], &[-1]));
        graph.nodes = vec![
            Node::new("", Op::Exp, &["x"], &["a"]),
            Node::new("", Op::Reshape, &["a", "flat"], &["view"]),
            Node::new("", Op::Exp, &["view"], &["b"]),
            Node::new("", Op::Exp, &["b"], &["c"]),
            Node::new("", Op::Exp, &["c"], &["y"]),
        ];
        graph.outputs.push(ValueInfo::new("y", ElementType::Float, &[Axis::Free]));
        // Two of `a`, `b` and `c` live at once; the view lies where `a` does, and `y` in a buffer of its own.
        assert_eq!(peak(&graph, 4, 8), 2 * 4 * 8 * 4);
        graph.nodes[4] = Node::new("", Op::Add, &["c", "view"], &["y"]);
        assert_eq!(peak(&graph, 4, 8), 3 * 4 * 8 * 4, "a view keeps its place alive");
    }
}
