//! What `dedup` of lines, sentences and substrings cuts out: found before the first pass, since the rules behind it see the
//! texts without it.
//!
//! Whether a line occurred before depends on which records reach the rule. So the rules before it are carried out as a data
//! set of their own, up to the fates of their records. Where the same records reached the rule in an earlier build, what it
//! cuts is in the cache. Else the pieces of those records are sorted, in memory as far as there is some and else in files, so
//! that those that repeat each other come side by side: lines and sentences as they were measured with what the rules before
//! need, and where nothing was measured, as it is for substrings, those of the texts, which are read once more.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use datafusion::logical_expr::LogicalPlan;

use super::EngineError;
use super::build::{Again, Stage};
use super::passes::{ChunkWork, scan};
use super::read::table::LOCATION;
use super::read::{Chunk, Keep, file_and_offset};
use super::resolve::{Reached, resolve, source_is_keyed};
use super::spool::{Budget, Sorter, item};
use super::stage::{Beside, CutsFrom, CutsReuse, KeptCuts, MeasureTable, Reuse, Wanted};
use super::stages::{Build, Reckoning};
use crate::dedup::pieces::{Occurrence, Pieces, Repeats, join_places};
use crate::hir::{Dataset, Split};
use crate::label::LabelTables;
use crate::plan::scalar::pieces::occurrences;
use crate::plan::stage::{Cutting, Measures};
use crate::plan::{Chain, Cuts, before_pass, column_name};

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

/// The pieces that were measured of the records that reach a step.
struct Measured {
    column: String,
    reached: Reached,
    chunks: Vec<Chunk>,
}

impl ChunkWork for Measured {
    /// The offsets of the chunk's records that reach the step.
    type Chunk = Arc<[u64]>;
    type Piece = Vec<Occurrence>;

    fn begin(&self, chunk: usize) -> Result<Self::Chunk, EngineError> {
        self.chunks.get(chunk).map_or_else(|| Ok(Arc::default()), |chunk| self.reached.offsets(chunk))
    }

    fn batch(&self, reached: &Self::Chunk, _: usize, batch: RecordBatch) -> Result<Self::Piece, EngineError> {
        let locations = batch[LOCATION].as_primitive::<UInt64Type>().values().iter();
        let rows = locations.zip(batch[self.column.as_str()].as_binary::<i64>());
        let rows = rows.filter(|(location, _)| reached.binary_search(&file_and_offset(**location).1).is_ok());
        Ok(rows.flat_map(|(location, pieces)| occurrences(*location, pieces.unwrap_or_default())).collect())
    }
}

/// The steps before one that cuts, and which records they let through.
pub(super) struct Before<'s> {
    pub(super) cutting: Cutting<'s>,
    pub(super) dataset: Dataset,
    reached: Reached,
    /// What was measured, with the column of the pieces, where these are measured.
    measured: Option<(MeasureTable, String)>,
    /// How many chunks there are, and how many of them were measured before.
    reuse: Reuse,
}

impl Build<'_> {
    /// Finds what each step of the data set cuts out of texts.
    pub(super) fn find_cuts(&mut self) -> Result<(), EngineError> {
        let dataset = self.dataset;
        for (at, step) in dataset.steps.iter().enumerate() {
            if let Some(cutting) = Cutting::of(step) {
                let before = self.before(at, cutting)?;
                let (cuts, from) = self.cuts(&before)?;
                let Reuse { chunks, reused, .. } = before.reuse;
                self.reuse.cuts.push(CutsReuse { rule: step.rule.clone(), chunks, reused, from });
                self.prepared.cuts.insert(at, Arc::new(cuts));
            }
        }
        Ok(())
    }

    /// Carries out the steps before one that cuts.
    pub(super) fn before<'s>(&mut self, at: usize, cutting: Cutting<'s>) -> Result<Before<'s>, EngineError> {
        let (program, survey) = (self.program, self.survey);
        let dataset = up_to(self.dataset, at);
        let measures = Measures::before(program, &dataset, &cutting, &self.prepared.against);
        let (narrow, table) = self.decide(&dataset, Some(&measures))?;
        let reuse = table.as_ref().map(MeasureTable::reuse).unwrap_or_default();
        self.reuse.damaged += reuse.damaged;
        let narrow = Arc::new(narrow);
        let keyed = |file: usize| source_is_keyed(program, survey.files[file].source);
        let source = |file: usize| survey.files[file].source;
        // Labels come behind all cleaning, so none of these steps gives one.
        let tables = LabelTables(Vec::new());
        let mut again = Again { build: self, dataset: &dataset, tables: &tables };
        let fates = resolve(&narrow, &dataset, &tables, keyed, &source, &mut again)?;
        let reached = fates.reached(&narrow);
        Ok(Before { cutting, dataset, reached, measured: table.zip(measures.pieces()), reuse })
    }

    /// What a step cuts out, and where that came from.
    pub(super) fn cuts(&mut self, before: &Before<'_>) -> Result<(Cuts, CutsFrom), EngineError> {
        let Some(kept) = self.kept_cuts(before)? else { return Ok((self.cut_texts(before)?, CutsFrom::Texts)) };
        let (found, damaged) = kept.read();
        self.reuse.damaged += damaged;
        if let Some(cuts) = found {
            return Ok((cuts, CutsFrom::Cache));
        }
        let (cuts, from) = match &before.measured {
            Some((table, column)) => (self.cut_measured(before, table, column)?, CutsFrom::Measures),
            None => (self.cut_texts(before)?, CutsFrom::Texts),
        };
        let failure = kept.write(&cuts).err();
        self.reuse.failure = self.reuse.failure.take().or(failure);
        Ok((cuts, from))
    }

    /// Where what a step cuts out is kept: it is known by the records that reach the step.
    fn kept_cuts(&mut self, before: &Before<'_>) -> Result<Option<KeptCuts>, EngineError> {
        let Before { cutting, dataset, .. } = before;
        let Some(stages) = &self.stages else { return Ok(None) };
        let measures = Measures::cut(self.program, dataset, cutting, &self.prepared.against);
        let beside = self.reached_from(before)?;
        let wanted =
            Wanted { program: self.program, dataset, survey: self.survey, measures: &measures, beside: &beside };
        let (kept, failure) = KeptCuts::of(stages, &wanted);
        self.reuse.failure = self.reuse.failure.take().or(failure);
        Ok(Some(kept))
    }

    /// What the places that a step cuts depend on: what is cut before, and the records that reach the step.
    pub(super) fn reached_from(&self, before: &Before<'_>) -> Result<Beside, EngineError> {
        self.cut_from(&before.dataset).reached(self.survey, &before.reached)
    }

    /// Compares the pieces that were measured.
    fn cut_measured(&mut self, before: &Before<'_>, table: &MeasureTable, column: &str) -> Result<Cuts, EngineError> {
        let names = [LOCATION.to_owned(), column.to_owned()];
        let plan = Chain::new(scan(Arc::new(table.clone()))?).select(&names)?;
        let chunks = self.survey.chunks.clone();
        let measured = Measured { column: column.to_owned(), reached: before.reached.clone(), chunks };
        self.compare(before, &plan, measured)
    }

    /// Reads the texts of the records that reach the step, and compares their pieces.
    fn cut_texts(&mut self, before: &Before<'_>) -> Result<Cuts, EngineError> {
        let Cutting { column, pieces, rule: _ } = before.cutting;
        let table = self.table.keeping(Arc::new(before.reached.clone()));
        let steps = before.dataset.steps.len();
        let plan = before_pass(&before.dataset, &self.prepared, steps, &[column], scan(Arc::new(table))?)?;
        self.compare(before, &plan, Apart { column: column_name(column.0 as usize), pieces })
    }

    fn compare(
        &mut self,
        before: &Before<'_>,
        plan: &LogicalPlan,
        work: impl ChunkWork<Piece = Vec<Occurrence>>,
    ) -> Result<Cuts, EngineError> {
        let mut gathered = Gathered::new(before.cutting.pieces, &self.budget);
        let (reckoning, progress) = (Reckoning::of(self.survey, Stage::Compare), &mut *self.progress);
        self.workers.run(plan, Arc::new(work), &mut |chunk, texts| {
            texts.into_iter().try_for_each(|pieces| gathered.add(pieces))?;
            progress(reckoning.at(chunk));
            Ok(())
        })?;
        gathered.finish()
    }
}
