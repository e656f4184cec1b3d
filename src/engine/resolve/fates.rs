//! What became of the rows, and why.

use std::ops::Range;
use std::sync::Arc;

use super::super::EngineError;
use super::super::narrow::{Narrow, Note, Row};
use super::super::outcome::{RecordId, StepOutcome, Verdict};
use super::super::read::{Chunk, Keep, file_and_offset};
use super::super::spool::{FileReader, Fixed, Item, OfRow, Reader, Sparse, Spool, SpoolError, item};

/// What became of a record so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Kept,
    /// Taken out by a rule.
    Dropped(Stage),
    /// It could not be read or given a value.
    Quarantined(Stage),
}

/// Where a record was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// While it was read and identified.
    Read,
    /// By the step with this index.
    Step(u32),
    /// By the split.
    Split,
}

/// The fates of all rows.
#[derive(Debug)]
pub struct Fates {
    /// Each row's identity.
    pub ids: Spool<RecordId>,
    /// Each row's fate.
    pub fates: Arc<Spool<Fate>>,
    /// The counts of reading and of each step.
    pub steps: Vec<StepOutcome>,
    /// The dropped rows that repeat another one, by sweep.
    pub(super) repeats: Vec<Spool<Repeat>>,
    /// What is wrong with the quarantined rows, by sweep.
    pub(super) errors: Vec<Spool<Note>>,
}

/// A dropped row with the record that it repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repeat {
    /// The row.
    pub row: Row,
    /// The row that it repeats.
    pub of: Row,
    /// That row's identity.
    pub id: RecordId,
    /// The bits of how alike the two are; no number where that was not measured.
    alike: u32,
}

item!(fixed Repeat { row: Row, of: Row, id: RecordId, alike: u32 });

impl Repeat {
    /// A row that repeats another one.
    pub fn new(row: Row, of: Row, id: RecordId, similarity: Option<f32>) -> Self {
        Self { row, of, id, alike: similarity.unwrap_or(f32::NAN).to_bits() }
    }

    /// How alike the two are, where that was measured.
    pub fn similarity(&self) -> Option<f32> {
        Some(f32::from_bits(self.alike)).filter(|similarity| !similarity.is_nan())
    }
}

impl OfRow for Repeat {
    fn row(&self) -> Row {
        self.row
    }
}

impl Fate {
    /// The verdict in the audit.
    pub fn verdict(self) -> Verdict {
        match self {
            Fate::Kept => Verdict::Kept,
            Fate::Dropped(_) => Verdict::Dropped,
            Fate::Quarantined(_) => Verdict::Quarantined,
        }
    }

    /// Where the record was taken out.
    pub fn stage(self) -> Option<Stage> {
        match self {
            Fate::Kept => None,
            Fate::Dropped(stage) | Fate::Quarantined(stage) => Some(stage),
        }
    }
}

impl Item for Fate {
    fn put(&self, bytes: &mut Vec<u8>) {
        let (stage, step) = match self.stage() {
            None => (0_u8, 0),
            Some(Stage::Read) => (1, 0),
            Some(Stage::Step(step)) => (2, step),
            Some(Stage::Split) => (3, 0),
        };
        (stage | u8::from(self.verdict() == Verdict::Quarantined) << 2).put(bytes);
        step.put(bytes);
    }

    fn take(from: &mut FileReader) -> Result<Self, SpoolError> {
        let (head, step) = (u8::take(from)?, u32::take(from)?);
        let stage = match head & 3 {
            0 => return Ok(Fate::Kept),
            1 => Stage::Read,
            2 => Stage::Step(step),
            _ => Stage::Split,
        };
        Ok(if head & 4 == 0 { Fate::Dropped(stage) } else { Fate::Quarantined(stage) })
    }
}

impl Fixed for Fate {
    const WIDTH: usize = 5;
}

impl Item for RecordId {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.0.put(bytes);
    }

    fn take(from: &mut FileReader) -> Result<Self, SpoolError> {
        Ok(RecordId(Item::take(from)?))
    }
}

impl Fixed for RecordId {
    const WIDTH: usize = 16;
}

/// What is said of some rows, one sequence for each sweep.
#[derive(Debug)]
pub struct Layers<'f, T>(Vec<Sparse<Reader<'f, T>, T>>);

impl<'f, T: Item + OfRow> Layers<'f, T> {
    fn new(layers: &'f [Spool<T>]) -> Result<Self, EngineError> {
        let layers = layers.iter().map(|layer| Ok(Sparse::new(layer.iter()?)));
        Ok(Self(layers.collect::<Result<_, SpoolError>>()?))
    }

    /// What is said of a row; rows are asked for in ascending order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn at(&mut self, row: Row) -> Result<Option<T>, EngineError> {
        for layer in &mut self.0 {
            if let Some(found) = layer.at(row)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Fates {
    /// The rows that dropped rows repeat.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn repeats(&self) -> Result<Layers<'_, Repeat>, EngineError> {
        Layers::new(&self.repeats)
    }

    /// What is wrong with quarantined rows.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn errors(&self) -> Result<Layers<'_, Note>, EngineError> {
        Layers::new(&self.errors)
    }

    /// The rows that go on.
    pub fn reached(&self, narrow: &Arc<Narrow>) -> Reached {
        Reached { narrow: Arc::clone(narrow), fates: Arc::clone(&self.fates) }
    }
}

/// The rows that reach a step.
#[derive(Debug, Clone)]
pub struct Reached {
    /// All rows.
    pub narrow: Arc<Narrow>,
    fates: Arc<Spool<Fate>>,
}

impl Reached {
    /// Those that reach it, in order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<Row, SpoolError>>, EngineError> {
        self.rows_in(0..self.narrow.len())
    }

    /// Those among some rows.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows_in(&self, rows: Range<Row>) -> Result<impl Iterator<Item = Result<Row, SpoolError>>, EngineError> {
        let fates = rows.clone().zip(self.fates.iter_from(rows.start)?);
        Ok(fates.filter_map(|(row, fate)| match fate {
            Ok(Fate::Kept) => Some(Ok(row)),
            Ok(Fate::Dropped(_) | Fate::Quarantined(_)) => None,
            Err(error) => Some(Err(error)),
        }))
    }
}

impl Keep for Reached {
    fn offsets(&self, chunk: &Chunk) -> Result<Arc<[u64]>, EngineError> {
        let rows = self.narrow.rows_of(chunk)?;
        let (mut location, first) = (self.narrow.location.iter_from(rows.start)?, rows.start);
        let mut passed = first;
        let mut offsets = Vec::new();
        for row in self.rows_in(rows)? {
            let row = row?;
            let place = location.nth((row - passed) as usize).expect("every row has a location")?;
            passed = row + 1;
            offsets.push(file_and_offset(place).1);
        }
        Ok(offsets.into())
    }
}
