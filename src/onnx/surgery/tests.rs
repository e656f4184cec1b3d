use std::collections::BTreeMap;

use super::*;
use crate::onnx::test_session::{Values, available, test_session};
use crate::onnx::{Attribute, Node, Op, Tensor, ValueInfo, encode};

#[test]
fn an_empty_past_makes_the_present_the_whole() {
    let mut graph = Graph::new("decoder", 18);
    let (batch, time) = (Axis::named("batch_size"), Axis::named("sequence_length"));
    let whole = Axis::named("past_sequence_length + sequence_length");
    let key = [batch.clone(), Axis::Fixed(4), Axis::named("past_sequence_length"), Axis::Fixed(16)];
    graph.inputs = vec![
        ValueInfo::new("attention_mask", ElementType::Int64, &[batch.clone(), whole]),
        ValueInfo::new("past_key_values.0.key", ElementType::Float, &key),
    ];
    let logits = [batch.clone(), time.clone(), Axis::Fixed(100)];
    graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &logits));
    let Ok(Family::Decoder { vocabulary: 100, past }) = family(&graph, &serde_json::Value::Null) else {
        panic!("a graph with past inputs is a decoder")
    };
    assert_eq!(past[0].empty_shape(3), [3, 4, 0, 16]);
    fix_past(&mut graph);
    assert_eq!(graph.inputs[0].shape, Some(vec![batch, time]));
    assert_eq!(graph.inputs[1].shape.as_ref().map(|axes| axes[2].clone()), Some(Axis::Fixed(0)));
}

/// Tokens that are looked up, multiplied with a weight, and weighed by a softmax over experts.
fn without_attention() -> Graph {
    let mut graph = Graph::new("decoder", 18);
    let axes = [Axis::named("batch_size"), Axis::named("sequence_length")];
    graph.inputs.push(ValueInfo::new("input_ids", ElementType::Int64, &axes));
    graph.initializers.insert("wte".to_owned(), Tensor::from_f32(&[8, 4], &[0.1; 32]));
    graph.initializers.insert("router".to_owned(), Tensor::from_f32(&[4, 2], &[0.1; 8]));
    graph.nodes = vec![
        Node::new("", Op::Gather, &["wte", "input_ids"], &["x"]),
        Node::new("", Op::MatMul, &["x", "router"], &["experts"]),
        Node::new("", Op::Softmax, &["experts"], &["logits"]),
    ];
    graph
}

#[test]
fn records_share_no_row_of_a_graph_that_is_not_known_to_keep_them_apart() {
    let check = |graph: &mut Graph, words: &str| {
        let parameters = ["wte", "router", "wpe"];
        let before = graph.clone();
        let message = separate_records(graph, &parameters).expect_err("refused").to_string();
        assert!(message.contains(words) && message.contains("`pack on`"), "{message}");
        assert_eq!(*graph, before, "a graph that is refused stays as it was");
    };
    check(&mut without_attention(), "no attention was found");
    let mut placed = without_attention();
    placed.initializers.insert("wpe".to_owned(), Tensor::from_f32(&[8, 4], &[0.1; 32]));
    placed.initializers.insert("places".to_owned(), Tensor::from_i64(&[3], &[0, 1, 2]));
    placed.nodes.push(Node::new("", Op::Gather, &["wpe", "places"], &["p"]));
    check(&mut placed, "looks positions up in `wpe`");
    // Scores of all pairs of tokens, without an axis for the heads.
    let mut flat = without_attention();
    flat.nodes.extend([
        Node::new("", Op::Transpose, &["x"], &["keys"]).with("perm", Attribute::Ints(vec![0, 2, 1])),
        Node::new("", Op::MatMul, &["x", "keys"], &["scores"]),
        Node::new("attend", Op::Softmax, &["scores"], &["shares"]),
    ]);
    check(&mut flat, "the attention `attend` has 3 axes");
}

/// Reductions with their axes as an attribute, with none, and a split without sizes.
fn older() -> Graph {
    let mut graph = Graph::new("g", 17);
    graph.inputs.push(ValueInfo::new("x", ElementType::Float, &[Axis::Fixed(2), Axis::Fixed(6)]));
    graph.outputs.push(ValueInfo::new("y", ElementType::Float, &[Axis::Free]));
    graph.nodes = vec![
        Node::new("", Op::ReduceMean, &["x"], &["mean"]).with("axes", Attribute::Ints(vec![-1])),
        Node::new("", Op::ReduceMax, &["x"], &["most"]).with("keepdims", Attribute::Int(0)),
        Node::new("", Op::Split, &["x"], &["a", "b"]).with("axis", Attribute::Int(1)),
        Node::new("", Op::Sub, &["a", "b"], &["difference"]),
        Node::new("", Op::Mul, &["difference", "mean"], &["product"]),
        Node::new("", Op::Add, &["product", "most"], &["y"]),
    ];
    graph
}

#[test]
fn a_raised_graph_computes_what_it_did() {
    let (older, mut newer) = (older(), older());
    raise_opset(&mut newer, 21).expect("it can be raised");
    assert_eq!((newer.opset(), newer.envelope.ir_version), (21, Some(10)));
    if available() {
        let values = (0..12).map(|at| (at as f32).sin()).collect();
        let x = BTreeMap::from([("x".to_owned(), Values::Float(vec![2, 6], values))]);
        let run = |graph: &Graph| test_session(&encode(graph)).run(&x);
        assert_eq!(run(&older), run(&newer));
    }
    let mut newest = older.clone();
    newest.opsets.insert(String::new(), 23);
    raise_opset(&mut newest, 21).expect("nothing to do");
    assert_eq!(newest.opset(), 23);
}

#[test]
fn a_graph_whose_meaning_would_change_is_not_raised() {
    let grid = Op::Other { domain: String::new(), name: "GridSample".to_owned() };
    for op in [Op::GroupNormalization, Op::If, grid] {
        let mut graph = older();
        graph.nodes.push(Node::new("/layer/Op", op, &["x"], &["z"]));
        let before = graph.nodes.clone();
        let message = raise_opset(&mut graph, 21).expect_err("refused").to_string();
        assert!(message.contains("`/layer/Op`") && message.contains("opset 21"), "{message}");
        assert_eq!((graph.nodes, graph.opsets[""]), (before, 17));
    }
}
