//! Names for what passes over a graph add to it.

use crate::onnx::Graph;

/// `stem`, which ends with `/`, or the first thing like it that no name of the graph begins with.
pub(super) fn free_prefix(graph: &Graph, stem: &str) -> String {
    let names = graph.names();
    let mut prefix = stem.to_owned();
    while names.iter().any(|name| name.starts_with(&prefix)) {
        prefix.insert(prefix.len() - 1, '_');
    }
    prefix
}
