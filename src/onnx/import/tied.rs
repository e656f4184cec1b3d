//! A language model's head is often its embedding, transposed; exporters write the transposed copy as a tensor of its
//! own. Layers that an architecture shares are one module that is called several times; PyTorch's newer exporter folds
//! the transposed weight anew for each call. Such copies are joined to one tensor, so that they train as one, and written
//! out as copies again when the model is saved.

use std::collections::BTreeMap;

use super::uses::Use;
use crate::onnx::{Graph, Node, Op};

/// A copy of a tied tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    name: String,
    of: String,
    transposed: bool,
}

/// Joins what is a copy.
pub(super) fn join(graph: &mut Graph, uses: &[Use], config: &serde_json::Value) -> Vec<Copy> {
    let mut copies = repeated(graph, uses);
    copies.extend(heads(graph, config));
    for copy in &copies {
        graph.initializers.remove(&copy.name);
        let op = if copy.transposed { Op::Transpose } else { Op::Identity };
        graph.nodes.insert(0, Node::new(&format!("{}/tied", copy.name), op, &[&copy.of], &[&copy.name]));
    }
    copies
}

/// Tensors that one module reads as the same part and that are equal.
fn repeated(graph: &Graph, uses: &[Use]) -> Vec<Copy> {
    let mut first: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut copies: Vec<Copy> = Vec::new();
    for found in uses.iter().filter(|found| !found.module.is_empty()) {
        let of = *first.entry((&found.module, found.suffix)).or_insert(&found.name);
        let known = of == found.name || copies.iter().any(|copy| copy.name == found.name);
        let (tensor, other) = (&graph.initializers[&found.name], &graph.initializers[of]);
        if !known && tensor == other && !tensor.is_uniform() {
            copies.push(Copy { name: found.name.clone(), of: of.to_owned(), transposed: false });
        }
    }
    copies
}

/// Head and embedding are one unless `tie_word_embeddings` says that they are two. Where the configuration is silent the
/// architecture's default holds, which differs; equality of the values decides, for two trained or randomly filled
/// matrices are never equal by chance.
fn heads(graph: &Graph, config: &serde_json::Value) -> Vec<Copy> {
    if config.get("tie_word_embeddings").and_then(serde_json::Value::as_bool) == Some(false) {
        return Vec::new();
    }
    let tables: Vec<String> = graph
        .nodes
        .iter()
        .filter(|node| node.op == Op::Gather)
        .filter_map(|node| node.input(0))
        .filter(|name| graph.initializers.get(*name).is_some_and(|tensor| tensor.shape().len() == 2))
        .map(str::to_owned)
        .collect();
    let heads: Vec<String> = graph
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::MatMul | Op::Gemm))
        .filter_map(|node| node.input(1))
        .filter(|name| graph.initializers.contains_key(*name) && !tables.iter().any(|table| table == name))
        .map(str::to_owned)
        .collect();
    let mut copies: Vec<Copy> = Vec::new();
    for head in heads {
        let known = copies.iter().any(|copy| copy.name == head);
        let of =
            (!known).then(|| tables.iter().find_map(|table| same(graph, &head, table).map(|t| (table, t)))).flatten();
        if let Some((of, transposed)) = of {
            copies.push(Copy { name: head, of: of.clone(), transposed });
        }
    }
    copies
}

/// Undoes `join` with the values that the graph has now.
pub(super) fn part(graph: &mut Graph, copies: &[Copy]) {
    for copy in copies {
        let Some(table) = graph.initializers.get(&copy.of) else { continue };
        let value = if copy.transposed { table.transposed() } else { Some(table.clone()) };
        let value = value.expect("a tied tensor is a matrix");
        graph.nodes.retain(|node| node.outputs.first() != Some(&copy.name));
        graph.initializers.insert(copy.name.clone(), value);
    }
}

/// Whether `head` equals `table`, and whether transposed.
fn same(graph: &Graph, head: &str, table: &str) -> Option<bool> {
    let (head, table) = (&graph.initializers[head], &graph.initializers[table]);
    let &[rows, columns] = table.shape() else { return None };
    if head.element() != table.element() || table.is_uniform() {
        return None;
    }
    if head.shape() == [rows, columns] && head.data() == table.data() {
        return Some(false);
    }
    (head.shape() == [columns, rows] && table.transposed()?.data() == head.data()).then_some(true)
}
