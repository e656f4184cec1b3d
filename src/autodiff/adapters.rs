//! Adapters on a tiny network against PEFT: `tests/fixtures/adapters.json`, made by `benches/peers/make_adapters.py`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    TrainingGraph, differentiate,
    loss::{self, Alignment},
};
use crate::onnx::{
    Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo, encode,
    import::Imported,
    surgery::{Adapter, AdapterShape, add_adapters},
    test_session::{Values, available, test_session},
};

const ADAPTED: [&str; 4] = ["first", "second", "shared", "conv"];

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/adapters.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn tensor(value: &Value) -> Tensor {
    let shape: Vec<usize> = serde_json::from_value(value["shape"].clone()).unwrap();
    Tensor::from_f32(&shape, &floats(&value["values"]))
}

/// The network as exporters write it: a weight that was transposed and renamed, one with a `Transpose` node, a `Gemm`
/// that runs twice with a transposed weight, one with a plain weight.
fn network(base: &Value, opset: i64) -> Graph {
    let mut graph = Graph::new("network", opset);
    graph.inputs.push(ValueInfo::new("x", ElementType::Float, &[Axis::named("batch"), Axis::Fixed(3), Axis::Fixed(4)]));
    graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &[Axis::named("batch"), Axis::Fixed(3)]));
    let mut put = |name: &str, tensor: Tensor| graph.initializers.insert(name.to_owned(), tensor);
    put("onnx::MatMul_7", tensor(&base["first.weight"]).transposed().unwrap());
    for name in base.as_object().unwrap().keys().filter(|name| *name != "first.weight") {
        put(name, tensor(&base[name]));
    }
    let tanh = |at: usize| Node::new("", Op::Tanh, &[&format!("v{at}")], &[&format!("h{at}")]);
    let gemm = |module: &str, x: &str, y: &str, transposed: i64| {
        let inputs = [x, &format!("{module}.weight"), &format!("{module}.bias")];
        Node::new(&format!("/{module}/Gemm_{y}"), Op::Gemm, &inputs, &[y]).with("transB", Attribute::Int(transposed))
    };
    let mean = Node::new("", Op::ReduceMean, &["h1"], &["mean"]).with("keepdims", Attribute::Int(0));
    let mean = if opset < 18 {
        mean.with("axes", Attribute::Ints(vec![1]))
    } else {
        put("axes", Tensor::from_i64(&[1], &[1]));
        Node { inputs: vec!["h1".to_owned(), "axes".to_owned()], ..mean }
    };
    graph.nodes = vec![
        Node::new("/first/MatMul", Op::MatMul, &["x", "onnx::MatMul_7"], &["v0"]),
        tanh(0),
        Node::new("/second/Transpose", Op::Transpose, &["second.weight"], &["t"])
            .with("perm", Attribute::Ints(vec![1, 0])),
        Node::new("/second/MatMul", Op::MatMul, &["h0", "t"], &["p"]),
        Node::new("/second/Add", Op::Add, &["p", "second.bias"], &["v1"]),
        tanh(1),
        mean,
        gemm("shared", "mean", "v2", 1),
        tanh(2),
        gemm("shared", "h2", "v3", 1),
        tanh(3),
        gemm("conv", "h3", "v4", 0),
        tanh(4),
        gemm("classifier", "h4", "logits", 1),
    ];
    graph
}

struct Case {
    plain: Imported,
    adapted: Graph,
    adapters: Vec<Adapter>,
    training: TrainingGraph,
    feeds: BTreeMap<String, Values>,
}

/// The network with adapters on it, and PEFT's numbers as their values.
fn case(fixture: &Value, variant: &str, opset: i64) -> Case {
    let numbers = &fixture["variants"][variant];
    let mut plain = Imported::built(network(&numbers["base"], opset));
    for name in ["weight", "bias"].map(|part| format!("classifier.{part}")) {
        let trained = tensor(&numbers["tensors"][format!("base_model.model.{name}")]);
        plain.graph.initializers.insert(name, trained);
    }
    let linears: Vec<_> = plain.linears().into_iter().filter(|l| ADAPTED.contains(&l.module.as_str())).collect();
    assert_eq!(linears.iter().map(|linear| linear.module.as_str()).collect::<Vec<_>>(), ADAPTED);
    let (rank, alpha) = (fixture["rank"].as_u64().unwrap() as usize, fixture["alpha"].as_f64().unwrap());
    let divisor = if variant == "rslora" { (rank as f64).sqrt() } else { rank as f64 };
    let shape = AdapterShape { rank, scale: (alpha / divisor) as f32, has_magnitude: variant == "dora" };
    let mut adapted = plain.graph.clone();
    let adapters = add_adapters(&mut adapted, linears, shape, 7).unwrap();
    let mut graph = adapted.clone();
    let added = loss::cross_entropy(&mut graph, "logits", Alignment::Same).unwrap();
    let names: Vec<String> = adapters.iter().flat_map(Adapter::tensors).map(str::to_owned).collect();
    let training = differentiate(&graph, &added.loss, &names).unwrap();
    let x = &fixture["x"];
    let labels: Vec<i64> = serde_json::from_value(fixture["labels"].clone()).unwrap();
    let mut feeds = BTreeMap::from([
        ("x".to_owned(), Values::Float(vec![2, 3, 4], floats(&x["values"]))),
        (loss::LABELS.to_owned(), Values::Int(vec![2], labels)),
        (loss::WEIGHTS.to_owned(), Values::Float(vec![2], vec![0.5; 2])),
    ]);
    for name in &names {
        let tensor = torch_layout(&tensor(&numbers["tensors"][format!("base_model.model.{name}")]));
        feeds.insert(name.clone(), Values::Float(tensor.shape().to_vec(), tensor.to_f32().unwrap()));
    }
    Case { plain, adapted, adapters, training, feeds }
}

/// PEFT's matrices are `[outputs, inputs]`; its magnitudes are vectors.
fn torch_layout(tensor: &Tensor) -> Tensor {
    tensor.transposed().unwrap_or_else(|| tensor.clone())
}

fn check_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{what}: {found} and {expected}");
    }
}

const CASES: [(&str, i64); 5] = [("lora", 17), ("lora", 18), ("rslora", 18), ("dora", 17), ("dora", 20)];

#[test]
fn losses_and_gradients_of_adapters_are_those_of_peft() {
    if !available() {
        return;
    }
    let fixture = fixture();
    for (variant, opset) in CASES {
        let case = case(&fixture, variant, opset);
        let outputs = test_session(&encode(&case.training.graph)).run(&case.feeds);
        let numbers = &fixture["variants"][variant];
        let expected = numbers["loss"].as_f64().unwrap() as f32;
        check_close(outputs[&case.training.loss].floats(), &[expected], 1e-5, variant);
        for trainable in &case.training.trainables {
            let entry = &numbers["tensors"][format!("base_model.model.{}", trainable.name)];
            let shape: Vec<usize> = serde_json::from_value(entry["shape"].clone()).unwrap();
            let gradient = torch_layout(&Tensor::from_f32(&shape, &floats(&entry["gradient"])));
            assert_eq!(gradient.shape(), trainable.shape, "{variant}: {}", trainable.name);
            let found = outputs[&trainable.gradient].floats();
            check_close(found, &gradient.to_f32().unwrap(), 1e-5, &format!("{variant}: {}", trainable.name));
        }
    }
}

#[test]
fn merged_weights_are_those_of_peft_and_compute_what_the_adapters_do() {
    if !available() {
        return;
    }
    let fixture = fixture();
    for (variant, opset) in CASES {
        let case = case(&fixture, variant, opset);
        let numbers = &fixture["variants"][variant];
        let mut merged = BTreeMap::new();
        for adapter in &case.adapters {
            let value = |name: &str| case.feeds[name].floats();
            let weights = case.plain.values(&adapter.linear.weight).unwrap();
            let magnitude = adapter.magnitude.as_deref().map(value);
            let values = adapter.merged(&weights, value(&adapter.down), value(&adapter.up), magnitude);
            let expected = tensor(&numbers["merged"][format!("{}.weight", adapter.linear.module)]);
            let is_first = adapter.linear.module == "first";
            let expected = if is_first { expected.transposed().unwrap() } else { expected };
            check_close(&values, &expected.to_f32().unwrap(), 1e-5, &adapter.linear.module);
            merged.insert(adapter.linear.weight.clone(), values);
        }
        let saved = case.plain.with_values(&merged).unwrap();
        assert_eq!((&saved.nodes, &saved.inputs), (&case.plain.graph.nodes, &case.plain.graph.inputs));
        let x = BTreeMap::from([("x".to_owned(), case.feeds["x"].clone())]);
        let logits = test_session(&encode(&saved)).run(&x)["logits"].clone();
        check_close(logits.floats(), &floats(&numbers["logits"]["values"]), 1e-5, variant);
    }
}

#[test]
fn a_fresh_adapter_changes_nothing_and_is_the_same_again() {
    if !available() {
        return;
    }
    let fixture = fixture();
    for (variant, opset) in CASES {
        let case = case(&fixture, variant, opset);
        let x = BTreeMap::from([("x".to_owned(), case.feeds["x"].clone())]);
        let run = |graph: &Graph| test_session(&encode(graph)).run(&x)["logits"].clone();
        let forward = loss::forward(&case.adapted, &["logits"]);
        check_close(run(&forward).floats(), run(&case.plain.graph).floats(), 1e-6, variant);
        let down = case.adapted.initializers["first.lora_A.weight"].to_f32().unwrap();
        assert!(down.iter().all(|value| value.abs() < 0.5) && down.iter().any(|value| value.abs() > 0.2), "{down:?}");
        let again = self::case(&fixture, variant, opset);
        assert_eq!(again.adapted, case.adapted);
    }
}
