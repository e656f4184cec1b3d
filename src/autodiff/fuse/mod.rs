//! Before differentiation: what exporters write out in parts becomes one operator again, so that its gradient needs
//! only the operand and not every part.

mod attention;
mod gelu;
mod rms_norm;
mod silu;
mod softmax;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::HashMap;

use super::builder::Operators;
use crate::onnx::{Graph, Node, Op, shapes::Shapes};

/// Joins all parts that are known, where these operators may be used. What is trained is no constant.
pub(super) fn join_parts(graph: &mut Graph, trained: &[String], operators: Operators) {
    replace(graph, trained, gelu::find);
    replace(graph, trained, silu::find);
    replace(graph, trained, rms_norm::find);
    match operators {
        Operators::Stock => {}
        Operators::Ours => {
            replace(graph, trained, softmax::find);
            replace(graph, trained, attention::find);
        }
    }
}

/// Nodes that one node does the work of.
struct Found {
    /// Their positions, in the order in which they run.
    parts: Vec<usize>,
    /// What stands in the place of the last.
    node: Node,
}

fn replace(graph: &mut Graph, trained: &[String], find: fn(&Index<'_>, usize) -> Option<Found>) {
    let found: Vec<Found> = {
        let index = Index::of(graph, trained);
        (0..graph.nodes.len()).filter_map(|at| find(&index, at)).collect()
    };
    let (mut gone, mut joined) = (vec![false; graph.nodes.len()], vec![false; graph.nodes.len()]);
    for Found { parts, node } in found {
        // A node can be the end of one and the beginning of the next, but part of one of them alone.
        if parts.iter().any(|&at| joined[at]) {
            continue;
        }
        parts.iter().for_each(|&at| joined[at] = true);
        let Some((last, rest)) = parts.split_last() else { continue };
        rest.iter().for_each(|&at| gone[at] = true);
        if !node.op.domain().is_empty() {
            graph.import_opset(node.op.domain(), 1);
        }
        let name = std::mem::take(&mut graph.nodes[*last].name);
        graph.nodes[*last] = Node { name, ..node };
    }
    let mut gone = gone.into_iter();
    graph.nodes.retain(|_| !gone.next().unwrap_or(false));
}

/// Who writes and who reads each value.
struct Index<'a> {
    graph: &'a Graph,
    trained: &'a [String],
    writer: HashMap<&'a str, usize>,
    readers: HashMap<&'a str, Vec<usize>>,
    /// Asked for by those who need to know more than names.
    shapes: OnceCell<Shapes>,
}

impl<'a> Index<'a> {
    fn of(graph: &'a Graph, trained: &'a [String]) -> Self {
        let (mut writer, mut readers) = (HashMap::new(), HashMap::<&str, Vec<usize>>::new());
        for (at, node) in graph.nodes.iter().enumerate() {
            writer.extend(node.outputs.iter().map(|name| (name.as_str(), at)));
            node.reads().for_each(|name| readers.entry(name).or_default().push(at));
        }
        // A value that the graph returns must stay: it counts as read once more.
        for output in &graph.outputs {
            readers.entry(&output.name).or_default().push(usize::MAX);
        }
        Self { graph, trained, writer, readers, shapes: OnceCell::new() }
    }

    fn node(&self, at: usize) -> &'a Node {
        &self.graph.nodes[at]
    }

    /// The node that writes a value, if it is one of that operator.
    fn written_by(&self, value: &str, op: &Op) -> Option<usize> {
        self.writer.get(value).copied().filter(|at| self.node(*at).op == *op)
    }

    /// The only node that reads what a node writes.
    fn only_reader(&self, node: usize) -> Option<usize> {
        match self.readers.get(self.node(node).outputs.first()?.as_str())?.as_slice() {
            [reader] if *reader != usize::MAX => Some(*reader),
            _ => None,
        }
    }

    /// As `only_reader`, if it is one of that operator.
    fn only_reader_of(&self, node: usize, op: &Op) -> Option<usize> {
        self.only_reader(node).filter(|at| self.node(*at).op == *op)
    }

    /// The operand of a node of two inputs whose other input is a float constant of one element.
    fn operand_and_constant(&self, node: usize) -> Option<(&'a str, f32)> {
        let [a, b] = self.node(node).inputs.as_slice() else { return None };
        match (self.constant(a), self.constant(b)) {
            (None, Some(value)) => Some((a, value)),
            (Some(value), None) if self.node(node).op != Op::Div => Some((b, value)),
            _ => None,
        }
    }

    /// The value of a float constant of one element.
    fn constant(&self, name: &str) -> Option<f32> {
        if self.trained.iter().any(|trained| trained == name) {
            return None;
        }
        let tensor = self.graph.initializers.get(name).filter(|tensor| tensor.len() == 1)?;
        tensor.to_f32().map(|values| values[0])
    }
}

/// The other of two inputs.
fn other<'n>(node: &'n Node, one: &str) -> Option<&'n str> {
    match node.inputs.as_slice() {
        [a, b] if a == one && b != one => Some(b),
        [a, b] if b == one && a != one => Some(a),
        _ => None,
    }
}
