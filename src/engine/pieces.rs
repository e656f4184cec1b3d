//! What `dedup` of lines, sentences and substrings cuts out: found before the first pass, since the rules behind it see the
//! texts without it.
//!
//! Whether a line occurred before depends on which records reach the rule. So the rules before it are carried out as a data
//! set of their own, up to the fates of their records; then the texts of those that are kept are read once. Their pieces are
//! sorted, in memory as far as there is some and else in files, so that those that repeat each other come side by side.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;

use super::EngineError;
use super::build::{Again, Stage};
use super::passes::{ChunkWork, scan};
use super::read::table::LOCATION;
use super::resolve::{Reached, resolve, source_is_keyed};
use super::spool::{Budget, Sorter, item};
use super::stages::{Build, Reckoning};
use crate::dedup::pieces::{Occurrence, Pieces, Repeats, join_places};
use crate::hir::{ColumnId, Dataset, Split, StepKind};
use crate::label::LabelTables;
use crate::plan::{Cuts, before_pass, column_name};

/// Takes texts apart and lets them go.
struct Apart {
    column: String,
    pieces: Pieces,
}

item!(fixed Occurrence { key: [u8; 16], text: u64, start: u32, end: u32 });

impl ChunkWork for Apart {
    type Chunk = ();
    type Piece = Vec<Occurrence>;

    fn begin(&self, _: usize) -> Result<(), EngineError> {
        Ok(())
    }

    fn batch(&self, (): &(), _: usize, batch: RecordBatch) -> Result<Self::Piece, EngineError> {
        Ok(taken_apart(&batch, &self.column, self.pieces))
    }
}

/// The pieces of a batch's texts, which are numbered by the places of their records.
pub fn taken_apart(batch: &RecordBatch, column: &str, pieces: Pieces) -> Vec<Occurrence> {
    let locations = batch[LOCATION].as_primitive::<UInt64Type>().values().iter();
    let mut found = Vec::new();
    for (location, text) in locations.zip(batch[column].as_string::<i32>()) {
        if let Some(text) = text {
            pieces.cut_into(*location, text, &mut found);
        }
    }
    found
}

/// A place that is cut out of the text of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    location: u64,
    start: u32,
    end: u32,
}

item!(fixed Place { location: u64, start: u32, end: u32 });

/// The pieces of texts, gathered and compared.
pub struct Gathered {
    kind: Pieces,
    occurrences: Sorter<Occurrence>,
    budget: Arc<Budget>,
}

impl Gathered {
    /// None yet.
    pub fn new(kind: Pieces, budget: &Arc<Budget>) -> Self {
        Self { kind, occurrences: Sorter::new(budget), budget: Arc::clone(budget) }
    }

    /// Adds pieces in any order.
    ///
    /// # Errors
    /// What does not fit into memory cannot be written.
    pub fn add(&mut self, pieces: Vec<Occurrence>) -> Result<(), EngineError> {
        Ok(pieces.into_iter().try_for_each(|piece| self.occurrences.push(piece))?)
    }

    /// What repeats something before it.
    ///
    /// # Errors
    /// A file cannot be written or read.
    pub fn finish(self) -> Result<Cuts, EngineError> {
        let (mut repeats, mut places) = (Repeats::of(self.kind), Sorter::new(&self.budget));
        for one in self.occurrences.finish()?.iter()? {
            let one = one?;
            if repeats.next(&one) {
                places.push(Place { location: one.text, start: one.start, end: one.end })?;
            }
        }
        let mut cuts = Cuts::default();
        let mut of_record: Vec<Range<u32>> = Vec::new();
        let mut record = 0;
        for place in places.finish()?.iter()? {
            let place = place?;
            if place.location != record {
                cuts.push(record, join_places(std::mem::take(&mut of_record)));
                record = place.location;
            }
            of_record.push(place.start..place.end);
        }
        cuts.push(record, join_places(of_record));
        Ok(cuts)
    }
}

/// A data set up to a step, without anything behind it.
pub fn up_to(dataset: &Dataset, step: usize) -> Dataset {
    Dataset {
        steps: dataset.steps[..step].to_vec(),
        requirements: Vec::new(),
        split: Split::all_train(),
        outputs: Vec::new(),
        ..dataset.clone()
    }
}

impl Build<'_> {
    /// Finds what each step of the data set cuts out of texts.
    pub(super) fn find_cuts(&mut self) -> Result<(), EngineError> {
        for (at, step) in self.dataset.steps.iter().enumerate() {
            if let StepKind::DedupPieces { column, pieces } = step.kind {
                let cuts = self.cuts(at, column, pieces)?;
                self.prepared.cuts.insert(at, Arc::new(cuts));
            }
        }
        Ok(())
    }

    fn cuts(&mut self, step: usize, column: ColumnId, pieces: Pieces) -> Result<Cuts, EngineError> {
        let before = up_to(self.dataset, step);
        let reached = self.reaching(&before)?;
        let table = self.table.keeping(Arc::new(reached));
        let plan = before_pass(&before, &self.prepared, step, &[column], scan(Arc::new(table))?)?;
        let apart = Apart { column: column_name(column.0 as usize), pieces };
        let mut gathered = Gathered::new(pieces, &self.budget);
        let (reckoning, progress) = (Reckoning::of(self.survey, Stage::Compare), &mut *self.progress);
        self.workers.run(&plan, Arc::new(apart), &mut |chunk, texts| {
            texts.into_iter().try_for_each(|pieces| gathered.add(pieces))?;
            progress(reckoning.at(chunk));
            Ok(())
        })?;
        gathered.finish()
    }

    /// The records that all steps of a data set keep.
    fn reaching(&mut self, before: &Dataset) -> Result<Reached, EngineError> {
        let (program, survey) = (self.program, self.survey);
        let narrow = Arc::new(self.decide(before)?);
        let keyed = |file: usize| source_is_keyed(program, survey.files[file].source);
        let source = |file: usize| survey.files[file].source;
        // Labels come behind all cleaning, so none of these steps gives one.
        let tables = LabelTables(Vec::new());
        let mut again = Again { build: self, tables: &tables };
        let fates = resolve(&narrow, before, &tables, keyed, &source, &mut again)?;
        Ok(fates.reached(&narrow))
    }
}
