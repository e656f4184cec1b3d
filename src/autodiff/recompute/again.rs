//! The second run of a segment, and what makes it wait.
//!
//! The first nodes of a second run read what they read through a `Reshape` to the shape that it has. That shape is told by a
//! tensor to whose end pieces without elements are joined, one of each value that the stage before leaves. No number is touched and none
//! is copied; but the nodes have to wait for these values, and they read something else than in the first run, so that no
//! optimizer takes the two for one.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Forward;
use crate::onnx::{Attribute, ElementType, Node, Op, Tensor};

/// The backward part as it is written, with what is computed again.
pub(super) struct Again<'a> {
    forward: &'a Forward<'a>,
    nodes: &'a [Node],
    cuts: &'a [usize],
    prefix: String,
    /// Its nodes so far.
    pub(super) added: Vec<Node>,
    /// The constants that they read beside those of the graph.
    pub(super) constants: BTreeMap<String, Tensor>,
}

impl<'a> Again<'a> {
    pub(super) fn new(prefix: String, forward: &'a Forward<'a>, nodes: &'a [Node], cuts: &'a [usize]) -> Self {
        Self { forward, nodes, cuts, prefix, added: Vec::new(), constants: BTreeMap::new() }
    }

    /// Adds a stage of the backward part, and before it the nodes of its segment that it needs.
    pub(super) fn add(&mut self, segment: usize, mut stage: Vec<Node>, waits_for: &[String]) {
        if let Some(&end) = self.cuts.get(segment) {
            let begin = segment.checked_sub(1).map_or(0, |before| self.cuts[before]);
            let needed = self.needed(&stage, (begin, end));
            let mut wait = Wait::default();
            for at in begin..end {
                if self.nodes[at].outputs.iter().any(|output| needed.contains(output.as_str())) {
                    self.repeat(at, &needed, &mut wait, waits_for);
                }
            }
            for input in stage.iter_mut().flat_map(|node| &mut node.inputs) {
                if needed.contains(input.as_str()) {
                    *input = self.name(input);
                }
            }
        }
        self.added.extend(stage);
    }

    /// The values of a segment that a stage reads or that are needed for those.
    fn needed(&self, stage: &[Node], bounds: (usize, usize)) -> HashSet<&'a str> {
        let is_within = |name: &&str| self.forward.is_within(name, bounds);
        let mut wanted: HashSet<String> =
            stage.iter().flat_map(Node::reads).filter(is_within).map(str::to_owned).collect();
        let mut needed = HashSet::new();
        for node in self.nodes[bounds.0..bounds.1].iter().rev() {
            let outputs = node.outputs.iter().map(String::as_str).filter(|output| wanted.contains(*output));
            let before = needed.len();
            needed.extend(outputs);
            if needed.len() > before {
                wanted.extend(node.reads().filter(is_within).map(str::to_owned));
            }
        }
        needed
    }

    /// Adds the node at a position once more.
    fn repeat(&mut self, at: usize, needed: &HashSet<&str>, wait: &mut Wait, waits_for: &[String]) {
        let mut node = self.nodes[at].clone();
        let mut follows = false;
        for input in &mut node.inputs {
            if needed.contains(input.as_str()) {
                *input = self.name(input);
                follows = true;
            }
        }
        if !follows {
            // A constant stays one. Inputs of the graph and weights come behind values, which are what a segment begins with.
            let varies = |name: &String| self.forward.varies.contains(name.as_str());
            let is_value = |name: &String| varies(name) && self.forward.writer.contains_key(name.as_str());
            let first = node.inputs.iter().position(is_value).or_else(|| node.inputs.iter().position(varies));
            if let Some(first) = first {
                node.inputs[first] = self.waiting(&node.inputs[first], wait, waits_for);
            }
        }
        for output in node.outputs.iter_mut().filter(|output| !output.is_empty()) {
            *output = self.name(output);
        }
        if !node.name.is_empty() {
            node.name = self.name(&node.name);
        }
        self.added.push(node);
    }

    fn name(&self, of: &str) -> String {
        format!("{}{of}", self.prefix)
    }

    /// A value as it is when the stage before is over.
    fn waiting(&mut self, value: &str, wait: &mut Wait, waits_for: &[String]) -> String {
        if let Some(name) = wait.waiting.get(value) {
            return name.clone();
        }
        if waits_for.is_empty() {
            return value.to_owned();
        }
        let nothing = wait.nothing.get_or_insert_with(|| self.nothing(waits_for)).clone();
        let shape = self.node(Op::Shape, &[value], &[]);
        let shape = self.node(Op::Concat, &[&shape, &nothing], &[("axis", 0)]);
        let name = self.node(Op::Reshape, &[value, &shape], &[("allowzero", 1)]);
        wait.waiting.insert(value.to_owned(), name.clone());
        name
    }

    /// An integer tensor without elements that is there when all of `waits_for` is.
    fn nothing(&mut self, waits_for: &[String]) -> String {
        let (flat, none) = (self.constant("flat", -1), self.constant("none", 0));
        let mut pieces = Vec::with_capacity(waits_for.len());
        for value in waits_for {
            let piece = self.node(Op::Reshape, &[value, &flat], &[]);
            let piece = self.node(Op::Slice, &[&piece, &none, &none], &[]);
            pieces.push(self.node(Op::Cast, &[&piece], &[("to", ElementType::Int64.onnx().into())]));
        }
        self.node(Op::Concat, &pieces.iter().map(String::as_str).collect::<Vec<_>>(), &[("axis", 0)])
    }

    fn node(&mut self, op: Op, inputs: &[&str], attributes: &[(&str, i64)]) -> String {
        let name = self.name(&format!("{}_{}", op.name(), self.added.len()));
        let node = Node::new(&name, op, inputs, &[&name]);
        let node = attributes.iter().fold(node, |node, (name, value)| node.with(name, Attribute::Int(*value)));
        self.added.push(node);
        name
    }

    fn constant(&mut self, name: &str, value: i64) -> String {
        let name = self.name(name);
        self.constants.insert(name.clone(), Tensor::from_i64(&[1], &[value]));
        name
    }
}

/// What a stage waits for, and the values that wait with it.
#[derive(Default)]
struct Wait {
    nothing: Option<String>,
    waiting: HashMap<String, String>,
}
