//! Every rule against finite differences: with shapes that are known and with shapes that only the run knows, and with
//! broadcast operands. An operator that has a rule and no case fails the suite.

use std::collections::BTreeMap;

use super::{
    Rule,
    cases::{
        Case,
        Operand::{self, Absent, Any, Apart, Computed, Fixed, Given, Positive, Truth},
        any, case, cases,
    },
    rule,
};
use crate::{
    autodiff::{DifferentiateError, differentiate},
    onnx::{
        Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo, encode,
        test_session::{TestSession, Values, available, test_session},
    },
};

/// The newest operator set of the runtime that the crate pins.
const NEWEST: i64 = 25;

/// Numbers without a pattern that a wrong formula could share.
fn values(operand: &Operand, seed: usize) -> Option<(Vec<usize>, Vec<f32>)> {
    let noise = |at: usize| ((at as f64 + 1.0 + 17.0 * seed as f64) * 12.9898).sin() * 43758.5453;
    let unit = |at: usize| (noise(at) - noise(at).floor()) as f32;
    let (shape, value): (_, Box<dyn Fn(usize) -> f32>) = match operand {
        Any(shape) => (shape, Box::new(move |at| 4.0 * unit(at) - 2.0)),
        Positive(shape) => (shape, Box::new(move |at| 0.5 + 1.5 * unit(at))),
        Apart(shape) => {
            let count = shape.iter().product::<usize>();
            // A stride that is coprime to the count visits every place once.
            (shape, Box::new(move |at| 0.4 * ((at * 5 + 1) % count) as f32 - 0.2 * count as f32 + 0.13))
        }
        Given(shape, numbers) => return Some((shape.clone(), numbers.clone())),
        Fixed(_) | Truth(..) | Computed(_) | Absent => return None,
    };
    Some((shape.clone(), (0..shape.iter().product()).map(value).collect()))
}

/// The operator between trainable operands and the loss Σ y·cos(0, 1, 2, …). With `dynamic`, every operand goes through a
/// Reshape to a shape that is a graph input, so that only its rank is known; and the operator set is the newest, if the
/// case has the newer forms at all.
fn graph(case: &Case, dynamic: bool) -> (Graph, Vec<String>, BTreeMap<String, Values>) {
    let opset = if dynamic && case.opset == Case::OPSET { NEWEST } else { case.opset };
    let mut graph = Graph::new("case", opset);
    let mut trainable = Vec::new();
    let mut feeds = BTreeMap::new();
    let mut inputs = Vec::new();
    for (at, operand) in case.operands.iter().enumerate() {
        let name = format!("x{at}");
        match operand {
            Fixed(tensor) => {
                graph.initializers.insert(name.clone(), tensor.clone());
            }
            Truth(shape, numbers) => {
                graph.initializers.insert(format!("n{at}"), Tensor::from_f32(shape, numbers));
                graph.initializers.insert("zero".to_owned(), Tensor::scalar_f32(0.0));
                graph.nodes.push(Node::new("", Op::Greater, &[&format!("n{at}"), "zero"], &[&name]));
            }
            Absent => {
                inputs.push(String::new());
                continue;
            }
            Computed(numbers) => {
                graph.inputs.push(ValueInfo::new(&name, ElementType::Int64, &[Axis::Fixed(numbers.len())]));
                feeds.insert(name.clone(), Values::Int(vec![numbers.len()], numbers.clone()));
            }
            Any(_) | Positive(_) | Apart(_) | Given(..) => {
                let (shape, numbers) = values(operand, at).expect("a differentiated operand");
                let source = if dynamic { format!("p{at}") } else { name.clone() };
                graph.initializers.insert(source.clone(), Tensor::from_f32(&shape, &numbers));
                if dynamic {
                    let target = format!("shape{at}");
                    graph.inputs.push(ValueInfo::new(&target, ElementType::Int64, &[Axis::Fixed(shape.len())]));
                    let sizes = shape.iter().map(|&size| size as i64).collect();
                    feeds.insert(target.clone(), Values::Int(vec![shape.len()], sizes));
                    graph.nodes.push(Node::new("", Op::Reshape, &[&source, &target], &[&name]));
                }
                feeds.insert(source.clone(), Values::Float(shape, numbers));
                trainable.push(source);
            }
        }
        inputs.push(name);
    }
    let outputs: Vec<String> = (0..case.outputs).map(|at| format!("y{at}")).collect();
    let mut node = Node::new("tested", case.op.clone(), &[], &[]);
    (node.inputs, node.outputs) = (inputs, outputs);
    node.attributes = case.attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    graph.import_opset(case.op.domain(), 1);
    graph.nodes.push(node);
    // Only the first output of these has a gradient; the others are indices or by-products.
    let judged = if matches!(case.op, Op::TopK | Op::CrossEntropy) { 1 } else { case.outputs };
    loss(&mut graph, judged);
    (graph, trainable, feeds)
}

fn loss(graph: &mut Graph, outputs: usize) {
    graph.initializers.insert("start".to_owned(), Tensor::from_i64(&[], &[0]));
    graph.initializers.insert("step".to_owned(), Tensor::from_i64(&[], &[1]));
    let float = Attribute::Int(ElementType::Float.onnx().into());
    let parts: Vec<String> = (0..outputs).map(|at| format!("part{at}")).collect();
    for (at, part) in parts.iter().enumerate() {
        let name = |stem: &str| format!("{stem}{at}");
        graph.nodes.extend([
            Node::new("", Op::Size, &[&name("y")], &[&name("size")]),
            Node::new("", Op::Range, &["start", &name("size"), "step"], &[&name("range")]),
            Node::new("", Op::Cast, &[&name("range")], &[&name("float")]).with("to", float.clone()),
            Node::new("", Op::Cos, &[&name("float")], &[&name("cos")]),
            Node::new("", Op::Shape, &[&name("y")], &[&name("dims")]),
            Node::new("", Op::Reshape, &[&name("cos"), &name("dims")], &[&name("weight")]),
            Node::new("", Op::Mul, &[&name("y"), &name("weight")], &[&name("weighted")]),
            Node::new("", Op::ReduceSum, &[&name("weighted")], &[part]).with("keepdims", Attribute::Int(0)),
        ]);
    }
    graph.nodes.push(Node::new("", Op::Sum, &parts.iter().map(String::as_str).collect::<Vec<_>>(), &["loss"]));
}

/// The central difference at h and at h/2, extrapolated (Richardson): the truncation error is of order h⁴, about 1e-5,
/// the rounding error 1e-7·|loss|/h, about as much. A wrong rule is wrong by the size of the gradient.
const STEP: f32 = 0.05;
const TOLERANCE: f32 = 2e-3;

fn check(case: &Case, dynamic: bool) -> Result<(), String> {
    let (graph, trainable, mut feeds) = graph(case, dynamic);
    let training = differentiate(&graph, "loss", &trainable).map_err(|error| error.to_string())?;
    feeds.retain(|name, _| training.graph.input(name).is_some());
    let session = test_session(&encode(&training.graph));
    let outputs = session.run(&feeds);
    for trainable in &training.trainables {
        let gradient = &outputs[&trainable.gradient];
        if gradient.shape() != trainable.shape {
            return Err(format!("the gradient has shape {:?}, not {:?}", gradient.shape(), trainable.shape));
        }
        let scale = gradient.floats().iter().fold(0.5_f32, |largest, value| largest.max(value.abs()));
        for (at, &value) in gradient.floats().iter().enumerate() {
            let slope = |h: f32| {
                (loss_at(&session, &feeds, &trainable.name, at, h) - loss_at(&session, &feeds, &trainable.name, at, -h))
                    / (2.0 * h)
            };
            let expected = (4.0 * slope(STEP / 2.0) - slope(STEP)) / 3.0;
            if (value - expected).abs() > TOLERANCE * scale || !value.is_finite() {
                return Err(format!("`{}`[{at}]: rule {value}, difference {expected}", trainable.name));
            }
        }
    }
    Ok(())
}

fn loss_at(session: &TestSession, feeds: &BTreeMap<String, Values>, name: &str, at: usize, by: f32) -> f32 {
    let mut feeds = feeds.clone();
    let Some(Values::Float(_, values)) = feeds.get_mut(name) else { panic!("a trainable is a float input") };
    values[at] += by;
    session.run(&feeds)["loss"].floats()[0]
}

#[test]
fn every_rule_agrees_with_finite_differences() {
    if !available() {
        return;
    }
    let mut failures = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        for dynamic in [false, true] {
            let result = std::panic::catch_unwind(|| check(case, dynamic));
            let problem = match result {
                Ok(Ok(())) => continue,
                Ok(Err(problem)) => problem,
                Err(_) => "the runtime refused it".to_owned(),
            };
            failures.push(format!("case {number}, {}, dynamic {dynamic}: {problem}", case.op));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_operator_with_a_rule_has_a_case() {
    let cases = cases();
    let missing: Vec<&Op> = Op::KNOWN
        .iter()
        .filter(|op| matches!(rule(op), Rule::Vjp(_)) && cases.iter().all(|case| case.op != **op))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn an_operator_without_a_rule_is_named_and_one_that_stops_is_silent() {
    let unknown = case(Op::parse("com.example", "Strange"), vec![any(&[2])]);
    let (built, trainable, _) = graph(&unknown, false);
    let error = differentiate(&built, "loss", &trainable).unwrap_err();
    assert!(matches!(&error, DifferentiateError::Unsupported { node, operator, .. }
        if node == "tested" && operator == "com.example:Strange"));
    let stopped = case(Op::Floor, vec![any(&[2])]);
    let (built, trainable, _) = graph(&stopped, false);
    let error = differentiate(&built, "loss", &trainable).unwrap_err();
    assert_eq!(error, DifferentiateError::NoPath { name: "x0".to_owned() });
}
