use std::path::Path;

use safetensors::SafeTensors;

use super::*;
use crate::train::tests::{run, runtime, train_quietly, weights, write_texts};
use crate::train::{Extent, Tune, Width, check_targets};

fn lora(change: impl FnOnce(&mut Lora)) -> Lora {
    let mut lora = Lora {
        rank: 4,
        alpha: 8.0,
        targets: Vec::new(),
        rank_stabilized: false,
        has_magnitude: false,
        dropout: 0.0,
        base: None,
    };
    change(&mut lora);
    lora
}

#[test]
fn targets_are_ends_of_paths() {
    let module = "encoder.layer.10.attention.self.query";
    for pattern in ["query", "self.query", "*", "q*y", "layer.*.attention.*.query", "layer.1*.attention.self.q*"] {
        assert!(matches(pattern, module), "{pattern}");
    }
    for pattern in ["uery", "self", "value", "layer.0.attention.self.query", "q*z", "model.*.*.*.*.*.*.*"] {
        assert!(!matches(pattern, module), "{pattern}");
    }
}

/// A tensor of a saved adapter by the rest of its name.
fn saved(folder: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    let bytes = std::fs::read(folder.join("adapter/adapter_model.safetensors")).expect("saved");
    let file = SafeTensors::deserialize(&bytes).expect("well formed");
    let tensor = file.tensor(&format!("base_model.model.{name}")).expect(name);
    let values = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (tensor.shape().to_vec(), values)
}

const QUERY: &str = "encoder.layer.0.attention.self.query";

#[test]
fn adapters_learn_are_saved_and_are_merged_into_their_layers_alone() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 48);
    let mut settings = run(folder.path());
    settings.extent = Extent::Steps(1);
    settings.schedule.rate = 1e-9;
    settings.head_rate = None;
    train_quietly(&settings, &runtime).expect("trained");
    let before = weights(&settings.output);
    settings.extent = Extent::Epochs(20.0);
    settings.schedule.rate = 5e-2;
    // What is saved is merged into the model's own weights, whatever the run computed with.
    let ways = [(false, false, None), (false, true, Some(Width::Int8)), (true, false, Some(Width::Int4))];
    for (has_magnitude, rank_stabilized, base) in ways {
        let chosen = lora(|lora| {
            (lora.has_magnitude, lora.rank_stabilized) = (has_magnitude, rank_stabilized);
            (lora.base, lora.dropout) = (base, if base.is_some() { 0.125 } else { 0.0 });
        });
        settings.tune = Tune::Lora(chosen);
        let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
        let last = losses[losses.len() - 1];
        assert!(losses[0] > 0.9 && last < 0.7, "{} to {last}", losses[0]);
        let after = weights(&settings.output);
        let is_changed = |before: &[f32], after: &[f32]| before.iter().zip(after).any(|(a, b)| (a - b).abs() > 1e-4);
        let changed: Vec<&str> = before
            .iter()
            .zip(&after)
            .filter(|((_, before), (_, after))| is_changed(before, after))
            .map(|((name, _), _)| name.as_str())
            .collect();
        let value = "encoder.layer.0.attention.self.value.weight";
        assert_eq!(changed, ["classifier.bias", "classifier.weight", &format!("{QUERY}.weight"), value]);
        let of = |weights: &[(String, Vec<f32>)]| {
            let found = weights.iter().find(|(name, _)| *name == format!("{QUERY}.weight"));
            found.expect("the encoder has it").1.clone()
        };
        let (original, merged) = (of(&before), of(&after));
        let ((a_shape, a), (b_shape, b)) = (
            saved(&settings.output, &format!("{QUERY}.lora_A.weight")),
            saved(&settings.output, &format!("{QUERY}.lora_B.weight")),
        );
        assert_eq!((a_shape, b_shape), (vec![4, 32], vec![32, 4]));
        let scale = if rank_stabilized { 4.0 } else { 2.0 };
        let adapted = |input: usize, output: usize| -> f32 {
            original[input * 32 + output] + scale * (0..4).map(|k| a[k * 32 + input] * b[output * 4 + k]).sum::<f32>()
        };
        for output in 0..32 {
            let norm = (0..32).map(|input| adapted(input, output).powi(2)).sum::<f32>().sqrt();
            let factor = match has_magnitude {
                true => saved(&settings.output, &format!("{QUERY}.lora_magnitude_vector")).1[output] / norm,
                false => 1.0,
            };
            for input in 0..32 {
                let (expected, found) = (factor * adapted(input, output), merged[input * 32 + output]);
                assert!((expected - found).abs() < 1e-5, "{expected} {found}");
            }
        }
        let head = after.iter().find(|(name, _)| name == "classifier.weight").expect("the head");
        assert_eq!(saved(&settings.output, "classifier.weight"), (vec![3, 32], head.1.clone()));
        check_files(&settings.output, has_magnitude, rank_stabilized, base);
    }
}

fn check_files(folder: &Path, has_magnitude: bool, rank_stabilized: bool, base: Option<Width>) {
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(name)).expect("written")).expect("JSON")
    };
    let (config, provenance) = (read("adapter/adapter_config.json"), read("provenance.json"));
    assert_eq!((&config["r"], &config["lora_alpha"]), (&4.into(), &8.into()));
    assert_eq!(config["target_modules"], serde_json::json!(["query", "value"]));
    assert_eq!((&config["use_dora"], &config["use_rslora"]), (&has_magnitude.into(), &rank_stabilized.into()));
    assert_eq!((&config["task_type"], &config["modules_to_save"]), (&"FEATURE_EXTRACTION".into(), &Value::Null));
    let weights = std::fs::read(folder.join("adapter/adapter_model.safetensors")).expect("saved");
    assert_eq!(provenance["adapter"]["weights"], blake3::hash(&weights).to_hex().as_str());
    assert_eq!(provenance["settings"]["tune"], "lora");
    let (dropout, base) = match base {
        None => (0.0, "float32"),
        Some(Width::Int8) => (0.125, "int8"),
        Some(Width::Int4) => (0.125, "int4"),
    };
    assert_eq!((&config["lora_dropout"], &provenance["adapter"]["dropout"]), (&dropout.into(), &dropout.into()));
    assert_eq!(provenance["adapter"]["base"], base);
}

#[test]
fn layers_that_the_model_does_not_have_are_named_before_the_first_step() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 16);
    let mut settings = run(folder.path());
    for strange in ["q_proj", "classifier", "*.0.*.query"] {
        settings.tune = Tune::Lora(lora(|lora| lora.targets = vec!["dense".to_owned(), strange.to_owned()]));
        let message = train_quietly(&settings, &runtime).expect_err("refused").to_string();
        for word in [strange, "`query`", "`key`", "`value`", "`dense`", "`encoder.layer.0.attention.self.query`"] {
            assert!(message.contains(word), "{message}");
        }
        assert!(!settings.output.exists());
        let Tune::Lora(lora) = &settings.tune else { panic!("adapters") };
        let before = check_targets(&settings.model, &lora.targets).expect_err("refused without data").to_string();
        assert_eq!(before, message);
    }
    check_targets(&settings.model, &["dense".to_owned()]).expect("it has such layers");
    let unknown = serde_json::json!({"model_type": "unheard_of"});
    let message = choose(&[], Vec::new(), &unknown).expect_err("no layers are usual").to_string();
    assert!(message.contains("unheard_of") && message.contains("targets"), "{message}");
}
