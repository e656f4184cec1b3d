//! Losses on tiny networks against PyTorch: `tests/fixtures/losses.json`, made by `benches/peers/make_losses.py`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::differentiate::differentiate_beside;
use super::*;
use crate::onnx::{
    Tensor, encode,
    surgery::pick_learnt,
    test_session::{Values, available, test_session},
};

fn fixture(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../../tests/fixtures/losses.json")).unwrap();
    all[name].clone()
}

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn shape(value: &Value) -> Vec<usize> {
    serde_json::from_value(value["shape"].clone()).unwrap()
}

fn tensor(value: &Value) -> Values {
    Values::Float(shape(value), floats(&value["values"]))
}

fn integers(value: &Value) -> Values {
    let rows: Vec<Vec<i64>> = serde_json::from_value(value.clone()).unwrap();
    Values::Int(vec![rows.len(), rows[0].len()], rows.concat())
}

/// A graph with the parameters of a fixture, an input and an output.
fn network(fixture: &Value, opset: i64, input: ValueInfo, nodes: Vec<Node>, output: ValueInfo) -> Graph {
    let mut graph = Graph::new("network", opset);
    for (name, value) in fixture["parameters"].as_object().unwrap() {
        graph.initializers.insert(name.clone(), Tensor::from_f32(&shape(value), &floats(&value["values"])));
    }
    (graph.inputs, graph.nodes, graph.outputs) = (vec![input], nodes, vec![output]);
    graph
}

fn close(found: f32, expected: f64, what: &str) {
    assert!((f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{what}: {found} and {expected}");
}

/// The loss, its gradients and what stands beside it.
fn check(fixture: &Value, graph: &Graph, loss: &str, beside: &[(&str, &str)], feeds: BTreeMap<String, Values>) {
    for operators in [Operators::Stock, Operators::Ours] {
        check_with(operators, fixture, graph, loss, beside, feeds.clone());
    }
}

fn check_with(
    operators: Operators,
    fixture: &Value,
    graph: &Graph,
    loss: &str,
    beside: &[(&str, &str)],
    mut feeds: BTreeMap<String, Values>,
) {
    let names: Vec<String> = fixture["parameters"].as_object().unwrap().keys().cloned().collect();
    let others: Vec<&str> = beside.iter().map(|(name, _)| *name).collect();
    let training = differentiate_beside(graph, loss, &others, &names, operators).unwrap();
    for name in &names {
        feeds.insert(name.clone(), tensor(&fixture["parameters"][name]));
    }
    let outputs = test_session(&encode(&training.graph)).run(&feeds);
    close(outputs[loss].floats()[0], fixture["loss"].as_f64().unwrap(), "the loss");
    for (name, key) in beside {
        close(outputs[*name].floats()[0], fixture[key].as_f64().unwrap(), key);
    }
    for trainable in &training.trainables {
        let expected = floats(&fixture["parameters"][&trainable.name]["gradient"]);
        let found = outputs[&trainable.gradient].floats();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            close(*found, f64::from(expected), &trainable.name);
        }
    }
}

fn input(name: &str, element: ElementType, width: usize) -> ValueInfo {
    ValueInfo::new(name, element, &[Axis::named("batch"), Axis::Fixed(width)])
}

#[test]
fn the_squared_error_is_that_of_torch() {
    if !available() {
        return;
    }
    let fixture = fixture("squared");
    for opset in [17, 20] {
        let node = Node::new("", Op::Gemm, &["x", "weight", "bias"], &["logits"]).with("transB", Attribute::Int(1));
        let output = input("logits", ElementType::Float, 1);
        let mut graph = network(&fixture, opset, input("x", ElementType::Float, 4), vec![node], output);
        let loss = squared_error(&mut graph, "logits").unwrap();
        let feeds = BTreeMap::from([
            ("x".to_owned(), tensor(&fixture["x"])),
            (LABELS.to_owned(), tensor(&fixture["target"])),
            (WEIGHTS.to_owned(), Values::Float(vec![5], vec![0.2; 5])),
        ]);
        check(&fixture, &graph, &loss.loss, &[], feeds);
    }
    let mut classes = Graph::new("classes", 18);
    classes.outputs.push(input("logits", ElementType::Float, 2));
    assert!(squared_error(&mut classes, "logits").is_err(), "two numbers are no number");
}

const IDS: &str = "input_ids";

/// Puts the labels that are targets in the place of all of them, and says where their tokens are predicted.
fn pick(feeds: &mut BTreeMap<String, Values>) {
    let Some(Values::Int(_, labels)) = feeds.remove(LABELS) else { panic!("labels are integers") };
    let targets = || labels.iter().enumerate().filter(|(_, label)| **label >= 0);
    let (places, labels): (Vec<i64>, Vec<i64>) = targets().map(|(at, label)| (at as i64 - 1, *label)).unzip();
    feeds.insert(PLACES.to_owned(), Values::Int(vec![1, places.len()], places));
    feeds.insert(LABELS.to_owned(), Values::Int(vec![1, labels.len()], labels));
}

#[test]
fn the_loss_of_preferences_is_that_of_torch() {
    if !available() {
        return;
    }
    let fixture = fixture("preference");
    let beta = fixture["beta"].as_f64().unwrap() as f32;
    for (opset, picks) in [(17, false), (20, false), (17, true), (20, true)] {
        let nodes = vec![
            Node::new("", Op::Gather, &["embedding", "input_ids"], &["vectors"]),
            Node::new("", Op::Tanh, &["vectors"], &["hidden"]),
            Node::new("", Op::MatMul, &["hidden", "head"], &["logits"]),
        ];
        let axes = [Axis::named("batch"), Axis::named("sequence"), Axis::Fixed(7)];
        let ids = ValueInfo::new("input_ids", ElementType::Int64, &axes[..2]);
        let output = ValueInfo::new("logits", ElementType::Float, &axes);
        let mut graph = network(&fixture, opset, ids, nodes, output);
        assert_eq!(picks && pick_learnt(&mut graph, "logits"), picks);
        let names = preference(&mut graph, "logits", beta).unwrap();
        let mut feeds = BTreeMap::from([
            ("input_ids".to_owned(), integers(&fixture["ids"])),
            (LABELS.to_owned(), integers(&fixture["labels"])),
            (REFERENCE.to_owned(), tensor(&fixture["reference"])),
            (WEIGHTS.to_owned(), Values::Float(vec![2], vec![0.5; 2])),
        ]);
        if picks {
            pick(&mut feeds);
        }
        let beside = [(names.accuracy.as_str(), "accuracy"), (names.margin.as_str(), "margin")];
        check(&fixture, &graph, &names.loss, &beside, feeds.clone());
        // What is measured needs neither the reference nor pairs.
        feeds.retain(|name, _| [IDS, LABELS, PLACES].contains(&name.as_str()));
        let measured = test_session(&encode(&forward(&graph, &[&names.answers]))).run(&feeds);
        for (found, expected) in measured[&names.answers].floats().iter().zip(floats(&fixture["answers"]["values"])) {
            close(*found, f64::from(expected), "an answer");
        }
    }
}

#[test]
fn the_loss_of_contrast_is_that_of_torch() {
    if !available() {
        return;
    }
    let fixture = fixture("contrast");
    for opset in [17, 20] {
        let nodes = vec![
            Node::new("", Op::MatMul, &["x", "weight"], &["product"]),
            Node::new("", Op::Tanh, &["product"], &["vectors"]),
        ];
        let output = input("vectors", ElementType::Float, 6);
        let mut graph = network(&fixture, opset, input("x", ElementType::Float, 4), nodes, output);
        let loss = contrast(&mut graph, "vectors", fixture["scale"].as_f64().unwrap() as f32).unwrap();
        let feeds = BTreeMap::from([
            ("x".to_owned(), tensor(&fixture["x"])),
            (SAME.to_owned(), tensor(&fixture["same"])),
            (LABELS.to_owned(), Values::Int(vec![4], vec![0, 1, 2, 3])),
            (WEIGHTS.to_owned(), Values::Float(vec![4], vec![0.25; 4])),
        ]);
        check(&fixture, &graph, &loss, &[], feeds);
    }
}
