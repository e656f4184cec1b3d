//! The backward walk.

use std::collections::{HashMap, HashSet};

use super::{
    builder::{Builder, Operators},
    flow::Flow,
    fuse, loss,
    rows::GradientRows,
    rules,
};
use crate::onnx::{Axis, ElementType, Graph, Node, Op, ValueInfo};

/// A graph that computes a loss and its gradients.
#[derive(Clone, Debug)]
pub struct TrainingGraph {
    /// Forward, loss and backward. Inputs: what the model reads, then the trainable tensors; outputs: the loss, the scalars
    /// beside it, then the gradients.
    pub graph: Graph,
    /// The output that holds the loss, a float of rank 0.
    pub loss: String,
    /// The trainable tensors, in the order in which they were asked for.
    pub trainables: Vec<Trainable>,
    /// For each value of the backward part the forward value whose node it is the gradient of, or a step to it.
    pub(super) made_for: HashMap<String, String>,
}

/// A tensor that training changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trainable {
    /// Its name: that of the graph input, and of the initializer it was.
    pub name: String,
    /// Its dimensions, and those of its gradient.
    pub shape: Vec<usize>,
    /// The graph output that holds ∂loss/∂tensor, in 32-bit floats.
    pub gradient: String,
    /// The outputs that hold it instead, where it is given as rows.
    pub rows: Option<GradientRows>,
}

/// Why a graph has no gradient.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DifferentiateError {
    /// The loss is not a value of the graph.
    #[error("the graph has no value `{loss}` to differentiate")]
    NoLoss {
        /// The name asked for.
        loss: String,
    },
    /// A trainable name is not an initializer.
    #[error("the graph has no weight `{name}`")]
    NoWeight {
        /// The name asked for.
        name: String,
    },
    /// A weight in another type than 32-bit float.
    #[error("weight `{name}` is not in 32-bit floats; export the model again with `--dtype fp32`")]
    NotFloat {
        /// The weight.
        name: String,
    },
    /// A weight that the loss does not depend on.
    #[error("the loss does not depend on weight `{name}`; leave it out of what is trained")]
    NoPath {
        /// The weight.
        name: String,
    },
    /// A node on the way without a rule.
    #[error("node `{node}`: operator `{operator}` has no gradient in annotc ({reason}); {way_out}")]
    Unsupported {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
        /// What stands in the way.
        reason: String,
        /// What the user can do.
        way_out: &'static str,
    },
}

const WAY_OUT: &str = "tune only what comes after it (`tune head`), or export the model again at another opset";

/// Extends `graph` by the gradients of the scalar `loss` with respect to the initializers `trainable`.
///
/// The method is reverse accumulation (Griewank and Walther, *Evaluating Derivatives*, 2008, ch. 3): only nodes that
/// lie both behind a trainable tensor and before the loss are visited, each once, in reverse order.
pub fn differentiate(graph: &Graph, loss: &str, trainable: &[String]) -> Result<TrainingGraph, DifferentiateError> {
    differentiate_beside(graph, loss, &[], trainable, Operators::Stock)
}

/// As [`differentiate`], made of these operators and with the scalars `beside` as outputs behind the loss: figures that a step tells.
pub fn differentiate_beside(
    graph: &Graph,
    loss: &str,
    beside: &[&str],
    trainable: &[String],
    operators: Operators,
) -> Result<TrainingGraph, DifferentiateError> {
    let mut graph = graph.clone();
    if !graph.names().contains(loss) {
        return Err(DifferentiateError::NoLoss { loss: loss.to_owned() });
    }
    let scalars = std::iter::once(&loss).chain(beside);
    graph.outputs = scalars.map(|name| ValueInfo::new(*name, ElementType::Float, &[])).collect();
    graph.prune();
    fuse::join_parts(&mut graph, trainable, operators);
    let mut flow = Flow::to(trainable, &graph.nodes);
    let mut trainables = Vec::with_capacity(trainable.len());
    for name in trainable {
        trainables.push(release(&mut graph, name)?);
    }
    let read: HashSet<String> = graph.nodes.iter().flat_map(Node::reads).map(str::to_owned).collect();
    graph.inputs.retain(|input| read.contains(&input.name));
    let forward = graph.nodes.clone();
    loss::lower(&mut graph, operators);
    let mut builder = Builder::with(graph, operators);
    flow.add(loss, builder.scalar(1.0));
    let mut made_for = HashMap::new();
    for node in forward.iter().rev() {
        let before = builder.graph.nodes.len();
        flow.visit(&mut builder, node).map_err(|reason| unsupported(node, reason))?;
        let made = builder.graph.nodes[before..].iter().flat_map(|node| &node.outputs);
        made_for.extend(made.map(|output| (output.clone(), node.outputs[0].clone())));
    }
    for trainable in &mut trainables {
        let no_path = || DifferentiateError::NoPath { name: trainable.name.clone() };
        let gradient = flow.take(&mut builder, &trainable.name).ok_or_else(no_path)?;
        trainable.gradient = name_gradient(&mut builder, &gradient, &trainable.name);
    }
    let mut graph = builder.graph;
    for trainable in &trainables {
        let axes: Vec<Axis> = trainable.shape.iter().map(|&size| Axis::Fixed(size)).collect();
        graph.outputs.push(ValueInfo::new(&trainable.gradient, ElementType::Float, &axes));
    }
    graph.prune();
    Ok(TrainingGraph { graph, loss: loss.to_owned(), trainables, made_for })
}

fn unsupported(node: &Node, reason: String) -> DifferentiateError {
    DifferentiateError::Unsupported {
        node: node.label().to_owned(),
        operator: node.op.to_string(),
        reason,
        way_out: WAY_OUT,
    }
}

/// Those of `names` that the value `loss` depends on, in their order.
pub fn reaching(graph: &Graph, loss: &str, names: &[String]) -> Vec<String> {
    let mut needed: HashSet<&str> = HashSet::from([loss]);
    for node in graph.nodes.iter().rev() {
        if node.outputs.iter().any(|output| needed.contains(output.as_str())) && !rules::stops(&node.op) {
            needed.extend(node.reads());
        }
    }
    names.iter().filter(|name| needed.contains(name.as_str())).cloned().collect()
}

/// Makes an initializer a graph input.
fn release(graph: &mut Graph, name: &str) -> Result<Trainable, DifferentiateError> {
    let tensor = match graph.initializers.remove(name) {
        Some(tensor) => tensor,
        None => return Err(DifferentiateError::NoWeight { name: name.to_owned() }),
    };
    if tensor.element() != ElementType::Float {
        return Err(DifferentiateError::NotFloat { name: name.to_owned() });
    }
    let axes: Vec<Axis> = tensor.shape().iter().map(|&size| Axis::Fixed(size)).collect();
    graph.inputs.push(ValueInfo::new(name, ElementType::Float, &axes));
    Ok(Trainable { name: name.to_owned(), shape: tensor.shape().to_vec(), gradient: String::new(), rows: None })
}

/// Gives the gradient of a trainable tensor a name of its own, for several may share one value.
fn name_gradient(builder: &mut Builder, gradient: &str, trainable: &str) -> String {
    let identity = builder.unary(Op::Identity, gradient);
    let output = format!("{trainable}.gradient");
    if builder.graph.names().contains(output.as_str()) {
        return identity;
    }
    let node = builder.graph.nodes.last_mut().expect("the identity was just added");
    node.outputs[0].clone_from(&output);
    output
}
