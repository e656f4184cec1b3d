//! `Constant` nodes become initializers of the same name. One of one repeated float stays a node: exporters write it where
//! an operator demands a weight that the module does not have (a norm without a bias), and a parameter it is not.

use crate::onnx::{Attribute, Graph, Op, Tensor};

pub(super) fn fold(graph: &mut Graph) {
    let nodes = std::mem::take(&mut graph.nodes);
    for node in nodes {
        let value = (node.op == Op::Constant).then(|| constant(node.attributes.iter().next())).flatten();
        let value = value.filter(|tensor| !(tensor.len() > 1 && tensor.element().is_float() && tensor.is_uniform()));
        match (value, node.outputs.first()) {
            (Some(tensor), Some(name)) => {
                graph.initializers.insert(name.clone(), tensor);
            }
            _ => graph.nodes.push(node),
        }
    }
}

/// The tensor of any form that the attribute can have but text and sparse tensors, which stay nodes.
fn constant(attribute: Option<(&String, &Attribute)>) -> Option<Tensor> {
    Some(match attribute?.1 {
        Attribute::Tensor(tensor) => tensor.clone(),
        Attribute::Int(value) => Tensor::from_i64(&[], &[*value]),
        Attribute::Ints(values) => Tensor::from_i64(&[values.len()], values),
        Attribute::Float(value) => Tensor::scalar_f32(*value),
        Attribute::Floats(values) => Tensor::from_f32(&[values.len()], values),
        Attribute::String(_) | Attribute::Strings(_) | Attribute::Opaque(_) => return None,
    })
}
