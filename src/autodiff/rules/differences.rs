//! Every rule against finite differences: with shapes that are known and with shapes that only the run knows, and with
//! broadcast operands. An operator that has a rule and no case fails the suite.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    Rule,
    cases::{
        Case,
        Operand::{self, Absent, Any, Apart, Computed, Fixed, Given, Positive, Truth},
        any, case, cases, ints,
    },
    rule,
};
use crate::{
    autodiff::{DifferentiateError, Operators, differentiate, differentiate_beside},
    onnx::{
        Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo, encode,
        test_session::{TestSession, Values, available, test_session},
    },
};

/// The newest operator set of the runtime that the crate pins.
const NEWEST: i64 = 26;

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

/// What is known of the operands' sizes before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sizes {
    /// All of them.
    Static,
    /// Which of them are equal, by name, and which are 1: the axes of a model's inputs.
    Named,
    /// The rank alone.
    Unknown,
}

/// The operator between trainable operands and the loss Σ y·cos(0, 1, 2, …). Operands whose sizes are not static go through
/// a Reshape: to the shape of a graph input, or to a shape that is a graph input itself. With unknown sizes the operator set
/// is the newest, if the case has the newer forms at all.
fn graph(case: &Case, sizes: Sizes) -> (Graph, Vec<String>, BTreeMap<String, Values>) {
    let opset = if sizes == Sizes::Unknown && case.opset == Case::OPSET { NEWEST } else { case.opset };
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
                let source = if sizes == Sizes::Static { name.clone() } else { format!("p{at}") };
                graph.initializers.insert(source.clone(), Tensor::from_f32(&shape, &numbers));
                if sizes != Sizes::Static {
                    let target = format!("shape{at}");
                    feeds.extend([shape_input(&mut graph, sizes, &target, &shape)]);
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
    let judged = if matches!(case.op, Op::TopK | Op::CrossEntropy | Op::KeyedDropout | Op::MaskedAttention) {
        1
    } else {
        case.outputs
    };
    loss(&mut graph, judged);
    (graph, trainable, feeds)
}

/// Adds the graph input that `target`, the tensor of a shape, comes from.
fn shape_input(graph: &mut Graph, sizes: Sizes, target: &str, shape: &[usize]) -> (String, Values) {
    if sizes == Sizes::Unknown {
        graph.inputs.push(ValueInfo::new(target, ElementType::Int64, &[Axis::Fixed(shape.len())]));
        let dims = shape.iter().map(|&size| size as i64).collect();
        return (target.to_owned(), Values::Int(vec![shape.len()], dims));
    }
    let like = format!("{target}/like");
    let axis = |&size: &usize| if size == 1 { Axis::Fixed(1) } else { Axis::Named(format!("size_{size}")) };
    graph.inputs.push(ValueInfo::new(&like, ElementType::Float, &shape.iter().map(axis).collect::<Vec<_>>()));
    graph.nodes.push(Node::new("", Op::Shape, &[&like], &[target]));
    (like, Values::Float(shape.to_vec(), vec![0.0; shape.iter().product()]))
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

/// A case ready to run: its gradients, and a session that computes them again for other values.
struct Prepared {
    session: TestSession,
    feeds: BTreeMap<String, Values>,
    /// Each operand's name in the graph, and its gradient.
    gradients: Vec<(String, Values)>,
}

fn prepare(case: &Case, sizes: Sizes, operators: Operators) -> Result<Prepared, String> {
    let (graph, trainable, mut feeds) = graph(case, sizes);
    let training =
        differentiate_beside(&graph, "loss", &[], &trainable, operators).map_err(|error| error.to_string())?;
    feeds.retain(|name, _| training.graph.input(name).is_some());
    let session = test_session(&encode(&training.graph));
    let mut outputs = session.run(&feeds);
    let mut gradients = Vec::new();
    for trainable in training.trainables {
        let gradient = outputs.remove(&trainable.gradient).ok_or("a gradient is not returned")?;
        if gradient.shape() != trainable.shape {
            return Err(format!("the gradient has shape {:?}, not {:?}", gradient.shape(), trainable.shape));
        }
        gradients.push((trainable.name, gradient));
    }
    Ok(Prepared { session, feeds, gradients })
}

fn scale(gradient: &Values) -> f32 {
    gradient.floats().iter().fold(0.5_f32, |largest, value| largest.max(value.abs()))
}

/// The rule with static sizes against the differences.
fn check(case: &Case) -> Result<Prepared, String> {
    let prepared = prepare(case, Sizes::Static, Operators::Stock)?;
    for (name, gradient) in &prepared.gradients {
        for (at, &value) in gradient.floats().iter().enumerate() {
            let at_step = |h: f32| loss_at(&prepared.session, &prepared.feeds, name, at, h);
            let slope = |h: f32| (at_step(h) - at_step(-h)) / (2.0 * h);
            let expected = (4.0 * slope(STEP / 2.0) - slope(STEP)) / 3.0;
            if (value - expected).abs() > TOLERANCE * scale(gradient) || !value.is_finite() {
                return Err(format!("`{name}`[{at}]: rule {value}, difference {expected}"));
            }
        }
    }
    Ok(prepared)
}

/// Whatever is known of the sizes, and with operators of our own as with stock ones, the gradients are the same but for rounding:
/// 1e-5 of the largest, a hundred units of its last place, for sums are taken in other orders.
fn check_again(case: &Case, sizes: Sizes, operators: Operators, known: &Prepared) -> Result<(), String> {
    let prepared = prepare(case, sizes, operators)?;
    for ((name, gradient), (_, expected)) in prepared.gradients.iter().zip(&known.gradients) {
        let pairs = gradient.floats().iter().zip(expected.floats());
        if let Some((value, expected)) = pairs.into_iter().find(|(a, b)| (*a - *b).abs() > 1e-5 * scale(expected)) {
            return Err(format!("`{name}`: {value}, with static sizes and stock operators {expected}"));
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
        let mut note = |sizes: Sizes, operators: Operators, problem: String| {
            failures.push(format!("case {number}, {}, {sizes:?} sizes, {operators:?}: {problem}", case.op));
        };
        let refused = || "the runtime refused it".to_owned();
        let known = match catch_unwind(|| check(case)).unwrap_or_else(|_| Err(refused())) {
            Ok(known) => AssertUnwindSafe(known),
            Err(problem) => {
                note(Sizes::Static, Operators::Stock, problem);
                continue;
            }
        };
        let ways = [Sizes::Static, Sizes::Named, Sizes::Unknown];
        let ways = ways.into_iter().flat_map(|sizes| [(sizes, Operators::Stock), (sizes, Operators::Ours)]);
        for (sizes, operators) in ways.skip(1) {
            let again = catch_unwind(|| check_again(case, sizes, operators, &known)).unwrap_or_else(|_| Err(refused()));
            if let Err(problem) = again {
                note(sizes, operators, problem);
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Rows shorter than the lanes that sums are taken in, longer ones, and so many that several pieces are worked on.
const SIZES: [[usize; 2]; 4] = [[1, 1], [3, 17], [4, 64], [150, 133]];

#[test]
fn operators_of_our_own_agree_with_stock_ones_on_rows_of_all_lengths() {
    if !available() {
        return;
    }
    for [rows, row] in SIZES {
        let (x, vector) = (|| any(&[rows, row]), || any(&[row]));
        let labels: Vec<i64> = (0..rows).map(|at| if at % 5 == 3 { -100 } else { (at * 7 % row) as i64 }).collect();
        let weights = Fixed(Tensor::from_f32(&[rows], &vec![0.5; rows]));
        let cases = [
            (Op::GeluGrad, case(Op::MicrosoftGelu, vec![x()])),
            (Op::GeluGrad, case(Op::BiasGelu, vec![x(), vector()])),
            (Op::SiluGrad, case(Op::QuickGelu, vec![x()])),
            (Op::SoftmaxGrad, case(Op::Softmax, vec![x()])),
            (Op::LayerNormGrad, case(Op::LayerNormalization, vec![x(), vector(), vector()])),
            (
                Op::LayerNormGrad,
                case(Op::LayerNormalization, vec![x(), Fixed(Tensor::from_f32(&[row], &vec![0.7; row]))]),
            ),
            (Op::RmsNormGrad, case(Op::SimplifiedLayerNormalization, vec![x(), vector()])),
            (Op::CrossEntropy, case(Op::CrossEntropy, vec![x(), ints(&labels), weights]).outputs(3)),
            (Op::Product, case(Op::MatMul, vec![x(), any(&[row, 5])])),
            (Op::Product, case(Op::MatMul, vec![any(&[2, 1, rows, row]), any(&[3, row, 4])])),
        ];
        for (ours, case) in cases {
            let stock = prepare(&case, Sizes::Static, Operators::Stock).unwrap();
            let (graph, trainable, _) = graph(&case, Sizes::Static);
            let training = differentiate_beside(&graph, "loss", &[], &trainable, Operators::Ours).unwrap();
            assert!(training.graph.nodes.iter().any(|node| node.op == ours), "{ours} has no part in {}", case.op);
            check_again(&case, Sizes::Static, Operators::Ours, &stock)
                .unwrap_or_else(|problem| panic!("{ours}, {rows} rows of {row}: {problem}"));
        }
    }
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
fn the_guide_names_every_operator_with_a_rule() {
    let guide = include_str!("../../../docs/guides/models.md");
    let (_, section) = guide.split_once("## Operators with a gradient").expect("the section is there");
    let section = section.split("## ").next().unwrap_or_default();
    let named: BTreeSet<&str> = section.split('`').skip(1).step_by(2).filter(|name| *name != "com.microsoft").collect();
    let rules =
        Op::KNOWN.iter().filter(|op| matches!(rule(op), Rule::Vjp(_)) && op.domain() != Op::CrossEntropy.domain());
    let rules: BTreeSet<String> = rules.map(Op::to_string).collect();
    assert_eq!(named, rules.iter().map(String::as_str).collect());
}

#[test]
fn an_operator_without_a_rule_is_named_and_one_that_stops_is_silent() {
    let unknown = case(Op::parse("com.example", "Strange"), vec![any(&[2])]);
    let (built, trainable, _) = graph(&unknown, Sizes::Static);
    let error = differentiate(&built, "loss", &trainable).unwrap_err();
    assert!(matches!(&error, DifferentiateError::Unsupported { node, operator, .. }
        if node == "tested" && operator == "com.example:Strange"));
    let stopped = case(Op::Floor, vec![any(&[2])]);
    let (built, trainable, _) = graph(&stopped, Sizes::Static);
    let error = differentiate(&built, "loss", &trainable).unwrap_err();
    assert_eq!(error, DifferentiateError::NoPath { name: "x0".to_owned() });
}
