//! A data set looked into: the verdicts of a build over the whole data, and single records rendered, as they were read, or
//! before and behind one step. Nothing is written.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::UInt64Type;
use datafusion::logical_expr::LogicalPlan;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::EngineError;
use super::build::{BuildInputs, Decided, Progress, Surveyed};
pub use super::changes::Change;
use super::changes::{changes_in, found, values};
use super::narrow::Row;
use super::outcome::{AuditRow, Outcome, StepOutcomeKind};
use super::passes::{Batches, scan};
use super::read::table::LOCATION;
use super::read::{Chunk, Keep, file_and_offset, location};
use super::resolve::{Fate, Stage};
use super::spool::{Sparse, Spool};
use super::stages::Build;
use super::write::visible;
use crate::emit::{RenderError, TrainingRenderer, objects};
use crate::hir::{ColumnId, DatasetId, Program, TemplateId};
use crate::plan::personal::personal_when_emitted;
use crate::plan::template_fields;
use crate::plan::{changed_columns, column_name, raw_pass, second_pass, step_pass};

/// Verdicts over all records, and the means to look at some of them. A look keeps some tens of bytes for each record that
/// may be shown.
pub struct Preview<'p> {
    build: Build<'p>,
    decided: Decided,
    outcome: Outcome,
}

/// A record as it is emitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The columns that no label hides, labels among them.
    pub fields: Map<String, Value>,
    /// The turns of the template, where one is named.
    pub turns: Vec<Spoken>,
}

/// What a template says of a record, turn by turn.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Spoken {
    /// `system`, `user`, `assistant`, `tool`, `prompt` or `completion`.
    pub role: String,
    /// Its text.
    pub content: String,
    /// Whether the loss is on it.
    pub train: bool,
}

/// What is done with some rows and a batch of their values.
type Each<'e> = dyn FnMut(&[Row], &RecordBatch) -> Result<(), RenderError> + 'e;

impl<'p> Preview<'p> {
    /// Decides over every record, as a build does: all files are read once.
    ///
    /// # Errors
    /// What the world did. Rules over the whole set that are not met stand in the outcome.
    pub fn open(
        program: &'p Program,
        dataset: DatasetId,
        surveyed: &'p Surveyed,
        inputs: &BuildInputs,
        progress: &'p mut dyn FnMut(Progress),
    ) -> Result<Self, EngineError> {
        let mut build = Build::open(program, dataset, surveyed, inputs, progress)?;
        let decided = build.resolve(surveyed, inputs)?;
        let outcome = build.resolved(&decided).outcome()?;
        Ok(Self { build, decided, outcome })
    }

    /// What a build would find, as far as it is known before the second pass.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// A row's line in the audit.
    ///
    /// # Errors
    /// What the world did.
    pub fn about(&self, row: Row) -> Result<AuditRow<'_>, EngineError> {
        let resolved = self.build.resolved(&self.decided);
        Ok(resolved.audit_row(&resolved.life(row)?))
    }

    /// The emitted columns that may hold personal data all the same: no template and no writer of the data set sees them.
    pub fn withheld(&self) -> Vec<&str> {
        let dataset = self.build.dataset;
        let columns = dataset.columns.iter().zip(personal_when_emitted(self.build.program, dataset));
        columns
            .filter(|(column, personal)| *personal && !column.hidden)
            .map(|(column, _)| column.name.as_str())
            .collect()
    }

    /// Those of the withheld columns that a template prints.
    pub fn withheld_from(&self, template: TemplateId) -> Vec<&str> {
        let read = template_fields(&self.build.program[template].kind);
        self.withheld().into_iter().filter(|column| read.iter().any(|name| name == column)).collect()
    }

    /// What is wrong with a row that is in the quarantine; it never holds data.
    ///
    /// # Errors
    /// What the world did.
    pub fn error(&self, row: Row) -> Result<Option<String>, EngineError> {
        Ok(self.build.resolved(&self.decided).life(row)?.error)
    }

    /// The rows that are emitted, of one part where it is named, in the order of their ids, which is as good as random and
    /// always the same. One that fulfils a `forbid` is none of them, since a build would fail over it.
    ///
    /// # Errors
    /// What the world did.
    pub fn emitted(&self, part: Option<&str>) -> Result<Vec<Row>, EngineError> {
        let Decided { narrow, parts, .. } = &self.decided;
        let wanted = part.map(|name| self.build.dataset.split.parts.iter().position(|part| part == name));
        let mut forbidden = narrow.forbidden.values().map(Spool::cursor).collect::<Result<Vec<_>, _>>()?;
        let mut rows = Vec::new();
        for (row, part) in (0..).zip(parts.iter()?) {
            let Some(part) = part? else { continue };
            let mut fulfils = false;
            for flags in &mut forbidden {
                fulfils |= flags.at(row)?;
            }
            if !fulfils && wanted.is_none_or(|wanted| wanted == Some(usize::from(part))) {
                rows.push(row);
            }
        }
        self.by_id(rows)
    }

    /// The rows that a step took out, in the order of their ids.
    ///
    /// # Errors
    /// What the world did.
    pub fn taken_out(&self, step: StepOutcomeKind) -> Result<Vec<Row>, EngineError> {
        let stage = match step {
            StepOutcomeKind::Read => Stage::Read,
            StepOutcomeKind::Step(at) => Stage::Step(at as u32),
            StepOutcomeKind::Split => Stage::Split,
        };
        self.by_id(self.rows(|fate| fate.stage() == Some(stage))?)
    }

    /// The rows with such a fate.
    fn rows(&self, of: impl Fn(Fate) -> bool) -> Result<Vec<Row>, EngineError> {
        let mut rows = Vec::new();
        for (row, fate) in (0..).zip(self.decided.fates.fates.iter()?) {
            rows.extend(of(fate?).then_some(row));
        }
        Ok(rows)
    }

    /// The rows whose id begins so.
    ///
    /// # Errors
    /// What the world did.
    pub fn with_id(&self, prefix: &str) -> Result<Vec<Row>, EngineError> {
        let mut rows = Vec::new();
        for (row, id) in (0..).zip(self.decided.fates.ids.iter()?) {
            rows.extend(id?.to_string().starts_with(prefix).then_some(row));
        }
        Ok(rows)
    }

    /// The rows that a `set` or a `redact` changed, in the order of their ids: of a `set` all that reached it, of a
    /// `redact` those that are emitted.
    ///
    /// # Errors
    /// What the world did.
    pub fn changed_by(&self, step: usize) -> Result<Vec<Row>, EngineError> {
        if let Some(flags) = self.decided.narrow.changed.get(&step) {
            let mut flags = flags.cursor()?;
            let mut changed = Vec::new();
            for row in self.rows(|fate| reaches(fate, step))? {
                changed.extend(flags.at(row)?.then_some(row));
            }
            return self.by_id(changed);
        }
        let dataset = self.build.dataset;
        let columns = changed_columns(&dataset.steps[step].kind);
        let mut changed = Vec::new();
        self.visit(
            &self.rows(|fate| fate == Fate::Kept)?,
            &|scan| step_pass(dataset, &self.build.prepared, step, scan),
            &mut |rows, batch| {
                let fired =
                    |at: usize| columns.iter().any(|id| found(batch, step, *id, at).iter().any(|count| *count > 0));
                changed.extend(rows.iter().enumerate().filter(|(at, _)| fired(*at)).map(|(_, row)| *row));
                Ok(())
            },
        )?;
        self.by_id(changed)
    }

    /// Records that are kept, as they are emitted, in the order of `rows`.
    ///
    /// # Errors
    /// A template that does not render one of them.
    pub fn render(&self, rows: &[Row], template: Option<TemplateId>) -> Result<Vec<Rendered>, EngineError> {
        let (program, dataset) = (self.build.program, self.build.dataset);
        let renderer = template.map(|id| TrainingRenderer::new(program, dataset, id, &self.decided.tables));
        let renderer = renderer.transpose().map_err(EngineError::written)?;
        let mut rendered = HashMap::new();
        self.visit(rows, &|scan| second_pass(dataset, &self.build.prepared, &[], scan), &mut |rows, batch| {
            // The ids are not shown with the fields, and no template names them.
            let batch = visible(dataset, batch, StringArray::from(vec![""; rows.len()]));
            let texts = renderer.as_ref().map(|renderer| renderer.render(&batch)).transpose()?;
            for (at, (row, fields)) in rows.iter().zip(objects(&without_id(&batch))?).enumerate() {
                let turns = texts.as_ref().map_or(Vec::new(), |texts| turns(&texts[at]));
                rendered.insert(*row, Rendered { fields, turns });
            }
            Ok(())
        })?;
        Ok(rows.iter().filter_map(|row| rendered.remove(row)).collect())
    }

    /// The declared fields of rows as they were read, in the order of `rows`; of a row that cannot be read none.
    ///
    /// # Errors
    /// What the world did.
    pub fn as_read(&self, rows: &[Row]) -> Result<Vec<Map<String, Value>>, EngineError> {
        let dataset = self.build.dataset;
        let declared: Vec<_> =
            (0..).map(ColumnId).zip(&dataset.columns).filter(|(_, one)| one.label.is_none()).collect();
        let mut read = HashMap::new();
        self.visit(rows, &|scan| raw_pass(dataset, scan), &mut |rows, batch| {
            for (row, values) in rows.iter().zip(values(batch)?) {
                let field = |(id, column): &(ColumnId, &crate::hir::Column)| {
                    (column.name.clone(), values[column_name(id.0 as usize).as_str()].clone())
                };
                read.insert(*row, declared.iter().map(field).collect());
            }
            Ok(())
        })?;
        let mut ordered = rows.to_vec();
        ordered.sort_unstable();
        let mut unreadable = Sparse::new(self.decided.narrow.error.iter()?);
        for row in ordered {
            if unreadable.at(row)?.is_some() {
                read.remove(&row);
            }
        }
        Ok(rows.iter().map(|row| read.remove(row).unwrap_or_default()).collect())
    }

    /// What a `set` or a `redact` made of rows, in the order of `rows`.
    ///
    /// # Errors
    /// What the world did.
    pub fn changes(&self, step: usize, rows: &[Row]) -> Result<Vec<Vec<Change>>, EngineError> {
        let dataset = self.build.dataset;
        let program = self.build.program;
        let mut changes = HashMap::new();
        self.visit(rows, &|scan| step_pass(dataset, &self.build.prepared, step, scan), &mut |rows, batch| {
            changes.extend(rows.iter().copied().zip(changes_in(program, dataset, step, batch)?));
            Ok(())
        })?;
        Ok(rows.iter().map(|row| changes.remove(row).unwrap_or_default()).collect())
    }

    /// Runs a plan over single rows; `each` is given some of them and a batch with their values.
    fn visit(
        &self,
        rows: &[Row],
        plan: &dyn Fn(LogicalPlan) -> datafusion::common::Result<LogicalPlan>,
        each: &mut Each<'_>,
    ) -> Result<(), EngineError> {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows.dedup();
        let mut location = self.decided.narrow.location.cursor()?;
        let places = rows.iter().map(|row| location.at(*row)).collect::<Result<Vec<_>, _>>()?;
        let table = self.build.table.keeping(Arc::new(Places(places.clone())));
        let plan = plan(scan(Arc::new(table))?)?;
        self.build.workers.run(&plan, Arc::new(Batches), &mut |_, batches| {
            for batch in &batches {
                let here = batch[LOCATION].as_primitive::<UInt64Type>().values().iter();
                let here = here.map(|place| places.binary_search(place).map(|at| rows[at]));
                let here: Vec<Row> = here
                    .collect::<Result<_, _>>()
                    .expect("a row that is read again was read before, at the same place");
                match each(&here, batch) {
                    Ok(()) => {}
                    Err(error) => return Err(self.place(here[error.row], error.message)?),
                }
            }
            Ok(())
        })
    }

    /// An error with the place of its record.
    fn place(&self, row: Row, message: String) -> Result<EngineError, EngineError> {
        let about = self.about(row)?;
        Ok(EngineError::Render { file: about.file.to_owned(), line: about.line, id: about.id.to_string(), message })
    }

    /// Rows, which come in their order, in the order of their ids.
    fn by_id(&self, rows: Vec<Row>) -> Result<Vec<Row>, EngineError> {
        let mut ids = self.decided.fates.ids.cursor()?;
        let named = rows.into_iter().map(|row| Ok((ids.at(row)?, row)));
        let mut named = named.collect::<Result<Vec<_>, EngineError>>()?;
        named.sort_unstable();
        Ok(named.into_iter().map(|(_, row)| row).collect())
    }
}

/// Whether a record reaches a step and goes on behind it.
fn reaches(fate: Fate, step: usize) -> bool {
    match fate {
        Fate::Kept | Fate::Dropped(Stage::Split) | Fate::Quarantined(Stage::Split) => true,
        Fate::Dropped(Stage::Read) | Fate::Quarantined(Stage::Read) => false,
        Fate::Dropped(Stage::Step(at)) | Fate::Quarantined(Stage::Step(at)) => at as usize > step,
    }
}

/// The records at these locations, which are in order.
#[derive(Debug)]
pub(super) struct Places(pub(super) Vec<u64>);

impl Keep for Places {
    fn offsets(&self, chunk: &Chunk) -> Result<Arc<[u64]>, EngineError> {
        let first_from = |offset| self.0.partition_point(|place| *place < location(chunk.file, offset));
        let places = &self.0[first_from(chunk.start)..first_from(chunk.end)];
        Ok(places.iter().map(|place| file_and_offset(*place).1).collect())
    }
}

/// The columns of a rendered batch without the ids, whose name a field of the data may have.
fn without_id(batch: &RecordBatch) -> RecordBatch {
    let columns: Vec<usize> = (1..batch.num_columns()).collect();
    batch.project(&columns).expect("the columns are those of the batch")
}

/// The turns that a renderer wrote as JSON.
fn turns(text: &str) -> Vec<Spoken> {
    serde_json::from_str(text).expect("the renderer writes a list of turns")
}
