//! A classifier or a tagger on an encoder. A classifier reads the mean of the token vectors that the attention mask keeps, a tagger each of them; both
//! are a linear layer.

use super::SurgeryError;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo};

/// The values that a new head starts with.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `[labels, hidden]`, row-major.
    pub weight: Vec<f32>,
    /// `[labels]`
    pub bias: Vec<f32>,
}

/// The names of the head's parameters: PyTorch's for a classification head.
pub const HEAD: [&str; 2] = ["classifier.weight", "classifier.bias"];
const MASK: &str = "attention_mask";

/// Puts a head on the output `features` `[batch, sequence, hidden]`, which `logits` `[batch, labels]` replaces:
/// `logits = W · Σₜ maskₜ·hₜ / max(Σₜ maskₜ, 1) + b`.
pub fn add_classifier(graph: &mut Graph, features: &str, head: &Head) -> Result<(), SurgeryError> {
    let labels = head.bias.len();
    let missing = || SurgeryError::Family { outputs: format!("no `{features}`") };
    let output = graph.output(features).ok_or_else(missing)?;
    let axes = output.shape.clone().ok_or_else(missing)?;
    let [batch, _, Axis::Fixed(hidden)] = axes.as_slice() else { return Err(missing()) };
    if head.weight.len() != labels * hidden {
        return Err(SurgeryError::HeadSize { labels, hidden: *hidden, found: head.weight.len() });
    }
    let mask = graph.input(MASK).ok_or_else(|| SurgeryError::NoInput { name: MASK.to_owned() })?;
    let is_float = mask.element == ElementType::Float;
    let name = |part: &str| format!("/classifier/{part}");
    let nodes = pooling(features, is_float);
    let new = nodes.iter().flat_map(|node| &node.outputs).map(String::as_str).chain(HEAD).chain(["logits"]);
    let taken = graph.names();
    if let Some(name) = new.into_iter().find(|name| taken.contains(name)) {
        return Err(SurgeryError::Taken { name: name.to_owned() });
    }
    graph.nodes.extend(nodes);
    for (part, values) in [("last_axis", vec![2_i64]), ("time_axis", vec![1])] {
        graph.initializers.insert(name(part), Tensor::from_i64(&[1], &values));
    }
    graph.initializers.insert(name("one"), Tensor::scalar_f32(1.0));
    graph.initializers.insert(HEAD[0].to_owned(), Tensor::from_f32(&[labels, *hidden], &head.weight));
    graph.initializers.insert(HEAD[1].to_owned(), Tensor::from_f32(&[labels], &head.bias));
    let position = graph.outputs.iter().position(|output| output.name == features).expect("found above");
    graph.outputs[position] = ValueInfo::new("logits", ElementType::Float, &[batch.clone(), Axis::Fixed(labels)]);
    graph.outputs.retain(|output| output.name == "logits");
    graph.prune();
    Ok(())
}

/// Puts a head on each vector of the output `features` `[batch, sequence, hidden]`, which `logits`
/// `[batch, sequence, labels]` replaces: `logits = h · Wᵀ + b`.
pub fn add_tagger(graph: &mut Graph, features: &str, head: &Head) -> Result<(), SurgeryError> {
    let labels = head.bias.len();
    let missing = || SurgeryError::Family { outputs: format!("no `{features}`") };
    let output = graph.output(features).ok_or_else(missing)?;
    let axes = output.shape.clone().ok_or_else(missing)?;
    let [batch, sequence, Axis::Fixed(hidden)] = axes.as_slice() else { return Err(missing()) };
    if head.weight.len() != labels * hidden {
        return Err(SurgeryError::HeadSize { labels, hidden: *hidden, found: head.weight.len() });
    }
    let name = |part: &str| format!("/classifier/{part}");
    let (turned, product) = (name("Transpose"), name("MatMul"));
    let taken = graph.names();
    let new = [turned.as_str(), product.as_str(), "logits"].into_iter().chain(HEAD);
    if let Some(name) = new.into_iter().find(|name| taken.contains(*name)) {
        return Err(SurgeryError::Taken { name: name.to_owned() });
    }
    graph.nodes.extend([
        Node::new(&turned, Op::Transpose, &[HEAD[0]], &[&turned]).with("perm", Attribute::Ints(vec![1, 0])),
        Node::new(&product, Op::MatMul, &[features, &turned], &[&product]),
        Node::new(&name("Add"), Op::Add, &[&product, HEAD[1]], &["logits"]),
    ]);
    graph.initializers.insert(HEAD[0].to_owned(), Tensor::from_f32(&[labels, *hidden], &head.weight));
    graph.initializers.insert(HEAD[1].to_owned(), Tensor::from_f32(&[labels], &head.bias));
    let position = graph.outputs.iter().position(|output| output.name == features).expect("found above");
    let logits = [batch.clone(), sequence.clone(), Axis::Fixed(labels)];
    graph.outputs[position] = ValueInfo::new("logits", ElementType::Float, &logits);
    graph.outputs.retain(|output| output.name == "logits");
    graph.prune();
    Ok(())
}

fn pooling(features: &str, mask_is_float: bool) -> Vec<Node> {
    let name = |part: &str| format!("/classifier/{part}");
    let node = |part: &str, op: Op, inputs: &[&str]| Node::new(&name(part), op, inputs, &[&name(part)]);
    let to = Attribute::Int(ElementType::Float.onnx().into());
    let mask = if mask_is_float { MASK.to_owned() } else { name("Cast") };
    let mut nodes = Vec::new();
    if !mask_is_float {
        nodes.push(node("Cast", Op::Cast, &[MASK]).with("to", to));
    }
    let gone = || Attribute::Int(0);
    nodes.extend([
        node("Unsqueeze", Op::Unsqueeze, &[&mask, &name("last_axis")]),
        node("Mul", Op::Mul, &[features, &name("Unsqueeze")]),
        node("ReduceSum", Op::ReduceSum, &[&name("Mul"), &name("time_axis")]).with("keepdims", gone()),
        node("ReduceSum_1", Op::ReduceSum, &[&name("Unsqueeze"), &name("time_axis")]).with("keepdims", gone()),
        node("Max", Op::Max, &[&name("ReduceSum_1"), &name("one")]),
        node("Div", Op::Div, &[&name("ReduceSum"), &name("Max")]),
        Node::new("/classifier/Gemm", Op::Gemm, &[&name("Div"), HEAD[0], HEAD[1]], &["logits"])
            .with("transB", Attribute::Int(1)),
    ]);
    nodes
}
