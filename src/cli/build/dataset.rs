//! Data sets: skipped where nothing has changed, built, held against the lock, and published.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::inputs::{NotFound, Roots};
use super::reuse::{first_pass, tell_reuse};
use super::train::grouped;
use super::{Session, cancelled, lower};
use crate::cli::Failure;
use crate::cli::terminal::{Paint, Terminal};
use crate::emit::lock::Lock;
use crate::emit::{self, MANIFEST, Manifest, QUARANTINE, Statistics, file_name, verify_outputs};
use crate::engine::read::Sizes;
use crate::engine::{
    self, BuildInputs, BuildStage, Destination, EngineError, EvaluatedFiles, InputFile, Measured, MemoryLimit,
    Progress, Site, SourceFiles, Surveyed, TrainingTable, Violation,
};
use crate::hir::{DatasetId, Evaluated, LabelSchema, LabelValues, Program, SourceId, StepKind, Task};
use crate::remote::Remote;

/// Builds one data set, or finds that its folder holds what would be built. Gives its manifest.
pub fn build(session: &mut Session<'_>, id: DatasetId) -> Result<Manifest, Failure> {
    let program: &Program = &session.spec.program;
    let dataset = &program[id];
    let sources = find_inputs(program, id, &session.roots, &session.remote, session.terminal)?;
    let evaluated = find_evaluated(program, id, &session.roots, session.terminal)?;
    let given = inputs(sources, evaluated, session.jobs, session.memory.clone(), &session.cancel);
    let inputs = BuildInputs { site: session.site.clone(), stages: session.stages.clone(), ..given };
    let bar = Bar::new(session.terminal, "Building", &dataset.name);
    let surveyed = Surveyed::of(program, id, &inputs, &mut |progress| bar.show(progress))
        .map_err(|error| fail(session.terminal, &error))?;
    let files = surveyed.sources(program, id);
    for file in files.iter().flat_map(|source| &source.files).filter(|file| file.bytes == 0) {
        session.terminal.status(Paint::Yellow, "Note", format_args!("`{}` is empty", file.path));
    }
    let target = file_name(&dataset.name);
    let folder = session.out.folder.join(&target);
    let shown = session.out.named(&folder);
    let fingerprint = emit::fingerprint(program, dataset, &files);
    if let Some(manifest) = unchanged(session, &target, &fingerprint)? {
        drop(bar);
        hold_to_lock(session, &manifest)?;
        let about = format_args!("{} in {}", dataset.name, shown.display()).to_string();
        session.terminal.status(Paint::Dim, "Unchanged", about);
        session.publish(&target)?;
        session.terminal.target("dataset", &dataset.name, "unchanged", &shown);
        return Ok(manifest);
    }
    let destination = Destination { out: session.out.folder.clone(), training: training_tables(program, id) };
    let built =
        engine::build_dataset(program, id, &surveyed, &inputs, &destination, &mut |progress| bar.show(progress))
            .map_err(|error| fail(session.terminal, &error))?;
    let elapsed = bar.elapsed();
    drop(bar);
    if let Some(reuse) = &built.reuse {
        tell_reuse(session.terminal, reuse);
    }
    let Some(finished) = built.finished else {
        show_violations(session, &built.outcome.violations);
        return Err(Failure::Unmet);
    };
    hold_to_lock(session, finished.manifest())?;
    let manifest = finished.commit().map_err(|error| {
        session.terminal.error(error, None);
        Failure::World
    })?;
    session.terminal.status(
        Paint::Green,
        "Built",
        format_args!("{} in {}: {}", dataset.name, super::train::seconds(elapsed), shown.display()),
    );
    session.publish(&target)?;
    let reused = built.reuse.as_ref().map(first_pass);
    let more = reused.map(|reused| ("first_pass".to_string(), reused)).into_iter().collect();
    session.terminal.target_with("dataset", &dataset.name, "built", &shown, more);
    session.terminal.note(emit::summary(&manifest, session.terminal.summary_style()).trim_end());
    tell_unread(session, &manifest, &folder);
    tell_untrained(session.terminal, &manifest);
    Ok(manifest)
}

/// The manifest of a data set that is there already as it would be built: on this machine, or published by another one.
fn unchanged(session: &Session<'_>, target: &str, fingerprint: &str) -> Result<Option<Manifest>, Failure> {
    let folder = session.out.folder.join(target);
    let held = || {
        let old = Manifest::read(&folder).ok().flatten();
        old.filter(|old| old.fingerprint == fingerprint && verify_outputs(&folder, old))
    };
    if let Some(manifest) = held() {
        return Ok(Some(manifest));
    }
    let is_same =
        |seal: &[u8]| Manifest::parse(seal).ok().flatten().is_some_and(|seal| seal.fingerprint == fingerprint);
    let adopted = session.out.adopt(target, MANIFEST, is_same, session.terminal)?;
    Ok(if adopted { held() } else { None })
}

/// Says why, where most rows could not be read: then it is not the rows that are wrong, but what the source says of them.
fn tell_unread(session: &Session<'_>, manifest: &Manifest, folder: &Path) {
    let Some(read) = manifest.steps.first().filter(|read| read.quarantined > read.records_out) else { return };
    let statistics = Statistics::read(folder).ok().flatten();
    let Some(entry) = statistics.as_ref().and_then(|statistics| statistics.errors.first()) else { return };
    let rows = super::super::check::counted(read.records_in as usize, "row");
    session.terminal.status(
        Paint::Yellow,
        "Note",
        format_args!(
            "{} of {rows} could not be read, {} of them: {}; each stands in {}",
            grouped(read.quarantined as usize),
            grouped(entry.records as usize),
            entry.error,
            session.out.named(&folder.join(QUARANTINE)).display()
        ),
    );
}

/// Says so, where the part that models learn from has no record.
fn tell_untrained(terminal: &Terminal, manifest: &Manifest) {
    let train = manifest.splits.iter().find(|(part, _)| *part == "train");
    if train.is_some_and(|(_, part)| part.records == 0) {
        terminal.status(
            Paint::Yellow,
            "Note",
            format_args!("part `train` of {} has no records: there is nothing to learn from", manifest.dataset),
        );
    }
}

/// The tables that training runs and evaluations over this data set read: one for each run, whichever targets are asked
/// for, so that a data set does not depend on what is built beside it.
fn training_tables(program: &Program, id: DatasetId) -> Vec<TrainingTable> {
    let dataset = &program[id];
    let mut tables = Vec::new();
    for (at, train) in program.trains.iter().enumerate() {
        let mut evaluates: Vec<_> =
            program.evaluates.iter().filter(|e| e.train.0 as usize == at && e.dataset == id).collect();
        // The order of declarations decides no column.
        evaluates.sort_by(|a, b| a.part.cmp(&b.part));
        if train.data != id && evaluates.is_empty() {
            continue;
        }
        // The run's columns by their names: an evaluation's data set may be another one than the run's.
        let here = |column: &crate::hir::ColumnId| {
            let name = &program[train.data].columns[column.0 as usize].name;
            let found = dataset.columns.iter().position(|column| column.name == *name && !column.hidden);
            found.map(|at| crate::hir::ColumnId(at as u32))
        };
        let (columns, messages) = match &train.task {
            Task::Classify { label_column, text, .. }
            | Task::Regress { label_column, text, .. }
            | Task::Tag { label_column, text, .. } => {
                ([text, label_column].into_iter().filter_map(here).collect(), None)
            }
            // The label that the answers tell, by which they are compared.
            Task::Generate { template } => {
                (lower::answer_label(program, train).iter().filter_map(here).collect(), Some(*template))
            }
            Task::Prefer { template, .. } | Task::Embed { template } => (Vec::new(), Some(*template)),
        };
        let mut slices: Vec<crate::hir::Slice> = Vec::new();
        for slice in evaluates.iter().flat_map(|evaluate| &evaluate.slices) {
            if !slices.iter().any(|known| known.name == slice.name) {
                slices.push(slice.clone());
            }
        }
        tables.push(TrainingTable { name: lower::table_name(train).to_string(), columns, slices, messages });
    }
    tables
}

/// Adds a data set to the new lock, after holding it against a binding one.
fn hold_to_lock(session: &mut Session<'_>, manifest: &Manifest) -> Result<(), Failure> {
    let mut part = Lock::empty();
    part.revisions = session.remote.used();
    part.add_dataset(&session.spec.program, manifest);
    session.check_lock(&part)?;
    let spec = session.spec;
    session.lock.add_dataset(&spec.program, manifest);
    session.lock.revisions.extend(session.remote.used());
    Ok(())
}

/// The files that the records of a data set are held against.
pub fn find_evaluated(
    program: &Program,
    id: DatasetId,
    roots: &Roots,
    terminal: &Terminal,
) -> Result<Vec<EvaluatedFiles>, Failure> {
    let against = program[id].steps.iter().flat_map(|step| match &step.kind {
        StepKind::Decontaminate { against, .. } => against.as_slice(),
        _ => &[],
    });
    let mut found = Vec::new();
    for evaluated in against {
        let Evaluated::Files { path, folder } = evaluated else { continue };
        let files = roots.evaluated(folder, path).map_err(|NotFound { message, help }| {
            terminal.error(message, Some(&help));
            Failure::World
        })?;
        let files = files.into_iter().map(|file| InputFile { name: file.name, location: file.location }).collect();
        found.push(EvaluatedFiles { path: path.clone(), folder: folder.clone(), files });
    }
    Ok(found)
}

/// The files of a data set, of the sources that its labels are found in, and of those that it is held against.
pub fn find_inputs(
    program: &Program,
    id: DatasetId,
    roots: &Roots,
    remote: &Remote<'_>,
    terminal: &Terminal,
) -> Result<Vec<SourceFiles>, Failure> {
    let dataset = &program[id];
    let mut wanted: Vec<SourceId> = dataset.sources.clone();
    for label in dataset.columns.iter().filter_map(|column| column.label) {
        match &program[label].schema {
            LabelSchema::Choice(LabelValues::Found { source, .. }) => wanted.push(*source),
            LabelSchema::Choice(LabelValues::Listed(_))
            | LabelSchema::Choices(_)
            | LabelSchema::Scalar(_)
            | LabelSchema::Spans(_)
            | LabelSchema::Declared(_) => {}
        }
    }
    wanted.extend(engine::foreign_sources(dataset));
    wanted.sort();
    wanted.dedup();
    let mut sources = Vec::new();
    for source in wanted {
        let found = roots.files(&program[source], remote).map_err(|NotFound { message, help }| {
            if remote.is_cancelled() {
                return cancelled(terminal);
            }
            terminal.error(message, Some(&help));
            Failure::World
        })?;
        if !found.skipped.is_empty() {
            let (count, word) = (found.skipped.len(), program[source].format.word());
            let files = crate::cli::check::counted(count, "file");
            terminal.status(
                Paint::Yellow,
                "Skipped",
                format_args!("{files} of no `{word}` ending: {}", some(&found.skipped)),
            );
        }
        let files =
            found.files.into_iter().map(|file| InputFile { name: file.name, location: file.location }).collect();
        sources.push(SourceFiles { source, files, looked_for: program[source].paths.clone() });
    }
    Ok(sources)
}

/// The first few of some names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > SHOWN { " …" } else { "" };
    shown.join(", ") + more
}

/// What the engine is given beside the program.
pub fn inputs(
    sources: Vec<SourceFiles>,
    evaluated: Vec<EvaluatedFiles>,
    jobs: usize,
    memory: MemoryLimit,
    cancel: &Arc<AtomicBool>,
) -> BuildInputs {
    let jobs = NonZeroUsize::new(jobs).unwrap_or(NonZeroUsize::MIN);
    let (site, cancel) = (Site::Here, Arc::clone(cancel));
    BuildInputs { sources, evaluated, jobs, site, sizes: Sizes::default(), memory, cancel, stages: None }
}

/// Tells why the engine stopped.
pub fn fail(terminal: &Terminal, error: &EngineError) -> Failure {
    if matches!(error, EngineError::Interrupted) {
        return cancelled(terminal);
    }
    let help = match error {
        EngineError::BadRow { .. } => Some("mend the row, or write `on_bad_row quarantine` in the source"),
        EngineError::Misread { help, .. } => Some(*help),
        EngineError::Damaged { .. } => Some("fetch or make the file again; what stands before the damage is not used"),
        EngineError::Scratch { .. } => Some("name a folder with room with `--cache` or ANNOTC_CACHE"),
        EngineError::Header { .. } | EngineError::Schema { .. } => {
            Some("mend the file, or name the column with `@column(\"…\")` in the source's `fields`")
        }
        #[cfg(feature = "cluster")]
        EngineError::Cluster(error) => error.help(),
        EngineError::Spill(_) => Some(
            "name another folder with `--cache` or ANNOTC_CACHE, or allow more memory with `--memory` or ANNOTC_MEMORY",
        ),
        _ => None,
    };
    terminal.error(error, help);
    Failure::World
}

/// Each rule that was not met, with what was measured and where.
fn show_violations(session: &Session<'_>, violations: &[Violation]) {
    for violation in violations {
        let line = session.spec.sources.line(violation.span);
        let rule = &violation.rule;
        let place = format!("{}:{line}", session.spec.path.display());
        let help = "nothing was written; the last output is as it was";
        match &violation.measured {
            Measured::Whole(figure) => {
                session.terminal.error(format_args!("{place}: `{rule}` is not met: {figure}"), Some(help))
            }
            Measured::Values { worst, failing } => {
                let values = super::super::check::counted(*failing as usize, "value");
                session.terminal.error(format_args!("{place}: `{rule}` is not met by {values}"), Some(help));
                for (value, figure) in worst {
                    let value = value.as_deref().unwrap_or("(a value that may be personal)");
                    session.terminal.note(format_args!("{value}: {}", share_or_count(*figure)));
                }
            }
            Measured::Records { count, first } => {
                let records = super::super::check::counted(*count as usize, "record");
                session.terminal.error(format_args!("{place}: `{rule}` is violated by {records}"), Some(help));
                for place in first {
                    session.terminal.note(format_args!("{} at {}:{}", place.id, place.file, place.line));
                }
                session.terminal.note("`else drop` after the rule takes such records out instead");
            }
        }
    }
}

fn share_or_count(figure: f64) -> String {
    if figure.fract() == 0.0 { format!("{figure:.0}") } else { format!("{:.1} %", figure * 100.0) }
}

/// The progress of a data set's build.
pub struct Bar<'a> {
    bar: indicatif::ProgressBar,
    name: &'a str,
}

impl<'a> Bar<'a> {
    /// A line that says what is done to the data set of this name.
    pub fn new(terminal: &Terminal, verb: &str, name: &'a str) -> Self {
        let template = "{prefix:.green.bold} {msg} {bar:24} {percent:>3} %";
        Self { bar: terminal.progress(verb, 100, template), name }
    }

    /// Shows how far it is.
    pub fn show(&self, progress: Progress) {
        let stage = match progress.stage {
            BuildStage::Survey => "looking at the files",
            BuildStage::Decide => "deciding",
            BuildStage::Compare => "comparing",
            BuildStage::Write => "writing",
        };
        self.bar.set_length(progress.total.max(1));
        self.bar.set_position(progress.done);
        self.bar.set_message(format!("{}: {stage}", self.name));
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn elapsed(&self) -> std::time::Duration {
        self.bar.elapsed()
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
