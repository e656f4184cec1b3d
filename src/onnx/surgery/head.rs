//! A head on an encoder: the mean of the token vectors that the attention mask keeps, or the first one, and a linear layer; of a
//! tagger a linear layer over each of them.

use super::SurgeryError;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo};

/// How token vectors become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean over the attention mask.
    Mean,
    /// The first one.
    Cls,
}

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
/// `logits = W · p + b` of the pooled vector p, see [`add_pooling`].
pub fn add_classifier(graph: &mut Graph, features: &str, pooling: Pooling, head: &Head) -> Result<(), SurgeryError> {
    let labels = head.bias.len();
    let (batch, hidden) = batch_and_width(graph, features)?;
    if head.weight.len() != labels * hidden {
        return Err(SurgeryError::HeadSize { labels, hidden, found: head.weight.len() });
    }
    let taken = graph.names();
    if let Some(name) = HEAD.into_iter().chain(["logits"]).find(|name| taken.contains(name)) {
        return Err(SurgeryError::Taken { name: name.to_owned() });
    }
    pool(graph, features, pooling, &name("pooled"))?;
    let gemm = Node::new(&name("Gemm"), Op::Gemm, &[&name("pooled"), HEAD[0], HEAD[1]], &["logits"]);
    graph.nodes.push(gemm.with("transB", Attribute::Int(1)));
    graph.initializers.insert(HEAD[0].to_owned(), Tensor::from_f32(&[labels, hidden], &head.weight));
    graph.initializers.insert(HEAD[1].to_owned(), Tensor::from_f32(&[labels], &head.bias));
    let position = graph.outputs.iter().position(|output| output.name == features).expect("found above");
    graph.outputs[position] = ValueInfo::new("logits", ElementType::Float, &[batch, Axis::Fixed(labels)]);
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
    let logits = [batch.clone(), sequence.clone(), Axis::Fixed(labels)];
    graph.outputs = vec![ValueInfo::new("logits", ElementType::Float, &logits)];
    graph.prune();
    Ok(())
}

/// Puts the vector of each text, `pooled` `[batch, hidden]`, in the place of the output `features` `[batch, sequence, hidden]`:
/// `Σₜ maskₜ·hₜ / max(Σₜ maskₜ, 1)`, or `h₀`.
pub fn add_pooling(graph: &mut Graph, features: &str, pooling: Pooling, pooled: &str) -> Result<(), SurgeryError> {
    let (batch, hidden) = batch_and_width(graph, features)?;
    if graph.names().contains(pooled) {
        return Err(SurgeryError::Taken { name: pooled.to_owned() });
    }
    pool(graph, features, pooling, pooled)?;
    graph.outputs = vec![ValueInfo::new(pooled, ElementType::Float, &[batch, Axis::Fixed(hidden)])];
    graph.prune();
    Ok(())
}

fn name(part: &str) -> String {
    format!("/classifier/{part}")
}

/// The first and the last axis of an encoder's output.
fn batch_and_width(graph: &Graph, features: &str) -> Result<(Axis, usize), SurgeryError> {
    let axes = graph.output(features).and_then(|output| output.shape.as_deref());
    match axes {
        Some([batch, _, Axis::Fixed(hidden)]) => Ok((batch.clone(), *hidden)),
        Some(_) | None => Err(SurgeryError::Family { outputs: format!("no `{features}`") }),
    }
}

/// Adds what makes one vector of each text's.
fn pool(graph: &mut Graph, features: &str, pooling: Pooling, pooled: &str) -> Result<(), SurgeryError> {
    let (mut nodes, constants) = match pooling {
        Pooling::Cls => {
            let first = Node::new(pooled, Op::Gather, &[features, &name("first")], &[pooled]);
            let first = first.with("axis", Attribute::Int(1));
            (vec![first], vec![("first", Tensor::from_i64(&[], &[0]))])
        }
        Pooling::Mean => {
            let mask = graph.input(MASK).ok_or_else(|| SurgeryError::NoInput { name: MASK.to_owned() })?;
            let axis = |axis: i64| Tensor::from_i64(&[1], &[axis]);
            let constants = vec![("last_axis", axis(2)), ("time_axis", axis(1)), ("one", Tensor::scalar_f32(1.0))];
            (mean(features, mask.element == ElementType::Float, pooled), constants)
        }
    };
    let taken = graph.names();
    if let Some(name) = nodes.iter().flat_map(|node| &node.outputs).find(|name| taken.contains(name.as_str())) {
        return Err(SurgeryError::Taken { name: name.clone() });
    }
    graph.nodes.append(&mut nodes);
    graph.initializers.extend(constants.into_iter().map(|(part, tensor)| (name(part), tensor)));
    Ok(())
}

fn mean(features: &str, mask_is_float: bool, pooled: &str) -> Vec<Node> {
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
        Node::new(&name("Div"), Op::Div, &[&name("ReduceSum"), &name("Max")], &[pooled]),
    ]);
    nodes
}
