//! Gradients on their way back through nodes: what has arrived for each value so far, and which values need any.

use std::collections::{HashMap, HashSet};

use super::{
    builder::Builder,
    rules::{self, Rule, Site},
};
use crate::onnx::Node;

/// The state of a backward walk.
pub(super) struct Flow {
    /// The parts of each value's gradient that have arrived so far.
    gradients: HashMap<String, Vec<String>>,
    needs: HashSet<String>,
}

impl Flow {
    /// A walk back through `nodes` to the values `sources`.
    pub(super) fn to(sources: &[String], nodes: &[Node]) -> Self {
        Self { gradients: HashMap::new(), needs: behind(nodes, sources) }
    }

    /// Adds a part to the gradient of `value`.
    pub(super) fn add(&mut self, value: &str, part: String) {
        self.gradients.entry(value.to_owned()).or_default().push(part);
    }

    /// Takes the gradients of a node's outputs to its inputs; an error says what stands in the way.
    pub(super) fn visit(&mut self, builder: &mut Builder, node: &Node) -> Result<(), String> {
        let arrived = node.outputs.iter().any(|output| self.gradients.contains_key(output));
        let wanted: Vec<bool> = node.inputs.iter().map(|name| self.needs.contains(name)).collect();
        if !arrived || !wanted.contains(&true) {
            return Ok(());
        }
        let vjp = match rules::rule(&node.op) {
            Rule::Vjp(vjp) => vjp,
            Rule::Stop => return Ok(()),
            Rule::Unsupported(reason) => return Err(reason.to_owned()),
        };
        let gradients: Vec<Option<String>> = node.outputs.iter().map(|output| self.take(builder, output)).collect();
        let mut site = Site { b: builder, node, gradients, wanted: wanted.clone() };
        let parts = vjp(&mut site)?;
        for ((input, part), wanted) in node.inputs.iter().zip(parts).zip(wanted) {
            if let (Some(part), true) = (part, wanted) {
                self.add(input, part);
            }
        }
        Ok(())
    }

    /// The whole gradient of a value that every reader has contributed to.
    pub(super) fn take(&mut self, builder: &mut Builder, name: &str) -> Option<String> {
        let mut parts = self.gradients.remove(name)?.into_iter();
        let first = parts.next()?;
        Some(parts.fold(first, |sum, part| builder.add(&sum, &part)))
    }
}

/// Every value that depends on one of `sources` through operators that have a derivative.
fn behind(nodes: &[Node], sources: &[String]) -> HashSet<String> {
    let mut reached: HashSet<String> = sources.iter().cloned().collect();
    for node in nodes {
        if !rules::stops(&node.op) && node.reads().any(|name| reached.contains(name)) {
            reached.extend(node.outputs.iter().filter(|name| !name.is_empty()).cloned());
        }
    }
    reached
}
