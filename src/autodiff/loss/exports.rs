//! The loss of preferences on real exports against PyTorch: `tests/fixtures/preferences.json`, made by
//! `benches/peers/make_preferences.py`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{differentiate, oracles::shared_model};
use super::*;
use crate::onnx::{
    self, encode,
    import::import,
    surgery::{fix_past, past_inputs},
    test_session::{Values, available, test_session},
};

/// The whole gradient is weighed by a sigmoid of differences of log-probabilities, sums of some tens in 32 bits: what they are off by, up to
/// 1e-4, moves all of it by about as much.
const TOLERANCE: f64 = 1e-4;

fn integers(value: &Value) -> Values {
    let rows: Vec<Vec<i64>> = serde_json::from_value(value.clone()).unwrap();
    Values::Int(vec![rows.len(), rows[0].len()], rows.concat())
}

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn check(name: &str) {
    let Some(folder) = shared_model(name).filter(|_| available()) else { return };
    let all: Value = serde_json::from_str(include_str!("../../../tests/fixtures/preferences.json")).unwrap();
    let expected = &all[name];
    let config: Value = serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let imported = import(onnx::load(&folder).unwrap(), &config).unwrap();
    let mut graph = imported.graph.clone();
    fix_past(&mut graph);
    let names = preference(&mut graph, "logits", expected["beta"].as_f64().unwrap() as f32).unwrap();
    let trained: Vec<String> = imported.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let training = differentiate(&graph, &names.loss, &trained).unwrap();
    let ids = integers(&expected["input_ids"]);
    let Values::Int(shape, _) = &ids else { unreachable!() };
    let (rows, width) = (shape[0], shape[1]);
    let positions = (0..rows).flat_map(|_| 0_i64..width as i64).collect();
    let mut feeds = BTreeMap::from([
        ("position_ids".to_owned(), Values::Int(vec![rows, width], positions)),
        ("attention_mask".to_owned(), integers(&expected["attention_mask"])),
        (LABELS.to_owned(), integers(&expected["labels"])),
        (REFERENCE.to_owned(), Values::Float(vec![rows], floats(&expected["reference"]))),
        (WEIGHTS.to_owned(), Values::Float(vec![rows / 2], vec![2.0 / rows as f32; rows / 2])),
        ("input_ids".to_owned(), ids),
    ]);
    for past in past_inputs(&graph) {
        feeds.insert(past.name.clone(), Values::Float(past.empty_shape(rows), Vec::new()));
    }
    for trainable in &training.trainables {
        let values = imported.values(&trainable.name).unwrap();
        feeds.insert(trainable.name.clone(), Values::Float(trainable.shape.clone(), values));
    }
    feeds.retain(|name, _| training.graph.input(name).is_some());
    let outputs = test_session(&encode(&training.graph)).run(&feeds);
    let loss = expected["loss"].as_f64().unwrap();
    assert!((f64::from(outputs[&training.loss].floats()[0]) - loss).abs() < 1e-5, "{name}");
    let mut compared = 0;
    for trainable in &training.trainables {
        let gradient = &expected["gradients"][&trainable.name];
        let Some(norm) = gradient["l2"].as_f64() else { continue };
        compared += 1;
        let found = outputs[&trainable.gradient].floats();
        let own = found.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        let whole = norm.max(1e-6);
        assert!((own - norm).abs() < TOLERANCE * whole, "{name}, {}: {own} and {norm}", trainable.name);
        let places: Vec<usize> = serde_json::from_value(gradient["places"].clone()).unwrap();
        for (place, value) in places.into_iter().zip(floats(&gradient["values"])) {
            let difference = f64::from((found[place] - value).abs());
            assert!(
                difference < TOLERANCE * whole,
                "{name}, {} at {place}: {} and {value}",
                trainable.name,
                found[place]
            );
        }
    }
    assert_eq!(compared, expected["gradients"].as_object().unwrap().len(), "every parameter is compared");
}

#[test]
fn preferences_of_gpt2_agree_with_torch() {
    check("gpt2");
}

#[test]
fn preferences_of_llama_with_past_agree_with_torch() {
    check("llama-chat");
}
