//! `Graph` to the bytes of an ONNX file.

use prost::Message;

use super::{Attribute, Axis, Graph, Node, Tensor, ValueInfo, proto};
use proto::attribute_proto::AttributeType;

/// The graph as one ONNX file with its weights inside. Equal graphs give equal bytes.
pub fn encode(graph: &Graph) -> Vec<u8> {
    model(graph).encode_to_vec()
}

pub(super) fn model(graph: &Graph) -> proto::ModelProto {
    let mut model = graph.envelope.clone();
    model.opset_import = graph
        .opsets
        .iter()
        .map(|(domain, &version)| proto::OperatorSetIdProto { domain: Some(domain.clone()), version: Some(version) })
        .collect();
    let shell = model.graph.take().unwrap_or_default();
    model.graph = Some(proto::GraphProto {
        node: graph.nodes.iter().map(node).collect(),
        initializer: graph.initializers.iter().map(|(name, value)| tensor(name, value)).collect(),
        input: graph.inputs.iter().map(value_info).collect(),
        output: graph.outputs.iter().map(value_info).collect(),
        ..shell
    });
    model
}

fn node(node: &Node) -> proto::NodeProto {
    proto::NodeProto {
        input: node.inputs.clone(),
        output: node.outputs.clone(),
        name: Some(node.name.clone()),
        op_type: Some(node.op.name().to_owned()),
        domain: Some(node.op.domain().to_owned()),
        attribute: node.attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
        ..Default::default()
    }
}

fn attribute(name: &str, value: &Attribute) -> proto::AttributeProto {
    let mut proto = proto::AttributeProto { name: Some(name.to_owned()), ..Default::default() };
    let kind = match value {
        Attribute::Float(value) => {
            proto.f = Some(*value);
            AttributeType::Float
        }
        Attribute::Int(value) => {
            proto.i = Some(*value);
            AttributeType::Int
        }
        Attribute::String(value) => {
            proto.s = Some(value.clone());
            AttributeType::String
        }
        Attribute::Tensor(value) => {
            proto.t = Some(tensor("", value));
            AttributeType::Tensor
        }
        Attribute::Floats(values) => {
            proto.floats = values.clone();
            AttributeType::Floats
        }
        Attribute::Ints(values) => {
            proto.ints = values.clone();
            AttributeType::Ints
        }
        Attribute::Strings(values) => {
            proto.strings = values.clone();
            AttributeType::Strings
        }
        Attribute::Opaque(opaque) => return opaque.0.clone(),
    };
    proto.r#type = Some(kind as i32);
    proto
}

fn tensor(name: &str, tensor: &Tensor) -> proto::TensorProto {
    proto::TensorProto {
        name: Some(name.to_owned()),
        dims: tensor.shape().iter().map(|&dim| dim as i64).collect(),
        data_type: Some(tensor.element().onnx()),
        raw_data: Some(tensor.data().clone()),
        ..Default::default()
    }
}

fn value_info(value: &ValueInfo) -> proto::ValueInfoProto {
    use proto::{tensor_shape_proto as shape, type_proto};
    let axis = |axis: &Axis| shape::Dimension {
        denotation: None,
        value: match axis {
            Axis::Fixed(size) => Some(shape::dimension::Value::DimValue(*size as i64)),
            Axis::Named(name) => Some(shape::dimension::Value::DimParam(name.clone())),
            Axis::Free => None,
        },
    };
    let dims = |axes: &Vec<Axis>| proto::TensorShapeProto { dim: axes.iter().map(axis).collect() };
    let tensor = type_proto::Tensor { elem_type: Some(value.element.onnx()), shape: value.shape.as_ref().map(dims) };
    proto::ValueInfoProto {
        name: Some(value.name.clone()),
        r#type: Some(proto::TypeProto { denotation: None, value: Some(type_proto::Value::TensorType(tensor)) }),
        ..Default::default()
    }
}
