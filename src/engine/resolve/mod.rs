//! What becomes of each record: the steps over the rows of the first pass, in order of steps and of location.
//!
//! Nothing is held for each row but what stands in the sequences of [`super::spool`]. The resolver walks them from front to
//! back: a **sweep** takes each row through as many steps as can decide over it alone, and writes its fate. A step that must
//! know all records that reach it ends a sweep: it gathers what it needs while the rows pass by, sorts it, and decides over
//! each row in the next sweep.
//!
//! **To add a step**, give it an arm in [`begin`]. One that decides over each record by itself implements [`Decide`], as in
//! [`alone`]. One that compares records implements [`Gather`], as in [`together`]: [`Gather::reach`] is given each record
//! that reaches it (a [`super::spool::Sorter`] brings what belongs together side by side, in any amount),
//! [`Gather::finish`] makes of it a [`Decide`] for the next sweep. What it must know of a record beside its id, the first
//! pass computes and [`Narrow`] keeps. Counts, audit, quarantine and outputs follow from the [`Ruling`]s.

mod alone;
mod fates;
mod identity;
mod sampled;
mod together;

use std::sync::Arc;

use super::EngineError;
use super::narrow::{Narrow, Note, Row};
use super::near::Compared;
use super::outcome::{RecordId, StepOutcome, StepOutcomeKind};
use super::spool::{Cursor, Spool};
use crate::dedup::near::Clusters;
use crate::hir::{Column, Dataset, Personal, SourceId, Step, StepKind};
use crate::label::LabelTables;
pub use fates::{Fate, Fates, Layers, Reached, Repeat, Stage};

/// What records are read again for, since no text of them is kept.
pub trait Reread {
    /// The near-duplicates among rows. They are numbered as they reach the step.
    fn near(&mut self, compared: &Compared, reached: &Reached) -> Result<Clusters, EngineError>;

    /// Tells `each` which of the rows an output cannot hold, by their place among those that reach the step and in that
    /// order, with the reason.
    fn faults(
        &mut self,
        output: usize,
        reached: &Reached,
        each: &mut dyn FnMut(u64, &'static str) -> Result<(), EngineError>,
    ) -> Result<(), EngineError>;
}

/// A record that reaches a step.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Its row.
    pub row: Row,
    /// Its identity.
    pub id: RecordId,
    /// The first step whose verdict fires; −1 when none does.
    pub verdict: i32,
}

/// What a step does to a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    /// It goes on as it is.
    Pass,
    /// It goes on, changed.
    Change,
    /// It is taken out.
    Drop,
    /// It is taken out since it repeats another record.
    Repeat {
        /// The other one's row.
        of: Row,
        /// The other one's identity.
        id: RecordId,
        /// How alike the two are, where that was measured.
        similarity: Option<f32>,
    },
    /// It is put into the quarantine: what is wrong with it.
    Quarantine(String),
}

/// A step that knows all that it needs to decide over a record.
pub trait Decide {
    /// What becomes of a record that reaches the step; records come in order of their rows.
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError>;
}

/// A step that must know all records that reach it.
pub trait Gather<'r> {
    /// Takes note of a record; records come in order of their rows.
    fn reach(&mut self, record: &Record) -> Result<(), EngineError>;

    /// Decides over the same records.
    fn finish(self: Box<Self>, reached: &Reached, again: &mut dyn Reread) -> Result<Box<dyn Decide + 'r>, EngineError>;
}

/// How a step decides.
enum Way<'r> {
    Alone(Box<dyn Decide + 'r>),
    Together(Box<dyn Gather<'r> + 'r>),
}

/// A step at work in a sweep.
pub struct Judge<'r> {
    /// What is written of the rows that it takes out.
    pub stage: Stage,
    /// What it does, counted as far as the sweep has come.
    pub outcome: StepOutcome,
    /// How it decides.
    pub decide: Box<dyn Decide + 'r>,
}

/// Carries out reading and all steps over the rows of the first pass. `keyed` says whether a file's source has a `@key`,
/// `source` which one it is.
///
/// # Errors
/// What the world did.
pub fn resolve(
    narrow: &Arc<Narrow>,
    dataset: &Dataset,
    tables: &LabelTables,
    keyed: impl Fn(usize) -> bool,
    source: &dyn Fn(usize) -> SourceId,
    again: &mut dyn Reread,
) -> Result<Fates, EngineError> {
    let mut fates = identity::identify(narrow, keyed)?;
    let mut judges = Vec::new();
    for (at, step) in dataset.steps.iter().enumerate() {
        let decide = match begin(narrow, dataset, tables, (at, step), source)? {
            Way::Alone(decide) => decide,
            Way::Together(mut gather) => {
                sweep(narrow, &mut fates, std::mem::take(&mut judges), Some(&mut *gather))?;
                gather.finish(&fates.reached(narrow), again)?
            }
        };
        let outcome = no_records(StepOutcomeKind::Step(at), &step.rule, step.line);
        judges.push(Judge { stage: Stage::Step(at as u32), outcome, decide });
    }
    sweep(narrow, &mut fates, judges, None)?;
    Ok(fates)
}

/// What a step needs to decide.
fn begin<'r>(
    narrow: &'r Narrow,
    dataset: &'r Dataset,
    tables: &LabelTables,
    (at, step): (usize, &'r Step),
    source: &'r dyn Fn(usize) -> SourceId,
) -> Result<Way<'r>, EngineError> {
    Ok(match &step.kind {
        StepKind::Set { .. } => Way::Alone(alone::set(&narrow.changed[&at])?),
        // What a `redact` changes is known when its records are written.
        StepKind::Redact { .. } => Way::Alone(Box::new(alone::Pass)),
        StepKind::DedupPieces { .. } => Way::Alone(alone::pieces(&narrow.changed[&at], at)?),
        StepKind::Drop { .. } | StepKind::Forbid { .. } | StepKind::Decontaminate { .. } => {
            Way::Alone(Box::new(alone::Fired { step: at as i32 }))
        }
        StepKind::Label { column, label, form, null_drops, .. } => {
            let name = &dataset.columns[column.0 as usize].name;
            Way::Alone(alone::label(&narrow.labels[&at], at, name, (tables.get(*label), form), *null_drops)?)
        }
        StepKind::DedupExact { .. } => Way::Together(together::exact(narrow, at)?),
        StepKind::DedupNear { scheme, keep, .. } => Way::Together(Box::new(together::near(narrow, at, *scheme, keep))),
        StepKind::Sample { taken, seed } => sampled::sample(narrow, dataset, at, (taken, *seed), source)?,
        StepKind::Pair { output } => Way::Together(Box::new(together::Pair { output: *output })),
    })
}

/// A step that no record has reached yet.
pub fn no_records(kind: StepOutcomeKind, rule: &str, line: u32) -> StepOutcome {
    StepOutcome {
        kind,
        rule: rule.to_owned(),
        line,
        records_in: 0,
        records_out: 0,
        dropped: 0,
        changed: 0,
        quarantined: 0,
        cut: None,
    }
}

/// Takes each kept row through some steps, writes its fate, and lets a step that must know all gather those that are still
/// kept. The steps' counts are added to those of earlier ones.
///
/// # Errors
/// What the world did.
pub fn sweep<'r>(
    narrow: &Narrow,
    fates: &mut Fates,
    mut judges: Vec<Judge<'r>>,
    mut gather: Option<&mut (dyn Gather<'r> + 'r)>,
) -> Result<(), EngineError> {
    if judges.is_empty() && gather.is_none() {
        return Ok(());
    }
    let (mut verdict, mut ids) = (narrow.verdict.cursor()?, fates.ids.cursor()?);
    let mut written = Written::new(narrow);
    for (row, fate) in (0..).zip(fates.fates.iter()?) {
        let mut fate = fate?;
        if fate == Fate::Kept {
            let record = record(row, &mut ids, &mut verdict)?;
            for judge in &mut judges {
                fate = judge.judge(&record, &mut written)?;
                if fate != Fate::Kept {
                    break;
                }
            }
            if let Some(gather) = &mut gather
                && fate == Fate::Kept
            {
                gather.reach(&record)?;
            }
        }
        written.fates.push(fate)?;
    }
    fates.fates = Arc::new(written.fates);
    fates.repeats.push(written.repeats);
    fates.errors.push(written.errors);
    fates.steps.extend(judges.into_iter().map(|judge| judge.outcome));
    Ok(())
}

fn record(row: Row, ids: &mut Cursor<'_, RecordId>, verdict: &mut Cursor<'_, i32>) -> Result<Record, EngineError> {
    Ok(Record { row, id: ids.at(row)?, verdict: verdict.at(row)? })
}

/// What a sweep leaves.
struct Written {
    fates: Spool<Fate>,
    repeats: Spool<Repeat>,
    errors: Spool<Note>,
}

impl Written {
    fn new(narrow: &Narrow) -> Self {
        let budget = narrow.budget();
        Self { fates: Spool::new(budget), repeats: Spool::new(budget), errors: Spool::new(budget) }
    }
}

impl Judge<'_> {
    /// Decides over a record, counts it, and writes down why it is taken out.
    fn judge(&mut self, record: &Record, written: &mut Written) -> Result<Fate, EngineError> {
        let (row, counts) = (record.row, &mut self.outcome);
        counts.records_in += 1;
        let fate = match self.decide.decide(record)? {
            Ruling::Pass => Fate::Kept,
            Ruling::Change => {
                counts.changed += 1;
                Fate::Kept
            }
            Ruling::Drop => Fate::Dropped(self.stage),
            Ruling::Repeat { of, id, similarity } => {
                written.repeats.push(Repeat::new(row, of, id, similarity))?;
                Fate::Dropped(self.stage)
            }
            Ruling::Quarantine(text) => {
                written.errors.push(Note { row, text })?;
                Fate::Quarantined(self.stage)
            }
        };
        match fate {
            Fate::Kept => counts.records_out += 1,
            Fate::Dropped(_) => counts.dropped += 1,
            Fate::Quarantined(_) => counts.quarantined += 1,
        }
        Ok(fate)
    }
}

/// Whether a column may hold personal data: then its values stand in no message.
pub fn is_personal(column: &Column) -> bool {
    match column.personal {
        Some(Personal::Any | Personal::Kinds(_)) => true,
        None => false,
    }
}

/// Whether a file's source has a `@key` field.
pub fn source_is_keyed(program: &crate::hir::Program, source: SourceId) -> bool {
    program[source].fields.iter().any(|field| field.key)
}
