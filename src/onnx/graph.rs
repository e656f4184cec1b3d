//! The graph: nodes in topological order over named values.

use std::collections::{BTreeMap, BTreeSet};

use super::{Attribute, ElementType, Op, Tensor, proto};

/// A model's graph together with what its file says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Nodes, each after the nodes whose outputs it reads.
    pub nodes: Vec<Node>,
    /// What the caller feeds, in the file's order; initializers are not among them.
    pub inputs: Vec<ValueInfo>,
    /// What the graph returns, in the file's order.
    pub outputs: Vec<ValueInfo>,
    /// Weights and constants by name.
    pub initializers: BTreeMap<String, Tensor>,
    /// Operator set versions by domain; the standard set's domain is empty.
    pub opsets: BTreeMap<String, i64>,
    /// The rest of the file: producer, metadata, functions. Its `graph` is empty but for the name.
    pub(super) envelope: proto::ModelProto,
}

/// An operator applied to values.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The node's name in the file, often a path such as `/encoder/layer.0/attention/self/query/MatMul`; may be empty.
    pub name: String,
    /// The operator.
    pub op: Op,
    /// Names of the values read; an empty name is an optional input left out.
    pub inputs: Vec<String>,
    /// Names of the values written; an empty name is an optional output left out.
    pub outputs: Vec<String>,
    /// Attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// A graph input's or output's name and type.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueInfo {
    /// The value's name.
    pub name: String,
    /// The element type.
    pub element: ElementType,
    /// The axes; `None` when not even the rank is declared.
    pub shape: Option<Vec<Axis>>,
}

/// One axis of a declared shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Axis {
    /// A fixed size.
    Fixed(usize),
    /// A size known at run time; equal names are equal sizes.
    Named(String),
    /// A size known at run time.
    Free,
}

impl ValueInfo {
    /// A typed value.
    pub fn new(name: impl Into<String>, element: ElementType, axes: &[Axis]) -> Self {
        Self { name: name.into(), element, shape: Some(axes.to_vec()) }
    }
}

impl Axis {
    /// A named axis.
    pub fn named(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl Node {
    /// A node without attributes; `name` may be empty.
    pub fn new(name: &str, op: Op, inputs: &[&str], outputs: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self { name: name.to_owned(), op, inputs: owned(inputs), outputs: owned(outputs), attributes: BTreeMap::new() }
    }

    /// The node with one more attribute.
    pub fn with(mut self, name: &str, value: Attribute) -> Self {
        self.attributes.insert(name.to_owned(), value);
        self
    }

    /// An input's name, `None` where it is left out.
    pub fn input(&self, position: usize) -> Option<&str> {
        self.inputs.get(position).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// An integer attribute.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name) {
            Some(Attribute::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// A float attribute.
    pub fn float(&self, name: &str) -> Option<f32> {
        match self.attributes.get(name) {
            Some(Attribute::Float(value)) => Some(*value),
            _ => None,
        }
    }

    /// A list of integers.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name) {
            Some(Attribute::Ints(values)) => Some(values),
            _ => None,
        }
    }

    /// A text attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(Attribute::String(bytes)) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Everything the node reads: its inputs and what its subgraphs take from the graph around them.
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        let direct = self.inputs.iter().map(String::as_str).filter(|name| !name.is_empty());
        direct.chain(self.attributes.values().flat_map(Attribute::captured))
    }

    /// How an error names the node: its name, or what it computes when it has none.
    pub fn label(&self) -> &str {
        match self.name.as_str() {
            "" => self.outputs.first().map_or("", String::as_str),
            name => name,
        }
    }
}

impl Graph {
    /// An empty graph at the given version of the standard operator set, with the intermediate-representation version
    /// that every runtime from onnxruntime 1.24 on reads.
    pub fn new(name: &str, opset: i64) -> Self {
        let envelope = proto::ModelProto {
            ir_version: Some(8),
            producer_name: Some("annotc".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            graph: Some(proto::GraphProto { name: Some(name.to_owned()), ..Default::default() }),
            ..Default::default()
        };
        Self {
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            initializers: BTreeMap::new(),
            opsets: BTreeMap::from([(String::new(), opset)]),
            envelope,
        }
    }

    /// The version of the standard operator set.
    pub fn opset(&self) -> i64 {
        self.opsets.get("").copied().unwrap_or(1)
    }

    /// Declares that nodes of `domain` occur; keeps the version where it is declared already.
    pub fn import_opset(&mut self, domain: &str, version: i64) {
        self.opsets.entry(domain.to_owned()).or_insert(version);
    }

    /// The graph input of that name.
    pub fn input(&self, name: &str) -> Option<&ValueInfo> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// The graph output of that name.
    pub fn output(&self, name: &str) -> Option<&ValueInfo> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// Every name in use, for choosing new ones.
    pub fn names(&self) -> BTreeSet<&str> {
        let written = self.nodes.iter().flat_map(|node| &node.outputs).map(String::as_str);
        let captured = self.nodes.iter().flat_map(Node::reads);
        let given = self.inputs.iter().map(|input| input.name.as_str());
        written.chain(captured).chain(given).chain(self.initializers.keys().map(String::as_str)).collect()
    }

    /// Drops the nodes and initializers that no output needs.
    pub fn prune(&mut self) {
        let mut needed: BTreeSet<String> = self.outputs.iter().map(|output| output.name.clone()).collect();
        let mut kept = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.drain(..).rev() {
            if node.outputs.iter().any(|output| needed.contains(output)) {
                needed.extend(node.reads().map(str::to_owned));
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        self.initializers.retain(|name, _| needed.contains(name));
    }
}
