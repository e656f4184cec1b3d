//! Ten updates beside PyTorch's: the same weights, gradients, rates, clipping and settings.
//!
//! `benches/peers/make_optimizers.py` made `tests/fixtures/optimizers.json`. PyTorch has no Lion; the script has its paper's program.

use serde_json::Value;

use super::*;

/// The fixture was computed in floats of 64 bits. Ours have 32: half a unit in the last place of a weight between 1 and 2 is 6e-8, and
/// as much may be lost in each of the ten steps. The steps themselves are 1e4 times as long and more.
const TOLERANCE: f64 = 1e-6;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn optimizer_of(case: &Value) -> Optimizer {
    let number = |name: &str| case[name].as_f64().expect("a setting");
    let weight_decay = number("weight_decay");
    let betas = || <[f64; 2]>::try_from(numbers(&case["betas"])).expect("two numbers");
    match case["optimizer"].as_str().expect("a name") {
        "adamw" => Optimizer::AdamW(AdamW { weight_decay, betas: betas(), epsilon: number("epsilon") }),
        "sgd" => {
            let (momentum, nesterov) = (number("momentum"), case["nesterov"] == true);
            Optimizer::Sgd(Sgd { momentum, nesterov, weight_decay })
        }
        "lion" => Optimizer::Lion(Lion { weight_decay, betas: betas() }),
        "adafactor" => Optimizer::Adafactor(Adafactor { weight_decay }),
        other => panic!("there is no optimizer {other}"),
    }
}

/// Takes the steps of a case, and gives the greatest difference to what the fixture has after those that it tells.
fn difference(fixture: &Value, case: &Value) -> f64 {
    let optimizer = optimizer_of(case);
    let floats =
        |value: &Value, times: f64| -> Vec<f32> { numbers(value).iter().map(|n| (n * times) as f32).collect() };
    let shapes = fixture["shapes"].as_array().expect("a list").iter();
    let shapes = shapes.map(|shape| numbers(shape).iter().map(|length| *length as usize).collect::<Vec<_>>());
    let rules: Vec<ParameterRule> = shapes.map(|shape| ParameterRule::of(&shape, 1.0)).collect();
    let mut values = [0, 1].map(|at| floats(&fixture["start"][at], 1.0));
    let mut slots = optimizer.begin(values.iter().map(Vec::len).zip(rules.iter().copied()));
    let (told, limit) = (numbers(&fixture["told"]), fixture["clip"].as_f64());
    let times = case["gradients_times"].as_f64().unwrap_or(1.0);
    let (mut greatest, mut compared) = (0.0_f64, 0);
    for (step, (rate, gradients)) in
        (1..).zip(numbers(&fixture["rates"]).iter().zip(fixture["gradients"].as_array().expect("a list")))
    {
        let gradients = [0, 1].map(|at| floats(&gradients[at], times));
        let norm = gradients.iter().map(|gradient| squared_norm(gradient)).sum::<f64>().sqrt();
        let parameters = values.iter_mut().zip(&gradients).zip(&rules);
        let parameters =
            parameters.map(|((values, gradient), rule)| Parameter { values, gradient, rule: *rule, still: &[] });
        let moment = Moment { step, rate: *rate, clip: clip_factor(norm, limit) };
        optimizer.update(moment, 2, parameters.collect(), &mut slots);
        let Some(at) = told.iter().position(|told| *told == step as f64) else { continue };
        for (values, expected) in values.iter().zip(case["values"][at].as_array().expect("two tensors")) {
            let expected = numbers(expected);
            assert_eq!(values.len(), expected.len());
            let differences = values.iter().zip(expected).map(|(value, expected)| (f64::from(*value) - expected).abs());
            greatest = differences.fold(greatest, f64::max);
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * told.len(), "every tensor is compared after every step that is told");
    greatest
}

#[test]
fn updates_are_those_of_peers() {
    let fixture: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/optimizers.json")).expect("the fixture is JSON");
    let cases = fixture["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 7);
    for case in cases {
        let difference = difference(&fixture, case);
        assert!(difference <= TOLERANCE, "{:?} differs by {difference:e}", optimizer_of(case));
    }
}
