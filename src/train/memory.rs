//! What a run will take of the machine's memory, told from shapes before the first step.

use std::collections::HashMap;
use std::fmt;

use super::example::{Encoded, Example, Target};
use super::micro_batch::is_alone;
use super::optimizer::ParameterRule;
use super::run::TrainRun;
use crate::autodiff::{Trainable, TrainingGraph, recompute};
use crate::onnx::surgery::{LEARNT, past_inputs};
use crate::onnx::{Axis, ElementType, Graph, Op, shapes::Shapes};
use crate::runtime::memory_in_use;

/// The parts of a run's memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryPlan {
    /// What the process takes when the plan is made: the program, its libraries, the records and the model as they were read.
    pub process: u64,
    /// Weights, trained and frozen, as the sessions have them.
    pub weights: u64,
    /// Frozen weights as products read them: the runtime rearranges each for each product that reads it.
    pub packed: u64,
    /// Gradients, and their sums where micro-batches add up.
    pub gradients: u64,
    /// What the optimizer remembers.
    pub optimizer: u64,
    /// What the graph computes for a batch of the longest records and still needs, at the fullest moment.
    pub activations: u64,
    /// The weights that are taken out of the session at the end and for each measurement, those of the best measurements, and what the
    /// validation part is measured with. What a checkpoint takes out fits where the model was read.
    pub copies: u64,
}

impl MemoryPlan {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.process + self.weights + self.packed + self.gradients + self.optimizer + self.activations + self.copies
    }
}

/// What a process has before its first session where the system does not say it.
const PROCESS: u64 = 96 << 20;

/// What the process takes now.
pub(super) fn process() -> u64 {
    memory_in_use().unwrap_or(PROCESS)
}

/// Whole mebibytes, rounded up.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

impl fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "so far {}, weights {}, rearranged for products {}, gradients {}, optimizer {}, activations {}",
            mebibytes(self.process),
            mebibytes(self.weights),
            mebibytes(self.packed),
            mebibytes(self.gradients),
            mebibytes(self.optimizer),
            mebibytes(self.activations)
        )?;
        write!(f, ", copies {}", mebibytes(self.copies))
    }
}

/// The largest batch of a run.
pub(super) struct Fullest {
    rows: usize,
    length: usize,
    /// The most places of so many rows that something is learnt from.
    learnt: usize,
}

impl Fullest {
    /// A batch of the longest records.
    pub(super) fn of(run: &TrainRun, encoded: &Encoded) -> Self {
        let examples: Vec<&Example> = encoded.examples.iter().chain(&encoded.seconds).collect();
        let length = examples.iter().map(|example| example.tokens.len()).max().unwrap_or(0);
        let of_record = if examples.iter().any(|example| example.target.is_of_pair()) { 2 } else { 1 };
        let rows = run.batch.min(encoded.examples.len()) * of_record;
        let mut learnt: Vec<usize> = examples.iter().map(|example| learnt(&example.target)).collect();
        learnt.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        Self { rows, length, learnt: learnt.into_iter().take(rows).sum::<usize>().max(1) }
    }

    /// Has the graph compute again what it then need not keep; the number of segments.
    pub(super) fn recompute(&self, training: &mut TrainingGraph) -> usize {
        let sizes = sizes(&training.graph, self);
        recompute(training, &sizes)
    }

    fn peak(&self, graph: &Graph) -> u64 {
        peak(graph, &sizes(graph, self))
    }
}

/// The tokens of a record that are learnt one by one.
fn learnt(target: &Target) -> usize {
    match target {
        Target::Tokens(learnt) | Target::Answer { learnt, .. } => learnt.iter().filter(|learnt| **learnt).count(),
        Target::Class(_) | Target::Choices(_) | Target::Tags(_) | Target::Number(_) | Target::Text(_) => 0,
    }
}

/// What the run takes of the memory, with a batch of its longest records; `measuring` is the graph that a validation part is measured by,
/// `process` what is taken already.
pub(super) fn memory(
    run: &TrainRun,
    training: &TrainingGraph,
    fullest: &Fullest,
    measuring: Option<&Graph>,
    process: u64,
) -> MemoryPlan {
    const FLOAT: u64 = size_of::<f32>() as u64;
    let trainables = &training.trainables;
    let length = |shape: &[usize]| shape.iter().product::<usize>();
    let bytes = |trainable: &Trainable| length(&trainable.shape) as u64 * FLOAT;
    let trained: u64 = trainables.iter().map(bytes).sum();
    let tables: u64 = trainables.iter().filter(|trainable| trainable.rows.is_some()).map(bytes).sum();
    let constants = |graph: &Graph| graph.initializers.values().map(|tensor| tensor.data().len() as u64).sum::<u64>();
    let slots = trainables
        .iter()
        .flat_map(|trainable| run.optimizer.slots(length(&trainable.shape), &ParameterRule::of(&trainable.shape, 1.0)));
    // Held tensors change places with their next state; the graph cuts the weights out of one tensor and joins the gradients into one.
    let (weights, sums, states) = match (run.held, is_alone(run)) {
        (true, _) => (3, 4, 2),
        (false, true) => (1, 1, 1),
        (false, false) => (1, 2, 1),
    };
    let copies = 1 + run.selection.keep as u64;
    let packed = |graph: &Graph| if run.held { 0 } else { packed(graph) };
    MemoryPlan {
        process,
        weights: trained * weights + constants(&training.graph),
        // Rows are added up where they lie.
        gradients: (trained - tables) * sums + tables,
        optimizer: states * slots.map(|length| length as u64 * FLOAT).sum::<u64>(),
        activations: fullest.peak(&training.graph),
        packed: packed(&training.graph),
        copies: trained * copies + measuring.map_or(0, |graph| constants(graph) + packed(graph)),
    }
}

/// The bytes that the runtime lays out anew for products. It packs a matrix that never changes once for each product that has it on the
/// right, so that one that is read forwards and backwards is there twice beside itself; one that is trained is read as it lies.
fn packed(graph: &Graph) -> u64 {
    let products = graph.nodes.iter().filter(|node| matches!(node.op, Op::MatMul | Op::FusedMatMul | Op::Gemm));
    let matrices = products.filter_map(|node| graph.initializers.get(node.input(1)?));
    let matrices = matrices.filter(|tensor| tensor.element() == ElementType::Float && tensor.shape().len() == 2);
    matrices.map(|tensor| tensor.data().len() as u64).sum()
}

/// The bytes that each value of a graph takes for a batch; weights and what is fed count as nothing. A size that only the run
/// knows is taken to be that of the node's largest input.
fn sizes(graph: &Graph, batch: &Fullest) -> HashMap<String, u64> {
    let mut graph = graph.clone();
    fix_inputs(&mut graph, batch);
    let shapes = Shapes::of(&graph);
    let mut bytes: HashMap<String, u64> = graph.inputs.iter().map(|input| (input.name.clone(), 0)).collect();
    for node in &graph.nodes {
        let largest = node.reads().map(|name| known(&shapes, name).unwrap_or(bytes.get(name).copied().unwrap_or(0)));
        let largest = largest.max().unwrap_or(0);
        for output in node.outputs.iter().filter(|output| !output.is_empty()) {
            bytes.insert(output.clone(), known(&shapes, output).unwrap_or(largest));
        }
    }
    bytes
}

/// The most bytes that the values between a graph's inputs and outputs take at one time, by their [`sizes`].
///
/// A value lives from the node that writes it to the last one that reads it; one that is another in a new shape shares
/// its place.
fn peak(graph: &Graph, bytes: &HashMap<String, u64>) -> u64 {
    let mut roots: HashMap<&str, &str> = HashMap::new();
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        for name in node.reads() {
            last.insert(roots.get(name).copied().unwrap_or(name), at);
        }
        for output in node.outputs.iter().filter(|output| !output.is_empty()) {
            if let (true, Some(input)) = (node.op.is_view(), node.input(0)) {
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

fn fix_inputs(graph: &mut Graph, &Fullest { rows, length, learnt }: &Fullest) {
    let past = past_inputs(graph);
    for input in &mut graph.inputs {
        let past = past.iter().find(|past| past.name == input.name);
        let Some(axes) = &mut input.shape else { continue };
        let sizes: Vec<usize> = match past {
            Some(past) => past.empty_shape(rows),
            None => std::iter::once(rows).chain(std::iter::repeat(length)).take(axes.len()).collect(),
        };
        for (axis, size) in axes.iter_mut().zip(sizes) {
            *axis = match axis {
                Axis::Fixed(_) => continue,
                Axis::Named(name) if name == LEARNT => Axis::Fixed(learnt),
                Axis::Named(_) | Axis::Free => Axis::Fixed(size),
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{Node, Tensor, ValueInfo};

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
        let batch = Fullest { rows: 4, length: 8, learnt: 0 };
        let peak = |graph: &Graph| peak(graph, &sizes(graph, &batch));
        assert_eq!(peak(&graph), 2 * 4 * 8 * 4);
        graph.nodes[4] = Node::new("", Op::Add, &["c", "view"], &["y"]);
        assert_eq!(peak(&graph), 3 * 4 * 8 * 4, "a view keeps its place alive");
    }
}
