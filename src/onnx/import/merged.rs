//! Exporters store equal tensors once: the fresh LayerNorm weights and zero biases of all layers become one initializer
//! and would train as one. Each module gets a copy of its own.
//!
//! Only tensors of one repeated value are split: two modules that agree in a matrix of random numbers share it on
//! purpose. Modules that are called several times (layers shared by the architecture) keep one tensor as well.

use std::collections::{BTreeMap, BTreeSet};

use super::uses::Use;
use crate::onnx::{Graph, Node, Op, Tensor};

/// Architectures whose layers share their weights by design.
const SHARES_LAYERS: [&str; 1] = ["albert"];

/// Gives every `Identity` of an initializer of one repeated float a copy of its own: so the older exporter writes a parameter
/// that was equal to another, and its output has the parameter's name.
pub(super) fn unshare(graph: &mut Graph) {
    let merged = |node: &Node, graph: &Graph| -> Option<(String, Tensor)> {
        let tensor = graph.initializers.get(node.input(0).filter(|_| node.op == Op::Identity)?)?;
        let is_merged = tensor.element().is_float() && !tensor.shape().is_empty() && tensor.is_uniform();
        is_merged.then(|| (node.outputs[0].clone(), tensor.clone()))
    };
    for node in std::mem::take(&mut graph.nodes) {
        match merged(&node, graph) {
            Some((name, tensor)) => {
                graph.initializers.insert(name, tensor);
            }
            None => graph.nodes.push(node),
        }
    }
}

pub(super) fn split(graph: &mut Graph, uses: &[Use], config: &serde_json::Value) {
    let architecture = config.get("model_type").and_then(serde_json::Value::as_str).unwrap_or_default();
    if SHARES_LAYERS.contains(&architecture) {
        return;
    }
    let mut by_tensor: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for found in uses {
        by_tensor.entry(&found.name).or_default().push(found);
    }
    let mut taken: BTreeSet<String> = graph.names().into_iter().map(str::to_owned).collect();
    for (name, uses) in by_tensor {
        let tensor = graph.initializers[name].clone();
        if uses.len() < 2 || !tensor.is_uniform() {
            continue;
        }
        let modules: BTreeSet<&str> = uses.iter().map(|found| found.module.as_str()).collect();
        let owner = |found: &Use| owner(found, &modules);
        let owners: BTreeSet<String> = uses.iter().map(|found| owner(found)).collect();
        let keeper = owners.iter().find(|owner| *owner == name).cloned().unwrap_or_else(|| owner(uses[0]));
        let mut copies: BTreeMap<String, String> = BTreeMap::from([(keeper, name.to_owned())]);
        for found in uses {
            let copy = copies.entry(owner(found)).or_insert_with_key(|owner| unused(&mut taken, owner));
            let input = &mut graph.nodes[found.node].inputs[found.input];
            // A use through another view reads another name; such a view is of a matrix, which is not uniform in practice.
            if input == name && copy != name {
                input.clone_from(copy);
                graph.initializers.insert(copy.clone(), tensor.clone());
            }
        }
    }
}

/// Whom a use belongs to: its module and part, or the node itself where node names are no paths. The older exporter
/// numbers the calls of a module: `query_proj_1` is the second call of `query_proj`.
fn owner(found: &Use, modules: &BTreeSet<&str>) -> String {
    let called = found.module.rsplit_once('_').filter(|(module, call)| {
        modules.contains(module) && !call.is_empty() && call.chars().all(|digit| digit.is_ascii_digit())
    });
    match called {
        _ if found.module.is_empty() => format!("{}.{}.{}", found.name, found.node, found.suffix),
        Some((module, _)) => format!("{module}.{}", found.suffix),
        None => format!("{}.{}", found.module, found.suffix),
    }
}

fn unused(taken: &mut BTreeSet<String>, stem: &str) -> String {
    let mut name = stem.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{stem}_{number}");
        number += 1;
    }
    name
}
