//! Which initializers are parameters.
//!
//! A parameter meets the data: it is looked up by a token (an embedding), or combined with a value that descends from
//! one. Constants of the architecture do not: scalars such as ε and √2 have one element, masks hold only 0, 1 and −∞,
//! rotary frequencies are combined with positions, and tables of sines and cosines satisfy the double-angle formula.

use std::collections::HashSet;

use crate::onnx::{ElementType, Graph, Node, Op, Tensor};

/// What a parameter is to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A table looked up by index.
    Embedding,
    /// A matrix that multiplies.
    Weight,
    /// A vector that is added.
    Bias,
    /// A scale or shift of a normalization.
    Norm,
}

/// One place where a parameter is read.
#[derive(Clone, Debug)]
pub(super) struct Use {
    /// The initializer.
    pub(super) name: String,
    /// The node that reads it, and as which input.
    pub(super) node: usize,
    pub(super) input: usize,
    /// The path of the module that the node belongs to, with dots; empty where node names are no paths.
    pub(super) module: String,
    pub(super) role: Role,
    /// `weight` or `bias`
    pub(super) suffix: &'static str,
}

impl Use {
    /// The name to show.
    pub(super) fn path(&self) -> String {
        let from_torch = !self.name.contains("::") && !self.name.starts_with("val_") && self.name.contains('.');
        if from_torch || self.module.is_empty() {
            return self.name.clone();
        }
        format!("{}.{}", self.module, self.suffix)
    }

    /// The name to show, without what stands in front of the model's own.
    pub(super) fn path_within(&self, wrapper: &str) -> String {
        let path = self.path();
        path.strip_prefix(wrapper).map(str::to_owned).unwrap_or(path)
    }
}

/// Every use of every parameter, in the order of the nodes.
pub(super) fn find(graph: &Graph) -> Vec<Use> {
    let mut uses = Vec::new();
    // Values that descend from the data as floats, and initializers seen through operators that only move elements.
    let mut activations: HashSet<&str> =
        graph.inputs.iter().filter(|input| input.element.is_float()).map(|input| input.name.as_str()).collect();
    let mut views: Vec<(&str, &str)> = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let source = |name: &str| -> Option<String> {
            let through = views.iter().find(|(view, _)| *view == name).map_or(name, |(_, origin)| *origin);
            is_weight(graph.initializers.get(through)?).then(|| through.to_owned())
        };
        // Tables of relative positions meet the data late: first they are normalized, or multiplied by weights.
        let both_weights =
            matches!(node.op, Op::MatMul | Op::Gemm) && node.inputs.iter().all(|name| source(name).is_some());
        let meets_data = both_weights || node.inputs.iter().any(|name| activations.contains(name.as_str()));
        let mut used = false;
        for (input, name) in node.inputs.iter().enumerate() {
            let Some(origin) = source(name) else { continue };
            let tensor = &graph.initializers[&origin];
            let Some((role, suffix)) = role(node, input, tensor, meets_data) else { continue };
            used = true;
            uses.push(Use { name: origin, node: at, input, module: module(&node.name), role, suffix });
        }
        let moves = matches!(
            node.op,
            Op::Transpose | Op::Identity | Op::Reshape | Op::Unsqueeze | Op::Squeeze | Op::Slice | Op::Cast
        );
        if moves && let (Some(x), [y]) = (node.input(0), node.outputs.as_slice()) {
            let origin = views.iter().find(|(view, _)| *view == x).map_or(x, |(_, origin)| *origin);
            if graph.initializers.contains_key(origin) {
                views.push((y, origin));
            }
        }
        if (meets_data || used) && !crate::onnx::is_shape_op(&node.op) {
            activations.extend(node.outputs.iter().map(String::as_str).filter(|name| !name.is_empty()));
        }
    }
    uses
}

fn is_weight(tensor: &Tensor) -> bool {
    tensor.element() == ElementType::Float && !tensor.shape().is_empty() && !tensor.is_empty()
}

fn role(node: &Node, input: usize, tensor: &Tensor, meets_data: bool) -> Option<(Role, &'static str)> {
    let rank = tensor.shape().len();
    match (&node.op, input) {
        (Op::Gather, 0) => {
            let table = rank == 2 && node.int("axis").unwrap_or(0) == 0 && tensor.shape()[0] > 1;
            let single = rank == 2 && tensor.shape()[0] == 1;
            ((table && !is_rotary_table(tensor)) || single).then_some((Role::Embedding, "weight"))
        }
        (Op::MatMul | Op::FusedMatMul, _) if meets_data => Some((Role::Weight, "weight")),
        (Op::Gemm | Op::Conv | Op::ConvTranspose, 0 | 1) if meets_data => Some((Role::Weight, "weight")),
        (Op::Gemm | Op::Conv | Op::ConvTranspose, 2) if meets_data => Some((Role::Bias, "bias")),
        (Op::LayerNormalization | Op::SimplifiedLayerNormalization | Op::RmsNormalization, 0) => {
            Some((Role::Embedding, "weight"))
        }
        (Op::LayerNormalization | Op::SimplifiedLayerNormalization | Op::RmsNormalization, 1) => {
            Some((Role::Norm, "weight"))
        }
        (Op::LayerNormalization, 2) => Some((Role::Norm, "bias")),
        (Op::BatchNormalization, 1) => Some((Role::Norm, "weight")),
        (Op::BatchNormalization, 2) => Some((Role::Norm, "bias")),
        (Op::BiasGelu | Op::FastGelu, 1) => Some((Role::Bias, "bias")),
        (Op::Add | Op::Sub, _) if meets_data && tensor.len() > 1 && !is_mask(tensor) => Some((Role::Bias, "bias")),
        (Op::Mul | Op::Div, _) if meets_data && tensor.len() > 1 && !is_mask(tensor) => Some((Role::Norm, "weight")),
        _ => None,
    }
}

/// `/encoder/layer.0/attention/self/query/MatMul` belongs to `encoder.layer.0.attention.self.query`.
fn module(node: &str) -> String {
    let path = node.strip_prefix('/').and_then(|path| path.rsplit_once('/'));
    path.map_or(String::new(), |(module, _)| module.replace('/', "."))
}

/// Attention masks that exporters store as numbers: a matrix of 0, 1 and very negative values that are not all equal.
fn is_mask(tensor: &Tensor) -> bool {
    let masking = |value: &f32| *value == 0.0 || *value == 1.0 || *value <= -1e4;
    tensor.shape().iter().filter(|&&size| size > 1).count() >= 2
        && tensor.to_f32().is_some_and(|values| values.iter().all(masking))
}

/// Rows of sin(p·ω) or cos(p·ω): the first row is all 0 or all 1, and row 2 follows from row 1 by the double-angle
/// formula.
fn is_rotary_table(tensor: &Tensor) -> bool {
    let &[rows, columns] = tensor.shape() else { return false };
    if rows < 3 || columns == 0 {
        return false;
    }
    let Some(values) = tensor.to_f32() else { return false };
    let row = |at: usize| &values[at * columns..(at + 1) * columns];
    let pairs = || row(1).iter().zip(row(2));
    let close = |a: f32, b: f32| (a - b).abs() < 1e-4;
    let cosine = row(0).iter().all(|&value| value == 1.0) && pairs().all(|(&a, &b)| close(2.0 * a * a - 1.0, b));
    let double_sine = |a: f32| 2.0 * a * (1.0 - a * a).max(0.0).sqrt();
    let sine = row(0).iter().all(|&value| value == 0.0)
        && row(1).iter().any(|&value| value != 0.0)
        && pairs().all(|(&a, &b)| close(double_sine(a).abs(), b.abs()));
    cosine || sine
}
