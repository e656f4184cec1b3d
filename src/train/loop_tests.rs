//! What a run promises about its loop: it goes on where it stopped, it ends where nothing is gained, it divides by what it
//! trained on.

use std::ops::ControlFlow;
use std::path::Path;

use super::decoder_tests::answers;
use super::tests::{largest_difference, run, runtime, shared, train_quietly, weights, write_texts};
use super::*;
use crate::eval::Metric;

/// A run that is stopped after some of its steps, which must be kept.
fn stop_after(run: &TrainRun, runtime: &Runtime, last: u64) {
    let stopped = train(run, runtime, &mut |event| match event {
        Event::Step(report) if report.step == last => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let error = stopped.expect_err("it was stopped");
    assert!(
        matches!(error, TrainError::Interrupted { step, kept: Some(kept) } if [step, kept] == [last; 2]),
        "{error}"
    );
    assert!(!run.output.exists());
}

/// Adapters with magnitudes, which lose a share of what they read, beside a base of these integers.
fn adapters(dropout: f64, base: Option<Width>) -> Tune {
    let (rank, alpha, targets) = (2, 4.0, Vec::new());
    Tune::Lora(Lora { rank, alpha, targets, rank_stabilized: false, has_magnitude: true, dropout, base })
}

#[test]
fn a_run_that_goes_on_is_one_that_never_stopped() {
    let Some(runtime) = runtime() else { return };
    let ways = [
        (Optimizer::AdamW(AdamW::default()), Tune::All),
        (Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01 }), Tune::All),
        (Optimizer::Adafactor(Adafactor { weight_decay: 0.0 }), Tune::All),
        (Optimizer::AdamW(AdamW::default()), adapters(0.3, Some(Width::Int8))),
    ];
    for (optimizer, tune) in ways {
        let folder = tempfile::tempdir().expect("a folder");
        write_texts(&folder.path().join("train.parquet"), 20);
        let mut whole = run(folder.path());
        whole.optimizer = optimizer;
        whole.tune = tune;
        whole.validation = Some(whole.train.clone());
        whole.selection = Selection { every: Every::Steps(2), keep: 2, ..Selection::default() };
        let (trained, _) = train_quietly(&whole, &runtime).expect("trained");
        let mut parts = whole.clone();
        parts.output = folder.path().join("again");
        let path = folder.path().join("kept/run.checkpoint");
        parts.checkpoints =
            Some(Checkpoints { path: path.clone(), fingerprint: "f".to_owned(), every: Some(Every::Steps(100)) });
        // Step 2 is stopped before it is measured, 5 within an epoch.
        stop_after(&parts, &runtime, 2);
        stop_after(&parts, &runtime, 5);
        let (again, losses) = train_quietly(&parts, &runtime).expect("trained to its end");
        assert_eq!((losses.len(), &again), (1, &trained), "one step of six was left");
        assert!(!path.exists(), "a run that is done keeps no checkpoint");
        let mut files = vec!["model.onnx", "best-2/model.onnx", "metrics.jsonl", "events.out.tfevents.annotc"];
        if matches!(whole.tune, Tune::Lora(_)) {
            files.extend(["adapter/adapter_model.safetensors", "best-2/adapter/adapter_model.safetensors"]);
        }
        for file in files {
            let read = |folder: &Path| std::fs::read(folder.join(file)).expect(file);
            assert!(read(&whole.output) == read(&parts.output), "{file} differs after {optimizer:?}, {:?}", whole.tune);
        }
        let chain = |folder: &Path| read_json(&folder.join("provenance.json")).expect("JSON");
        assert_eq!(chain(&whole.output), chain(&parts.output));
        check_uses(&whole.output, 20);
        check_uses(&whole.output.join("best-2"), 20);
    }
}

/// The chain of a run's folder says of each record what the settings say of all: it is in one micro-batch of each epoch.
fn check_uses(folder: &Path, records: usize) {
    let custody = Custody::open(folder).expect("every link holds");
    let best = custody.weights_step();
    let settings = &custody.provenance["settings"];
    let steps = match custody.provenance["rank"].as_u64() {
        Some(1) => &settings["best_step"],
        _ => &settings["other_best_steps"][0],
    };
    assert_eq!(steps, best);
    let mut seen = Vec::new();
    for at in 0..records {
        let found = custody.uses(&format!("{at:032x}"));
        let [record] = found.as_slice() else { panic!("one record has the id") };
        let epochs: Vec<u64> = record.uses.iter().map(|one| one.epoch).collect();
        assert_eq!(epochs, [1, 2], "{}", record.id);
        assert!(record.uses.iter().all(|one| one.beside.is_empty() && one.in_weights == (one.step <= best)));
        seen.extend(record.uses.iter().map(|one| (one.step, one.micro_batch, one.row)));
    }
    seen.sort_unstable();
    let steps = 1..=6_u64;
    let rows = |step: u64| if step.is_multiple_of(3) { 1..=4 } else { 1..=8 };
    assert_eq!(seen, steps.flat_map(|step| rows(step).map(move |row| (step, 1, row))).collect::<Vec<_>>());
    assert!(custody.uses("ffff").is_empty());
    let elsewhere = Custody::open(&folder.join("none")).err().expect("no run left it").to_string();
    assert!(elsewhere.contains("provenance.json`: no such file") && !elsewhere.contains("put back"), "{elsewhere}");
}

#[test]
fn a_chain_that_does_not_hold_is_told() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 20);
    let settings = run(folder.path());
    train_quietly(&settings, &runtime).expect("trained");
    let check = |file: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>, words: &str| {
        let path = settings.output.join(file);
        let before = std::fs::read(&path).expect("read");
        std::fs::write(&path, change(before.clone())).expect("written");
        let message = Custody::open(&settings.output).err().expect("it does not hold").to_string();
        assert!(message.contains(words) && message.contains("build again"), "{message}");
        std::fs::write(&path, before).expect("written");
    };
    let flip = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    check("records.parquet", &flip, "is not the list of records");
    check("model.onnx", &flip, "does not have the weights");
    let other_seed =
        |bytes: Vec<u8>| String::from_utf8(bytes).expect("JSON").replace("\"seed\": 7", "\"seed\": 8").into_bytes();
    check("provenance.json", &other_seed, "another order of the records");
    let replaced = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("JSON");
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1).into_bytes()
        }
    };
    check("config.json", &replaced("\"0\": \"lost\"", "\"0\": \"gone\""), "calls output 0 `gone`");
    check("config.json", &replaced("\"1\": \"refund\"", "\"7\": \"refund\""), "names 0 labels");
    check("config.json", &replaced("single_label", "multi_label"), "another `problem_type`");
    check("tokenizer.json", &replaced("[UNK]", "[UNX]"), "is not the one that the model was trained with");
    Custody::open(&settings.output).expect("it holds again");
}

/// Trains to the end; the notes that were told, and the steps that were done.
fn told(run: &TrainRun, runtime: &Runtime) -> (Vec<String>, usize) {
    let (mut notes, mut steps) = (Vec::new(), 0);
    let trained = train(run, runtime, &mut |event| {
        match event {
            Event::Note(note) => notes.push(note),
            Event::Step(_) => steps += 1,
            _ => {}
        }
        ControlFlow::Continue(())
    });
    trained.expect("trained");
    (notes, steps)
}

#[test]
fn a_checkpoint_of_another_run_is_none() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 20);
    let mut settings = run(folder.path());
    let path = folder.path().join("run.checkpoint");
    let of =
        |fingerprint: &str| Some(Checkpoints { path: path.clone(), fingerprint: fingerprint.to_owned(), every: None });
    settings.checkpoints = of("f");
    stop_after(&settings, &runtime, 4);
    let check = |settings: &TrainRun, words: &str| {
        let (notes, steps) = told(settings, &runtime);
        let [note] = notes.as_slice() else { panic!("it is told once: {notes:?}") };
        assert!(note.contains("run.checkpoint") && note.contains(words) && note.contains("begins anew"), "{note}");
        assert_eq!(steps, 6);
    };
    settings.checkpoints = of("g");
    check(&settings, "of a run with other settings");
    std::fs::remove_dir_all(&settings.output).expect("removed");
    settings.checkpoints = of("f");
    stop_after(&settings, &runtime, 4);
    let mut damaged = std::fs::read(&path).expect("read");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&path, damaged).expect("written");
    check(&settings, "is damaged");
}

#[test]
fn a_run_goes_on_where_no_checkpoint_can_be_kept() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 20);
    let whole = run(folder.path());
    assert_eq!(told(&whole, &runtime), (Vec::new(), 6));
    let keeping = |path: &Path| {
        let mut settings = whole.clone();
        let every = Some(Every::Steps(1));
        settings.checkpoints = Some(Checkpoints { path: path.to_owned(), fingerprint: "f".to_owned(), every });
        settings.output = folder.path().join("again");
        settings
    };
    let stopped = |settings: &TrainRun, last: u64| {
        let stopped = train(settings, &runtime, &mut |event| match event {
            Event::Step(report) if report.step == last => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        match stopped {
            Err(TrainError::Interrupted { step, kept }) => (step, kept),
            other => panic!("it was stopped: {other:?}"),
        }
    };
    // Where the folder of checkpoints should be there is a file.
    std::fs::write(folder.path().join("file"), "").expect("written");
    let below_file = keeping(&folder.path().join("file/run.checkpoint"));
    assert_eq!(stopped(&below_file, 3), (3, None));
    let (notes, steps) = told(&below_file, &runtime);
    let [note] = notes.as_slice() else { panic!("it is told once: {notes:?}") };
    assert!(note.starts_with("step 1 could not be kept: ") && note.contains("/file`: "), "{note}");
    assert_eq!(steps, 6);
    assert!(weights(&whole.output) == weights(&below_file.output));

    // A folder where the next one would be written: the one that is there stays, and is what is gone on from.
    let path = folder.path().join("run.checkpoint");
    let settings = keeping(&path);
    std::fs::remove_dir_all(&settings.output).expect("removed");
    assert_eq!(stopped(&settings, 2), (2, Some(2)));
    let older = std::fs::read(&path).expect("read");
    let part = path.with_added_extension("part");
    std::fs::create_dir(&part).expect("made");
    assert_eq!(stopped(&settings, 4), (4, Some(2)));
    assert!(std::fs::read(&path).expect("read") == older);
    let (notes, steps) = told(&settings, &runtime);
    assert!(notes[0].contains("step 3 could not be kept") && notes[0].contains("step 2 stays"), "{notes:?}");
    assert_eq!(steps, 4);
    assert!(weights(&whole.output) == weights(&settings.output));
}

#[test]
fn a_run_stops_where_nothing_is_gained_and_keeps_its_best() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 48);
    let mut settings = run(folder.path());
    settings.validation = Some(settings.train.clone());
    settings.extent = Extent::Epochs(50.0);
    // The rate is so high that the best comes early.
    settings.schedule = Schedule { rate: 0.05, decay: Decay::Constant, warmup: Stretch::Steps(0), floor: 0.0 };
    settings.selection =
        Selection { every: Every::Steps(3), by: Metric::Accuracy, patience: Some(Patience::Validations(2)), keep: 1 };
    let mut told = Vec::new();
    let mut stopped = None;
    let trained = train(&settings, &runtime, &mut |event| {
        match event {
            Event::Validated(report) => told.push((report.step, report.figure.1.expect("an accuracy"))),
            Event::Stopped { step, best } => stopped = Some((step, best)),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    let trained = trained.expect("trained");
    let best = told.iter().fold(told[0], |best, now| if now.1 > best.1 { *now } else { best });
    assert_eq!(trained.best_step, Some(best.0));
    assert_eq!(stopped, Some((trained.steps, best.0)), "{told:?}");
    assert_eq!(trained.steps, best.0 + 2 * 3, "two measurements without gain: {told:?}");
    let settings = read_json(&settings.output.join("provenance.json")).expect("JSON")["settings"].clone();
    assert_eq!((&settings["selected_by"], &settings["best_step"]), (&"accuracy".into(), &best.0.into()));
}

/// Of one batch of eight answers of unequal lengths, or of two of four: the sums are divided by all trained tokens, so
/// with gradient descent, which no division blows up, the weights are the same but for the order of additions. What adapters
/// lose is told by the records, whatever they stand beside; of GPT-2's they read rows of all texts.
#[test]
fn micro_batches_of_unequal_answers_add_up_to_the_whole_batch() {
    let Some(runtime) = runtime() else { return };
    let ways = [
        ("llama-chat", Tune::All),
        ("llama-chat", adapters(0.3, Some(Width::Int4))),
        ("gpt2", adapters(0.5, Some(Width::Int8))),
    ];
    for (model, tune) in ways {
        let Some(model) = shared(&format!("models/{model}")) else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = answers(folder.path(), model, 8, 1);
        settings.tune = tune;
        let trained = |batch, accumulate| {
            let mut settings = settings.clone();
            (settings.batch, settings.accumulate) = (batch, accumulate);
            let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
            (losses, weights(&settings.output))
        };
        let (whole_losses, whole) = trained(8, 1);
        let (part_losses, parts) = trained(4, 2);
        for (whole, part) in whole_losses.iter().zip(&part_losses) {
            assert!((whole - part).abs() < 1e-6 * whole, "{whole} {part} after {:?}", settings.tune);
        }
        let difference = largest_difference(&whole, &parts);
        assert!(difference < 1e-6, "{difference} after {:?}", settings.tune);
    }
}

/// Of two values, one stands in nine of ten records. Where weights are balanced, a model that has learnt nothing but
/// how frequent they are says both equally.
#[test]
fn balanced_weights_take_frequency_out_of_the_loss() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.parquet");
    let ids: Vec<String> = (0..20).map(|index| format!("{index:032x}")).collect();
    let labels = (0..20).map(|index| if index % 10 == 0 { "rare" } else { "often" }).collect();
    write_table(
        &path,
        &[(ID_COLUMN, ids.iter().map(String::as_str).collect()), ("text", vec!["same"; 20]), ("label", labels)],
    );
    let probability = |balanced| {
        let mut settings = run(folder.path());
        settings.task = Task::Classify {
            text: "text".to_owned(),
            label: "label".to_owned(),
            values: ["often", "rare"].map(str::to_owned).to_vec(),
        };
        (settings.balanced, settings.batch, settings.extent) = (balanced, 20, Extent::Steps(80));
        settings.schedule.rate = 5e-3;
        let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
        losses[79]
    };
    // What is left of the loss is the entropy of what cannot be told: of 9:1, and of 1:1.
    let entropy = |p: f64| -p * p.ln() - (1.0 - p) * (1.0 - p).ln();
    let (plain, balanced) = (probability(false), probability(true));
    assert!((plain - entropy(0.1)).abs() < 0.01, "{plain}");
    assert!((balanced - entropy(0.5)).abs() < 0.01, "{balanced}");
}

/// The way of a device, taken by the processor, against the way of the processor: the same sums in another order, so the weights differ
/// by what some steps of 2e-3 make of a rounding error.
#[test]
fn state_that_is_held_becomes_what_the_processor_makes_of_it() {
    let Some(runtime) = runtime() else { return };
    let sgd = |momentum, nesterov| Optimizer::Sgd(Sgd { momentum, nesterov, weight_decay: 0.01 });
    let ways = [
        (Optimizer::AdamW(AdamW::default()), Tune::All, 2),
        (Optimizer::AdamW(AdamW::default()), adapters(0.3, Some(Width::Int4)), 1),
        (sgd(0.9, true), Tune::All, 1),
        (sgd(0.0, false), Tune::All, 2),
        (Optimizer::Lion(Lion { weight_decay: 0.1, betas: [0.9, 0.99] }), Tune::Head, 1),
    ];
    for (optimizer, tune, accumulate) in ways {
        let folder = tempfile::tempdir().expect("a folder");
        write_texts(&folder.path().join("train.parquet"), 20);
        let mut settings = run(folder.path());
        (settings.optimizer, settings.tune, settings.accumulate) = (optimizer, tune, accumulate);
        (settings.batch, settings.clip) = (8 / accumulate, Some(0.1));
        let (_, losses) = train_quietly(&settings, &runtime).expect("trained by the processor");
        let mut held = settings.clone();
        (held.held, held.output) = (true, folder.path().join("held"));
        let (_, held_losses) = train_quietly(&held, &runtime).expect("trained with held state");
        for (host, held) in losses.iter().zip(&held_losses) {
            assert!((host - held).abs() < 1e-4, "{losses:?} and {held_losses:?} after {optimizer:?}");
        }
        let difference = largest_difference(&weights(&settings.output), &weights(&held.output));
        assert!(difference < 1e-4, "{difference} after {optimizer:?}, {:?}", settings.tune);

        let mut parts = held.clone();
        parts.output = folder.path().join("again");
        let path = folder.path().join("run.checkpoint");
        parts.checkpoints = Some(Checkpoints { path, fingerprint: "f".to_owned(), every: None });
        stop_after(&parts, &runtime, 2);
        let (_, rest) = train_quietly(&parts, &runtime).expect("trained to its end");
        assert_eq!(rest.len(), held_losses.len() - 2);
        assert!(weights(&held.output) == weights(&parts.output), "goes on where it stopped: {optimizer:?}");
    }
}

#[test]
fn held_state_has_no_rows_and_columns() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 20);
    let mut settings = run(folder.path());
    (settings.held, settings.optimizer) = (true, Optimizer::Adafactor(Adafactor { weight_decay: 0.0 }));
    let error = train_quietly(&settings, &runtime).expect_err("refused").to_string();
    assert!(error.contains("adafactor"), "{error}");
}
