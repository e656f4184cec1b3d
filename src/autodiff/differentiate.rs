//! The backward walk.

use std::collections::{HashMap, HashSet};

use super::{
    builder::Builder,
    fuse, loss,
    rules::{self, Rule, Site},
};
use crate::onnx::{Axis, ElementType, Graph, Node, Op, ValueInfo};

/// A graph that computes a loss and its gradients.
#[derive(Clone, Debug)]
pub struct TrainingGraph {
    /// Forward, loss and backward. Inputs: what the model reads, then the trainable tensors; outputs: the loss, then the
    /// gradients.
    pub graph: Graph,
    /// The output that holds the loss, a float of rank 0.
    pub loss: String,
    /// The trainable tensors, in the order in which they were asked for.
    pub trainables: Vec<Trainable>,
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
    let mut graph = graph.clone();
    if !graph.names().contains(loss) {
        return Err(DifferentiateError::NoLoss { loss: loss.to_owned() });
    }
    graph.outputs = vec![ValueInfo::new(loss, ElementType::Float, &[])];
    graph.prune();
    fuse::gelu(&mut graph);
    let needs = behind(&graph, trainable);
    let mut trainables = Vec::with_capacity(trainable.len());
    for name in trainable {
        trainables.push(release(&mut graph, name)?);
    }
    let read: HashSet<String> = graph.nodes.iter().flat_map(Node::reads).map(str::to_owned).collect();
    graph.inputs.retain(|input| read.contains(&input.name));
    let forward = graph.nodes.clone();
    loss::lower(&mut graph);
    let mut walk = Walk { builder: Builder::new(graph), gradients: HashMap::new(), needs };
    walk.seed(loss);
    for node in forward.iter().rev() {
        walk.visit(node)?;
    }
    for trainable in &mut trainables {
        trainable.gradient =
            walk.output(&trainable.name).ok_or_else(|| DifferentiateError::NoPath { name: trainable.name.clone() })?;
    }
    let mut graph = walk.builder.graph;
    for trainable in &trainables {
        let axes: Vec<Axis> = trainable.shape.iter().map(|&size| Axis::Fixed(size)).collect();
        graph.outputs.push(ValueInfo::new(&trainable.gradient, ElementType::Float, &axes));
    }
    graph.prune();
    Ok(TrainingGraph { graph, loss: loss.to_owned(), trainables })
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

/// Every value that depends on one of `sources` through operators that have a derivative.
fn behind(graph: &Graph, sources: &[String]) -> HashSet<String> {
    let mut reached: HashSet<String> = sources.iter().cloned().collect();
    for node in &graph.nodes {
        if !rules::stops(&node.op) && node.reads().any(|name| reached.contains(name)) {
            reached.extend(node.outputs.iter().filter(|name| !name.is_empty()).cloned());
        }
    }
    reached
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
    Ok(Trainable { name: name.to_owned(), shape: tensor.shape().to_vec(), gradient: String::new() })
}

struct Walk {
    builder: Builder,
    /// The parts of each value's gradient that have arrived so far.
    gradients: HashMap<String, Vec<String>>,
    needs: HashSet<String>,
}

impl Walk {
    fn seed(&mut self, loss: &str) {
        let one = self.builder.scalar(1.0);
        self.gradients.insert(loss.to_owned(), vec![one]);
    }

    fn visit(&mut self, node: &Node) -> Result<(), DifferentiateError> {
        let arrived = node.outputs.iter().any(|output| self.gradients.contains_key(output));
        let wanted: Vec<bool> = node.inputs.iter().map(|name| self.needs.contains(name)).collect();
        if !arrived || !wanted.contains(&true) {
            return Ok(());
        }
        let refuse = |reason: String| DifferentiateError::Unsupported {
            node: node.label().to_owned(),
            operator: node.op.to_string(),
            reason,
            way_out: WAY_OUT,
        };
        let vjp = match rules::rule(&node.op) {
            Rule::Vjp(vjp) => vjp,
            Rule::Stop => return Ok(()),
            Rule::Unsupported(reason) => return Err(refuse(reason.to_owned())),
        };
        let gradients: Vec<Option<String>> = node.outputs.iter().map(|output| self.sum(output)).collect();
        let mut site = Site { b: &mut self.builder, node, gradients, wanted: wanted.clone() };
        let parts = vjp(&mut site).map_err(refuse)?;
        for ((input, part), wanted) in node.inputs.iter().zip(parts).zip(wanted) {
            if let (Some(part), true) = (part, wanted) {
                self.gradients.entry(input.clone()).or_default().push(part);
            }
        }
        Ok(())
    }

    /// The whole gradient of a value that every reader has contributed to.
    fn sum(&mut self, name: &str) -> Option<String> {
        let parts = self.gradients.remove(name)?;
        let mut parts = parts.into_iter();
        let first = parts.next()?;
        Some(parts.fold(first, |sum, part| self.builder.add(&sum, &part)))
    }

    /// The gradient of a trainable tensor under a name of its own, for several may share one value.
    fn output(&mut self, name: &str) -> Option<String> {
        let gradient = self.sum(name)?;
        let identity = self.builder.unary(Op::Identity, &gradient);
        let output = format!("{name}.gradient");
        if self.builder.graph.names().contains(output.as_str()) {
            return Some(identity);
        }
        let node = self.builder.graph.nodes.last_mut().expect("the identity was just added");
        node.outputs[0].clone_from(&output);
        Some(output)
    }
}
