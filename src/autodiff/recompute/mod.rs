//! Gradient checkpointing: the forward part is cut into segments, what crosses the cuts is kept, and what the backward part reads
//! within a segment is computed again when it comes to it (Chen et al., *Training Deep Nets with Sublinear Memory Cost*, 2016).
//!
//! The runtime runs a node when another one asks for its output, and gradients of weights last: by itself it would compute all of it
//! again before the backward part begins, and hold it until that is over. So a segment is computed again when the backward part
//! is through with the segment behind it, which [`again`] sees to.

mod again;
mod segments;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};

use super::TrainingGraph;
use super::names::free_prefix;
use crate::onnx::{Graph, Node};
use again::Again;
use segments::{Span, cuts};

/// A value of no more bytes than this is kept wherever it is made: shapes, counts, scales.
const SMALL: u64 = 4096;

/// Operators that give other numbers each time: what they give is kept.
const RANDOM: [&str; 6] =
    ["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"];

/// Computes again, segment by segment, what the backward part reads. `bytes` are the sizes of the values, by which the segments are
/// chosen; one that is missing counts as nothing. Returns the number of segments: with one, nothing is computed again.
pub fn recompute(training: &mut TrainingGraph, bytes: &HashMap<String, u64>) -> usize {
    let is_backward = |node: &Node| node.outputs.iter().any(|output| training.made_for.contains_key(output));
    let prefix = free_prefix(&training.graph, "annotc/again/");
    let mut nodes = std::mem::take(&mut training.graph.nodes);
    let begin = nodes.iter().position(is_backward).unwrap_or(nodes.len());
    let backward = nodes.split_off(begin);
    let forward = Forward::of(&training.graph, &nodes, bytes);
    let cuts = cuts(&forward.spans(&backward, bytes), nodes.len());
    let stages = stages(backward, &cuts, |node| {
        let made_for = node.outputs.iter().find_map(|output| training.made_for.get(output));
        forward.writer.get(made_for?.as_str()).copied()
    });
    let ends = ends(&stages, &training.graph, &nodes);
    let mut again = Again::new(prefix, &forward, &nodes, &cuts);
    for (at, (segment, stage)) in stages.into_iter().enumerate() {
        // The backward part begins with the last segment, whose values it finds where the forward part has left them.
        let waits_for = at.checked_sub(1).map_or(&[][..], |before| &ends[before]);
        again.add(segment, stage, waits_for);
    }
    let Again { added, constants, .. } = again;
    training.graph.initializers.extend(constants);
    nodes.extend(added);
    training.graph.nodes = nodes;
    cuts.len() + 1
}

/// What is known of the values of the forward part.
struct Forward<'a> {
    /// The position of the node that writes each value.
    writer: HashMap<&'a str, usize>,
    /// Of a value that is another one in a new shape, and lies where that lies: the other one.
    root: HashMap<&'a str, &'a str>,
    /// The position of the last forward node that reads a root.
    read: HashMap<&'a str, usize>,
    /// What an input of the graph reaches; all else is constant.
    varies: HashSet<&'a str>,
    /// The nodes whose values are kept wherever they are.
    stays: Vec<bool>,
}

impl<'a> Forward<'a> {
    fn of(graph: &'a Graph, nodes: &'a [Node], bytes: &HashMap<String, u64>) -> Self {
        let mut varies: HashSet<&str> = graph.inputs.iter().map(|input| input.name.as_str()).collect();
        let (mut writer, mut root, mut read) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut stays = Vec::with_capacity(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            // What no input reaches is a constant, which the runtime computes once.
            let is_constant = !node.reads().any(|name| varies.contains(name));
            let is_small = node.outputs.iter().all(|output| bytes.get(output).copied().unwrap_or(0) <= SMALL);
            let has_subgraph = node.reads().count() > node.inputs.iter().filter(|input| !input.is_empty()).count();
            stays.push(is_constant || is_small || has_subgraph || RANDOM.contains(&node.op.name()));
            for name in node.reads() {
                read.insert(root.get(name).copied().unwrap_or(name), at);
            }
            for output in node.outputs.iter().map(String::as_str).filter(|output| !output.is_empty()) {
                writer.insert(output, at);
                if !is_constant {
                    varies.insert(output);
                }
                if let (true, Some(input)) = (node.op.is_view(), node.input(0)) {
                    root.insert(output, root.get(input).copied().unwrap_or(input));
                }
            }
        }
        Self { writer, root, read, varies, stays }
    }

    fn root_of<'v>(&self, value: &'v str) -> &'v str
    where
        'a: 'v,
    {
        self.root.get(value).copied().unwrap_or(value)
    }

    /// What takes memory from the node that makes it to the last one that reads it.
    fn spans(&self, backward: &[Node], bytes: &HashMap<String, u64>) -> Vec<Span> {
        let saved: HashSet<&str> = backward.iter().flat_map(Node::reads).map(|name| self.root_of(name)).collect();
        let is_span = |(value, at): &(&&str, &usize)| !self.stays[**at] && !self.root.contains_key(**value);
        let span = |(value, at): (&&str, &usize)| Span {
            made: *at,
            read: self.read.get(value).copied().unwrap_or(*at),
            bytes: bytes.get(*value).copied().unwrap_or(0),
            saved: saved.contains(value),
        };
        self.writer.iter().filter(is_span).map(span).collect()
    }

    /// Whether a value is gone behind its segment, the one with these bounds, if nothing of the backward part reads it.
    fn is_within(&self, value: &str, (begin, end): (usize, usize)) -> bool {
        let root = self.root_of(value);
        let Some(&at) = self.writer.get(root) else { return false };
        let stays = self.stays[at] || self.writer.get(value).is_none_or(|at| self.stays[*at]);
        !stays && (begin..end).contains(&at) && self.read.get(root).is_none_or(|read| *read < end)
    }
}

/// The backward part in stages, one for each segment that it goes through, the last segment first. What `position` does not know belongs
/// to what is behind it.
fn stages(backward: Vec<Node>, cuts: &[usize], position: impl Fn(&Node) -> Option<usize>) -> Vec<(usize, Vec<Node>)> {
    let mut stages: Vec<(usize, Vec<Node>)> = vec![(cuts.len(), Vec::new())];
    let mut unknown = Vec::new();
    for node in backward {
        let Some(at) = position(&node) else {
            unknown.push(node);
            continue;
        };
        let segment = cuts.partition_point(|cut| *cut <= at);
        if stages.last().is_some_and(|(current, _)| segment < *current) {
            stages.push((segment, Vec::new()));
        }
        if let Some((_, stage)) = stages.last_mut() {
            stage.append(&mut unknown);
            stage.push(node);
        }
    }
    if let Some((_, stage)) = stages.last_mut() {
        stage.append(&mut unknown);
    }
    stages
}

/// For each stage what it leaves for others: when all of it is there, the stage is over. The first one leaves the loss too, and what is
/// told beside it.
fn ends(stages: &[(usize, Vec<Node>)], graph: &Graph, forward: &[Node]) -> Vec<Vec<String>> {
    let given: HashSet<&str> = graph.outputs.iter().map(|output| output.name.as_str()).collect();
    let mut readers: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    for (at, (_, stage)) in stages.iter().enumerate() {
        for name in stage.iter().flat_map(Node::reads) {
            readers.entry(name).or_default().insert(at);
        }
    }
    let leaves = |at: usize, output: &str| {
        let elsewhere = readers.get(output).is_some_and(|readers| readers.iter().any(|reader| *reader != at));
        elsewhere || given.contains(output)
    };
    let told = forward.iter().flat_map(|node| &node.outputs).filter(|output| given.contains(output.as_str())).cloned();
    let mut ends: Vec<Vec<String>> = Vec::with_capacity(stages.len());
    for (at, (_, stage)) in stages.iter().enumerate() {
        let outputs = stage.iter().flat_map(|node| &node.outputs).filter(|output| !output.is_empty());
        ends.push(outputs.filter(|output| leaves(at, output)).cloned().collect());
    }
    if let Some(first) = ends.first_mut() {
        first.extend(told);
    }
    ends
}
