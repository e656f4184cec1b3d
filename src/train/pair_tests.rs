//! Whole runs over pairs: what the loss begins at, that it does not depend on how a step is cut, and that a run goes on.

use std::ops::ControlFlow;
use std::path::Path;

use super::tests::{largest_difference, run, runtime, shared, train_quietly, weights};
use super::*;

/// Questions with two answers; the chosen one says the number.
fn write_pairs(path: &Path, records: usize, rejected: &dyn Fn(usize) -> String) {
    let pair = |index: usize| {
        let number = ["one", "two", "three", "four"][index % 4];
        serde_json::json!([
            {"role": "prompt", "content": format!("How many {}is {number}?", "really ".repeat(index % 3)), "train": false},
            {"role": "chosen", "content": format!("It is {number}."), "train": true},
            {"role": "rejected", "content": rejected(index), "train": true},
        ])
        .to_string()
    };
    let (ids, pairs): (Vec<String>, Vec<String>) = (0..records).map(|n| (format!("{n:032x}"), pair(n))).unzip();
    let texts = |texts: &'_ [String]| texts.to_vec();
    let (ids, pairs) = (texts(&ids), texts(&pairs));
    let columns = [(ID_COLUMN, &ids), ("messages", &pairs)];
    write_table(path, &columns.map(|(name, column)| (name, column.iter().map(String::as_str).collect())));
}

fn preferences(folder: &Path, model: std::path::PathBuf) -> TrainRun {
    let mut settings = run(folder);
    write_pairs(&settings.train, 8, &|_| "I cannot know that.".to_owned());
    settings.model = ModelSource::Folder(model);
    settings.task = Task::Prefer { messages: "messages".to_owned(), beta: 0.5 };
    settings.length = Some(64);
    (settings.extent, settings.schedule.rate, settings.head_rate) = (Extent::Steps(3), 1e-2, None);
    settings
}

#[test]
fn preferences_begin_at_the_model_itself_and_add_up() {
    let (Some(model), Some(runtime)) = (shared("models/gpt2"), runtime()) else { return };
    let adapters = Lora {
        rank: 2,
        alpha: 4.0,
        targets: Vec::new(),
        rank_stabilized: false,
        has_magnitude: false,
        dropout: 0.0,
        base: None,
    };
    for tune in [Tune::All, Tune::Lora(adapters)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = preferences(folder.path(), model.clone());
        settings.tune = tune;
        settings.optimizer = Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 });
        let trained = |batch, accumulate| {
            let mut settings = settings.clone();
            (settings.batch, settings.accumulate) = (batch, accumulate);
            let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
            (losses, weights(&settings.output))
        };
        let (whole_losses, whole) = trained(8, 1);
        assert!((whole_losses[0] - 2.0_f64.ln()).abs() < 1e-5, "against itself nothing is preferred: {whole_losses:?}");
        assert!(whole_losses[2] < whole_losses[0], "{whole_losses:?}");
        let (part_losses, parts) = trained(4, 2);
        for (whole, part) in whole_losses.iter().zip(&part_losses) {
            assert!((whole - part).abs() < 1e-5 * whole, "{whole} {part}");
        }
        let difference = largest_difference(&whole, &parts);
        assert!(difference < 1e-5, "{difference}");
    }
}

#[test]
fn preferences_go_on_against_the_same_reference() {
    let (Some(model), Some(runtime)) = (shared("models/gpt2"), runtime()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut whole = preferences(folder.path(), model);
    (whole.batch, whole.validation) = (4, Some(whole.train.clone()));
    let (trained, _) = train_quietly(&whole, &runtime).expect("trained");
    let mut parts = whole.clone();
    parts.output = folder.path().join("again");
    let path = folder.path().join("run.checkpoint");
    parts.checkpoints = Some(Checkpoints { path, fingerprint: "f".to_owned(), every: Some(Every::Steps(1)) });
    let stopped = train(&parts, &runtime, &mut |event| match event {
        Event::Step(report) if report.step == 2 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(stopped, Err(TrainError::Interrupted { step: 2, kept: Some(2) })));
    let (again, losses) = train_quietly(&parts, &runtime).expect("trained to its end");
    assert_eq!((losses.len(), again), (1, trained));
    let metrics = |run: &TrainRun| std::fs::read_to_string(run.output.join("metrics.jsonl")).expect("metrics");
    assert_eq!(metrics(&whole), metrics(&parts));
    assert!(metrics(&whole).contains("\"reward_margin\":"), "{}", metrics(&whole));
}

#[test]
fn equal_answers_are_told_of() {
    let (Some(model), Some(runtime)) = (shared("models/gpt2"), runtime()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = preferences(folder.path(), model);
    write_pairs(&settings.train, 8, &|index| if index == 5 { "It is two.".to_owned() } else { "No.".to_owned() });
    let error = train_quietly(&settings, &runtime).expect_err("a pair of equal answers");
    let TrainError::SamePair { count: 1, ids, .. } = &error else { panic!("{error}") };
    assert_eq!(ids, &[format!("{:032x}", 5)]);
    assert!(!error.to_string().contains("two"), "{error}");
}
