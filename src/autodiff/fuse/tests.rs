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
    let keys = (0..12).map(|at| (at as f32 * 0.9).cos()).collect();
    let visible = vec![0.0, f32::MIN, f32::NEG_INFINITY, 0.0, 0.3, f32::MIN, f32::MIN, f32::MIN, f32::MIN];
    let floats = [
        ("w", &[3, 4][..], numbers),
        ("gain", &[4], vec![0.5, 2.0, 1.0, -1.0]),
        ("keys", &[4, 3], keys),
        ("visible", &[3, 3], visible),
    ];
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

fn attention() -> Vec<Node> {
    vec![
        Node::new("", Op::MatMul, &["x", "keys"], &["a"]),
        Node::new("", Op::Mul, &["a", "two"], &["b"]),
        Node::new("", Op::Add, &["b", "visible"], &["c"]),
        Node::new("", Op::Softmax, &["c"], &["p"]),
        Node::new("", Op::MatMul, &["p", "x"], &["y"]),
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
        (attention(), Op::MaskedAttention, Operators::Ours),
    ];
    for (nodes, joined, operators) in cases {
        let parts = graph(nodes.clone());
        let mut whole = parts.clone();
        join_parts(&mut whole, &[], operators);
        assert!(whole.nodes.iter().any(|node| node.op == joined), "{joined}");
        assert_eq!(whole.nodes.len(), 4, "{joined}");
        // What another node reads of the inside must stay.
        let mut read = graph(nodes.clone());
        let inside = nodes[nodes.len() - 2].outputs[0].clone();
        read.outputs.push(ValueInfo::new(inside, ElementType::Float, &[]));
        let before = read.nodes.clone();
        join_parts(&mut read, &[], operators);
        assert_eq!(read.nodes, before, "{joined}");
        // The extra output keeps the parts apart; in training it is dropped, so the reference is taken without a gradient rule.
        let mut kept = parts.clone();
        kept.nodes.push(Node::new("", Op::Identity, &[&nodes[0].outputs[0]], &["seen"]));
        kept.nodes.push(Node::new("", Op::ReduceSum, &["seen"], &["sum"]).with("keepdims", Attribute::Int(0)));
        kept.nodes.push(Node::new("", Op::Mul, &["sum", "zero"], &["nothing"]));
        kept.nodes.push(Node::new("", Op::Add, &["loss", "nothing"], &["whole_loss"]));
        for node in &mut kept.nodes {
            node.outputs.iter_mut().for_each(swap);
            node.inputs.iter_mut().for_each(swap);
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

#[test]
fn a_trained_scale_and_attention_upon_attention_stay_apart() {
    let mut twice = graph(attention());
    let mut second = attention();
    for (node, stem) in second.iter_mut().zip(["a", "b", "c", "p", "y"]) {
        node.outputs[0] = format!("{stem}2");
        for input in &mut node.inputs {
            *input = match input.as_str() {
                "a" | "b" | "c" | "p" => format!("{input}2"),
                _ => input.clone(),
            };
        }
    }
    // The scores of the second are what the first gives.
    second.remove(0);
    second[0].inputs[0] = "y".to_owned();
    second[3].inputs[1] = "keys".to_owned();
    twice.nodes.splice(twice.nodes.len() - 2.., second);
    twice.nodes.push(Node::new("", Op::ReduceSum, &["y2"], &["loss"]).with("keepdims", Attribute::Int(0)));
    twice.initializers.insert("visible".to_owned(), Tensor::from_f32(&[1, 1], &[0.5]));
    let count = |graph: &Graph, op: &Op| graph.nodes.iter().filter(|node| node.op == *op).count();
    let before = twice.nodes.len();
    join_parts(&mut twice, &[], Operators::Ours);
    assert_eq!((count(&twice, &Op::MaskedAttention), twice.nodes.len()), (1, before - 4));
    let mut trained = graph(attention());
    join_parts(&mut trained, &["two".to_owned()], Operators::Ours);
    assert_eq!(count(&trained, &Op::MaskedAttention), 0);
}

/// Attention of two records with three heads, whose keys are shared, over so many places; what is added to the scores is an input.
fn heads(places: usize) -> Graph {
    let mut graph = Graph::new("heads", 18);
    // Scores of one row are joined with a mask that is known to have no more.
    let rows = if places == 1 { Axis::Fixed(1) } else { Axis::named("rows") };
    let axes = [Axis::named("records"), Axis::Fixed(1), rows, Axis::Fixed(places)];
    graph.inputs.push(ValueInfo::new("mask", ElementType::Float, &axes));
    let operands = [("q", [2, 3, places, 8]), ("k", [2, 1, 8, places]), ("v", [2, 1, places, 5])];
    for (at, (name, shape)) in operands.into_iter().enumerate() {
        let count: usize = shape.iter().product();
        let numbers: Vec<f32> = (0..count).map(|number| ((number + 7 * at) as f32 * 1.3).sin()).collect();
        graph.initializers.insert(name.to_owned(), Tensor::from_f32(&shape, &numbers));
    }
    graph.initializers.insert("half".to_owned(), Tensor::scalar_f32(0.5));
    graph.nodes.extend([
        Node::new("", Op::MatMul, &["q", "k"], &["a"]),
        Node::new("", Op::Mul, &["a", "half"], &["b"]),
        Node::new("", Op::Add, &["b", "mask"], &["c"]),
        Node::new("", Op::Softmax, &["c"], &["p"]).with("axis", Attribute::Int(-1)),
        Node::new("", Op::MatMul, &["p", "v"], &["y"]),
        Node::new("", Op::Mul, &["y", "y"], &["squares"]),
        Node::new("", Op::ReduceSum, &["squares"], &["loss"]).with("keepdims", Attribute::Int(0)),
    ]);
    graph.outputs.push(ValueInfo::new("loss", ElementType::Float, &[]));
    graph
}

#[test]
fn attention_is_the_same_whatever_is_masked_and_however_many_blocks_it_takes() {
    if !available() {
        return;
    }
    let hidden = f32::MIN;
    // Whether a query sees a key: all do, the later ones, those of its own packed record, and one that sees nothing at all.
    type Sees = fn(usize, usize, usize) -> bool;
    let masks: [(&str, Sees); 4] = [
        ("nothing", |_, _, _| true),
        ("what comes later", |_, row, key| key <= row),
        ("other records", |record, row, key| key <= row && (key + 30 * record) / 70 == (row + 30 * record) / 70),
        ("all that the fifth query sees", |_, row, key| row != 4 && key <= row),
    ];
    for places in [1, 5, 64, 150] {
        let graph = heads(places);
        let names = ["q", "k", "v"].map(str::to_owned);
        for (what, is_seen) in masks {
            let seen = |at: usize| is_seen(at / places / places, at / places % places, at % places);
            let mask = (0..2 * places * places).map(|at| if seen(at) { 0.1 } else { hidden }).collect();
            let mut results = [Operators::Stock, Operators::Ours].map(|operators| {
                let training = differentiate_beside(&graph, "loss", &[], &names, operators).unwrap();
                let joined = training.graph.nodes.iter().any(|node| node.op == Op::MaskedAttentionGrad);
                assert_eq!(joined, operators == Operators::Ours);
                let mut feeds: BTreeMap<String, Values> = graph
                    .initializers
                    .iter()
                    .map(|(name, tensor)| {
                        (name.clone(), Values::Float(tensor.shape().to_vec(), tensor.to_f32().unwrap()))
                    })
                    .collect();
                feeds.insert("mask".to_owned(), Values::Float(vec![2, 1, places, places], Vec::clone(&mask)));
                feeds.retain(|name, _| training.graph.input(name).is_some());
                let outputs = test_session(&encode(&training.graph)).run(&feeds);
                let gradients =
                    training.trainables.iter().flat_map(|weight| outputs[&weight.gradient].floats().to_vec());
                std::iter::once(outputs["loss"].floats()[0]).chain(gradients).collect::<Vec<f32>>()
            });
            let [stock, ours] = &mut results;
            // Sums of up to 150 numbers of about 1 in another order.
            for (at, (found, expected)) in ours.iter().zip(stock).enumerate() {
                let tolerance = 2e-5 * expected.abs().max(1.0);
                assert!(
                    (found - *expected).abs() < tolerance,
                    "{places} places, {what} masked, {at}: {found}, {expected}"
                );
            }
        }
    }
}
