//! Runs with products of 16-bit floats: nearly the losses of 32 bits, and steps that are left out where the range does not do.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use super::table::tests::write_columns;
use super::tests::{largest_difference, run, runtime, train_quietly, weights, write_texts};
use super::*;

/// A run whose first gradients are beyond 16 bits when they are scaled: numbers around 10 are learnt, one record at a time.
fn of_large_numbers(folder: &Path) -> TrainRun {
    let mut settings = run(folder);
    let ids = (0..24).map(|record| format!("{record:032x}"));
    let texts = (0..24).map(|record| ["one of them", "another one", "the last"][record % 3]);
    let numbers = (0..24).map(|record| f64::from([9, 10, 11][record % 3]));
    let columns: [(&str, ArrayRef); 3] = [
        (ID_COLUMN, Arc::new(StringArray::from_iter_values(ids))),
        ("text", Arc::new(StringArray::from_iter_values(texts))),
        ("score", Arc::new(Float64Array::from_iter_values(numbers))),
    ];
    write_columns(&settings.train, &columns);
    settings.task = Task::Regress { text: "text".to_owned(), label: "score".to_owned() };
    settings.precision = Precision::F16;
    (settings.batch, settings.extent) = (1, Extent::Steps(12));
    settings
}

fn lines(run: &TrainRun) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.output.join("metrics.jsonl")).expect("metrics");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn sixteen_bits_learn_nearly_what_32_do() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 24);
    let plain = run(folder.path());
    let (_, losses) = train_quietly(&plain, &runtime).expect("trained");
    assert!(lines(&plain)[0].get("loss_scale").is_none());
    for (precision, name, tolerance) in [(Precision::F16, "f16", 1e-2), (Precision::Bf16, "bf16", 5e-2)] {
        let settings = TrainRun { precision, ..plain.clone() };
        let mut notes = Vec::new();
        let mut half = Vec::new();
        train(&settings, &runtime, &mut |event| {
            match event {
                Event::Prepared(prepared) => notes = prepared.notes,
                Event::Step(report) => half.push(report.loss),
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .expect("trained");
        assert!(notes.iter().any(|note| note.contains(&format!("`precision {name}`"))), "{notes:?}");
        assert!(losses.iter().zip(&half).any(|(plain, half)| plain != half), "{name}: nothing was rounded");
        for (plain, half) in losses.iter().zip(&half) {
            assert!((plain - half).abs() < tolerance * plain, "{name}: {plain} {half}");
        }
        assert_eq!(lines(&settings)[0].get("loss_scale").is_some(), precision == Precision::F16);
        let provenance = read_json(&settings.output.join("provenance.json")).expect("JSON");
        assert_eq!(provenance["settings"]["precision"], name);
        let graph = crate::onnx::load(&settings.output).expect("the model loads");
        let is_half = |tensor: &crate::onnx::Tensor| tensor.element().is_float() && tensor.to_f32().is_none();
        assert!(!graph.initializers.values().any(is_half), "the model has weights of 32 bits");
    }
}

#[test]
fn a_gradient_beyond_16_bits_leaves_its_step_out_and_halves_the_scale() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = of_large_numbers(folder.path());
    let mut skipped = Vec::new();
    train(&settings, &runtime, &mut |event| {
        if let Event::Step(report) = event {
            skipped.push(report.skipped);
        }
        ControlFlow::Continue(())
    })
    .expect("trained");
    assert_eq!(skipped[0], Some(65_536.0), "{skipped:?}");
    assert_eq!(skipped.last(), Some(&None), "{skipped:?}");
    let lines = lines(&settings);
    let mut scale = 65_536.0;
    for (line, skipped) in lines.iter().zip(&skipped) {
        assert_eq!((&line["loss_scale"], &line["skipped"]), (&scale.into(), &skipped.is_some().into()), "{line}");
        assert_eq!(line["gradient_norm"].is_null(), skipped.is_some(), "{line}");
        scale /= if skipped.is_some() { 2.0 } else { 1.0 };
    }
    // A run that ends with the step that was left out has the weights of the beginning, as one without a rate has.
    let first = TrainRun { extent: Extent::Steps(1), ..settings.clone() };
    let mut still = TrainRun { precision: Precision::F32, ..first.clone() };
    still.optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
    (still.schedule.rate, still.head_rate, still.output) = (1e-30, None, folder.path().join("still"));
    for settings in [&first, &still] {
        train_quietly(settings, &runtime).expect("trained");
    }
    assert!(largest_difference(&weights(&first.output), &weights(&still.output)) < 1e-20);
}

#[test]
fn a_scaled_run_that_goes_on_is_one_that_never_stopped() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let whole = of_large_numbers(folder.path());
    train_quietly(&whole, &runtime).expect("trained");
    let path = folder.path().join("kept/run.checkpoint");
    let parts = TrainRun {
        output: folder.path().join("again"),
        checkpoints: Some(Checkpoints { path, fingerprint: "f".to_owned(), every: Some(Every::Steps(100)) }),
        ..whole.clone()
    };
    for last in [1, 10] {
        let stopped = train(&parts, &runtime, &mut |event| match event {
            Event::Step(report) if report.step == last => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        assert!(matches!(stopped, Err(TrainError::Interrupted { kept: Some(_), .. })));
    }
    train_quietly(&parts, &runtime).expect("trained to its end");
    for file in ["model.onnx", "metrics.jsonl"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).expect(file);
        assert!(read(&whole.output) == read(&parts.output), "{file} differs");
    }
}

#[test]
fn a_step_that_is_left_out_leaves_nothing_in_held_sums() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = of_large_numbers(folder.path());
    settings.optimizer = Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 });
    settings.accumulate = 2;
    let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
    let skipped = lines(&settings).iter().filter(|line| line["skipped"] == true).count();
    assert!((1..12).contains(&skipped), "{skipped}");
    settings.held = true;
    let (_, held) = train_quietly(&settings, &runtime).expect("trained");
    for (host, held) in losses.iter().zip(&held) {
        assert!((host - held).abs() < 1e-3 * host, "{host} {held}");
    }
}
