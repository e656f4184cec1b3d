//! A node's attributes, typed.

use super::{Tensor, proto};

/// An attribute's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A float.
    Float(f32),
    /// An integer.
    Int(i64),
    /// Bytes, in practice UTF-8.
    String(Vec<u8>),
    /// A tensor.
    Tensor(Tensor),
    /// Floats.
    Floats(Vec<f32>),
    /// Integers.
    Ints(Vec<i64>),
    /// Byte strings.
    Strings(Vec<Vec<u8>>),
    /// Anything else (a subgraph, a sparse tensor, a type), carried along as it was read.
    Opaque(Box<Opaque>),
}

/// An attribute that the crate only carries: its content is that of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Opaque(pub(super) proto::AttributeProto);

impl Attribute {
    /// The names that subgraphs inside the attribute read from the graph around them (and their own names too: a
    /// superset is enough to keep what they need).
    pub(super) fn captured(&self) -> Vec<&str> {
        let mut names = Vec::new();
        if let Self::Opaque(opaque) = self {
            collect(&opaque.0, &mut names);
        }
        names
    }
}

fn collect<'a>(attribute: &'a proto::AttributeProto, names: &mut Vec<&'a str>) {
    for graph in attribute.g.iter().chain(&attribute.graphs) {
        names.extend(graph.output.iter().filter_map(|output| output.name.as_deref()));
        for node in &graph.node {
            names.extend(node.input.iter().map(String::as_str));
            node.attribute.iter().for_each(|inner| collect(inner, names));
        }
    }
}
