//! Evaluations: figures, gates, predictions.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Session;
use super::lower::table_path;
use super::metrics::{lower_gate, lower_generation, report_names};
use crate::cli::Failure;
use crate::cli::terminal::Paint;
use crate::emit::{EmitError, MISSING, Manifest, file_name, runs, write_atomically};
use crate::engine::slice_groups;
use crate::eval::{
    self, Classifier, ConversationTable, Embedder, Evaluation, EvaluationFile, GateResult, MissingRecord, Predictions,
    Regressor, Signature, Tagger, TestTable,
};
use crate::hir::{self, Program, Task};
use crate::runtime::Runtime;
use crate::train::{LengthLimit, MESSAGES_COLUMN, Tokenizer, TrainError, check_readings};

/// The key of the signature that tells whether figures are still those that would be made.
const FINGERPRINT: &str = "evaluation";

/// Evaluates one run on one part, writes the figures, and fails where a gate is not met.
pub fn evaluate(session: &mut Session<'_>, at: usize, manifest: &Manifest) -> Result<(), Failure> {
    let program: &Program = &session.spec.program;
    let evaluate = &program.evaluates[at];
    let train = &program[evaluate.train];
    let dataset = &program[evaluate.dataset];
    let name = format!("{} on {}.{}", train.name, dataset.name, evaluate.part);
    let folder = super::train::folder(&session.out.folder, train);
    let evaluation = format!("{}.{}", file_name(&dataset.name), file_name(&evaluate.part));
    let figures_path = runs::figures_path(&folder, &evaluation);
    let runtime = session.runtime(train)?;
    let terminal = session.terminal;
    let world = |error: &dyn std::fmt::Display| {
        terminal.error(format_args!("evaluating {name}: {error}"), None);
        Failure::World
    };
    check_readings(&folder).map_err(|error| world(&error))?;
    let weights = super::train::weights(&folder);
    let fingerprint = fingerprint(evaluate, train, manifest, &weights, &runtime.described());
    let held = |_: &Value| runs::predictions(&folder, &evaluation).is_ok();
    if let Some(figures) = unchanged(&figures_path, &fingerprint).filter(held) {
        terminal.status(
            Paint::Dim,
            "Unchanged",
            format_args!("{name} in {}", session.out.named(&figures_path).display()),
        );
        if terminal.json() {
            terminal.answer(&figures);
        }
        let unmet: Vec<String> = figures["gates"].as_array().into_iter().flatten().filter_map(unmet_gate).collect();
        return conclude(session, &name, &unmet);
    }
    terminal.status(Paint::Green, "Evaluating", &name);

    let data = session.out.folder.join(file_name(&dataset.name));
    let table = table_path(&data, train, &evaluate.part);
    let base = super::train::model_folder(session, train)?;
    let (base, threads) = (base.as_deref(), session.jobs);
    let subject = Subject { program, evaluate, train, folder: &folder, base, table: &table, threads };
    let (results, tokenizer) = subject.measure(&runtime, &data.join(MISSING)).map_err(|error| world(&error))?;
    let signature: Signature = [
        ("annotc", env!("CARGO_PKG_VERSION")),
        ("code", eval::code_hash()),
        ("spec", &manifest.spec),
        ("data", &manifest.fingerprint),
        ("split", &evaluate.part),
        ("tokenizer", &tokenizer),
        ("model", &weights),
        ("runtime", &runtime.described()),
        (FINGERPRINT, &fingerprint),
    ]
    .map(|(name, value)| (name.to_string(), value.to_string()))
    .to_vec();
    std::fs::create_dir_all(folder.join("evaluation")).map_err(|error| world(&error))?;
    let place = [&figures_path, &runs::predictions_path(&folder, &evaluation)];
    let (evaluation, gates) =
        write(place, evaluate, &results, train.seed, &signature).map_err(|error| world(&error))?;
    if terminal.json() {
        let text = std::fs::read_to_string(&figures_path).map_err(|error| world(&error))?;
        terminal.answer(serde_json::from_str::<Value>(&text).unwrap_or_default());
    } else {
        terminal.note(eval::evaluation_table(&evaluation, &gates));
        terminal.note(session.out.named(&figures_path).display());
    }
    let told = |gate: &GateResult| told(&gate.gate.to_string(), gate.reason().as_deref());
    let unmet: Vec<String> = gates.iter().filter(|gate| !gate.met).map(told).collect();
    conclude(session, &name, &unmet)
}

/// What is measured, and where it lies.
struct Subject<'a> {
    program: &'a Program,
    evaluate: &'a hir::Evaluate,
    train: &'a hir::Train,
    /// The model.
    folder: &'a Path,
    /// The model that it was trained from, where it has one.
    base: Option<&'a Path>,
    table: &'a Path,
    threads: usize,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
enum MeasureError {
    #[error(transparent)]
    Model(#[from] TrainError),
    #[error(transparent)]
    Missing(#[from] std::io::Error),
}

impl Subject<'_> {
    /// The results of all records, and the hash of the tokenizer that they were read with. `lost` is the file of the
    /// records that the data set lost.
    fn measure(&self, runtime: &Runtime, lost: &Path) -> Result<(Predictions, String), MeasureError> {
        let Self { program, evaluate, train, folder, base: _, table, threads } = *self;
        let by: Vec<_> = evaluate
            .slices
            .iter()
            .map(|slice| (slice.name.clone(), format!("slice:{}", slice.name), slice_groups(slice)))
            .collect();
        let limit = LengthLimit { tokens: train.length.tokens as usize, overflow: super::lower::overflow(train) };
        match &train.task {
            Task::Classify { label, label_column, text } => {
                // The run's columns by their names: this data set may be another one than it was trained on.
                let column = |id: &hir::ColumnId| program[train.data].columns[id.0 as usize].name.as_str();
                let missing = read_missing(lost, &evaluate.part, &program[*label].name)?;
                let mut classifier = Classifier::open(runtime, folder, Some(limit), threads)?;
                let test = TestTable { path: table, text: column(text), label: column(label_column), by: &by };
                let predictions = if classifier.is_of_several() {
                    let missing = golds(missing);
                    Predictions::Several(eval::evaluate_choices(&mut classifier, &test, &missing)?)
                } else {
                    let missing = golds(missing);
                    Predictions::Classified(eval::evaluate_classifier(&mut classifier, &test, &missing)?)
                };
                Ok((predictions, classifier.tokenizer_hash().to_string()))
            }
            Task::Tag { label, label_column, text } => {
                let column = |id: &hir::ColumnId| program[train.data].columns[id.0 as usize].name.as_str();
                let missing = read_missing(lost, &evaluate.part, &program[*label].name)?;
                let mut tagger = Tagger::open(runtime, folder, Some(limit), threads)?;
                let test = TestTable { path: table, text: column(text), label: column(label_column), by: &by };
                let evaluated = eval::evaluate_tagger(&mut tagger, &test, golds(missing))?;
                Ok((Predictions::Tagged(evaluated), tagger.tokenizer_hash().to_string()))
            }
            Task::Regress { label_column, text, .. } => {
                let column = |id: &hir::ColumnId| program[train.data].columns[id.0 as usize].name.as_str();
                let mut regressor = Regressor::open(runtime, folder, Some(limit), threads)?;
                let test = TestTable { path: table, text: column(text), label: column(label_column), by: &by };
                let missing = missing_records(lost, &evaluate.part)?;
                let numbers = eval::evaluate_regressor(&mut regressor, &test, missing)?;
                Ok((Predictions::Numbers(numbers), regressor.tokenizer_hash().to_string()))
            }
            Task::Prefer { beta, .. } => {
                let missing = missing_records(lost, &evaluate.part)?;
                let test = ConversationTable { path: table, messages: MESSAGES_COLUMN, by: &by, limit };
                let reference = self.base.ok_or_else(|| std::io::Error::other("the run has no model to begin with"))?;
                let folders = [folder, reference];
                let pairs = eval::evaluate_preferences(runtime, folders, &test, missing, *beta, threads)?;
                Ok((Predictions::Preferences(pairs), Tokenizer::load(folder)?.hash().to_string()))
            }
            Task::Embed { .. } => {
                let missing = missing_records(lost, &evaluate.part)?;
                let test = ConversationTable { path: table, messages: MESSAGES_COLUMN, by: &by, limit };
                let mut embedder = Embedder::open(runtime, folder, Some(limit), threads)?;
                let partners = eval::evaluate_partners(&mut embedder, &test, missing)?;
                Ok((Predictions::Partners(partners), embedder.tokenizer_hash().to_string()))
            }
            Task::Generate { .. } => {
                let missing = missing_records(lost, &evaluate.part)?;
                let test = ConversationTable { path: table, messages: MESSAGES_COLUMN, by: &by, limit };
                let settings = evaluate.generation.as_ref().map(lower_generation);
                let generated =
                    eval::evaluate_language_model(runtime, folder, &test, missing, settings.as_ref(), threads)?;
                Ok((Predictions::Generated(generated), Tokenizer::load(folder)?.hash().to_string()))
            }
        }
    }
}

/// Fails where a gate is not met.
fn conclude(session: &Session<'_>, name: &str, unmet: &[String]) -> Result<(), Failure> {
    if unmet.is_empty() {
        return Ok(());
    }
    let terminal = session.terminal;
    terminal.error(format_args!("{name}: not met: {}", unmet.join(", ")), Some("the model and its figures are kept"));
    Err(Failure::Unmet)
}

/// A hash of all that the figures depend on.
fn fingerprint(
    evaluate: &hir::Evaluate,
    train: &hir::Train,
    manifest: &Manifest,
    weights: &str,
    runtime: &str,
) -> String {
    let slices: Vec<_> = evaluate.slices.iter().map(|slice| (&slice.name, &slice.at)).collect();
    let gates: Vec<_> = evaluate.gates.iter().map(|gate| (&gate.metric, gate.comparison, gate.bound)).collect();
    let generation = &evaluate.generation;
    let asked =
        format!("{:?}", (&evaluate.part, &evaluate.report, slices, gates, train.length, train.seed, generation));
    let code = [env!("CARGO_PKG_VERSION"), eval::code_hash()];
    let all = serde_json::json!([code, asked, manifest.fingerprint, weights, runtime]);
    blake3::hash(all.to_string().as_bytes()).to_hex().to_string()
}

/// The figures that stand there already, where they are those that would be made.
fn unchanged(path: &Path, fingerprint: &str) -> Option<Value> {
    let figures: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    (figures["signature"][FINGERPRINT] == fingerprint).then_some(figures)
}

/// A gate of the figures' file, in words, when it is not met.
fn unmet_gate(gate: &Value) -> Option<String> {
    (gate["met"] == false).then(|| told(gate["require"].as_str().unwrap_or_default(), gate["reason"].as_str()))
}

/// A gate that is not met, with the reason where it is not the figure.
fn told(require: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| require.to_string(), |reason| format!("{require} ({reason})"))
}

/// Counts the results, measures the gates, and writes the files of figures and of predictions.
fn write(
    [figures_path, predictions_path]: [&PathBuf; 2],
    evaluate: &hir::Evaluate,
    results: &Predictions,
    seed: u64,
    signature: &Signature,
) -> Result<(Evaluation, Vec<GateResult>), EmitError> {
    let (evaluation, lines) = match results {
        Predictions::Classified(evaluated) => {
            (eval::evaluate_classification(evaluated, seed), eval::predictions_jsonl(evaluated))
        }
        Predictions::Tagged(evaluated) => (eval::evaluate_tagged(evaluated, seed), eval::tagged_jsonl(evaluated)),
        Predictions::Several(evaluated) => (eval::evaluate_several(evaluated, seed), eval::several_jsonl(evaluated)),
        Predictions::Generated(generated) => {
            let answers = evaluate.generation.as_ref().is_some_and(|generation| generation.answers);
            (eval::evaluate_generation(generated, seed), eval::generations_jsonl(generated, answers))
        }
        Predictions::Numbers(numbers) => (eval::evaluate_results(numbers, seed), eval::results_jsonl(numbers)),
        Predictions::Preferences(pairs) => (eval::evaluate_results(pairs, seed), eval::results_jsonl(pairs)),
        Predictions::Partners(partners) => (eval::evaluate_results(partners, seed), eval::results_jsonl(partners)),
    };
    let gates: Vec<_> = evaluate.gates.iter().map(|gate| eval::check_gate(&lower_gate(gate), &evaluation)).collect();
    let settings = evaluate.generation.as_ref().map(lower_generation);
    let generation = match (&settings, results) {
        (Some(settings), Predictions::Generated(generated)) => Some((settings, generated)),
        (None, Predictions::Generated(_)) => None,
        (
            _,
            Predictions::Classified(_)
            | Predictions::Several(_)
            | Predictions::Tagged(_)
            | Predictions::Numbers(_)
            | Predictions::Preferences(_)
            | Predictions::Partners(_),
        ) => None,
    };
    let json = eval::evaluation_json(&EvaluationFile {
        evaluation: &evaluation,
        gates: &gates,
        report: &report_names(evaluate),
        signature,
        predictions: blake3::hash(lines.as_bytes()).to_hex().as_str(),
        generation,
    });
    let text = serde_json::to_string_pretty(&json).expect("figures are JSON") + "\n";
    write_atomically(predictions_path, lines.as_bytes())?;
    write_atomically(figures_path, text.as_bytes())?;
    Ok((evaluation, gates))
}

/// Lost records with their true values; one that has no such value is one whose value is not known.
fn golds<G: DeserializeOwned>(missing: Vec<(String, Value, String)>) -> Vec<(String, Option<G>, String)> {
    missing.into_iter().map(|(id, gold, reason)| (id, serde_json::from_value(gold).ok(), reason)).collect()
}

/// The records that the part lost, whatever their labels are.
fn missing_records(path: &Path, part: &str) -> Result<Vec<MissingRecord>, std::io::Error> {
    let missing = read_missing(path, part, "")?;
    Ok(missing.into_iter().map(|(id, _, reason)| MissingRecord { id, gold: None, reason }).collect())
}

/// The records that the part lost, with the value of the label; null where it is not known.
fn read_missing(path: &Path, part: &str, label: &str) -> Result<Vec<(String, Value, String)>, std::io::Error> {
    let text = std::fs::read_to_string(path)?;
    let mut missing = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        if row["part"] == part {
            let text = |value: &Value| value.as_str().map(str::to_string);
            missing.push((
                text(&row["id"]).unwrap_or_default(),
                row["gold"][label].clone(),
                format!(
                    "{} by {}",
                    row["verdict"].as_str().unwrap_or_default(),
                    row["rule"].as_str().unwrap_or_default()
                ),
            ));
        }
    }
    Ok(missing)
}
