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

/// A layer that mixes places and one that does not, with a head of so many tokens.
fn decoder(tokens: usize) -> Graph {
    let mut graph = Graph::new("decoder", 18);
    let axes = [Axis::named("batch"), Axis::named("sequence"), Axis::Fixed(tokens)];
    graph.inputs.push(ValueInfo::new("input_ids", ElementType::Int64, &axes[..2]));
    graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &axes));
    let noise = |count: usize| (0..count).map(|at| (at as f32 * 1.3).sin()).collect::<Vec<f32>>();
    for (name, shape) in
        [("wte", vec![8, 4]), ("out", vec![4, 4]), ("up", vec![4, 4]), ("gain", vec![4]), ("head", vec![4, tokens])]
    {
        let values = noise(shape.iter().product());
        graph.initializers.insert(name.to_owned(), Tensor::from_f32(&shape, &values));
    }
    graph.initializers.insert("time".to_owned(), Tensor::from_i64(&[], &[1]));
    graph.nodes = vec![
        Node::new("", Op::Gather, &["wte", "input_ids"], &["words"]),
        Node::new("", Op::CumSum, &["words", "time"], &["mixed"]),
        Node::new("", Op::MatMul, &["mixed", "out"], &["attended"]),
        Node::new("", Op::Add, &["words", "attended"], &["stream"]),
        Node::new("", Op::MatMul, &["stream", "up"], &["wide"]),
        Node::new("", Op::Tanh, &["wide"], &["active"]),
        Node::new("", Op::Add, &["stream", "active"], &["last"]),
        Node::new("", Op::LayerNormalization, &["last", "gain", "gain"], &["normed"]),
        Node::new("", Op::MatMul, &["normed", "head"], &["logits"]),
    ];
    graph
}

/// The values that are picked; none where the graph stays as it was.
fn picked(graph: &mut Graph) -> Vec<String> {
    let before = graph.clone();
    let was_done = pick_learnt(graph, "logits");
    assert_eq!(was_done, *graph != before);
    let picks = graph.nodes.iter().filter(|node| node.op == Op::PickRows);
    picks.map(|node| node.inputs[0].clone()).collect()
}

#[test]
fn rows_are_picked_where_places_are_mixed_last() {
    let mut graph = decoder(9);
    assert_eq!(picked(&mut graph), ["mixed", "words"], "the residual stream and what is attended to");
    if available() {
        let ids = ("input_ids".to_owned(), Values::Int(vec![2, 3], vec![1, 7, 2, 0, 5, 5]));
        let places = (PLACES.to_owned(), Values::Int(vec![1, 3], vec![4, 0, 5]));
        let run = |graph: &Graph, feeds: &[(String, Values)]| {
            let graph = crate::autodiff::loss::forward(graph, &["logits"]);
            test_session(&encode(&graph)).run(&feeds.iter().cloned().collect())["logits"].clone()
        };
        let (all, found) = (run(&decoder(9), std::slice::from_ref(&ids)), run(&graph, &[ids, places]));
        let expected: Vec<f32> = [4, 0, 5].iter().flat_map(|at| &all.floats()[at * 9..][..9]).copied().collect();
        assert_eq!(found.shape(), [1, 3, 9]);
        let differ = |(found, expected): (&f32, &f32)| (found - expected).abs() > 1e-6;
        assert!(!found.floats().iter().zip(&expected).any(differ), "{found:?} is not {expected:?}");
    }
    assert!(picked(&mut graph.clone()).len() == 2 && !pick_learnt(&mut graph, "logits"), "once is enough");
}

#[test]
fn all_rows_stay_where_something_else_needs_them() {
    let check = |change: &dyn Fn(&mut Graph), expected: &[&str], why: &str| {
        let mut graph = decoder(9);
        change(&mut graph);
        assert_eq!(picked(&mut graph), expected, "{why}");
    };
    let also = |name: &'static str| {
        move |graph: &mut Graph| graph.outputs.push(ValueInfo::new(name, ElementType::Float, &[Axis::Free]))
    };
    check(&also("normed"), &["normed"], "what the graph gives has all its rows");
    check(&also("active"), &["last"], "of a sum of two values with all rows the sum is picked");
    check(
        &|graph| graph.nodes.push(Node::new("", Op::CumSum, &["logits", "time"], &["summed"])),
        &[],
        "the logits are read by another node",
    );
    check(
        &|graph| {
            graph.nodes.pop();
            graph.nodes.push(Node::new("", Op::MatMul, &["normed", "head"], &["scores"]));
            graph.nodes.push(Node::new("", Op::CumSum, &["scores", "time"], &["logits"]));
        },
        &[],
        "the logits of a place are made of others",
    );
    check(
        &|graph| {
            graph.initializers.insert("axes".to_owned(), Tensor::from_i64(&[2], &[1, 2]));
            graph.nodes[7].inputs[0] = "weighed".to_owned();
            graph.nodes.insert(7, Node::new("", Op::Mul, &["last", "of_text"], &["weighed"]));
            graph.nodes.insert(7, Node::new("", Op::ReduceSum, &["words", "axes"], &["of_text"]));
        },
        &["weighed"],
        "a factor for each text is not one for all",
    );
    check(
        &|graph| {
            for (name, value) in [("begin", 0), ("end", i64::MAX), ("axis", 2)] {
                graph.initializers.insert(name.to_owned(), Tensor::from_i64(&[1], &[value]));
            }
            graph.nodes[7].inputs[0] = "cut".to_owned();
            graph.nodes.insert(7, Node::new("", Op::Slice, &["last", "begin", "end", "axis"], &["cut"]));
        },
        &["mixed", "words"],
        "a cut of what stands in each row leaves the rows",
    );
    assert_eq!(picked(&mut decoder(4)), [""; 0], "nothing is saved where the head is no wider than what it reads");
}
