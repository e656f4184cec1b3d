//! Adapters beside a base of integers, on real exports: what is learnt is what the same floats would teach.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch::Feeds;
use super::draw::Draw;
use super::model::{Model, TrainingPlan};
use super::objective::Objective;
use super::pack::distance;
use super::tests::{runtime, shared};
use super::*;
use crate::autodiff::Operators;
use crate::autodiff::loss::Softening;
use crate::onnx::{ElementType, Graph, Op, Tensor, encode};
use crate::runtime::{BoundSession, InputTensor, Parameter};

fn lora(has_magnitude: bool, dropout: f64, base: Option<Width>) -> Tune {
    let targets = vec!["*".to_owned()];
    Tune::Lora(Lora { rank: 4, alpha: 8.0, targets, rank_stabilized: false, has_magnitude, dropout, base })
}

/// A model with a session of its own.
struct Opened {
    session: BoundSession,
    feeds: Feeds,
}

impl Opened {
    fn of(runtime: &Runtime, plan: &TrainingPlan, parameters: &[Parameter], folder: &Path) -> Self {
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let feeds = Feeds::of(&plan.training.graph, &names, 0, folder).expect("known inputs");
        let (graph, loss) = (encode(&plan.training.graph), [plan.training.loss.as_str()]);
        let session = BoundSession::new(runtime, &graph, 1, parameters.to_vec(), &loss).expect("it opens");
        Self { session, feeds }
    }

    fn run(&mut self, rows: &[Vec<&Example>]) -> (f32, Vec<Vec<f32>>) {
        let inputs: Vec<InputTensor<'_>> = self.feeds.rows(rows, 9.0, Draw { seed: 3, step: 5 });
        let outputs = self.session.run(&inputs, &mut |_, _, _| {}).expect("it runs");
        let loss = outputs[0].f32().expect("a float")[0];
        let gradients = self.session.parameters().map(|(_, gradient)| gradient.expect("no table").to_vec());
        (loss, gradients.collect())
    }

    /// Moves all parameters by so much of these.
    fn step(&mut self, by: f32, direction: &[Vec<f32>]) {
        for ((values, _), direction) in self.session.parameters().zip(direction) {
            values.iter_mut().zip(direction).for_each(|(value, direction)| *value += by * direction);
        }
    }
}

/// The parameters with an upper half of the adapters that is no zero any more, so that all of them have gradients.
fn moved(model: &Model, plan: &TrainingPlan) -> Vec<Parameter> {
    let mut parameters = model.parameters(plan);
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name.ends_with("lora_B.weight")) {
        let numbers = (0..).map(|at| 0.02 * ((at as f32 + 1.0) * 7.77).sin());
        parameter.values.iter_mut().zip(numbers).for_each(|(value, number)| *value = number);
    }
    parameters
}

/// The integers of a graph as floats by the names of the weights, told from the definition of `DequantizeLinear`.
fn floats(graph: &Graph) -> BTreeMap<String, Tensor> {
    let mut found = BTreeMap::new();
    for node in graph.nodes.iter().filter(|node| node.op == Op::DequantizeLinear) {
        let levels = &graph.initializers[&node.inputs[0]];
        let name = node.inputs[0].strip_prefix("annotc/base/").and_then(|name| name.strip_suffix("/levels"));
        let name = name.expect("levels are named after weights");
        let scales = graph.initializers[&format!("annotc/base/{name}/scales")].to_f32().expect("floats");
        let &[rows, columns] = levels.shape() else { panic!("a matrix") };
        let (axis, size) = (node.int("axis").unwrap(), node.int("block_size").unwrap() as usize);
        let mut values = Vec::new();
        for at in 0..rows * columns {
            let level = match levels.element() {
                ElementType::Int4 => {
                    let nibble = (levels.data()[at / 2] >> (4 * (at % 2)) & 0xF) as i8;
                    if nibble > 7 { nibble - 16 } else { nibble }
                }
                _ => levels.data()[at] as i8,
            };
            let (row, column) = (at / columns, at % columns);
            let scale =
                if axis == 0 { row / size * columns + column } else { row * columns.div_ceil(size) + column / size };
            values.push(scales[scale] * f32::from(level));
        }
        found.insert(name.to_owned(), Tensor::from_f32(&[rows, columns], &values));
    }
    found
}

fn bytes(graph: &Graph) -> usize {
    graph.initializers.values().map(|tensor| tensor.data().len()).sum()
}

fn texts() -> Vec<Example> {
    let example = |id: &str, tokens: &[u32]| Example {
        id: id.to_owned(),
        tokens: tokens.to_vec(),
        target: Target::Tokens((0..tokens.len()).map(|at| at > 1).collect()),
    };
    vec![example("a", &[11, 25, 31, 44, 52, 63, 71]), example("b", &[90, 14, 77, 61]), example("c", &[33, 35, 101])]
}

#[test]
fn gradients_beside_integers_are_those_beside_their_floats() {
    let Some(runtime) = runtime() else { return };
    for (name, has_magnitude, width, operators) in [
        ("llama-chat", false, Width::Int8, Operators::Ours),
        ("llama-chat", true, Width::Int4, Operators::Ours),
        ("gpt2", false, Width::Int4, Operators::Stock),
        ("gpt2", true, Width::Int8, Operators::Stock),
    ] {
        let Some(folder) = shared(&format!("models/{name}")) else { return };
        let model = Model::decoder(&folder, Objective::NextToken).expect("a decoder");
        let plan = |base| {
            let tune = lora(has_magnitude, 0.25, base);
            model.plan(&tune, &Softening::default(), 7, false, operators).expect("it can be planned")
        };
        let (integers, mut plain) = (plan(Some(width)), plan(None));
        let floats = floats(&integers.training.graph);
        assert!(floats.len() >= 8, "{name}: {}", floats.len());
        let saved: usize = floats.values().map(|tensor| tensor.data().len()).sum();
        let left = bytes(&integers.training.graph) + saved - bytes(&plain.training.graph);
        // Of 32 bits, 8 or 4 and a thirty-second of a scale.
        let expected = saved * if width == Width::Int8 { 9 } else { 5 } / 32;
        assert!((expected..expected + 8192).contains(&left), "{name}: {left} bytes for {saved}, not {expected}");

        let parameters = moved(&model, &integers);
        let examples = texts();
        let rows: Vec<Vec<&Example>> = examples.iter().map(|example| vec![example]).collect();
        let open = |plan: &TrainingPlan| Opened::of(&runtime, plan, &parameters, &folder);
        let (whole, _) = open(&plain).run(&rows);
        plain.training.graph.initializers.extend(floats);
        let (mut beside, mut rounded) = (open(&integers), open(&plain));
        let ((loss, gradient), (same_loss, same_gradient)) = (beside.run(&rows), rounded.run(&rows));
        assert!((loss - same_loss).abs() <= 1e-5 * loss, "{name}: {loss} {same_loss}");
        let difference = distance(&same_gradient, &gradient);
        assert!(difference <= 1e-5, "{name}, {width:?}: {difference}");
        assert!((loss - whole).abs() < 0.05 * whole, "{name}: {loss} is far from {whole}");
        check_slope(&mut beside, &rows, &gradient, has_magnitude);
    }
}

/// The gradient against the central difference along itself. The norm of an adapter with magnitudes counts as a constant, which no
/// difference knows.
fn check_slope(opened: &mut Opened, rows: &[Vec<&Example>], gradient: &[Vec<f32>], has_magnitude: bool) {
    if has_magnitude {
        return;
    }
    let norm = gradient.iter().flatten().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    let by = (0.01 / norm) as f32;
    opened.step(by, gradient);
    let above = f64::from(opened.run(rows).0);
    opened.step(-2.0 * by, gradient);
    let below = f64::from(opened.run(rows).0);
    let slope = (above - below) / 0.02;
    assert!((slope - norm).abs() < 2e-2 * norm, "{slope} and {norm}");
}

#[test]
fn without_them_the_graph_is_what_it_was() {
    let Some(folder) = shared("models/gpt2") else { return };
    let model = Model::decoder(&folder, Objective::NextToken).expect("a decoder");
    let plan = model.plan(&lora(true, 0.0, None), &Softening::default(), 7, false, Operators::Ours).expect("planned");
    for graph in [&plan.training.graph, &plan.measuring] {
        let names = graph.nodes.iter().map(|node| node.op.name());
        assert!(!names.into_iter().any(|name| ["KeyedDropout", "DequantizeLinear", "Mod"].contains(&name)));
        assert_eq!(graph.opset(), 18);
    }
    let plan = model.plan(&lora(false, 0.5, Some(Width::Int8)), &Softening::default(), 7, false, Operators::Ours);
    let measuring = plan.expect("planned").measuring;
    assert!(
        measuring.nodes.iter().all(|node| node.op != Op::KeyedDropout),
        "nothing is lost where the run is measured"
    );
    assert!(
        measuring.nodes.iter().any(|node| node.op == Op::DequantizeLinear),
        "the base is measured as it is trained"
    );
}
