//! What is joined, and that it computes what the parts did.

use std::collections::BTreeMap;

use super::super::{Operators, differentiate::differentiate_beside};
use super::join_parts;
use crate::onnx::{
    Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo, encode,
    test_session::{Values, available, test_session},
};

/// `y` of the nodes over `x`, `[3, 4]`, and of constants; the loss is Σ y².
fn graph(nodes: Vec<Node>) -> Graph {
    let mut graph = Graph::new("parts", 18);
    graph.inputs.push(ValueInfo::new("mask", ElementType::Float, &[Axis::named("rows"), Axis::Fixed(4)]));
    let numbers: Vec<f32> = (0..12).map(|at| (at as f32 * 1.7).sin()).collect();
    let floats = [("w", &[3, 4][..], numbers), ("gain", &[4], vec![0.5, 2.0, 1.0, -1.0])];
    let numbers = [("zero", 0.0), ("one", 1.0), ("two", 2.0), ("epsilon", 1e-6)];
    let numbers = numbers.map(|(name, number)| (name, &[][..], vec![number]));
    for (name, shape, values) in floats.into_iter().chain(numbers) {
        graph.initializers.insert(name.to_owned(), Tensor::from_f32(shape, &values));
    }
    graph.initializers.insert("last".to_owned(), Tensor::from_i64(&[1], &[-1]));
    graph.nodes.push(Node::new("", Op::Add, &["w", "mask"], &["x"]));
    graph.nodes.extend(nodes);
    graph.nodes.push(Node::new("", Op::Mul, &["y", "y"], &["squares"]));
    graph.nodes.push(Node::new("", Op::ReduceSum, &["squares"], &["loss"]).with("keepdims", Attribute::Int(0)));
    graph.outputs.push(ValueInfo::new("loss", ElementType::Float, &[]));
    graph
}

fn silu() -> Vec<Node> {
    vec![Node::new("", Op::Sigmoid, &["x"], &["s"]), Node::new("", Op::Mul, &["x", "s"], &["y"])]
}

fn rms_norm() -> Vec<Node> {
    vec![
        Node::new("", Op::Pow, &["x", "two"], &["a"]),
        Node::new("", Op::ReduceMean, &["a", "last"], &["b"]),
        Node::new("", Op::Add, &["b", "epsilon"], &["c"]),
        Node::new("", Op::Sqrt, &["c"], &["d"]),
        Node::new("", Op::Div, &["one", "d"], &["e"]),
        Node::new("", Op::Mul, &["x", "e"], &["f"]),
        Node::new("", Op::Cast, &["f"], &["g"]).with("to", Attribute::Int(ElementType::Float.onnx().into())),
        Node::new("", Op::Mul, &["gain", "g"], &["y"]),
    ]
}

fn guarded_softmax() -> Vec<Node> {
    vec![
        Node::new("", Op::Softmax, &["x"], &["p"]),
        Node::new("", Op::IsNan, &["p"], &["n"]),
        Node::new("", Op::Where, &["n", "zero", "p"], &["y"]),
    ]
}

/// The loss, and its gradient by `w`.
fn results(graph: &Graph, operators: Operators, mask: &[f32; 12]) -> (f32, Vec<f32>) {
    let names = ["w".to_owned()];
    let training = differentiate_beside(graph, "loss", &[], &names, operators).unwrap();
    let mut feeds = BTreeMap::from([("mask".to_owned(), Values::Float(vec![3, 4], mask.to_vec()))]);
    feeds.insert("w".to_owned(), Values::Float(vec![3, 4], graph.initializers["w"].to_f32().unwrap()));
    let outputs = test_session(&encode(&training.graph)).run(&feeds);
    (outputs["loss"].floats()[0], outputs[&training.trainables[0].gradient].floats().to_vec())
}

#[test]
fn parts_become_one_operator_that_computes_the_same() {
    if !available() {
        return;
    }
    let cases = [
        (silu(), Op::QuickGelu, Operators::Stock),
        (rms_norm(), Op::SimplifiedLayerNormalization, Operators::Stock),
        (guarded_softmax(), Op::GuardedSoftmax, Operators::Ours),
    ];
    for (nodes, joined, operators) in cases {
        let parts = graph(nodes.clone());
        let mut whole = parts.clone();
        join_parts(&mut whole, operators);
        assert!(whole.nodes.iter().any(|node| node.op == joined), "{joined}");
        assert_eq!(whole.nodes.len(), 4, "{joined}");
        // What another node reads of the inside must stay.
        let mut read = graph(nodes.clone());
        let inside = nodes[nodes.len() - 2].outputs[0].clone();
        read.outputs.push(ValueInfo::new(inside, ElementType::Float, &[]));
        let before = read.nodes.clone();
        join_parts(&mut read, operators);
        assert_eq!(read.nodes, before, "{joined}");
        // The extra output keeps the parts apart; in training it is dropped, so the reference is taken without a gradient rule.
        let mut kept = parts.clone();
        kept.nodes.push(Node::new("", Op::Identity, &[&nodes[0].outputs[0]], &["seen"]));
        kept.nodes.push(Node::new("", Op::ReduceSum, &["seen"], &["sum"]).with("keepdims", Attribute::Int(0)));
        kept.nodes.push(Node::new("", Op::Mul, &["sum", "zero"], &["nothing"]));
        kept.nodes.push(Node::new("", Op::Add, &["loss", "nothing"], &["whole_loss"]));
        for node in &mut kept.nodes {
            node.outputs.iter_mut().for_each(|name| swap(name));
            node.inputs.iter_mut().for_each(|name| swap(name));
        }
        let (expected, gradient) = results(&kept, Operators::Stock, &[0.0; 12]);
        let (loss, found) = results(&parts, Operators::Ours, &[0.0; 12]);
        assert!((loss - expected).abs() < 1e-5, "{joined}: {loss} is not {expected}");
        for (found, expected) in found.iter().zip(&gradient) {
            assert!((found - expected).abs() < 1e-5, "{joined}: {found} is not {expected}");
        }
    }
}

/// The sum with nothing added takes the loss's name.
fn swap(name: &mut String) {
    match name.as_str() {
        "loss" => *name = "plain_loss".to_owned(),
        "whole_loss" => *name = "loss".to_owned(),
        _ => {}
    }
}

#[test]
fn a_row_in_which_everything_is_masked_is_zero_and_has_no_gradient() {
    if !available() {
        return;
    }
    let mut mask = [0.0; 12];
    mask[4..8].fill(f32::NEG_INFINITY);
    mask[8] = f32::NEG_INFINITY;
    let (loss, gradient) = results(&graph(guarded_softmax()), Operators::Ours, &mask);
    let (whole, _) = results(&graph(guarded_softmax()), Operators::Ours, &[0.0; 12]);
    assert!(loss.is_finite() && loss != whole, "{loss}");
    assert!(gradient.iter().all(|value| value.is_finite()), "{gradient:?}");
    assert_eq!(&gradient[4..9], &[0.0; 5]);
    assert!(gradient[0] != 0.0 && gradient[9] != 0.0, "{gradient:?}");
}
