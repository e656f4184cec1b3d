//! What is computed again gives the numbers that were there, and only what is needed is.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::{
    Operators, TrainingGraph, differentiate_beside,
    oracles::{BOTH, prepare, shared_model},
};
use super::recompute;
use crate::onnx::{
    Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo, encode,
    shapes::{Dim, Shapes},
    test_session::{Values, available, test_session},
};

/// Sizes of a batch so large that only shapes and counts are small.
fn sizes(graph: &Graph) -> HashMap<String, u64> {
    let shapes = Shapes::of(graph);
    let size = |name: &String| {
        let product = |dims: &[Dim]| dims.iter().map(|dim| dim.known().unwrap_or(256)).product::<i64>();
        (name.clone(), shapes.dims(name).map_or(1 << 20, product).unsigned_abs() * 4)
    };
    graph.nodes.iter().flat_map(|node| &node.outputs).map(size).collect()
}

fn again(training: &TrainingGraph) -> (TrainingGraph, usize) {
    let mut again = training.clone();
    let segments = recompute(&mut again, &sizes(&training.graph));
    (again, segments)
}

fn repeated(training: &TrainingGraph, op: &Op) -> usize {
    let is_again = |node: &&Node| node.op == *op && node.outputs[0].starts_with("annotc/again/");
    training.graph.nodes.iter().filter(is_again).count()
}

/// Of any output: the norm of the difference, relative to that of the output. Numbers of the same bits differ by nothing.
fn difference(a: &BTreeMap<String, Values>, b: &BTreeMap<String, Values>) -> f64 {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let of_output = |name: &String| {
        let differ = |(a, b): (&f32, &f32)| if a.to_bits() == b.to_bits() { 0.0 } else { a - b };
        let differences = norm(&mut a[name].floats().iter().zip(b[name].floats()).map(differ));
        if differences == 0.0 { 0.0 } else { differences / norm(&mut a[name].floats().iter().copied()) }
    };
    a.keys().map(of_output).fold(0.0, f64::max)
}

/// The runtime joins some nodes of the first run that the backward part no longer reads, GPT-2's activation among them: then the
/// numbers are those of other kernels.
const ROUNDING: f64 = 1e-6;

#[test]
fn real_models_give_the_same_loss_and_gradients() {
    for name in ["bert-seqcls", "gpt2", "llama-chat"] {
        let Some(folder) = shared_model(name).filter(|_| available()) else { return };
        for operators in BOTH {
            let case = prepare(&folder, operators).expect("a model that trains");
            let (again, segments) = again(&case.training);
            assert!(segments > 2, "{name} has layers");
            assert!(repeated(&again, &Op::MatMul) + repeated(&again, &Op::MaskedAttention) > 0);
            check_waiting(&again, &case.training);
            let plain = test_session(&encode(&case.training.graph)).run(&case.feeds);
            let found = test_session(&encode(&again.graph)).run(&case.feeds);
            let difference = difference(&plain, &found);
            assert!(difference <= ROUNDING, "{name} {operators:?}: {difference}");
        }
    }
}

/// Whatever is computed again depends on the backward part, so that no order of the nodes lets it run before that.
fn check_waiting(again: &TrainingGraph, plain: &TrainingGraph) {
    let mut behind: HashSet<&str> = again.made_for.keys().map(String::as_str).collect();
    for node in &again.graph.nodes {
        if node.reads().any(|name| behind.contains(name)) {
            behind.extend(node.outputs.iter().map(String::as_str));
        }
    }
    for output in plain.graph.nodes.iter().flat_map(|node| &node.outputs) {
        let name = format!("annotc/again/{output}");
        let is_repeated = again.graph.nodes.iter().any(|node| node.outputs.contains(&name));
        assert!(!is_repeated || behind.contains(name.as_str()), "{name} may run at once");
    }
}

/// Layers `h + tanh(r · exp(h·w))` of a width, where `r` is drawn by the runtime.
fn layers(count: usize, width: usize) -> Graph {
    let mut graph = Graph::new("layers", 17);
    graph.inputs.push(ValueInfo::new("h0", ElementType::Float, &[Axis::named("rows"), Axis::Fixed(width)]));
    graph.initializers.insert("rows".to_owned(), Tensor::from_i64(&[2], &[-1, width as i64]));
    for at in 0..count {
        let values: Vec<f32> = (0..width * width).map(|n| ((n * 37 + at * 11) % 19) as f32 / 190.0 - 0.05).collect();
        graph.initializers.insert(format!("w{at}"), Tensor::from_f32(&[width, width], &values));
        let [h, w, a, e, u, r, d, t] = ["h", "w", "a", "e", "u", "r", "d", "t"].map(|stem| format!("{stem}{at}"));
        let random = Op::parse("", "RandomUniformLike");
        graph.nodes.extend([
            Node::new("", random, &["h0"], &[&u]).with("seed", Attribute::Float(at as f32)),
            Node::new("", Op::Reshape, &[&u, "rows"], &[&r]),
            Node::new("", Op::MatMul, &[&h, &w], &[&a]),
            Node::new("", Op::Exp, &[&a], &[&e]),
            Node::new("", Op::Mul, &[&e, &r], &[&d]),
            Node::new("", Op::Tanh, &[&d], &[&t]),
            Node::new("", Op::Add, &[&h, &t], &[&format!("h{}", at + 1)]),
        ]);
    }
    let last = format!("h{count}");
    graph.nodes.extend([
        Node::new("", Op::Mul, &[&last, &last], &["squares"]),
        Node::new("", Op::ReduceSum, &["squares"], &["loss"]).with("keepdims", Attribute::Int(0)),
    ]);
    graph
}

#[test]
fn draws_are_kept_and_numbers_beyond_all_bounds_come_through() {
    if !available() {
        return;
    }
    let weights: Vec<String> = (0..6).map(|at| format!("w{at}")).collect();
    let graph = layers(6, 64);
    let training = differentiate_beside(&graph, "loss", &[], &weights, Operators::Stock).expect("a gradient");
    let (again, segments) = again(&training);
    assert!(segments > 2, "{segments}");
    assert!(repeated(&again, &Op::Exp) > 2);
    assert_eq!(repeated(&again, &Op::parse("", "RandomUniformLike")), 0);
    check_waiting(&again, &training);
    let mut values: Vec<f32> = (0..4 * 64).map(|n| ((n * 29) % 31) as f32 / 31.0).collect();
    (values[3], values[70], values[200]) = (f32::INFINITY, f32::NAN, -1e30);
    for values in [vec![0.25; 4 * 64], values] {
        let mut feeds = BTreeMap::from([("h0".to_owned(), Values::Float(vec![4, 64], values))]);
        for name in &weights {
            let tensor = &graph.initializers[name];
            feeds.insert(name.clone(), Values::Float(vec![64, 64], tensor.to_f32().expect("floats")));
        }
        let plain = test_session(&encode(&training.graph)).run(&feeds);
        let found = test_session(&encode(&again.graph)).run(&feeds);
        for (name, values) in &plain {
            let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            assert!(values.floats().iter().zip(found[name].floats()).all(same), "{name}");
        }
    }
}
