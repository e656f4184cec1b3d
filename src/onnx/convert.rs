//! The file's messages to a `Graph`, checked: every name is written once and before it is read.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{
    Attribute, Axis, ElementType, Graph, LoadError, Node, Op, Tensor, ValueInfo, attribute::Opaque, load::External,
    proto, refused::check_operator,
};
use proto::{attribute_proto::AttributeType, tensor_proto::DataLocation, tensor_shape_proto::dimension, type_proto};

pub(super) fn graph(mut model: proto::ModelProto, external: &mut External<'_>) -> Result<Graph, LoadError> {
    let mut source = model.graph.take().ok_or_else(|| malformed("it has no graph"))?;
    if !source.sparse_initializer.is_empty() {
        return Err(malformed("it has sparse initializers, which annotc cannot carry"));
    }
    let opsets = opsets(&model)?;
    let mut initializers = BTreeMap::new();
    for tensor in std::mem::take(&mut source.initializer) {
        let name = tensor.name.clone().unwrap_or_default();
        if initializers.insert(name.clone(), self::tensor(&name, tensor, external)?).is_some() {
            return Err(malformed(format!("initializer `{name}` occurs twice")));
        }
    }
    let nodes = std::mem::take(&mut source.node)
        .into_iter()
        .map(|node| self::node(node, &model.functions, external))
        .collect::<Result<Vec<_>, _>>()?;
    let mut inputs = std::mem::take(&mut source.input).into_iter().map(value_info).collect::<Result<Vec<_>, _>>()?;
    inputs.retain(|input| !initializers.contains_key(&input.name));
    let outputs = std::mem::take(&mut source.output).into_iter().map(value_info).collect::<Result<Vec<_>, _>>()?;
    model.opset_import.clear();
    model.graph = Some(proto::GraphProto {
        name: source.name,
        doc_string: source.doc_string,
        metadata_props: source.metadata_props,
        ..Default::default()
    });
    let graph = Graph { nodes, inputs, outputs, initializers, opsets, envelope: model };
    check_order(&graph)?;
    Ok(graph)
}

fn malformed(reason: impl Into<String>) -> LoadError {
    LoadError::Malformed { reason: reason.into() }
}

fn opsets(model: &proto::ModelProto) -> Result<BTreeMap<String, i64>, LoadError> {
    let mut opsets = BTreeMap::new();
    for import in &model.opset_import {
        let domain = import.domain.as_deref().filter(|&domain| domain != "ai.onnx").unwrap_or("");
        opsets.insert(domain.to_owned(), import.version.unwrap_or(1));
    }
    match opsets.get("") {
        Some(13..) => Ok(opsets),
        Some(&found) => Err(LoadError::OldOpset { found }),
        None => Err(malformed("it imports no standard operator set")),
    }
}

/// Nodes must come after what they read, which ONNX demands and every walk over the graph relies on.
fn check_order(graph: &Graph) -> Result<(), LoadError> {
    let mut known: BTreeSet<&str> = graph.initializers.keys().map(String::as_str).collect();
    known.extend(graph.inputs.iter().map(|input| input.name.as_str()));
    for node in &graph.nodes {
        if let Some(missing) = node.inputs.iter().find(|name| !name.is_empty() && !known.contains(name.as_str())) {
            return Err(malformed(format!(
                "node `{}` reads `{missing}`, which nothing before it writes",
                node.label()
            )));
        }
        for output in node.outputs.iter().filter(|name| !name.is_empty()) {
            if !known.insert(output) {
                return Err(malformed(format!("`{output}` is written twice")));
            }
        }
    }
    match graph.outputs.iter().find(|output| !known.contains(output.name.as_str())) {
        Some(output) => Err(malformed(format!("nothing writes the output `{}`", output.name))),
        None => Ok(()),
    }
}

fn node(
    node: proto::NodeProto,
    functions: &[proto::FunctionProto],
    external: &mut External<'_>,
) -> Result<Node, LoadError> {
    let domain = node.domain.unwrap_or_default();
    let operator = node.op_type.unwrap_or_default();
    let mut attributes = BTreeMap::new();
    for attribute in node.attribute {
        let name = attribute.name.clone().unwrap_or_default();
        attributes.insert(name, self::attribute(attribute, external)?);
    }
    let node = Node {
        name: path(&node.metadata_props, node.name.unwrap_or_default()),
        op: Op::parse(&domain, &operator),
        inputs: node.input,
        outputs: node.output,
        attributes,
    };
    // The crate's own nodes never leave the crate; the code that lowers them relies on their form.
    if node.op.domain() == Op::CrossEntropy.domain() {
        return Err(malformed(format!("node `{}` is `{}`, which no file can hold", node.label(), node.op)));
    }
    check_operator(node.label(), &node.op, functions)?;
    Ok(node)
}

/// PyTorch's newer exporter numbers its nodes and writes their modules beside them, from the root to the module and then
/// the call: `['', 'encoder', 'encoder.layer.0', 'linear']`. The older one makes the path a part of the name, and so does
/// this: `/encoder.layer.0/node_MatMul_39`.
fn path(metadata: &[proto::StringStringEntryProto], name: String) -> String {
    let scopes = metadata.iter().find(|entry| entry.key.as_deref() == Some("pkg.torch.onnx.name_scopes"));
    let scopes = scopes.and_then(|entry| entry.value.as_deref()).unwrap_or_default();
    let mut scopes = scopes.trim_matches(['[', ']']).rsplit(',').skip(1);
    match scopes.next().map(|scope| scope.trim().trim_matches('\'')) {
        Some(module) if !module.is_empty() => format!("/{module}/{name}"),
        Some(_) | None => name,
    }
}

fn attribute(proto: proto::AttributeProto, external: &mut External<'_>) -> Result<Attribute, LoadError> {
    let name = proto.name.as_deref().unwrap_or_default().to_owned();
    Ok(match proto.r#type() {
        AttributeType::Float => Attribute::Float(proto.f.unwrap_or_default()),
        AttributeType::Int => Attribute::Int(proto.i.unwrap_or_default()),
        AttributeType::String => Attribute::String(proto.s.unwrap_or_default()),
        AttributeType::Floats => Attribute::Floats(proto.floats),
        AttributeType::Ints => Attribute::Ints(proto.ints),
        AttributeType::Strings => Attribute::Strings(proto.strings),
        AttributeType::Tensor => match proto.t {
            Some(tensor) if tensor.data_type != Some(proto::tensor_proto::DataType::String as i32) => {
                Attribute::Tensor(self::tensor(&name, tensor, external)?)
            }
            t => Attribute::Opaque(Box::new(Opaque(proto::AttributeProto { t, ..proto }))),
        },
        AttributeType::Undefined
        | AttributeType::Graph
        | AttributeType::Graphs
        | AttributeType::Tensors
        | AttributeType::SparseTensor
        | AttributeType::SparseTensors
        | AttributeType::TypeProto
        | AttributeType::TypeProtos => Attribute::Opaque(Box::new(Opaque(proto))),
    })
}

fn tensor(name: &str, proto: proto::TensorProto, external: &mut External<'_>) -> Result<Tensor, LoadError> {
    let number = proto.data_type.unwrap_or_default();
    let element =
        ElementType::from_onnx(number).ok_or_else(|| LoadError::ElementType { value: name.to_owned(), number })?;
    let shape = proto
        .dims
        .iter()
        .map(|&dim| usize::try_from(dim))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| malformed(format!("tensor `{name}` has a negative dimension")))?;
    let data = if proto.data_location() == DataLocation::External {
        let entry = |key: &str| {
            proto.external_data.iter().find(|entry| entry.key.as_deref() == Some(key)).and_then(|e| e.value.as_deref())
        };
        let number = |key: &str| {
            let parse = |text: &str| {
                text.parse::<u64>().map_err(|_| malformed(format!("tensor `{name}`: `{key}` is not a number")))
            };
            entry(key).map(parse).transpose()
        };
        external.slice(name, entry("location").unwrap_or(""), number("offset")?.unwrap_or(0), number("length")?)?
    } else {
        match proto.raw_data {
            Some(raw) => raw,
            None => typed_data(element, &proto),
        }
    };
    Tensor::new(element, shape, data)
        .ok_or_else(|| malformed(format!("tensor `{name}` does not have as many bytes as its shape says")))
}

/// The values of the typed fields in the layout of `raw_data`. Narrow types are stored one per `int32`.
fn typed_data(element: ElementType, proto: &proto::TensorProto) -> Bytes {
    let narrow = |width: usize| -> Vec<u8> {
        proto.int32_data.iter().flat_map(|value| value.to_le_bytes().into_iter().take(width)).collect()
    };
    let data: Vec<u8> = match element {
        ElementType::Float => proto.float_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::Double => proto.double_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::Int64 => proto.int64_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::Uint64 => proto.uint64_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::Uint32 => {
            proto.uint64_data.iter().flat_map(|value| value.to_le_bytes().into_iter().take(4)).collect()
        }
        ElementType::Int32 => narrow(4),
        ElementType::Float16 | ElementType::Bfloat16 | ElementType::Int16 | ElementType::Uint16 => narrow(2),
        ElementType::Int8 | ElementType::Uint8 | ElementType::Bool | ElementType::Int4 => narrow(1),
    };
    data.into()
}

fn value_info(value: proto::ValueInfoProto) -> Result<ValueInfo, LoadError> {
    let name = value.name.unwrap_or_default();
    let Some(type_proto::Value::TensorType(tensor)) = value.r#type.and_then(|kind| kind.value) else {
        return Err(malformed(format!("`{name}` is not a tensor")));
    };
    let number = tensor.elem_type.unwrap_or_default();
    let element =
        ElementType::from_onnx(number).ok_or_else(|| LoadError::ElementType { value: name.clone(), number })?;
    let axis = |dim: proto::tensor_shape_proto::Dimension| match dim.value {
        Some(dimension::Value::DimValue(size)) => usize::try_from(size).map_or(Axis::Free, Axis::Fixed),
        Some(dimension::Value::DimParam(name)) if !name.is_empty() => Axis::Named(name),
        Some(dimension::Value::DimParam(_)) | None => Axis::Free,
    };
    let shape = tensor.shape.map(|shape| shape.dim.into_iter().map(axis).collect());
    Ok(ValueInfo { name, element, shape })
}
