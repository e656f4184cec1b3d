//! Linear layers: data times a matrix of weights, known by the path of their module. Exporters fold the transpose of
//! PyTorch's `[outputs, inputs]` into the weight or leave it as a node, and rename what they fold; the path stays.

use std::collections::{BTreeMap, BTreeSet};

use super::uses::{self, Role, Use};
use crate::onnx::{Graph, Node, Op};

/// A linear layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linear {
    /// The path of its module, as in `encoder.layer.0.attention.self.query`.
    pub module: String,
    /// The initializer with its weights.
    pub weight: String,
    /// How many features it reads.
    pub inputs: usize,
    /// How many features it writes.
    pub outputs: usize,
    /// Whether the initializer is `[outputs, inputs]`, else `[inputs, outputs]`.
    pub transposed: bool,
    /// The positions of the nodes that apply it; several where an architecture shares the layer.
    pub nodes: Vec<usize>,
}

/// Every linear layer, in the order of its first use. A weight that is also looked up as an embedding is none: whatever
/// changes it as a layer would change the table. The modules' paths are the model's own, without the `wrapper`.
pub(super) fn find(graph: &Graph, wrapper: &str) -> Vec<Linear> {
    let uses = uses::find(graph);
    let tables: BTreeSet<&str> =
        uses.iter().filter(|found| found.role == Role::Embedding).map(|found| found.name.as_str()).collect();
    let writers: BTreeMap<&str, &Node> =
        graph.nodes.iter().flat_map(|node| node.outputs.iter().map(move |output| (output.as_str(), node))).collect();
    let mut linears: Vec<Linear> = Vec::new();
    let mut refused: BTreeSet<String> = BTreeSet::new();
    for found in uses.iter().filter(|found| found.role == Role::Weight && !tables.contains(found.name.as_str())) {
        let transposed = orientation(graph, &writers, found);
        let known = linears.iter_mut().find(|linear| linear.weight == found.name);
        match (transposed, known) {
            (Some(transposed), Some(known)) if known.transposed == transposed => known.nodes.push(found.node),
            (Some(transposed), None) if !refused.contains(&found.name) => {
                let &[rows, columns] = graph.initializers[&found.name].shape() else { continue };
                let (inputs, outputs) = if transposed { (columns, rows) } else { (rows, columns) };
                let path = found.path_within(wrapper);
                let module = path.strip_suffix(".weight").unwrap_or(&path).to_owned();
                let (weight, nodes) = (found.name.clone(), vec![found.node]);
                linears.push(Linear { module, weight, inputs, outputs, transposed, nodes });
            }
            // A weight that is also read in another way is no layer of its own.
            (_, _) => {
                linears.retain(|linear| linear.weight != found.name);
                refused.insert(found.name.clone());
            }
        }
    }
    linears
}

/// Whether a product reads its weight as `[outputs, inputs]`; `None` where it is no plain product of data and weight.
fn orientation(graph: &Graph, writers: &BTreeMap<&str, &Node>, found: &Use) -> Option<bool> {
    let node = &graph.nodes[found.node];
    let mut transposed = match node.op {
        Op::MatMul => false,
        Op::Gemm if is_plain(node) => node.int("transB").unwrap_or(0) != 0,
        _ => return None,
    };
    if found.input != 1 {
        return None;
    }
    let mut name = node.input(1)?;
    while !graph.initializers.contains_key(name) {
        let writer = writers.get(name)?;
        match writer.op {
            Op::Transpose => transposed = !transposed,
            Op::Identity => {}
            _ => return None,
        }
        name = writer.input(0)?;
    }
    (graph.initializers[name].shape().len() == 2).then_some(transposed)
}

fn is_plain(node: &Node) -> bool {
    let is_one = |name: &str| node.float(name).is_none_or(|factor| factor == 1.0);
    node.int("transA").unwrap_or(0) == 0 && is_one("alpha") && is_one("beta")
}
