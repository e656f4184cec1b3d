//! One record read again, to tell what each step made of it: the chunk of its file that it lies in, and nothing else.

use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use datafusion::logical_expr::LogicalPlan;
use serde_json::Value;

use super::EngineError;
use super::changes::{Change, changes_in, values};
use super::passes::{Batches, Workers, scan};
use super::preview::Places;
use super::read::survey::InputFile;
use super::read::table::{ERROR, LINE, LOCATION};
use super::read::{ChunkTable, Scratch, Sizes, Survey, Surveying};
use super::site::Site;
use crate::emit::RenderError;
use crate::emit::statistics::{Involved, involved};
use crate::hir::{ColumnId, Dataset, DatasetId, Program, SourceId, Step, StepKind};
use crate::plan::personal::personal_before;
use crate::plan::{Chain, Prepared, before_pass, column_name, step_pass};

/// The record to read again.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its source.
    pub source: SourceId,
    /// Its file as outputs name it, and where that lies.
    pub file: (&'a str, &'a Path),
    /// The folder for private files.
    pub scratch: &'a Path,
    /// BLAKE3 of the file when it was built from.
    pub blake3: &'a str,
    /// The line that the record begins on.
    pub line: u64,
    /// The steps that it reached, without the one that took it out.
    pub passed: usize,
    /// Whether the step behind them took it out.
    pub taken_out: bool,
}

/// What each step made of a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replayed {
    /// By the steps' indices, those alone that changed something.
    pub changes: Vec<(usize, Vec<Change>)>,
    /// What the step that took it out looked at, as it was then.
    pub looked: Vec<Seen>,
    /// The labels of a record that passed all steps.
    pub labels: Vec<Seen>,
}

/// A value of a record at a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The column's name.
    pub column: String,
    /// Its value.
    pub value: Value,
    /// Whether it is or was personal.
    pub personal: bool,
}

/// Why a record was not read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReplayed {
    /// The file is not the one that was built from.
    Changed,
    /// No record that can be read begins on the line.
    Unreadable,
}

/// How long a file is, counted as the places of its records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Lines of a text.
    Lines(u64),
    /// Rows of a table.
    Rows(u64),
}

/// How long a file of a source is.
///
/// # Errors
/// A file that cannot be read, or that does not hold what its source says.
pub fn extent(program: &Program, source: SourceId, file: (&str, &Path), scratch: &Path) -> Result<Extent, EngineError> {
    let cancel = AtomicBool::new(false);
    let survey = survey(program, source, file, scratch, &cancel)?;
    let surveyed = &survey.files[0];
    if surveyed.rows().is_some() {
        return Ok(Extent::Rows(surveyed.extent));
    }
    let failed = |error| EngineError::Read { path: surveyed.file.shown(), error };
    let (mut text, mut lines, mut last) = (BufReader::new(surveyed.open()?), 0, b'\n');
    loop {
        let read = text.fill_buf().map_err(failed)?;
        let Some(end) = read.last() else { break };
        (lines, last) = (lines + memchr::memchr_iter(b'\n', read).count() as u64, *end);
        let length = read.len();
        text.consume(length);
    }
    // What stands behind the last line end is a line too.
    Ok(Extent::Lines(lines + u64::from(last != b'\n')))
}

fn survey(
    program: &Program,
    source: SourceId,
    (name, location): (&str, &Path),
    scratch: &Path,
    cancel: &AtomicBool,
) -> Result<Survey, EngineError> {
    let file = InputFile { name: name.to_owned(), location: location.to_owned() };
    let scratch = &Scratch::Unnamed(scratch.to_owned());
    let mut work = Surveying { sizes: Sizes::default(), scratch, cancel, progress: &mut |_| {} };
    Survey::of(vec![(source, &program[source], file)], &mut work)
}

/// Reads one record of a data set again.
///
/// # Errors
/// What the world did; that the file has changed is told in the answer.
pub fn replay(
    program: &Program,
    dataset: DatasetId,
    asked: Asked<'_>,
) -> Result<Result<Replayed, NotReplayed>, EngineError> {
    let cancel = Arc::new(AtomicBool::new(false));
    let mut survey = survey(program, asked.source, asked.file, asked.scratch, &cancel)?;
    if survey.files[0].blake3.to_hex().as_str() != asked.blake3 {
        return Ok(Err(NotReplayed::Changed));
    }
    let at = survey.chunks.iter().rposition(|chunk| chunk.line <= asked.line);
    survey.chunks = at.map(|at| survey.chunks[at]).into_iter().collect();
    let workers = Workers::start(NonZeroUsize::MIN, &Site::Here, Arc::clone(&cancel))?;
    let columns = &program[dataset].columns;
    let table = ChunkTable::new(survey, columns, |source| &program[source], cancel);
    let mut reader = Reader { program, dataset: &program[dataset], workers, table };
    let Some(place) = reader.find(asked.line)? else { return Ok(Err(NotReplayed::Unreadable)) };
    reader.table = reader.table.keeping(Arc::new(Places(vec![place])));
    reader.replay(asked).map(Ok)
}

struct Reader<'r> {
    program: &'r Program,
    dataset: &'r Dataset,
    workers: Workers,
    table: ChunkTable,
}

impl Reader<'_> {
    /// Where the record on a line begins, if it can be read.
    fn find(&self, line: u64) -> Result<Option<u64>, EngineError> {
        let names = [LOCATION, LINE, ERROR].map(str::to_owned);
        let plan = Chain::new(scan(Arc::new(self.table.clone()))?).select(&names)?;
        let mut found = None;
        self.workers.run(&plan, Arc::new(Batches), &mut |_, batches| {
            for batch in &batches {
                let lines = batch[LINE].as_primitive::<UInt64Type>().values();
                let good = |row: &usize| batch[ERROR].is_null(*row);
                let row = lines.iter().position(|own| *own == line).filter(good);
                let places = batch[LOCATION].as_primitive::<UInt64Type>();
                found = found.or(row.map(|row| places.value(row)));
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn replay(&self, asked: Asked<'_>) -> Result<Replayed, EngineError> {
        let (program, dataset) = (self.program, self.dataset);
        let mut replayed = Replayed::default();
        let prepared = Prepared::of_nothing(dataset);
        // What is cut out of a text depends on other records, so nothing is told of what comes behind that.
        let cuts = |step: &Step| matches!(step.kind, StepKind::DedupPieces { .. });
        let known = dataset.steps.iter().position(cuts).unwrap_or(dataset.steps.len());
        for (at, step) in dataset.steps.iter().enumerate().take(asked.passed.min(known)) {
            if !matches!(step.kind, StepKind::Set { .. } | StepKind::Redact { .. }) {
                continue;
            }
            let mut changes = Vec::new();
            self.visit(&asked, &|scan| step_pass(dataset, &prepared, at, scan), &mut |batch| {
                changes.extend(changes_in(program, dataset, at, batch)?.into_iter().flatten());
                Ok(())
            })?;
            if !changes.is_empty() {
                replayed.changes.push((at, changes));
            }
        }
        if asked.taken_out && asked.passed < dataset.steps.len() {
            if asked.passed > known {
                return Ok(replayed);
            }
            let Involved { columns, withheld } = involved(program, dataset, asked.passed);
            replayed.looked = self.seen(&asked, asked.passed, &columns, &|id| withheld.contains(&id))?;
        } else if known == dataset.steps.len() {
            let labels: Vec<ColumnId> = (0..)
                .map(ColumnId)
                .zip(&dataset.columns)
                .filter(|(_, one)| one.label.is_some())
                .map(|(id, _)| id)
                .collect();
            let personal = personal_before(program, dataset, dataset.steps.len());
            let withheld = |id: ColumnId| personal[id.0 as usize].is_some();
            replayed.labels = self.seen(&asked, dataset.steps.len(), &labels, &withheld)?;
        }
        Ok(replayed)
    }

    /// The values of columns before a step.
    fn seen(
        &self,
        asked: &Asked<'_>,
        step: usize,
        columns: &[ColumnId],
        personal: &dyn Fn(ColumnId) -> bool,
    ) -> Result<Vec<Seen>, EngineError> {
        let mut seen = Vec::new();
        if columns.is_empty() {
            return Ok(seen);
        }
        self.visit(
            asked,
            &|scan| before_pass(self.dataset, &Prepared::of_nothing(self.dataset), step, columns, scan),
            &mut |batch| {
                for values in values(batch)? {
                    seen.extend(columns.iter().map(|&id| Seen {
                        column: self.dataset.columns[id.0 as usize].name.clone(),
                        value: values[column_name(id.0 as usize).as_str()].clone(),
                        personal: personal(id),
                    }));
                }
                Ok(())
            },
        )?;
        Ok(seen)
    }

    fn visit(
        &self,
        asked: &Asked<'_>,
        plan: &dyn Fn(LogicalPlan) -> datafusion::common::Result<LogicalPlan>,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), RenderError>,
    ) -> Result<(), EngineError> {
        let plan = plan(scan(Arc::new(self.table.clone()))?)?;
        let place = |error: RenderError| {
            let (file, id) = (asked.file.0.to_owned(), String::new());
            EngineError::Render { file, line: asked.line, id, message: error.message }
        };
        self.workers.run(&plan, Arc::new(Batches), &mut |_, batches| {
            batches.iter().try_for_each(|batch| each(batch).map_err(place))
        })
    }
}
