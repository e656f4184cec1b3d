//! Mixed precision (Micikevicius et al., *Mixed Precision Training*, 2018): products of matrices read and give floats of 16 bits.
//!
//! Everything else stays in 32 bits: weights and their gradients where they are kept and summed, softmaxes, norms, reductions, losses.
//! A value is rounded once, however many products read it.

use std::collections::HashMap;

use super::TrainingGraph;
use super::names::free_prefix;
use crate::onnx::{Attribute, ElementType, Node, Op, Tensor, shapes::Shapes};

/// Floats of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// IEEE's, of 5 bits of exponent: nothing beyond 65,504.
    F16,
    /// Of 8 bits of exponent, the range of 32-bit floats, and 8 bits of precision.
    Bf16,
}

/// What computes products of 16-bit floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// The provider, by kernels of its own.
    Native,
    /// The kernels of 32 bits: operands and results are rounded to 16 bits and computed with in 32, for providers that have no
    /// others.
    Rounded,
}

/// Rounds what products of matrices read and give.
pub fn mix_precision(training: &mut TrainingGraph, half: Half, products: Products) {
    let shapes = Shapes::of(&training.graph);
    let prefix = free_prefix(&training.graph, "annotc/half/");
    let nodes = std::mem::take(&mut training.graph.nodes);
    let mut mixed =
        Mixed { half, products, shapes, prefix, names: HashMap::new(), nodes: Vec::with_capacity(nodes.len()) };
    for node in nodes {
        let made_for = node.outputs.first().and_then(|output| training.made_for.get(output)).cloned();
        let before = mixed.nodes.len();
        match node.op {
            Op::MatMul | Op::Gemm | Op::FusedMatMul | Op::Product | Op::Conv | Op::ConvTranspose
                if mixed.is_of_floats(&node) =>
            {
                mixed.product(node);
            }
            Op::MaskedAttention | Op::MaskedAttentionGrad if mixed.is_of_floats(&node) => mixed.attention(node),
            _ => mixed.nodes.push(node),
        }
        if let Some(made_for) = made_for {
            let added = mixed.nodes[before..].iter().flat_map(|node| &node.outputs);
            training.made_for.extend(added.map(|output| (output.clone(), made_for.clone())));
        }
    }
    for rank in 0..=MOST_AXES {
        let name = mixed.same_shape(rank);
        if mixed.nodes.iter().any(|node| node.inputs.contains(&name)) {
            training.graph.initializers.insert(name, Tensor::from_i64(&[rank], &vec![0; rank]));
        }
    }
    training.graph.nodes = mixed.nodes;
}

/// Products of more axes stay in 32 bits.
const MOST_AXES: usize = 8;

struct Mixed {
    half: Half,
    products: Products,
    shapes: Shapes,
    prefix: String,
    /// The rounded value of each that was rounded so far.
    names: HashMap<String, String>,
    nodes: Vec<Node>,
}

impl Mixed {
    /// Whether a node is one of 32-bit floats whose ranks are known, as products of 16 bits are.
    fn is_of_floats(&self, node: &Node) -> bool {
        let is_known = |name: &str| {
            let is_float = self.shapes.element(name) == Some(ElementType::Float);
            is_float && self.shapes.rank(name).is_some_and(|rank| rank <= MOST_AXES)
        };
        node.reads().all(is_known) && node.outputs.iter().all(|output| is_known(output))
    }

    fn product(&mut self, mut node: Node) {
        for input in node.inputs.iter_mut().filter(|input| !input.is_empty()) {
            *input = self.rounded(input);
        }
        let given = self.raw(&mut node, 0);
        self.nodes.push(node);
        self.give(given);
    }

    /// Products and what lies between them in one operator: what it reads and gives is rounded, but for the mask and for the
    /// probabilities that its gradient needs, which are no operand or result of a product outside of it.
    fn attention(&mut self, mut node: Node) {
        let (read, given) = match node.op {
            Op::MaskedAttention => (0..3, 0..1),
            _ => (2..5, 0..node.outputs.len()),
        };
        for at in read.chain((node.op == Op::MaskedAttentionGrad).then_some(0)) {
            node.inputs[at] = self.rounded(&node.inputs[at].clone());
        }
        let given: Vec<(String, String)> = given.map(|at| self.raw(&mut node, at)).collect();
        self.nodes.push(node);
        given.into_iter().for_each(|given| self.give(given));
    }

    /// Gives an output another name, for what it is before it is rounded: that name and the value's.
    fn raw(&self, node: &mut Node, at: usize) -> (String, String) {
        let given = node.outputs[at].clone();
        node.outputs[at] = format!("{}of/{given}", self.prefix);
        (node.outputs[at].clone(), given)
    }

    fn give(&mut self, (raw, given): (String, String)) {
        match self.products {
            Products::Native => self.cast(&raw, ElementType::Float, &given),
            Products::Rounded => self.round(&raw, &given),
        }
    }

    /// The value as products read it.
    fn rounded(&mut self, value: &str) -> String {
        if let Some(name) = self.names.get(value) {
            return name.clone();
        }
        let name = format!("{}{value}", self.prefix);
        match self.products {
            Products::Native => self.cast(value, self.element(), &name),
            Products::Rounded => self.round(value, &name),
        }
        self.names.insert(value.to_owned(), name.clone());
        name
    }

    /// Rounds to 16 bits and back. The runtime takes a cast and the one back for nothing, unless something stands between them:
    /// a `Reshape` to the same shape, which touches no number.
    fn round(&mut self, value: &str, to: &str) {
        let rank =
            [value, to].iter().find_map(|name| self.shapes.rank(name)).expect("a product's values have known ranks");
        let [narrow, same] = ["narrow", "same"].map(|stem| format!("{}{stem}/{to}", self.prefix));
        self.cast(value, self.element(), &narrow);
        let shape = self.same_shape(rank);
        self.nodes.push(Node::new(&same, Op::Reshape, &[&narrow, &shape], &[&same]));
        self.cast(&same, ElementType::Float, to);
    }

    fn cast(&mut self, value: &str, element: ElementType, to: &str) {
        let name = format!("{}to/{to}", self.prefix);
        let node = Node::new(&name, Op::Cast, &[value], &[to]);
        self.nodes.push(node.with("to", Attribute::Int(element.onnx().into())));
    }

    fn element(&self) -> ElementType {
        match self.half {
            Half::F16 => ElementType::Float16,
            Half::Bf16 => ElementType::Bfloat16,
        }
    }

    /// The constant by which a `Reshape` leaves so many axes as they are.
    fn same_shape(&self, rank: usize) -> String {
        format!("{}axes/{rank}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{
        differentiate,
        oracles::{BOTH, prepare, shared_model},
    };
    use super::*;
    use crate::onnx::{
        Axis, Graph, ValueInfo, encode,
        test_session::{Values, available, test_session},
    };

    const HALVES: [(Half, f64); 2] = [(Half::F16, 1e-2), (Half::Bf16, 6e-2)];

    /// The norm of the difference of two lists of numbers, relative to that of the first.
    fn distance(a: &[f32], b: &[f32]) -> f64 {
        let norm = |of: &dyn Fn(f64, f64) -> f64| {
            a.iter().zip(b).map(|(a, b)| of(f64::from(*a), f64::from(*b)).powi(2)).sum::<f64>().sqrt()
        };
        norm(&|a, b| a - b) / norm(&|a, _| a).max(f64::MIN_POSITIVE)
    }

    /// All gradients as one list.
    fn gradients(training: &TrainingGraph, outputs: &BTreeMap<String, Values>) -> Vec<f32> {
        training.trainables.iter().flat_map(|tensor| outputs[&tensor.gradient].floats().to_vec()).collect()
    }

    #[test]
    fn real_models_give_nearly_the_same_loss_and_gradients() {
        for name in ["bert-seqcls", "gpt2", "llama-chat"] {
            let Some(folder) = shared_model(name).filter(|_| available()) else { return };
            for operators in BOTH {
                let case = prepare(&folder, operators).expect("a model that trains");
                let plain = test_session(&encode(&case.training.graph)).run(&case.feeds);
                for (half, tolerance) in HALVES {
                    let mut mixed = case.training.clone();
                    mix_precision(&mut mixed, half, Products::Rounded);
                    let products: Vec<&Node> = mixed.graph.nodes.iter().filter(|node| node.op == Op::MatMul).collect();
                    let is_rounded = |name: &String| name.starts_with("annotc/half/");
                    assert!(!products.is_empty());
                    assert!(
                        products.iter().all(|node| node.inputs.iter().chain(&node.outputs).all(is_rounded)),
                        "{name}"
                    );
                    let found = test_session(&encode(&mixed.graph)).run(&case.feeds);
                    let losses = distance(plain[&mixed.loss].floats(), found[&mixed.loss].floats());
                    let distance = distance(&gradients(&mixed, &plain), &gradients(&mixed, &found));
                    assert!(distance > tolerance / 1000.0, "{name} {half:?}: {distance}: nothing was rounded");
                    assert!(losses.max(distance) < tolerance, "{name} {half:?}: {losses}, {distance}");
                }
            }
        }
    }

    /// What a device computes with kernels of its own, the processor takes by casts that the runtime adds.
    #[test]
    fn native_products_of_16_bits_run() {
        let Some(folder) = shared_model("bert-seqcls").filter(|_| available()) else { return };
        let case = prepare(&folder, super::super::Operators::Stock).expect("a model that trains");
        let plain = test_session(&encode(&case.training.graph)).run(&case.feeds);
        let mut mixed = case.training.clone();
        mix_precision(&mut mixed, Half::F16, Products::Native);
        let found = test_session(&encode(&mixed.graph)).run(&case.feeds);
        assert!(distance(&gradients(&mixed, &plain), &gradients(&mixed, &found)) < 1e-2);
    }

    #[test]
    fn numbers_beyond_the_range_of_16_bits_are_infinite_in_the_one_format_alone() {
        if !available() {
            return;
        }
        let mut graph = Graph::new("product", 17);
        graph.inputs.push(ValueInfo::new("x", ElementType::Float, &[Axis::named("rows"), Axis::Fixed(2)]));
        graph.initializers.insert("w".to_owned(), Tensor::from_f32(&[2, 1], &[1.0, 1.0]));
        graph.nodes = vec![
            Node::new("", Op::MatMul, &["x", "w"], &["y"]),
            Node::new("", Op::ReduceSum, &["y"], &["loss"]).with("keepdims", Attribute::Int(0)),
        ];
        let training = differentiate(&graph, "loss", &["w".to_owned()]).expect("a gradient");
        let feeds = BTreeMap::from([
            ("x".to_owned(), Values::Float(vec![1, 2], vec![40_000.0, 40_000.0])),
            ("w".to_owned(), Values::Float(vec![2, 1], vec![1.0, 1.0])),
        ]);
        for (half, expected) in [(Half::F16, f32::INFINITY), (Half::Bf16, 79_872.0)] {
            let mut mixed = training.clone();
            mix_precision(&mut mixed, half, Products::Rounded);
            let outputs = test_session(&encode(&mixed.graph)).run(&feeds);
            assert_eq!(outputs["loss"].floats(), [expected], "{half:?}");
        }
    }
}
