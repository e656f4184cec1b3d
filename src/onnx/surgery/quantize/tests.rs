use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::onnx::test_session::{Values, available, test_session};
use crate::onnx::{Axis, ValueInfo, encode};

const WIDTHS: [Width; 2] = [Width::Int8, Width::Int4];

/// Matrices whose sides are no multiples of a block, with rows of zeros and of one number among them.
fn matrix() -> impl Strategy<Value = Tensor> {
    let sides = (1..80_usize, 1..50_usize);
    sides.prop_flat_map(|(rows, columns)| {
        let number = prop_oneof![4 => -3.0_f32..3.0, 1 => Just(0.0), 1 => Just(0.25), 1 => -1e-30_f32..1e30];
        let values = prop::collection::vec(number, rows * columns);
        (values, 0..4_usize).prop_map(move |(mut values, plain)| {
            let (zeros, constants) = values.split_at_mut(plain.min(rows / 2) * columns);
            zeros.fill(0.0);
            constants.iter_mut().take(columns).for_each(|value| *value = 0.5);
            Tensor::from_f32(&[rows, columns], &values)
        })
    })
}

proptest! {
    #[test]
    fn no_weight_is_farther_than_half_a_step(weights in matrix(), axis in 0..2_usize) {
        for width in WIDTHS {
            let quantized = Quantized::of(&weights, axis, width).expect("finite");
            let (scales, columns) = (quantized.scales.to_f32().unwrap(), weights.shape()[1]);
            let pairs = weights.to_f32().unwrap().into_iter().zip(quantized.values().to_f32().unwrap());
            for (at, (weight, value)) in pairs.enumerate() {
                let step = scales[block(at, columns, axis)];
                prop_assert!((weight - value).abs() <= 0.500_01 * step + f32::MIN_POSITIVE * 127.0, "{weight} {value} {step}");
                prop_assert!(weight != 0.0 || value == 0.0);
            }
            prop_assert_eq!(quantized.levels.data().len(), quantized.levels.element().bytes(weights.len()).unwrap());
        }
    }
}

#[test]
fn the_largest_of_a_block_stays_what_it_is_and_what_is_no_number_is_refused() {
    for width in WIDTHS {
        let constants = Tensor::from_f32(&[40, 3], &[-0.75; 120]);
        let values = Quantized::of(&constants, 0, width).expect("finite").values().to_f32().unwrap();
        assert!(values.iter().all(|value| (value + 0.75).abs() < 1e-6), "{values:?}");
        for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = vec![0.5; 64 * 64];
            values[77] = strange;
            let mut graph = Graph::new("g", 18);
            graph.initializers.insert("w".to_owned(), Tensor::from_f32(&[64, 64], &values));
            let error = QuantizedBase::of(&graph, &[linear(64, 64, false)], width).expect_err("refused");
            assert_eq!(error, SurgeryError::NotFinite { name: "w".to_owned() });
        }
    }
    let mut small = Graph::new("g", 18);
    small.initializers.insert("w".to_owned(), Tensor::from_f32(&[63, 65], &[0.1; 4095]));
    let error = QuantizedBase::of(&small, &[linear(63, 65, false)], Width::Int8).expect_err("nothing to do");
    assert_eq!(error, SurgeryError::NoBase);
}

fn linear(inputs: usize, outputs: usize, transposed: bool) -> Linear {
    Linear { module: "m".to_owned(), weight: "w".to_owned(), inputs, outputs, transposed, nodes: vec![0] }
}

fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|at| ((at as f32 + 1.0) * 12.9898).sin() * ((at % 7) as f32 - 3.0)).collect()
}

/// A layer whose weight is read as it is, through a `Transpose`, and by a node that is no product.
fn layer(transposed: bool) -> Graph {
    let (inputs, outputs) = (45, 97);
    let mut graph = Graph::new("g", 17);
    graph.inputs.push(ValueInfo::new("x", ElementType::Float, &[Axis::named("batch"), Axis::Fixed(inputs)]));
    graph.outputs.push(ValueInfo::new("y", ElementType::Float, &[Axis::Free]));
    let shape = if transposed { [outputs, inputs] } else { [inputs, outputs] };
    graph.initializers.insert("w".to_owned(), Tensor::from_f32(&shape, &noise(inputs * outputs)));
    let perm = Attribute::Ints(vec![1, 0]);
    let reading = if transposed { "turned" } else { "w" };
    graph.nodes = vec![
        Node::new("", Op::Transpose, &["w"], &["turned"]).with("perm", perm),
        Node::new("", Op::ReduceL2, &["w"], &["norm"]).with("axes", Attribute::Ints(vec![0, 1])),
        Node::new("", Op::MatMul, &["x", reading], &["forward"]),
        Node::new("", Op::Gemm, &["forward", reading], &["back"]).with("transB", Attribute::Int(1)),
        Node::new("", Op::Div, &["back", "norm"], &["y"]),
    ];
    graph
}

#[test]
fn the_runtime_computes_with_the_integers_what_it_computes_with_their_floats() {
    for (width, transposed) in WIDTHS.into_iter().flat_map(|width| [(width, false), (width, true)]) {
        let plain = layer(transposed);
        let base = QuantizedBase::of(&plain, &[linear(45, 97, transposed)], width).expect("a layer");
        let (mut floats, mut integers) = (plain.clone(), plain);
        base.round(&mut floats);
        base.replace(&mut integers).expect("it can be raised");
        assert_eq!((integers.opset(), integers.initializers.get("w")), (OPSET, None));
        check_nothing_is_constant(&integers, 3);
        if !available() {
            continue;
        }
        let x = BTreeMap::from([("x".to_owned(), Values::Float(vec![3, 45], noise(135)))]);
        let run = |graph: &Graph| test_session(&encode(graph)).run(&x)["y"].clone();
        let (expected, found) = (run(&floats), run(&integers));
        for (expected, found) in expected.floats().iter().zip(found.floats()) {
            assert!((expected - found).abs() <= 1e-5 * expected.abs().max(1.0), "{width:?}: {expected} {found}");
        }
    }
}

/// What is made of integers depends on what the graph is given, so that the runtime cannot make it once and keep it; and no two
/// products share it.
fn check_nothing_is_constant(graph: &Graph, count: usize) {
    let mut given: BTreeSet<&str> = graph.inputs.iter().map(|input| input.name.as_str()).collect();
    let mut made = 0;
    for node in &graph.nodes {
        let depends = node.reads().any(|name| given.contains(name));
        if node.op == Op::DequantizeLinear {
            assert!(depends, "{node:?}");
            made += 1;
            let readers = graph.nodes.iter().filter(|reader| reader.reads().any(|name| name == node.outputs[0]));
            assert_eq!(readers.count(), 1);
        }
        if depends {
            given.extend(node.outputs.iter().map(String::as_str));
        }
    }
    assert_eq!(made, count);
}
