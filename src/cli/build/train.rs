//! Training runs: skipped where nothing has changed, trained with a progress line otherwise.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

use super::lower::{self, Place};
use super::{Session, cancelled};
use crate::cli::Failure;
use crate::cli::models::model_files;
use crate::cli::terminal::{Paint, Terminal};
use crate::emit::{Digest, Manifest, PROVENANCE, file_name};
use crate::hir::{self, ModelOrigin, Program, TrainId};
use crate::runtime::{Device, memory_in_use, memory_of_machine};
use crate::shown::figure;
use crate::train::{
    self, Checkpoints, Event, Preparation, StepReport, TrainError, TrainRun, ValidationReport, tokens_folder,
};

/// The key under which the provenance keeps the fingerprint of everything that the weights depend on.
const FINGERPRINT: &str = "fingerprint";

/// The folder of a run.
pub fn folder(out: &Path, train: &hir::Train) -> PathBuf {
    out.join(file_name(&train.name))
}

/// The files of the model that a run starts from, by their names, for the lock and the fingerprint.
pub fn files_of(session: &Session<'_>, train: &hir::Train) -> Result<Vec<(String, Digest)>, Failure> {
    let Some(folder) = model_folder(session, train)? else { return Ok(Vec::new()) };
    model_files(&folder).map_err(|error| {
        session.terminal.error(error, None);
        Failure::World
    })
}

/// Trains a run, or finds that its folder holds what would be trained.
pub fn train(session: &mut Session<'_>, id: TrainId, manifest: &Manifest) -> Result<(), Failure> {
    let program: &Program = &session.spec.program;
    let train = &program[id];
    let output = folder(&session.out.folder, train);
    let data = session.out.folder.join(file_name(&program[train.data].name));
    let files = files_of(session, train)?;
    let model = model_folder(session, train)?;
    let values = lower::label_values(program, train, manifest);
    let place = Place { data: &data, model: model.as_deref(), output: &output, threads: session.jobs };
    let mut run = lower::lower_train(program, train, values, &place, Map::new());
    let tables: Vec<Value> = manifest
        .files
        .iter()
        .filter(|file| file.path.starts_with(&format!("training/{}/", file_name(lower::table_name(train)))))
        .map(|file| json!({ "path": file.path, "blake3": file.digest.blake3 }))
        .collect();
    let runtime = session.runtime(train)?;
    let fingerprint = fingerprint(&run, &tables, &files, &runtime.described());
    if is_unchanged(session, &output, &file_name(&train.name), &fingerprint)? {
        let shown = session.out.named(&output);
        session.terminal.status(Paint::Dim, "Unchanged", format_args!("{} in {}", train.name, shown.display()));
        session.terminal.target("train", &train.name, "unchanged", &shown);
        return Ok(());
    }
    run.held = runtime.device() == Device::Cuda;
    run.checkpoints = checkpoints(session, train, &output, &fingerprint, &runtime);
    run.kept_tokens = kept_tokens(session, train);
    run.memory = session.training_memory.or_else(memory_of_machine);
    run.provenance = provenance(session, train, manifest, tables, &files, fingerprint);
    run_with_progress(session, train, &run, &runtime)
}

/// Where the state of a run is kept while it goes on: one file of the cache for each folder of a run, so that a run of
/// other settings takes the place of one that was given up. A build that keeps nothing keeps none.
fn checkpoints(
    session: &Session<'_>,
    train: &hir::Train,
    output: &Path,
    fingerprint: &str,
    runtime: &crate::runtime::Runtime,
) -> Option<Checkpoints> {
    session.stages.as_ref()?;
    let output = std::path::absolute(output).unwrap_or_else(|_| output.to_path_buf());
    let name = blake3::hash(output.as_os_str().as_encoded_bytes()).to_hex();
    Some(Checkpoints {
        path: Checkpoints::folder(&session.memory.cache).join(format!("{name}.checkpoint")),
        // Weights that are gone on with must come from the same build of the library on the same kind of processor.
        fingerprint: format!("{fingerprint} {} {}", runtime.build_info(), std::env::consts::ARCH),
        every: train.checkpoint.map(lower::every),
    })
}

/// Where the tokens of a run's tables are kept, which are texts: a build that keeps nothing keeps none, and none are kept of a data set that
/// is allowed to hold what may be personal.
fn kept_tokens(session: &Session<'_>, train: &hir::Train) -> Option<PathBuf> {
    session.stages.as_ref()?;
    let statements = &session.spec.program[train.data].personal;
    let is_bare = statements.iter().any(|statement| statement.because.is_some());
    (!is_bare).then(|| tokens_folder(&session.memory.cache))
}

fn run_with_progress(
    session: &Session<'_>,
    train: &hir::Train,
    run: &TrainRun,
    runtime: &crate::runtime::Runtime,
) -> Result<(), Failure> {
    let terminal = session.terminal;
    let template = "{prefix:.green.bold} {wide_msg}";
    let bar = terminal.progress("Training", 1, template);
    bar.set_message(train.name.clone());
    let cancel = session.cancel.clone();
    let mut shown = Shown::default();
    let mut on_event = |event: Event| {
        show(terminal, &bar, train, event, &mut shown);
        if cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let result = train::train(run, runtime, &mut on_event);
    bar.finish_and_clear();
    match result {
        Ok(trained) => {
            terminal.status(
                Paint::Green,
                "Trained",
                format_args!(
                    "{}: {} steps in {}, loss {} → {}",
                    train.name,
                    trained.steps,
                    seconds(bar.elapsed()),
                    figure(shown.first_loss, 3),
                    figure(shown.last_loss, 3)
                ),
            );
            let shown = session.out.named(&run.output);
            terminal.note(shown.display());
            terminal.target("train", &train.name, "trained", &shown);
            Ok(())
        }
        Err(TrainError::Interrupted { step, kept }) => {
            let failure = cancelled(terminal);
            if let Some(line) = kept_line(step, kept) {
                terminal.note(format_args!("{}: {line}", train.name));
            }
            Err(failure)
        }
        Err(error) => {
            terminal.error(format_args!("training `{}`: {error}", train.name), None);
            Err(Failure::World)
        }
    }
}

/// What an interrupt at a step leaves of the run; nothing is to be said of one that had not begun.
fn kept_line(step: u64, kept: Option<u64>) -> Option<String> {
    match kept {
        Some(kept) if kept == step => Some(format!("step {step} is kept, and the next build goes on from it")),
        Some(kept) => Some(format!("step {step} is not kept, step {kept} is, and the next build goes on from it")),
        None => (step > 0).then(|| "no step is kept, and the next build begins the run anew".to_owned()),
    }
}

/// The losses of the first and of the last steps, smoothed over twenty.
#[derive(Default)]
struct Shown {
    first_loss: f64,
    last_loss: f64,
    last_note: u64,
    begun: bool,
}

fn show(terminal: &Terminal, bar: &ProgressBar, train: &hir::Train, event: Event, shown: &mut Shown) {
    match event {
        Event::Prepared(prepared) => bar.suspend(|| {
            if prepared.has_kept_tokens {
                let records = prepared.records;
                terminal.status(Paint::Dim, "Reused", format_args!("tokens of {records} records from the cache"));
            }
            terminal.status(Paint::Green, "Training", about(train, &prepared));
            let memory = &prepared.memory;
            terminal.note(format_args!("about {} MiB of memory: {memory}", memory.total().div_ceil(1 << 20)));
            prepared.notes.iter().for_each(|note| terminal.status(Paint::Yellow, "Note", note));
        }),
        Event::Resumed(step) => bar.suspend(|| {
            terminal.status(Paint::Green, "Resuming", format_args!("{} behind step {step}", train.name));
        }),
        Event::Note(note) => bar.suspend(|| terminal.status(Paint::Yellow, "Note", note)),
        Event::Stopped { step, best } => bar.suspend(|| {
            terminal.note(format_args!("stops at step {step}: nothing was gained since step {best}"));
        }),
        Event::Step(step) => {
            if !shown.begun {
                shown.begun = true;
                (shown.first_loss, shown.last_loss) = (step.loss, step.loss);
            }
            shown.last_loss += (step.loss - shown.last_loss) * 0.1;
            if let Some(scale) = step.skipped {
                bar.suspend(|| terminal.note(skipped_line(step.step, scale)));
            }
            let line = progress_line(&step, shown.last_loss);
            if terminal.watched() {
                bar.set_message(line);
            } else if step.step * 10 / step.steps.max(1) > shown.last_note {
                // Where nobody watches a log gets ten lines, not thousands.
                shown.last_note = step.step * 10 / step.steps.max(1);
                terminal.note(line);
            }
        }
        Event::Validated(report) => bar.suspend(|| terminal.note(validation_line(&report))),
        Event::Saving => bar.set_message(format!("{}: saving", train.name)),
    }
}

fn about(train: &hir::Train, prepared: &Preparation) -> String {
    let mut about = format!(
        "{}: {} records, {} weights, {} steps",
        train.name,
        prepared.records,
        grouped(prepared.trained_weights),
        prepared.steps
    );
    if prepared.truncated > 0 {
        about.push_str(&format!(", {} cut to length", prepared.truncated));
    }
    if prepared.muted > 0 {
        about.push_str(&format!(" ({} answers in part, which are not learnt)", prepared.muted));
    }
    if prepared.dropped > 0 {
        about.push_str(&format!(", {} too long and left out", prepared.dropped));
    }
    if prepared.lost_spans > 0 {
        about.push_str(&format!(", {} spans cut off and not learnt", prepared.lost_spans));
    }
    if prepared.inexact_spans > 0 {
        about.push_str(&format!(", {} spans inside of words, learnt as words", prepared.inexact_spans));
    }
    about
}

fn validation_line(report: &ValidationReport) -> String {
    let mut line = format!("epoch {:.2}: validation loss {}", report.epoch, figure(report.loss, 3));
    if let Some(accuracy) = report.accuracy {
        line.push_str(&format!(", accuracy {accuracy:.3}"));
    }
    if let (name, Some(measured)) = &report.figure
        && !["loss", "accuracy"].contains(&name.as_str())
    {
        line.push_str(&format!(", {name} {}", figure(*measured, 3)));
    }
    if report.best { line + ", the best so far" } else { line }
}

fn skipped_line(step: u64, scale: f64) -> String {
    format!(
        "step {step} is left out: its gradient, times {scale}, is beyond 16 bits; the loss is scaled by half of that now"
    )
}

fn progress_line(step: &StepReport, loss: f64) -> String {
    let width = 24;
    let filled = (step.step as usize * width / step.steps.max(1) as usize).min(width);
    let memory = memory_in_use().map_or(String::new(), |bytes| format!("  {} MiB", bytes >> 20));
    format!(
        "{}{} step {}/{}  epoch {:.2}  loss {}  rate {:.1e}  {} tokens/s{memory}  {} left",
        "━".repeat(filled),
        "─".repeat(width - filled),
        step.step,
        step.steps,
        step.epoch,
        figure(loss, 3),
        step.rate,
        grouped(step.tokens_per_second as usize),
        seconds(step.time_left),
    )
}

/// `1.4 s`, `2 min 5 s`.
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

/// `1,234,567`
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The folder of the model that a run starts from, where it has one.
pub fn model_folder(session: &Session<'_>, train: &hir::Train) -> Result<Option<PathBuf>, Failure> {
    let model = &session.spec.program[train.model];
    match &model.origin {
        ModelOrigin::New(_) => Ok(None),
        ModelOrigin::Folder { path, base, .. } => {
            let found = session.roots.folder(base, path, &format!("model `{}`", model.name));
            found.map(Some).map_err(|missing| {
                session.terminal.error(missing.message, Some(&missing.help));
                Failure::World
            })
        }
    }
}

/// A hash of all that the weights depend on: settings, tables, model, runtime, and this version of annotc. Threads are no part of it:
/// they change at most the rounding of sums, which is no reason to train anew.
fn fingerprint(run: &TrainRun, tables: &[Value], files: &[(String, Digest)], runtime: &str) -> String {
    let settings = format!(
        "{:?}",
        (&run.task, run.extent, run.batch, run.accumulate, &run.schedule, &run.optimizer, run.head_rate, run.clip)
    );
    let more = format!(
        "{:?}",
        (
            run.shuffle,
            run.seed,
            run.length,
            run.overflow,
            &run.tune,
            &run.selection,
            run.smooth,
            run.balanced,
            run.pack,
            (run.recompute, run.precision),
            run.pooling
        )
    );
    let model = match &run.model {
        train::ModelSource::Folder(_) => String::new(),
        new @ train::ModelSource::NewEncoder { .. } => format!("{new:?}"),
    };
    let files: Vec<_> = files.iter().map(|(name, digest)| (name, &digest.blake3)).collect();
    let all = json!([env!("CARGO_PKG_VERSION"), settings, more, model, tables, files, runtime]);
    blake3::hash(all.to_string().as_bytes()).to_hex().to_string()
}

/// BLAKE3 of a run's weights, as its provenance has it.
pub fn weights(folder: &Path) -> String {
    train::hash_model(folder).unwrap_or_default()
}

/// Whether the weights that would be trained are there already: on this machine, or published by another one.
fn is_unchanged(session: &Session<'_>, output: &Path, target: &str, fingerprint: &str) -> Result<bool, Failure> {
    let held = || recorded(output).as_deref() == Some(fingerprint);
    let is_same = |seal: &[u8]| {
        let provenance: Option<Value> = serde_json::from_slice(seal).ok();
        provenance.is_some_and(|provenance| provenance[FINGERPRINT] == fingerprint)
    };
    Ok(held() || session.out.adopt(target, PROVENANCE, is_same, session.terminal)? && held())
}

/// The fingerprint that a finished run left, where its weights are still those that it wrote.
fn recorded(folder: &Path) -> Option<String> {
    let provenance: Value = serde_json::from_slice(&std::fs::read(folder.join(PROVENANCE)).ok()?).ok()?;
    let left = provenance["weights"].as_str()?;
    (left == weights(folder)).then(|| provenance[FINGERPRINT].as_str().map(str::to_string))?
}

fn provenance(
    session: &Session<'_>,
    train: &hir::Train,
    manifest: &Manifest,
    tables: Vec<Value>,
    files: &[(String, Digest)],
    fingerprint: String,
) -> Map<String, Value> {
    let program = &session.spec.program;
    let files: Map<String, Value> =
        files.iter().map(|(name, digest)| (name.clone(), Value::from(digest.blake3.clone()))).collect();
    let entries = [
        (FINGERPRINT, Value::from(fingerprint)),
        ("annotc", env!("CARGO_PKG_VERSION").into()),
        ("spec", manifest.spec.clone().into()),
        ("run", train.name.clone().into()),
        ("dataset", json!({ "name": program[train.data].name, "fingerprint": manifest.fingerprint, "tables": tables })),
        ("base_model", json!({ "name": program[train.model].name, "files": files })),
    ];
    entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
}
