//! Logits of the places alone that something is learnt from.
//!
//! A decoder is learnt from the places whose next token is part of an answer, and not from prompts and padding. Behind its last
//! attention it computes each place by itself, up to as many logits as there are tokens. So that part of the graph is given the rows
//! of those places alone, as one record of so many tokens:
//!
//! ```text
//! logits = f(x, …)   becomes   logits = f(x[places], …)      x: [batch, sequence, ·], places: [1, learnt]
//! ```
//!
//! for every `f` of which each row is made of the same row of `x`. What else reads a value of `f` needs all of its rows, so `f` ends
//! there.

use std::collections::{HashMap, HashSet};

use crate::onnx::shapes::{Dim, Shapes};
use crate::onnx::{Axis, ElementType, Graph, Node, Op, ValueInfo};

/// The input with the places that are learnt from, `[1, learnt]`: row times the batch's width plus column, each once.
pub const PLACES: &str = "learnt_places";

/// The name of the axis whose size is the number of these places.
pub const LEARNT: &str = "learnt";

const IDS: &str = "input_ids";
/// What the names of picked values begin with.
const PREFIX: &str = "learnt/";

/// Has `logits` `[batch, sequence, tokens]` be computed for the places alone that the new input [`PLACES`] names: `[1, learnt, tokens]`.
/// Returns whether it was done: a graph stays as it is where it would save no product with more numbers out than in.
pub fn pick_learnt(graph: &mut Graph, logits: &str) -> bool {
    let Some(part) = Part::before(graph, logits) else { return false };
    let Some(output) = graph.outputs.iter_mut().find(|output| output.name == logits) else { return false };
    let Some(last) = output.shape.as_ref().and_then(|axes| axes.last().cloned()) else { return false };
    let axes = [Axis::Fixed(1), Axis::named(LEARNT)];
    output.shape = Some([&axes[..], &[last]].concat());
    graph.inputs.push(ValueInfo::new(PLACES, ElementType::Int64, &axes));
    graph.import_opset(Op::PickRows.domain(), 1);
    let mut done: HashSet<String> = HashSet::new();
    for (mut node, is_inside) in std::mem::take(&mut graph.nodes).into_iter().zip(part.inside) {
        if is_inside {
            if node.op == Op::Reshape {
                // The shape that it has is told by a tensor that tells of all places.
                node.op = Op::Identity;
                node.inputs.truncate(1);
                node.attributes.clear();
            }
            for input in node.inputs.iter_mut().filter(|input| part.picked.contains(*input)) {
                let name = format!("{PREFIX}{input}");
                if done.insert(input.clone()) {
                    graph.nodes.push(Node::new(&name, Op::PickRows, &[input, PLACES], &[&name]));
                }
                *input = name;
            }
        }
        graph.nodes.push(node);
    }
    true
}

/// The part of a graph that is computed for picked rows.
struct Part {
    /// Whether each node is in it.
    inside: Vec<bool>,
    /// The values with a row for each place that it reads.
    picked: HashSet<String>,
}

impl Part {
    /// The part before the logits that works row by row, where it saves something.
    fn before(graph: &Graph, logits: &str) -> Option<Self> {
        let names = graph.names();
        if names.contains(PLACES) || names.iter().any(|name| name.starts_with(PREFIX)) {
            return None;
        }
        let rows = Rows::of(graph, logits)?;
        let mut inside = rows.behind(graph, logits);
        rows.leave_sums_outside(graph, &mut inside);
        let is_inside = |(_, inside): &(&Node, &bool)| **inside;
        let nodes: Vec<&Node> = graph.nodes.iter().zip(&inside).filter(is_inside).map(|(node, _)| node).collect();
        if !nodes.iter().any(|node| rows.widens_to(node, logits)) {
            return None;
        }
        let made: HashSet<&str> = nodes.iter().flat_map(|node| &node.outputs).map(String::as_str).collect();
        let read = nodes.iter().flat_map(|node| &node.inputs);
        let picked = read.filter(|name| rows.holds(name) && !made.contains(name.as_str())).cloned().collect();
        Some(Self { inside, picked })
    }
}

/// Which values have a row for each place of a batch.
struct Rows {
    shapes: Shapes,
    /// The sizes of the first two axes.
    places: [Dim; 2],
}

impl Rows {
    fn of(graph: &Graph, logits: &str) -> Option<Self> {
        let shapes = Shapes::of(graph);
        let [batch, time] = shapes.dims(IDS)? else { return None };
        let rows = Self { places: [batch.clone(), time.clone()], shapes };
        rows.holds(logits).then_some(rows)
    }

    fn holds(&self, name: &str) -> bool {
        self.shapes.dims(name).is_some_and(|dims| dims.len() == 3 && dims[..2] == self.places)
    }

    /// Whether a value is the same for every place, and adds no axis to what it is combined with.
    fn is_shared(&self, name: &str) -> bool {
        let Some(dims) = self.shapes.dims(name) else { return false };
        let leading = &dims[..dims.len().saturating_sub(1)];
        dims.len() <= 3 && leading.iter().all(|dim| *dim == Dim::Known(1))
    }

    /// The nodes that work row by row and that nothing but the logits needs.
    fn behind(&self, graph: &Graph, logits: &str) -> Vec<bool> {
        let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, node) in graph.nodes.iter().enumerate() {
            node.reads().for_each(|name| readers.entry(name).or_default().push(at));
        }
        let given: HashSet<&str> =
            graph.outputs.iter().map(|output| output.name.as_str()).filter(|name| *name != logits).collect();
        let mut inside = vec![false; graph.nodes.len()];
        for (at, node) in graph.nodes.iter().enumerate().rev() {
            let outputs = || node.outputs.iter().map(String::as_str).filter(|output| !output.is_empty());
            let readers = |output: &str| readers.get(output).map_or(&[][..], Vec::as_slice);
            let is_needed = outputs().any(|output| output == logits || !readers(output).is_empty());
            let stays = |output: &str| !given.contains(output) && readers(output).iter().all(|at| inside[*at]);
            inside[at] = is_needed && outputs().all(stays) && self.are_kept_by(node);
        }
        inside
    }

    /// Whether each row of a node's outputs is made of the same rows of its inputs, and of no other.
    fn are_kept_by(&self, node: &Node) -> bool {
        let inputs = || node.inputs.iter().map(String::as_str).filter(|input| !input.is_empty());
        let outputs = || node.outputs.iter().map(String::as_str).filter(|output| !output.is_empty());
        let begins_with_rows = node.input(0).is_some_and(|first| self.holds(first));
        let shares_rest = || inputs().skip(1).all(|input| self.is_shared(input));
        let is_last = |axis: i64| axis == -1 || axis == 2;
        outputs().all(|output| self.holds(output))
            && match &node.op {
                op if is_elementwise(op) => inputs().all(|input| self.holds(input) || self.is_shared(input)),
                Op::MatMul => begins_with_rows && inputs().skip(1).all(|weight| self.shapes.rank(weight) == Some(2)),
                Op::LayerNormalization | Op::SimplifiedLayerNormalization | Op::RmsNormalization | Op::Softmax => {
                    begins_with_rows && shares_rest() && is_last(node.int("axis").unwrap_or(-1))
                }
                Op::Split => begins_with_rows && node.int("axis").is_some_and(is_last),
                Op::Slice => {
                    let axes = node.input(3).and_then(|axes| self.shapes.ints(axes));
                    begins_with_rows && axes.is_some_and(|axes| axes.into_iter().all(is_last))
                }
                Op::ReduceMean | Op::ReduceSum => {
                    let axes = node.ints("axes").map(<[i64]>::to_vec);
                    let axes = axes.or_else(|| self.shapes.ints(node.input(1)?));
                    begins_with_rows && axes.is_some_and(|axes| axes.len() == 1 && is_last(axes[0]))
                }
                Op::KeyedDropout => begins_with_rows && inputs().nth(1).is_some_and(|keys| self.holds(keys)),
                Op::Reshape => {
                    begins_with_rows && self.shapes.dims(&node.inputs[0]) == self.shapes.dims(&node.outputs[0])
                }
                _ => false,
            }
    }

    /// Takes the first nodes out of the part that combine several values with rows and are no products: what they make is one value,
    /// and to compute it for every place costs less than to pick the rows of each.
    fn leave_sums_outside(&self, graph: &Graph, inside: &mut [bool]) {
        let mut made: HashSet<&str> = HashSet::new();
        for (node, inside) in graph.nodes.iter().zip(inside) {
            let rows: HashSet<&str> =
                node.inputs.iter().map(String::as_str).filter(|input| self.holds(input)).collect();
            *inside &= rows.len() < 2 || rows.iter().any(|row| made.contains(row));
            if *inside {
                made.extend(node.outputs.iter().map(String::as_str));
            }
        }
    }

    /// Whether a node is the product that makes as many numbers of fewer as there are logits.
    fn widens_to(&self, node: &Node, logits: &str) -> bool {
        let last = |name: &str| self.shapes.dims(name)?.last()?.known();
        let (from, to) = (node.input(0).and_then(last), node.outputs.first().and_then(|output| last(output)));
        node.op == Op::MatMul && to == last(logits) && from.zip(to).is_some_and(|(from, to)| from < to)
    }
}

/// Whether each number of the output is made of those at the same place of the inputs, which repeat along axes of size 1.
fn is_elementwise(op: &Op) -> bool {
    matches!(
        op,
        Op::Abs
            | Op::Add
            | Op::BiasGelu
            | Op::Cast
            | Op::Clip
            | Op::Detach
            | Op::Div
            | Op::Elu
            | Op::Erf
            | Op::Exp
            | Op::FastGelu
            | Op::Gelu
            | Op::HardSigmoid
            | Op::HardSwish
            | Op::Identity
            | Op::LeakyRelu
            | Op::Log
            | Op::Max
            | Op::MicrosoftGelu
            | Op::Min
            | Op::Mish
            | Op::Mul
            | Op::Neg
            | Op::Pow
            | Op::QuickGelu
            | Op::Reciprocal
            | Op::Relu
            | Op::Sigmoid
            | Op::Softplus
            | Op::Sqrt
            | Op::Sub
            | Op::Swish
            | Op::Tanh
            | Op::Where
    )
}
