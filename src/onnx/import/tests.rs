use super::*;
use crate::onnx::{Attribute, Axis, Node, Op, ValueInfo};
use serde_json::json;

/// Two layer norms that share one merged weight and one merged bias, and a tied head.
fn merged() -> Graph {
    let mut graph = Graph::new("merged", 18);
    graph.inputs.push(ValueInfo::new(
        "input_ids",
        ElementType::Int64,
        &[Axis::named("batch"), Axis::named("sequence")],
    ));
    let table: Vec<f32> = (0..20).map(|value| value as f32 * 0.1 - 1.0).collect();
    graph.initializers.insert("embed.weight".to_owned(), Tensor::from_f32(&[5, 4], &table));
    let table = graph.initializers["embed.weight"].clone();
    graph.initializers.insert("onnx::MatMul_9".to_owned(), table.transposed().unwrap());
    graph.initializers.insert("layer.0.norm.weight".to_owned(), Tensor::from_f32(&[4], &[1.0; 4]));
    graph.initializers.insert("layer.0.norm.bias".to_owned(), Tensor::from_f32(&[4], &[0.0; 4]));
    let half = Node::new("c", Op::Constant, &[], &["half"]).with("value", Attribute::Tensor(Tensor::scalar_f32(0.5)));
    graph.nodes = vec![
        half,
        Node::new("/embed/Gather", Op::Gather, &["embed.weight", "input_ids"], &["e"]),
        Node::new(
            "/layer.0/norm/LN",
            Op::LayerNormalization,
            &["e", "layer.0.norm.weight", "layer.0.norm.bias"],
            &["a"],
        ),
        Node::new(
            "/layer.1/norm/LN",
            Op::LayerNormalization,
            &["a", "layer.0.norm.weight", "layer.0.norm.bias"],
            &["b"],
        ),
        Node::new("/Mul", Op::Mul, &["b", "half"], &["h"]),
        Node::new("/head/MatMul", Op::MatMul, &["h", "onnx::MatMul_9"], &["logits"]),
    ];
    graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &[Axis::Free, Axis::Free, Axis::Fixed(5)]));
    graph
}

#[test]
fn merged_tensors_are_split_and_tied_ones_joined() {
    let names = |config: &serde_json::Value| -> Vec<String> {
        import(merged(), config).unwrap().parameters.into_iter().map(|parameter| parameter.path).collect()
    };
    let norms = ["layer.0.norm.weight", "layer.0.norm.bias", "layer.1.norm.weight", "layer.1.norm.bias"];
    let expect =
        |head: Option<&'static str>| -> Vec<&str> { ["embed.weight"].into_iter().chain(norms).chain(head).collect() };
    // gpt2's configuration does not say that it is tied; the values do.
    assert_eq!(sorted(names(&json!({"model_type": "gpt2"}))), sorted(expect(None)));
    assert_eq!(sorted(names(&json!({"tie_word_embeddings": false}))), sorted(expect(Some("head.weight"))));
    assert_eq!(sorted(names(&json!({"model_type": "albert"}))), sorted(vec!["embed.weight", norms[0], norms[1]]));
}

fn sorted<T: Into<String>>(names: Vec<T>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
    names.sort();
    names
}

#[test]
fn a_saved_graph_has_the_tied_copy_again() {
    let imported = import(merged(), &json!({})).unwrap();
    let trained = BTreeMap::from([("embed.weight".to_owned(), vec![2.0; 20])]);
    let graph = imported.with_values(&trained).unwrap();
    assert_eq!(graph.initializers["onnx::MatMul_9"], Tensor::from_f32(&[4, 5], &[2.0; 20]));
    assert!(graph.nodes.iter().all(|node| node.op != Op::Transpose));
    let short = BTreeMap::from([("embed.weight".to_owned(), vec![2.0; 19])]);
    assert!(matches!(imported.with_values(&short), Err(ImportError::Length { needed: 20, found: 19, .. })));
}

#[test]
fn a_module_that_is_called_twice_has_one_weight() {
    let mut graph = merged();
    let weights: Vec<f32> = (0..16).map(|value| value as f32 * 0.2).collect();
    for (weight, at) in [("val_3", 4), ("val_2", 3), ("val_1", 2)] {
        let values = if weight == "val_3" { vec![2.5; 16] } else { weights.clone() };
        graph.initializers.insert(weight.to_owned(), Tensor::from_f32(&[4, 4], &values));
        let input = graph.nodes[at].outputs[0].clone();
        let output = format!("{weight}/output");
        graph.nodes.insert(at + 1, Node::new("/shared/dense/node_MatMul", Op::MatMul, &[&input, weight], &[&output]));
        graph.nodes[at + 2].inputs[0] = output;
    }
    let imported = import(graph, &json!({})).unwrap();
    let dense: Vec<&str> =
        imported.parameters.iter().filter(|p| p.path == "shared.dense.weight").map(|p| p.name.as_str()).collect();
    assert_eq!(dense, ["val_1", "val_3"]);
    let saved = imported.with_values(&BTreeMap::from([("val_1".to_owned(), vec![1.5; 16])])).unwrap();
    assert_eq!(saved.initializers["val_2"], Tensor::from_f32(&[4, 4], &[1.5; 16]));
}

#[test]
fn a_table_of_positions_is_a_parameter_and_the_bias_of_a_norm_without_one_is_none() {
    let mut graph = merged();
    let table: Vec<f32> = (0..24).map(|value| value as f32 * 0.3).collect();
    let zeros = Attribute::Tensor(Tensor::from_f32(&[4], &[0.0; 4]));
    graph.initializers.insert("rel_embeddings.weight".to_owned(), Tensor::from_f32(&[6, 4], &table));
    graph.initializers.insert("rel_embeddings.norm.weight".to_owned(), Tensor::from_f32(&[4], &[1.1; 4]));
    let norm = ["rel_embeddings.weight", "rel_embeddings.norm.weight", "zeros"];
    graph.nodes.push(Node::new("/Constant", Op::Constant, &[], &["zeros"]).with("value", zeros));
    graph.nodes.push(Node::new("/norm/LN", Op::LayerNormalization, &norm, &["positions"]));
    let before = import(merged(), &json!({})).unwrap().parameters.len();
    let imported = import(graph, &json!({})).unwrap();
    let names: Vec<&str> = imported.parameters[before..].iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["rel_embeddings.weight", "rel_embeddings.norm.weight"]);
}

#[test]
fn an_identity_of_a_merged_tensor_is_a_parameter_of_that_name() {
    let mut graph = merged();
    let same = Node::new("Identity_7", Op::Identity, &["layer.0.norm.bias"], &["layer.1.norm.bias"]);
    graph.nodes.insert(0, same);
    graph.nodes[4].inputs[2] = "layer.1.norm.bias".to_owned();
    let imported = import(graph, &json!({"model_type": "albert"})).unwrap();
    let names: Vec<&str> = imported.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["embed.weight", "layer.0.norm.weight", "layer.0.norm.bias", "layer.1.norm.bias"]);
}

#[test]
fn the_second_call_of_a_module_is_the_module() {
    let mut graph = merged();
    graph.nodes[3].name = "/layer.0/norm_1/LN".to_owned();
    let imported = import(graph, &json!({})).unwrap();
    let names: Vec<&str> = imported.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["embed.weight", "layer.0.norm.weight", "layer.0.norm.bias"]);
}

#[test]
fn angles_for_all_records_are_given_to_each() {
    let mut graph = merged();
    for name in ["cos", "sin"] {
        graph.initializers.insert(name.to_owned(), Tensor::from_f32(&[1, 3, 1], &[0.6; 3]));
    }
    let turn = Node::new("/turn", Op::RotaryEmbedding, &["h", "cos", "sin"], &["turned"]);
    graph.nodes.push(turn.with("num_heads", Attribute::Int(2)));
    let imported = import(graph, &json!({})).unwrap();
    let turn = imported.graph.nodes.iter().find(|node| node.op == Op::RotaryEmbedding).unwrap();
    let shapes = crate::onnx::shapes::Shapes::of(&imported.graph);
    for angles in &turn.inputs[1..] {
        assert_eq!(shapes.dims(angles).map(|dims| dims[0].clone()), shapes.dims("h").map(|dims| dims[0].clone()));
    }
}

#[test]
fn architecture_constants_are_no_parameters() {
    let mut graph = merged();
    let angles = |f: fn(f32) -> f32| -> Vec<f32> {
        (0..6).flat_map(|p| [1.0, 0.1, 1.0, 0.1].map(|omega: f32| f(p as f32 * omega))).collect()
    };
    graph.initializers.insert("cos".to_owned(), Tensor::from_f32(&[6, 4], &angles(f32::cos)));
    graph.initializers.insert("sin".to_owned(), Tensor::from_f32(&[6, 4], &angles(f32::sin)));
    graph.initializers.insert("mask".to_owned(), Tensor::from_f32(&[2, 2], &[0.0, f32::NEG_INFINITY, 0.0, 0.0]));
    let before = import(graph.clone(), &json!({})).unwrap().parameters.len();
    graph.nodes.push(Node::new("/Gather_1", Op::Gather, &["cos", "input_ids"], &["c"]));
    graph.nodes.push(Node::new("/Gather_2", Op::Gather, &["sin", "input_ids"], &["s"]));
    graph.nodes.push(Node::new("/Mul_1", Op::Mul, &["h", "c"], &["x"]));
    graph.nodes.push(Node::new("/Add_1", Op::Add, &["x", "mask"], &["y"]));
    assert_eq!(import(graph, &json!({})).unwrap().parameters.len(), before);
}

#[test]
fn a_module_that_holds_the_model_has_no_part_in_its_paths() {
    let mut graph = merged();
    for name in ["embed.weight", "layer.0.norm.weight", "layer.0.norm.bias"] {
        let tensor = graph.initializers.remove(name).unwrap();
        graph.initializers.insert(format!("m.{name}"), tensor);
    }
    for node in &mut graph.nodes {
        node.name = node
            .name
            .strip_prefix('/')
            .filter(|name| name.contains('/'))
            .map_or_else(|| node.name.clone(), |name| format!("/m/{name}"));
        for input in &mut node.inputs {
            if ["embed.weight", "layer.0.norm.weight", "layer.0.norm.bias"].contains(&input.as_str()) {
                *input = format!("m.{input}");
            }
        }
    }
    let mut imported = import(graph, &json!({"tie_word_embeddings": false})).unwrap();
    let head =
        imported.parameters.iter().find(|parameter| parameter.path == "head.weight").expect("the head's own path");
    assert_eq!(head.name, "onnx::MatMul_9", "names stay");
    assert_eq!(imported.linears()[0].module, "head");
    // A head of ours stands beside what is wrapped, whose paths stay as they are.
    imported.graph.initializers.insert(
        "classifier.weight".to_owned(),
        Tensor::from_f32(&[5, 2], &[0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]),
    );
    imported.graph.nodes.push(Node::new(
        "/classifier/MatMul",
        Op::MatMul,
        &["logits", "classifier.weight"],
        &["classes"],
    ));
    imported.refresh();
    let paths: Vec<&str> = imported.parameters.iter().map(|parameter| parameter.path.as_str()).collect();
    assert!(paths.contains(&"embed.weight") && paths.contains(&"classifier.weight"), "{paths:?}");
}

#[test]
fn a_weight_that_is_no_number_is_refused_by_its_path() {
    for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut graph = merged();
        graph.initializers.insert("onnx::MatMul_9".to_owned(), {
            let mut values: Vec<f32> = (0..20).map(|value| value as f32).collect();
            (values[3], values[17]) = (strange, strange);
            Tensor::from_f32(&[4, 5], &values)
        });
        let refused = import(graph, &json!({})).map(|imported| imported.parameters);
        assert_eq!(refused, Err(ImportError::NotFinite { path: "head.weight".to_owned(), count: 2, first: 3 }));
    }
}

#[test]
fn a_product_that_could_have_a_bias_has_lost_it() {
    let lost = |op: Op, inputs: &[&str]| {
        let mut graph = merged();
        graph.initializers.insert("b".to_owned(), Tensor::from_f32(&[5], &[0.1, 0.2, 0.3, 0.4, 0.5]));
        *graph.nodes.last_mut().unwrap() = Node::new("/head/Gemm", op, inputs, &["logits"]);
        let imported = import(graph, &json!({"tie_word_embeddings": false})).unwrap();
        imported.lost_bias(&imported.linears()[0])
    };
    assert!(lost(Op::Gemm, &["h", "onnx::MatMul_9"]));
    assert!(!lost(Op::Gemm, &["h", "onnx::MatMul_9", "b"]));
    assert!(!lost(Op::MatMul, &["h", "onnx::MatMul_9"]));
}
