//! Twenty steps of training beside PyTorch's: the same weights, batches, optimizer, schedule and clipping.
//!
//! `benches/peers/curves.py` made the losses. What is trained on follows from a rule that stands in both files.

use std::ops::ControlFlow;

use serde_json::Value;

use super::batch::Feeds;
use super::learner::{HostState, Learner};
use super::model::{Model, label_names};
use super::objective::Objective;
use super::optimizer::ParameterRule;
use super::tests::{run, runtime, shared};
use super::trainer::Trainer;
use super::*;
use crate::autodiff::Operators;
use crate::autodiff::loss::Softening;
use crate::onnx::encode;
use crate::runtime::{BoundSession, Parameter};

const FIXTURE: &str = include_str!("../../tests/fixtures/curves.json");

/// Both sides add in floats of 32 bits, in different orders, and each step carries what the one before it made of that.
const TOLERANCE: f64 = 1e-4;

/// The rule: tokens of an example, and how many of them are a prompt.
fn tokens(at: usize, vocabulary: usize) -> (Vec<u32>, usize) {
    let length = 6 + at * 5 % 9;
    let token = |place: usize| 5 + (at * 31 + place * 17 + at * place * 7) % (vocabulary - 10);
    ((0..length).map(|place| token(place) as u32).collect(), 2 + at % 3)
}

fn example(at: usize, vocabulary: usize, classes: usize) -> Example {
    let (tokens, prompt) = tokens(at, vocabulary);
    let target = match classes {
        0 => Target::Tokens((0..tokens.len()).map(|place| place >= prompt).collect()),
        classes => Target::Class(at % classes),
    };
    Example { id: format!("{at:032x}"), tokens, target }
}

fn check(name: &str) {
    let (Some(runtime), Some(folder)) = (runtime(), shared(&format!("models/{name}"))) else { return };
    let fixture: Value = serde_json::from_str(FIXTURE).expect("the fixture is JSON");
    let number = |name: &str| fixture["settings"][name].as_f64().expect("a number");
    let whole = |name: &str| number(name) as usize;
    let scratch = tempfile::tempdir().expect("a folder");
    let mut settings = run(scratch.path());
    settings.extent = Extent::Steps(whole("steps") as u64);
    (settings.batch, settings.accumulate) = (whole("batch"), whole("accumulate"));
    let warmup = Stretch::Steps(whole("warmup") as u64);
    settings.schedule = Schedule { rate: number("rate"), decay: Decay::Cosine, warmup, floor: number("floor") };
    let betas = [0, 1].map(|at| fixture["settings"]["betas"][at].as_f64().expect("a number"));
    let (weight_decay, epsilon) = (number("weight_decay"), number("epsilon"));
    settings.optimizer = Optimizer::AdamW(AdamW { weight_decay, betas, epsilon });
    (settings.clip, settings.head_rate, settings.shuffle) = (Some(number("clip")), None, false);

    let config = read_json(&folder.join("config.json")).expect("a configuration");
    let is_encoder = name.starts_with("bert");
    let model = if is_encoder {
        Model::of_texts(&folder, None, (Objective::Class, &label_names(&config)), None, 0)
    } else {
        Model::decoder(&folder, Objective::NextToken)
    };
    let model = model.expect("it can be trained");
    let mut plan = model.plan(&Tune::All, &Softening::default(), 0, false, Operators::Ours).expect("planned");
    plan.training.give_rows();
    // GPT-2's embedding is its head as well, so its gradient is more than rows.
    let has_rows = plan.training.trainables.iter().any(|trainable| trainable.rows.is_some());
    assert_eq!(has_rows, name != "gpt2", "whether a table's gradient is rows");
    let parameters = model.parameters(&plan);
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let feeds = Feeds::of(&plan.training.graph, &names, 0, &folder).expect("known inputs");
    let rule = |parameter: &Parameter| ParameterRule::of(&parameter.shape, 1.0);
    let rules: Vec<ParameterRule> = parameters.iter().map(rule).collect();
    let graph = encode(&plan.training.graph);
    let vocabulary = model.vocabulary().expect("a size");
    let examples: Vec<Example> = (0..whole("examples")).map(|at| example(at, vocabulary, model.values.len())).collect();
    let session = BoundSession::new(&runtime, &graph, 1, parameters, &[plan.training.loss.as_str()]).expect("bound");
    let trainer = Trainer {
        seconds: &[],
        beside: &[],
        run: &settings,
        examples: &examples,
        shares: examples.iter().map(|example| example.target.weight() as f64).collect(),
        guess: None,
        feeds,
        learner: Learner::Host(HostState::new(session, rules, settings.optimizer, 1)),
        validation: None,
    };
    let mut losses = Vec::new();
    trainer
        .train(&mut |event| {
            if let Event::Step(report) = event {
                losses.push(report.loss);
            }
            ControlFlow::Continue(())
        })
        .expect("trained");
    let expected: Vec<f64> =
        fixture["losses"][name].as_array().expect("a curve").iter().filter_map(Value::as_f64).collect();
    assert_eq!(losses.len(), expected.len());
    let difference = losses.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(difference <= TOLERANCE, "{name}: {difference}: {losses:?} and {expected:?}");
    assert!((expected[0] - expected[expected.len() - 1]).abs() > 100.0 * TOLERANCE, "the curve is no curve");
}

#[test]
fn an_encoder_has_the_losses_of_torch() {
    check("bert-seqcls");
}

#[test]
fn decoders_have_the_losses_of_torch() {
    check("gpt2");
    check("llama-chat");
}
