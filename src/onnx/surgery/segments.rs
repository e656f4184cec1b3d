//! Several records in one row that never see each other.
//!
//! A decoder's row is one text to it: each token attends to all before it. Where records share a row, the graph is given a
//! number for each token, `segment_ids`, and attention is kept within equal numbers:
//!
//! ```text
//! softmax(scores + mask)  becomes  softmax(scores + (mask + bias))      bias[i, j] = 0 where segmentᵢ = segmentⱼ, else −10⁹
//! ```
//!
//! After the maximum is taken off, the exponential of −10⁹ is 0 exactly, and so is every product with it, forwards and
//! backwards. Nothing overflows: the lowest mask that exporters write stays what it is when −10⁹ is added.

use std::collections::{BTreeSet, HashMap};

use super::SurgeryError;
use crate::onnx::shapes::Shapes;
use crate::onnx::{Attribute, ElementType, Graph, Node, Op, Tensor, ValueInfo};

/// The input with the number of each token's record in its row.
pub const SEGMENTS: &str = "segment_ids";
const IDS: &str = "input_ids";
const POSITIONS: &str = "position_ids";
const FAR: f32 = -1e9;

/// Keeps attention within the records of a row. `parameters` are the tensors that a training may change.
///
/// # Errors
/// [`SurgeryError::Inseparable`] where there is no attention that is known, or where positions cannot restart.
pub fn separate_records(graph: &mut Graph, parameters: &[&str]) -> Result<(), SurgeryError> {
    let refuse = |reason: String| SurgeryError::Inseparable { reason };
    let flows = Flows::of(graph, parameters);
    if let Some(table) = fixed_positions(graph, parameters) {
        return Err(refuse(format!(
            "it has no input `{POSITIONS}` and looks positions up in `{table}`, which would not restart with each record"
        )));
    }
    let shapes = Shapes::of(graph);
    let mut places: HashMap<usize, Place> = HashMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        places.extend(flows.attention(graph, &shapes, at, node).map_err(refuse)?);
    }
    if places.is_empty() {
        return Err(refuse("no attention was found in it".to_owned()));
    }
    let axes = graph.input(IDS).and_then(|input| input.shape.clone()).filter(|axes| axes.len() == 2);
    let axes = axes.ok_or_else(|| refuse(format!("it has no input `{IDS}` of two axes")))?;
    let names = graph.names();
    if let Some(name) = [SEGMENTS, SAME, BIAS].into_iter().find(|name| names.contains(name)) {
        return Err(SurgeryError::Taken { name: name.to_owned() });
    }
    graph.inputs.push(ValueInfo::new(SEGMENTS, ElementType::Int64, &axes));
    let nodes = std::mem::take(&mut graph.nodes);
    graph.nodes = block_diagonal();
    let mut done: HashMap<String, String> = HashMap::new();
    for (at, mut node) in nodes.into_iter().enumerate() {
        if let Some(place) = places.remove(&at) {
            place.rewrite(&mut node, &mut graph.nodes, &mut done);
        }
        graph.nodes.push(node);
    }
    Ok(())
}

/// Where in a node the bias belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An input that is a mask of floats, or scores.
    Added(usize),
    /// An input that is a mask of truths.
    And(usize),
    /// An input that is left out.
    Absent(usize),
}

impl Place {
    fn rewrite(self, node: &mut Node, nodes: &mut Vec<Node>, done: &mut HashMap<String, String>) {
        let (input, op, with) = match self {
            Self::Added(input) => (input, Op::Add, BIAS),
            Self::And(input) => (input, Op::And, SAME),
            Self::Absent(input) => {
                node.inputs.resize(node.inputs.len().max(input + 1), String::new());
                node.inputs[input] = SAME.to_owned();
                return;
            }
        };
        let before = node.inputs[input].clone();
        // The layers share one mask, to which the bias is added once.
        let after = done.entry(before.clone()).or_insert_with(|| {
            let after = format!("segments/{before}");
            nodes.push(Node::new(&after, op, &[&before, with], &[&after]));
            after
        });
        node.inputs[input].clone_from(after);
    }
}

const SAME: &str = "segments/same";
const BIAS: &str = "segments/bias";

/// Whether two tokens are of one record, `[batch, 1, sequence, sequence]`, and what is added where they are not.
fn block_diagonal() -> Vec<Node> {
    let constant = |name: &str, tensor: Tensor| {
        Node::new(name, Op::Constant, &[], &[name]).with("value", Attribute::Tensor(tensor))
    };
    let node = |op: Op, inputs: &[&str], name: &str| Node::new(name, op, inputs, &[name]);
    vec![
        constant("segments/row_axes", Tensor::from_i64(&[2], &[1, 3])),
        constant("segments/column_axes", Tensor::from_i64(&[2], &[1, 2])),
        constant("segments/zero", Tensor::scalar_f32(0.0)),
        constant("segments/far", Tensor::scalar_f32(FAR)),
        node(Op::Unsqueeze, &[SEGMENTS, "segments/row_axes"], "segments/rows"),
        node(Op::Unsqueeze, &[SEGMENTS, "segments/column_axes"], "segments/columns"),
        node(Op::Equal, &["segments/rows", "segments/columns"], SAME),
        node(Op::Where, &[SAME, "segments/zero", "segments/far"], BIAS),
    ]
}

/// Which values descend from the parameters, and which node writes each.
struct Flows {
    reached: BTreeSet<String>,
    writers: HashMap<String, usize>,
}

impl Flows {
    fn of(graph: &Graph, parameters: &[&str]) -> Self {
        let mut reached: BTreeSet<String> = parameters.iter().map(|name| (*name).to_owned()).collect();
        let mut writers = HashMap::new();
        for (at, node) in graph.nodes.iter().enumerate() {
            let written = node.outputs.iter().filter(|output| !output.is_empty());
            writers.extend(written.clone().map(|output| (output.clone(), at)));
            if !is_size(node) && node.reads().any(|name| reached.contains(name)) {
                reached.extend(written.cloned());
            }
        }
        Self { reached, writers }
    }

    fn holds(&self, name: &str) -> bool {
        self.reached.contains(name)
    }

    fn writer<'g>(&self, graph: &'g Graph, name: &str) -> Option<(usize, &'g Node)> {
        let at = *self.writers.get(name)?;
        Some((at, &graph.nodes[at]))
    }

    /// The node and the place in it where what a node attends to takes the bias; `None` for a node that does not attend.
    fn attention(
        &self,
        graph: &Graph,
        shapes: &Shapes,
        at: usize,
        node: &Node,
    ) -> Result<Option<(usize, Place)>, String> {
        let Some(first) = node.input(0).filter(|first| self.holds(first)) else { return Ok(None) };
        if node.op == Op::Attention {
            return match node.input(3).map(|mask| shapes.element(mask)) {
                None => Ok(Some((at, Place::Absent(3)))),
                Some(Some(ElementType::Bool)) => Ok(Some((at, Place::And(3)))),
                Some(Some(ElementType::Float)) => Ok(Some((at, Place::Added(3)))),
                Some(_) => Err(format!("the mask of `{}` is neither of truths nor of 32-bit floats", node.label())),
            };
        }
        if node.op != Op::Softmax || !self.compares_tokens(graph, first) {
            return Ok(None);
        }
        if shapes.rank(first) != Some(4) {
            let found = shapes.rank(first).map_or("an unknown number of".to_owned(), |rank| rank.to_string());
            return Err(format!("the attention `{}` has {found} axes in place of four", node.label()));
        }
        // A mask that is added to the scores is smaller than they are, and one for all layers.
        let added = self.writer(graph, first).filter(|(_, writer)| writer.op == Op::Add);
        let mask = added.and_then(|(at, writer)| {
            let mask = writer.inputs.iter().position(|input| !self.holds(input))?;
            Some((at, Place::Added(mask)))
        });
        Ok(Some(mask.unwrap_or((at, Place::Added(0)))))
    }

    /// Whether a value is made of the products of two values that descend from the parameters, as scores are, and not of the
    /// products with a weight, as the choice of an expert is.
    fn compares_tokens(&self, graph: &Graph, name: &str) -> bool {
        let Some((_, node)) = self.writer(graph, name) else { return false };
        match node.op {
            Op::MatMul | Op::FusedMatMul | Op::Einsum => {
                node.inputs.iter().all(|input| self.holds(input) && !graph.initializers.contains_key(input))
            }
            Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Where
            | Op::Cast
            | Op::Tanh
            | Op::Clip
            | Op::Identity
            | Op::Reshape
            | Op::Max => node.reads().any(|input| self.holds(input) && self.compares_tokens(graph, input)),
            _ => false,
        }
    }
}

/// What asks for the size of a value reads nothing that the value says.
fn is_size(node: &Node) -> bool {
    matches!(node.op, Op::Shape | Op::Size)
}

/// The table that positions are looked up in where no input gives them.
fn fixed_positions(graph: &Graph, parameters: &[&str]) -> Option<String> {
    if graph.input(POSITIONS).is_some() {
        return None;
    }
    // What the tokens themselves say, their number aside.
    let mut said: BTreeSet<&str> = [IDS].into();
    for node in &graph.nodes {
        if !is_size(node) && node.reads().any(|name| said.contains(name)) {
            said.extend(node.outputs.iter().map(String::as_str));
        }
    }
    let looks_up = |node: &&Node| {
        let [table, at, ..] = node.inputs.as_slice() else { return false };
        node.op == Op::Gather && parameters.contains(&table.as_str()) && !said.contains(at.as_str())
    };
    graph.nodes.iter().find(looks_up).map(|node| node.inputs[0].clone())
}
