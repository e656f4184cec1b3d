//! Whole runs on tiny models: what a run promises, seen from outside.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::Map;

use super::*;
use crate::eval::{Classifier, Metric, TestTable, evaluate_classification, evaluate_classifier};
use crate::onnx;
use crate::runtime::Runtime;

/// The library, if this machine has one or can fetch it.
pub(super) fn runtime() -> Option<Runtime> {
    crate::runtime::testing::library().cloned()
}

fn skip(reason: &str) {
    writeln!(std::io::stderr(), "skipped: {reason}").expect("standard error is open");
}

pub(super) fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "{} is missing", path.display());
    skip(&format!("{} is missing", path.display()));
    None
}

const WORDS: [[&str; 4]; 3] =
    [["lost", "stolen", "missing", "gone"], ["refund", "return", "money", "back"], ["open", "new", "account", "join"]];

/// Texts of two words, of which one tells the value; lengths differ.
pub(super) fn write_texts(path: &Path, records: usize) {
    let ids: Vec<String> = (0..records).map(|index| format!("{index:032x}")).collect();
    let text = |index: usize| {
        let filler = "please ".repeat(index % 5);
        format!("{filler}{} {}", WORDS[index % 3][index / 3 % 4], ["today", "now"][index % 2])
    };
    let texts: Vec<String> = (0..records).map(text).collect();
    let labels: Vec<&str> = (0..records).map(|index| ["lost", "refund", "open"][index % 3]).collect();
    fn column(values: &[String]) -> Vec<&str> {
        values.iter().map(String::as_str).collect()
    }
    write_table(path, &[(ID_COLUMN, column(&ids)), ("text", column(&texts)), ("label", labels)]);
}

pub(super) fn run(folder: &Path) -> TrainRun {
    TrainRun {
        pooling: None,
        model: ModelSource::NewEncoder { layers: 1, hidden: 32, heads: 2, vocab: 120 },
        task: Task::Classify {
            text: "text".to_owned(),
            label: "label".to_owned(),
            values: ["lost", "refund", "open"].map(str::to_owned).to_vec(),
        },
        answers: None,
        train: folder.join("train.parquet"),
        validation: None,
        extent: Extent::Epochs(2.0),
        batch: 8,
        accumulate: 1,
        schedule: Schedule { rate: 2e-3, decay: Decay::Linear, warmup: Stretch::Share(0.1), floor: 0.0 },
        optimizer: Optimizer::AdamW(AdamW::default()),
        head_rate: Some(1e-2),
        clip: Some(1.0),
        smooth: 0.0,
        balanced: false,
        pack: false,
        recompute: false,
        precision: Precision::F32,
        shuffle: true,
        seed: 7,
        length: Some(32),
        overflow: Overflow::Refuse,
        tune: Tune::All,
        threads: 1,
        selection: Selection::default(),
        checkpoints: None,
        kept_tokens: None,
        memory: None,
        held: false,
        output: folder.join("model"),
        provenance: Map::new(),
    }
}

pub(super) fn train_quietly(run: &TrainRun, runtime: &Runtime) -> Result<(Trained, Vec<f64>), TrainError> {
    let mut losses = Vec::new();
    let trained = train(run, runtime, &mut |event| {
        if let Event::Step(report) = event {
            losses.push(report.loss);
        }
        ControlFlow::Continue(())
    })?;
    Ok((trained, losses))
}

pub(super) fn weights(folder: &Path) -> Vec<(String, Vec<f32>)> {
    let graph = onnx::load(folder).expect("the model loads");
    graph.initializers.iter().filter_map(|(name, tensor)| Some((name.clone(), tensor.to_f32()?))).collect()
}

pub(super) fn largest_difference(a: &[(String, Vec<f32>)], b: &[(String, Vec<f32>)]) -> f32 {
    assert_eq!(a.len(), b.len());
    let values = |weights: &[(String, Vec<f32>)]| -> Vec<f32> {
        weights.iter().flat_map(|(_, values)| values.clone()).collect()
    };
    values(a).iter().zip(values(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_new_encoder_learns_and_is_the_same_again() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 96);
    let mut settings = run(folder.path());
    settings.extent = Extent::Epochs(10.0);
    settings.schedule.rate = 4e-3;
    settings.validation = Some(settings.train.clone());
    (settings.selection.by, settings.selection.keep) = (Metric::Accuracy, 1);
    let (first, losses) = train_quietly(&settings, &runtime).expect("trained");
    assert_eq!(losses.len(), 120);
    assert!(losses[0] > 0.9 && losses[119] < 0.2, "{} to {}", losses[0], losses[119]);
    let (again, _) = train_quietly(&settings, &runtime).expect("trained again, over the old folder");
    assert_eq!(first, again);

    let mut classifier = Classifier::open(&runtime, &settings.output, None, 1).expect("opens");
    let table = TestTable { path: &settings.train, text: "text", label: "label", by: &[] };
    let lost = [("f".repeat(32), Some("lost".to_owned()), "too short".to_owned())];
    let evaluated = evaluate_classifier(&mut classifier, &table, &lost).expect("evaluated");
    let evaluation = evaluate_classification(&evaluated, settings.seed);
    let figures = evaluation.figures.classification.expect("a classification");
    assert_eq!(figures.records, 97);
    assert!((figures.accuracy - 96.0 / 97.0).abs() < 1e-9, "{}", figures.accuracy);
    let left: Vec<bool> = ["config.json", "metrics.jsonl", "provenance.json", "tokenizer.json"]
        .map(|name| settings.output.join(name).is_file())
        .to_vec();
    assert_eq!(left, [true; 4]);
    let entries = std::fs::read_dir(folder.path()).expect("the folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let files = names.filter(|name| !name.ends_with(".lock")).count();
    assert_eq!(files, 2, "nothing but the table, the model and its lock file is left");
}

#[test]
fn accumulation_gives_the_weights_of_the_whole_batch() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 20);
    let trained = |batch, accumulate| {
        let mut settings = run(folder.path());
        (settings.batch, settings.accumulate) = (batch, accumulate);
        let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
        (losses, weights(&settings.output))
    };
    let (whole_losses, whole) = trained(8, 1);
    let (part_losses, parts) = trained(4, 2);
    assert_eq!(whole_losses.len(), 6);
    for (whole, part) in whole_losses.iter().zip(&part_losses) {
        assert!((whole - part).abs() < 1e-5, "{whole} {part}");
    }
    // Adam divides by the root of the second moment, which blows rounding up where a gradient is nearly zero.
    let difference = largest_difference(&whole, &parts);
    assert!(difference < 1e-3, "{difference}");
}

#[test]
fn tuning_the_head_leaves_the_encoder_alone() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 16);
    let mut settings = run(folder.path());
    settings.extent = Extent::Steps(1);
    settings.schedule.rate = 1e-9;
    settings.head_rate = None;
    train_quietly(&settings, &runtime).expect("trained");
    let before = weights(&settings.output);
    settings.tune = Tune::Head;
    settings.schedule.rate = 1e-1;
    train_quietly(&settings, &runtime).expect("trained");
    let after = weights(&settings.output);
    let changed: Vec<&str> = before
        .iter()
        .zip(&after)
        .filter(|((_, before), (_, after))| before.iter().zip(after).any(|(a, b)| (a - b).abs() > 1e-4))
        .map(|((name, _), _)| name.as_str())
        .collect();
    assert_eq!(changed, ["classifier.bias", "classifier.weight"]);
}

/// The notes of a run that is stopped before its first step.
fn notes_of(run: &TrainRun, runtime: &Runtime) -> Vec<String> {
    let mut notes = Vec::new();
    let stopped = train(run, runtime, &mut |event| {
        if let Event::Prepared(prepared) = event {
            notes = prepared.notes;
        }
        ControlFlow::Break(())
    });
    assert!(matches!(stopped, Err(TrainError::Interrupted { step: 0, kept: None })), "{stopped:?}");
    notes
}

#[test]
fn what_a_run_leaves_out_or_cuts_is_told_before_the_first_step() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 16);
    let mut settings = run(folder.path());
    settings.validation = Some(folder.path().join("validation.parquet"));
    let columns = [(ID_COLUMN, vec!["f"]), ("text", vec!["lost and gone for ever and ever"]), ("label", vec!["lost"])];
    write_table(settings.validation.as_deref().expect("it was set"), &columns);
    assert_eq!(notes_of(&settings, &runtime), Vec::<String>::new());
    (settings.length, settings.overflow) = (Some(8), Overflow::Drop);
    settings.schedule.warmup = Stretch::Steps(100);
    let notes = notes_of(&settings, &runtime);
    assert!(notes.len() == 2 && notes[0].contains("warmup of 100 steps is cut to the 4 of the run"), "{notes:?}");
    assert!(notes[1].contains("the validation part is not measured: `length 8 tokens"), "{notes:?}");
}

#[test]
fn numbers_whose_loss_would_be_none_are_refused() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = run(folder.path());
    settings.task = Task::Regress { text: "text".to_owned(), label: "score".to_owned() };
    for (number, is_learnt) in
        [("1.8e19", true), ("-1.8e19", true), ("1.9e19", false), ("1e30", false), ("-1e300", false)]
    {
        let columns = [(ID_COLUMN, vec!["a", "b"]), ("text", vec!["one", "two"]), ("score", vec!["1", number])];
        write_table(&settings.train, &columns);
        if is_learnt {
            notes_of(&settings, &runtime);
            continue;
        }
        let refused = train_quietly(&settings, &runtime);
        assert!(matches!(&refused, Err(TrainError::NumberTooLarge { id }) if id == "b"), "{number}: {refused:?}");
    }
}

#[test]
fn a_head_of_the_models_own_learns_at_the_rate_of_the_head() {
    let (Some(model), Some(runtime)) = (shared("models/bert-seqcls"), runtime()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 16);
    let mut settings = run(folder.path());
    let values = ["lost", "refund", "open", "other", "none"].map(str::to_owned).to_vec();
    settings.task = Task::Classify { text: "text".to_owned(), label: "label".to_owned(), values };
    (settings.model, settings.extent, settings.schedule.rate) = (ModelSource::Folder(model), Extent::Steps(1), 1e-9);
    let trained = |head_rate| {
        let settings = TrainRun { head_rate, ..settings.clone() };
        train_quietly(&settings, &runtime).expect("trained");
        weights(&settings.output)
    };
    let (still, moved) = (trained(None), trained(Some(1e-1)));
    let changed: Vec<&str> = still
        .iter()
        .zip(&moved)
        .filter(|((_, still), (_, moved))| still.iter().zip(moved).any(|(a, b)| (a - b).abs() > 1e-4))
        .map(|((name, _), _)| name.as_str())
        .collect();
    assert_eq!(changed, ["classifier.bias", "classifier.weight"]);
}

#[test]
fn what_is_wrong_is_told_before_the_first_step() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 16);
    let check = |change: &dyn Fn(&mut TrainRun), words: &[&str]| {
        let mut settings = run(folder.path());
        change(&mut settings);
        let message = train_quietly(&settings, &runtime).expect_err("refused").to_string();
        for word in words {
            assert!(message.contains(word), "{message}");
        }
        assert!(!message.contains("please") && !settings.output.exists(), "{message}");
    };
    check(&|run| run.length = Some(4), &["6 tokens".split(' ').next().expect("a word"), "length 4 tokens", "0000"]);
    check(&|run| run.length = Some(9000), &["512"]);
    let drop_all = |run: &mut TrainRun| (run.length, run.overflow) = (Some(3), Overflow::Drop);
    let shown = ["`length 3 tokens else drop` leaves out all 16", "shortest has 4 tokens", "longest 12", "keep start"];
    check(&drop_all, &shown);
    let mut settings = run(folder.path());
    settings.output = settings.train.clone();
    let message = train_quietly(&settings, &runtime).expect_err("a file stands there").to_string();
    assert!(message.contains("was not made by annotc") && settings.train.is_file(), "{message}");
    check(&|run| run.train = run.train.with_extension("csv"), &["train.csv"]);
    check(&|run| run.schedule.rate = f64::NAN, &["rate"]);
    check(&|run| run.selection.keep = 1, &["validation"]);
    check(&|run| run.memory = Some(1 << 10), &["may take 1 MiB", "activations"]);
    let unknown = |run: &mut TrainRun| {
        if let Task::Classify { values, .. } = &mut run.task {
            values.pop();
        }
    };
    check(&unknown, &["00000002", "2 values"]);
    let explode = |run: &mut TrainRun| {
        run.schedule = Schedule { rate: 1e38, decay: Decay::Constant, warmup: Stretch::Steps(0), floor: 0.0 };
        run.optimizer = Optimizer::AdamW(AdamW { weight_decay: 1e30, ..AdamW::default() });
    };
    check(&explode, &["step 2: the", "NaN", "records 0000", "no checkpoint"]);
    let drift = |run: &mut TrainRun| {
        run.schedule = Schedule { rate: 1e3, decay: Decay::Constant, warmup: Stretch::Steps(0), floor: 0.0 };
        run.optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
        (run.clip, run.head_rate) = (None, None);
    };
    check(&drift, &["ten times that of guessing", "records 0000"]);
}
