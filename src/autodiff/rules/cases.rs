//! Every rule against finite differences: with shapes that are known and with shapes that only the run knows, and with
//! broadcast operands. An operator that has a rule and no case fails the suite.

use std::collections::BTreeMap;

use super::{Rule, rule};
use crate::{
    autodiff::{DifferentiateError, differentiate},
    onnx::{
        Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo, encode,
        test_session::{TestSession, Values, available, test_session},
    },
};

/// An operand of the operator under test.
#[derive(Clone)]
enum Operand {
    /// Differentiated; values between −2 and 2.
    Any(Vec<usize>),
    /// Differentiated; values between ½ and 2.
    Positive(Vec<usize>),
    /// Differentiated; values at least 0.3 apart and 0.1 away from whole numbers, for operators with kinks.
    Apart(Vec<usize>),
    /// A constant.
    Fixed(Tensor),
    /// A truth value, as a comparison of these numbers with 0.
    Truth(Vec<usize>, Vec<f32>),
    /// Left out.
    Absent,
}
use Operand::{Absent, Any, Apart, Fixed, Positive, Truth};

#[derive(Clone)]
struct Case {
    op: Op,
    operands: Vec<Operand>,
    attributes: Vec<(&'static str, Attribute)>,
    outputs: usize,
    opset: i64,
}

fn case(op: Op, operands: Vec<Operand>) -> Case {
    Case { op, operands, attributes: Vec::new(), outputs: 1, opset: 18 }
}

impl Case {
    fn int(mut self, name: &'static str, value: i64) -> Self {
        self.attributes.push((name, Attribute::Int(value)));
        self
    }

    fn list(mut self, name: &'static str, values: &[i64]) -> Self {
        self.attributes.push((name, Attribute::Ints(values.to_vec())));
        self
    }

    fn text(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, Attribute::String(value.into())));
        self
    }

    fn float(mut self, name: &'static str, value: f32) -> Self {
        self.attributes.push((name, Attribute::Float(value)));
        self
    }

    fn outputs(mut self, count: usize) -> Self {
        self.outputs = count;
        self
    }

    fn opset(mut self, version: i64) -> Self {
        self.opset = version;
        self
    }
}

fn any(shape: &[usize]) -> Operand {
    Any(shape.to_vec())
}

fn positive(shape: &[usize]) -> Operand {
    Positive(shape.to_vec())
}

fn apart(shape: &[usize]) -> Operand {
    Apart(shape.to_vec())
}

fn ints(values: &[i64]) -> Operand {
    Fixed(Tensor::from_i64(&[values.len()], values))
}

fn int_matrix(shape: &[usize], values: &[i64]) -> Operand {
    Fixed(Tensor::from_i64(shape, values))
}

fn number(value: f32) -> Operand {
    Fixed(Tensor::scalar_f32(value))
}

fn cases() -> Vec<Case> {
    [elementwise(), products(), movements(), picks(), reductions()].concat()
}

fn elementwise() -> Vec<Case> {
    let smooth = [
        Op::Cos,
        Op::Sin,
        Op::Exp,
        Op::Erf,
        Op::Tanh,
        Op::Sigmoid,
        Op::Neg,
        Op::Identity,
        Op::Softplus,
        Op::MicrosoftGelu,
        Op::QuickGelu,
        Op::FastGelu,
    ];
    let kinked = [Op::Abs, Op::Relu, Op::LeakyRelu, Op::Elu, Op::HardSwish];
    let mut all: Vec<Case> = smooth.into_iter().map(|op| case(op, vec![any(&[2, 3])])).collect();
    all.extend(kinked.into_iter().map(|op| case(op, vec![apart(&[2, 3])])));
    all.extend([Op::Log, Op::Sqrt, Op::Reciprocal].map(|op| case(op, vec![positive(&[2, 3])])));
    for op in [Op::Add, Op::Sub, Op::Mul] {
        all.push(case(op.clone(), vec![any(&[2, 3]), any(&[2, 3])]));
        all.push(case(op.clone(), vec![any(&[2, 1, 3]), any(&[4, 1])]));
        all.push(case(op.clone(), vec![any(&[3]), any(&[2, 2, 3])]));
        all.push(case(op, vec![any(&[2, 3]), any(&[])]));
    }
    all.extend([
        case(Op::Div, vec![any(&[2, 1, 3]), positive(&[4, 1])]),
        case(Op::Pow, vec![any(&[2, 3]), number(2.0)]),
        case(Op::Pow, vec![any(&[2, 3]), number(3.0)]),
        case(Op::Pow, vec![positive(&[2, 3]), any(&[3])]),
        case(Op::Sum, vec![any(&[2, 3]), any(&[3]), any(&[2, 1])]),
        case(Op::Max, vec![apart(&[2, 3]), number(0.7)]),
        case(Op::Max, vec![any(&[2, 1]), Fixed(Tensor::from_f32(&[3], &[-9.0, 9.0, -8.0]))]),
        case(Op::Min, vec![apart(&[2, 3]), number(0.7), number(1.0)]),
        case(Op::Clip, vec![apart(&[2, 3]), number(-1.0), number(1.0)]),
        case(Op::Clip, vec![apart(&[2, 3]), Absent, number(1.0)]),
        case(Op::Where, vec![Truth(vec![2, 1], vec![1.0, -1.0]), any(&[2, 3]), any(&[3])]),
        case(Op::Cast, vec![any(&[2, 3])]).int("to", ElementType::Float.onnx().into()),
        case(Op::CastLike, vec![any(&[2, 3]), number(1.0)]),
        case(Op::Dropout, vec![any(&[2, 3])]),
        case(Op::Gelu, vec![any(&[2, 3])]).opset(20),
        case(Op::Gelu, vec![any(&[2, 3])]).text("approximate", "tanh").opset(20),
        case(Op::BiasGelu, vec![any(&[2, 3]), any(&[3])]),
        case(Op::FastGelu, vec![any(&[2, 3]), any(&[3])]),
        case(Op::Mish, vec![any(&[2, 3])]),
        case(Op::Swish, vec![any(&[2, 3])]).float("alpha", 1.5).opset(24),
        case(Op::HardSigmoid, vec![apart(&[2, 3])]).float("alpha", 0.25).float("beta", 0.5),
    ]);
    all
}

fn products() -> Vec<Case> {
    let mut all = vec![
        case(Op::MatMul, vec![any(&[2, 3, 4]), any(&[4, 2])]),
        case(Op::MatMul, vec![any(&[3, 4]), any(&[4, 2])]),
        case(Op::MatMul, vec![any(&[2, 1, 3, 4]), any(&[2, 4, 2])]),
        case(Op::MatMul, vec![any(&[3, 4]), any(&[2, 4, 2])]),
        case(Op::MatMul, vec![any(&[4]), any(&[2, 4, 3])]),
        case(Op::MatMul, vec![any(&[2, 3, 4]), any(&[4])]),
        case(Op::MatMul, vec![any(&[4]), any(&[4])]),
    ];
    for (ta, tb) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let a: &[usize] = if ta == 1 { &[4, 3] } else { &[3, 4] };
        let b: &[usize] = if tb == 1 { &[2, 4] } else { &[4, 2] };
        for c in [&[3, 2][..], &[2], &[3, 1], &[]] {
            let gemm = case(Op::Gemm, vec![any(a), any(b), any(c)]).int("transA", ta).int("transB", tb);
            all.push(gemm.float("alpha", 1.5).float("beta", 0.5));
        }
        let batched = [&[2][..], a].concat();
        let fused = case(Op::FusedMatMul, vec![any(&batched), any(&[&[2][..], b].concat())]);
        all.push(fused.int("transA", ta).int("transB", tb).float("alpha", 0.7));
    }
    let norm = |op: Op, operands: Vec<Operand>| case(op, operands).float("epsilon", 1e-3);
    all.extend([
        norm(Op::LayerNormalization, vec![any(&[2, 3, 4]), any(&[4]), any(&[4])]),
        norm(Op::LayerNormalization, vec![any(&[2, 3, 2]), any(&[3, 2]), any(&[3, 2])]).int("axis", 1),
        norm(Op::LayerNormalization, vec![any(&[3, 4]), any(&[4])]).opset(17),
        norm(Op::SimplifiedLayerNormalization, vec![any(&[2, 3, 4]), any(&[4])]).int("axis", -1),
        norm(Op::RmsNormalization, vec![any(&[2, 3, 4]), any(&[4])]).opset(23),
    ]);
    all
}

fn movements() -> Vec<Case> {
    vec![
        case(Op::Reshape, vec![any(&[2, 3, 2]), ints(&[0, -1])]),
        case(Op::Flatten, vec![any(&[2, 3, 2])]).int("axis", 2),
        case(Op::Squeeze, vec![any(&[2, 1, 3]), ints(&[1])]),
        case(Op::Unsqueeze, vec![any(&[2, 3]), ints(&[0, -1])]),
        case(Op::Transpose, vec![any(&[2, 3, 4])]).list("perm", &[2, 0, 1]),
        case(Op::Transpose, vec![any(&[2, 3])]),
        case(Op::Expand, vec![any(&[3, 1]), ints(&[2, 3, 4])]),
        case(Op::Tile, vec![any(&[2, 3]), ints(&[2, 3])]),
        case(Op::Concat, vec![any(&[2, 3]), any(&[2, 1]), any(&[2, 2])]).int("axis", -1),
        case(Op::Concat, vec![any(&[2, 3])]).int("axis", 0),
        case(Op::Split, vec![any(&[2, 5]), ints(&[2, 3])]).int("axis", -1).outputs(2),
        case(Op::Split, vec![any(&[4, 2])]).int("num_outputs", 2).outputs(2),
        case(Op::Slice, vec![any(&[3, 5]), ints(&[1]), ints(&[3]), ints(&[-1])]),
        case(Op::Slice, vec![any(&[3, 5]), ints(&[-2, 0]), ints(&[i64::MAX, -1]), ints(&[1, 0]), ints(&[1, 1])]),
        case(Op::Slice, vec![any(&[5, 2]), ints(&[4]), ints(&[i64::MIN]), ints(&[0]), ints(&[-2])]),
        case(Op::Pad, vec![any(&[2, 3]), ints(&[1, 0, 0, 2])]),
        case(Op::Trilu, vec![any(&[3, 3])]).int("upper", 0),
        case(Op::Trilu, vec![any(&[2, 3, 3]), int_matrix(&[], &[1])]).int("upper", 1),
    ]
}

fn picks() -> Vec<Case> {
    vec![
        case(Op::Gather, vec![any(&[4, 3]), int_matrix(&[2, 3], &[0, 2, 2, -1, 0, 2])]),
        case(Op::Gather, vec![any(&[2, 4, 3]), ints(&[1, 1, 3])]).int("axis", 1),
        case(Op::Gather, vec![any(&[2, 4]), int_matrix(&[], &[2])]).int("axis", -1),
        case(Op::GatherElements, vec![any(&[3, 2]), int_matrix(&[2, 2], &[0, 2, 0, 1])]).int("axis", 0),
        case(Op::GatherNd, vec![any(&[3, 2, 2]), int_matrix(&[3, 2], &[0, 1, 2, -1, 0, 1])]),
        case(Op::ScatterElements, vec![any(&[3, 2]), int_matrix(&[1, 2], &[2, 0]), any(&[1, 2])]).int("axis", 0),
        case(Op::ScatterElements, vec![any(&[3, 2]), int_matrix(&[2, 2], &[2, 0, 2, 1]), any(&[2, 2])])
            .text("reduction", "add"),
        case(Op::ScatterNd, vec![any(&[3, 2]), int_matrix(&[2, 1], &[2, 0]), any(&[2, 2])]),
        case(Op::TopK, vec![apart(&[2, 4]), ints(&[2])]).outputs(2),
        case(
            Op::CrossEntropy,
            vec![any(&[4, 3]), ints(&[0, 2, -100, 1]), Fixed(Tensor::from_f32(&[4], &[0.5, 0.25, 1.0, 0.0]))],
        )
        .outputs(3),
    ]
}

fn reductions() -> Vec<Case> {
    let mut all = Vec::new();
    for op in [Op::ReduceSum, Op::ReduceMean, Op::ReduceSumSquare, Op::ReduceL2, Op::ReduceLogSumExp] {
        all.push(case(op.clone(), vec![any(&[2, 3, 2]), ints(&[1])]).int("keepdims", 0));
        all.push(case(op.clone(), vec![any(&[2, 3, 2]), ints(&[-1, 0])]).int("keepdims", 1));
        all.push(case(op, vec![any(&[2, 3])]).int("keepdims", 0));
    }
    for op in [Op::ReduceMax, Op::ReduceMin] {
        all.push(case(op.clone(), vec![apart(&[2, 3]), ints(&[1])]).int("keepdims", 0));
        all.push(case(op, vec![apart(&[2, 3])]).list("axes", &[-1]).opset(17));
    }
    all.push(case(Op::ReduceMean, vec![any(&[2, 3])]).list("axes", &[-1]).int("keepdims", 0).opset(17));
    all.extend([
        case(Op::Softmax, vec![any(&[2, 3])]),
        case(Op::Softmax, vec![any(&[2, 3, 2])]).int("axis", 1),
        case(Op::LogSoftmax, vec![any(&[2, 3])]).int("axis", -1),
        case(Op::CumSum, vec![any(&[2, 4]), int_matrix(&[], &[1])]),
        case(Op::CumSum, vec![any(&[2, 4]), int_matrix(&[], &[1])]).int("exclusive", 1).int("reverse", 1),
    ]);
    all
}

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
        Fixed(_) | Truth(..) | Absent => return None,
    };
    Some((shape.clone(), (0..shape.iter().product()).map(value).collect()))
}

/// The operator between trainable operands and the loss Σ y·cos(0, 1, 2, …). With `dynamic`, every operand goes through a
/// Reshape to a shape that is a graph input, so that only its rank is known.
fn graph(case: &Case, dynamic: bool) -> (Graph, Vec<String>, BTreeMap<String, Values>) {
    let mut graph = Graph::new("case", case.opset);
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
            Any(_) | Positive(_) | Apart(_) => {
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
