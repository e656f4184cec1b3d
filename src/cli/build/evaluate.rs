//! Evaluations: figures, gates, predictions.

use std::path::Path;

use serde_json::Value;

use super::Session;
use super::lower::table_path;
use super::metrics::{lower_gate, report_names};
use crate::cli::Failure;
use crate::cli::terminal::Paint;
use crate::emit::{EmitError, MISSING, Manifest, file_name, write_atomically};
use crate::engine::slice_groups;
use crate::eval::{self, Classifier, Evaluated, Evaluation, MissingRecord, Signature, TestTable};
use crate::hir::{self, Program, Task};
use crate::train::LengthLimit;

/// The key of the signature that tells whether figures are still those that would be made.
const FINGERPRINT: &str = "evaluation";

/// Evaluates one run on one part, writes the figures, and fails where a gate is not met.
pub fn evaluate(session: &mut Session<'_>, at: usize, manifest: &Manifest) -> Result<(), Failure> {
    let program: &Program = &session.spec.program;
    let evaluate = &program.evaluates[at];
    let train = &program[evaluate.train];
    let dataset = &program[evaluate.dataset];
    let name = format!("{} on {}.{}", train.name, dataset.name, evaluate.part);
    let folder = super::train::folder(&session.out, train);
    let target = folder.join("evaluation").join(format!("{}.{}", file_name(&dataset.name), file_name(&evaluate.part)));
    let figures_path = target.with_added_extension("json");
    let runtime = session.runtime()?;
    let terminal = session.terminal;
    let world = |error: &dyn std::fmt::Display| {
        terminal.error(format_args!("evaluating {name}: {error}"), None);
        Failure::World
    };
    let weights = super::train::weights(&folder);
    let fingerprint = fingerprint(evaluate, train, manifest, &weights, runtime.version());
    if let Some(figures) = unchanged(&figures_path, &fingerprint) {
        terminal.status(Paint::Dim, "Unchanged", format_args!("{name} in {}", figures_path.display()));
        if terminal.json() {
            terminal.answer(&figures);
        }
        let unmet: Vec<String> = figures["gates"].as_array().into_iter().flatten().filter_map(unmet_gate).collect();
        return conclude(session, &name, &unmet);
    }
    terminal.status(Paint::Green, "Evaluating", &name);

    let data = session.out.join(file_name(&dataset.name));
    let table = table_path(&data, train, &evaluate.part);
    let lost = data.join(MISSING);
    let (evaluation, evaluated, mut signature) = match &train.task {
        Task::Classify { label, label_column, text } => {
            // The run's columns by their names: this data set may be another one than it was trained on.
            let column = |id: &hir::ColumnId| program[train.data].columns[id.0 as usize].name.as_str();
            let by: Vec<_> = evaluate
                .slices
                .iter()
                .map(|slice| (slice.name.clone(), format!("slice:{}", slice.name), slice_groups(slice)))
                .collect();
            let missing = read_missing(&lost, &evaluate.part, &program[*label].name).map_err(|error| world(&error))?;
            let mut classifier = Classifier::open(&runtime, &folder, Some(train.length.tokens as usize), session.jobs)
                .map_err(|error| world(&error))?;
            let test = TestTable { path: &table, text: column(text), label: column(label_column), by: &by };
            let evaluated =
                eval::evaluate_classifier(&mut classifier, &test, &missing).map_err(|error| world(&error))?;
            let signature: Signature = vec![("tokenizer".to_string(), classifier.tokenizer_hash().to_string())];
            (eval::evaluate_classification(&evaluated), Some(evaluated), signature)
        }
        Task::Generate { .. } => {
            let limit = LengthLimit { tokens: train.length.tokens as usize, overflow: super::lower::overflow(train) };
            let missing = read_missing(&lost, &evaluate.part, "").map_err(|error| world(&error))?;
            let mut evaluation =
                eval::evaluate_language_model(&runtime, &folder, &table, "messages", limit, session.jobs)
                    .map_err(|error| world(&error))?;
            evaluation.figures.records += missing.len() as u64;
            let named = |(id, _, reason): (String, Option<String>, String)| MissingRecord { id, gold: None, reason };
            evaluation.missing = missing.into_iter().map(named).collect();
            (evaluation, None, Vec::new())
        }
    };
    signature.splice(
        0..0,
        [
            ("annotc".to_string(), env!("CARGO_PKG_VERSION").to_string()),
            ("spec".to_string(), manifest.spec.clone()),
            ("data".to_string(), manifest.fingerprint.clone()),
            ("split".to_string(), evaluate.part.clone()),
            ("model".to_string(), weights),
            ("runtime".to_string(), runtime.version().to_string()),
            (FINGERPRINT.to_string(), fingerprint),
        ],
    );
    std::fs::create_dir_all(folder.join("evaluation")).map_err(|error| world(&error))?;
    let written = write(&target, evaluate, &evaluation, evaluated.as_ref(), &signature);
    let gates = written.map_err(|error| world(&error))?;
    if terminal.json() {
        let text = std::fs::read_to_string(&figures_path).map_err(|error| world(&error))?;
        terminal.answer(serde_json::from_str::<Value>(&text).unwrap_or_default());
    } else {
        terminal.note(eval::evaluation_table(&evaluation, &gates));
        terminal.note(figures_path.display());
    }
    let unmet: Vec<String> = gates.iter().filter(|gate| !gate.met).map(|gate| gate.gate.to_string()).collect();
    conclude(session, &name, &unmet)
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
    let asked = format!("{:?}", (&evaluate.part, &evaluate.report, slices, gates, train.length));
    let all = serde_json::json!([env!("CARGO_PKG_VERSION"), asked, manifest.fingerprint, weights, runtime]);
    blake3::hash(all.to_string().as_bytes()).to_hex().to_string()
}

/// The figures that stand there already, where they are those that would be made.
fn unchanged(path: &Path, fingerprint: &str) -> Option<Value> {
    let figures: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    (figures["signature"][FINGERPRINT] == fingerprint).then_some(figures)
}

/// A gate of the figures' file, in words, when it is not met.
fn unmet_gate(gate: &Value) -> Option<String> {
    (gate["met"] == false).then(|| gate["require"].as_str().unwrap_or_default().to_string())
}

fn write(
    target: &Path,
    evaluate: &hir::Evaluate,
    evaluation: &Evaluation,
    evaluated: Option<&Evaluated>,
    signature: &Signature,
) -> Result<Vec<eval::GateResult>, EmitError> {
    let gates: Vec<_> = evaluate.gates.iter().map(|gate| eval::check_gate(&lower_gate(gate), evaluation)).collect();
    let json = eval::evaluation_json(evaluation, &gates, &report_names(evaluate), signature);
    let text = serde_json::to_string_pretty(&json).expect("figures are JSON") + "\n";
    write_atomically(&target.with_added_extension("json"), text.as_bytes())?;
    if let Some(evaluated) = evaluated {
        let lines = eval::predictions_jsonl(evaluated);
        write_atomically(&target.with_added_extension("predictions.jsonl"), lines.as_bytes())?;
    }
    Ok(gates)
}

/// The records that the part lost, with the value of the label where it is known.
fn read_missing(path: &Path, part: &str, label: &str) -> Result<Vec<(String, Option<String>, String)>, std::io::Error> {
    let text = std::fs::read_to_string(path)?;
    let mut missing = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        if row["part"] == part {
            let text = |value: &Value| value.as_str().map(str::to_string);
            missing.push((
                text(&row["id"]).unwrap_or_default(),
                text(&row["gold"][label]),
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
