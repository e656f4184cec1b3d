//! What the first pass leaves of each record: some tens of bytes, and no text of it. They are kept in order of location, in
//! memory or in files, and read in that order: see [`super::spool`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, UInt64Type};

use super::EngineError;
use super::read::table::{DIGEST, ERROR, LINE, LOCATION};
use super::read::{Chunk, file_and_offset, location};
use super::spool::{Budget, Cursor, Item, OfRow, Spool, SpoolError, item};
use crate::hir::{Dataset, Keep, Program, SourceId, SplitRule, StepKind};
use crate::plan::dataset::VERDICT;
use crate::plan::labels::{FoundField, deciding, found_column, found_fields};
use crate::plan::{cleaning, compliance, split};

/// 16 bytes by which values are compared.
pub type Key = [u8; 16];

/// A row of the first pass: its position in order of location.
pub type Row = u64;

/// The rows of the first pass in order of location.
#[derive(Debug)]
pub struct Narrow {
    /// Where each row begins.
    pub location: Spool<u64>,
    /// The 1-based line of each row.
    pub line: Spool<u64>,
    /// What identifies each row's content.
    pub digest: Spool<Key>,
    /// The first step whose verdict fires; −1 when none does.
    pub verdict: Spool<i32>,
    /// What is wrong with the rows that could not be read.
    pub error: Spool<Note>,
    /// For each `set`: whether it changed the row.
    pub changed: BTreeMap<usize, Spool<bool>>,
    /// For each `dedup … exactly`: what it compares.
    pub dedup: BTreeMap<usize, Spool<Key>>,
    /// For each of them that keeps the best record: the scores.
    pub scores: BTreeMap<usize, Spool<Option<Score>>>,
    /// For each sample that counts the values of a column: these values.
    pub sampled: BTreeMap<usize, Spool<Key>>,
    /// For each `forbid` that fails the build: whether the row fulfils it.
    pub forbidden: BTreeMap<usize, Spool<bool>>,
    /// For each label step: the raw values, or what is said of them where they are no names.
    pub labels: BTreeMap<usize, Interned>,
    /// For each label whose values are found in a source of the data set: the values.
    pub found: Vec<(FoundField, BTreeSet<String>)>,
    /// What each row's field says that its part is.
    pub part: Option<Interned>,
    /// The unit's column.
    pub by: Option<Spool<Option<Key>>>,
    /// The `@group` columns.
    pub groups: Vec<Spool<Option<Key>>>,
    /// The stratum.
    pub stratum: Option<Spool<Key>>,
    /// The moment, in microseconds; the greatest number of null, which no checked program lets through.
    pub time: Option<Spool<u64>>,
    /// For each requirement per a column that is no label's: its values.
    pub per: BTreeMap<usize, Interned>,
    names: Names,
    budget: Arc<Budget>,
}

/// A number by which the best record is chosen, as its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    bits: u64,
}

impl Score {
    /// Its place among scores, the highest first; one that is no number comes last.
    pub fn place(self) -> u64 {
        let score = f64::from_bits(self.bits);
        if score.is_nan() {
            return u64::MAX;
        }
        // Zero has two signs and is one number. In the order of their bits negative numbers stand upside down.
        let bits = (score + 0.0).to_bits();
        let ascending = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        !ascending
    }
}

item!(fixed Score { bits: u64 });

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The row.
    pub row: Row,
    /// What is wrong with it.
    pub text: String,
}

item!(Note { row: Row, text: String });

impl OfRow for Note {
    fn row(&self) -> Row {
        self.row
    }
}

/// Texts of few different values, one for each row. The values are in memory, once each.
#[derive(Debug)]
pub struct Interned {
    /// The different values in order of appearance.
    pub values: Vec<String>,
    codes: Spool<u32>,
    positions: HashMap<String, u32>,
}

/// The values of rows in ascending order, as positions in [`Interned::values`].
#[derive(Debug)]
pub struct Codes<'s>(Cursor<'s, u32>);

/// The columns to look for, which follow from the data set.
#[derive(Debug, Default)]
struct Names {
    label_columns: Vec<(usize, String)>,
    groups: Vec<String>,
}

const NULL: u32 = u32::MAX;

impl Interned {
    fn new(budget: &Arc<Budget>) -> Self {
        Self { values: Vec::new(), codes: Spool::new(budget), positions: HashMap::new() }
    }

    /// The rows' values in ascending order of rows.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn codes(&self) -> Result<Codes<'_>, EngineError> {
        Ok(Codes(self.codes.cursor()?))
    }

    fn push(&mut self, value: Option<&str>) -> Result<(), SpoolError> {
        let code = match value {
            None => NULL,
            Some(value) => match self.positions.get(value) {
                Some(&code) => code,
                None => {
                    let code = self.values.len() as u32;
                    self.values.push(value.to_owned());
                    self.positions.insert(value.to_owned(), code);
                    code
                }
            },
        };
        self.codes.push(code)
    }
}

impl Codes<'_> {
    /// The position of a row's value; `None` of null. No later row was asked for before.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn at(&mut self, row: Row) -> Result<Option<usize>, EngineError> {
        Ok(Some(self.0.at(row)?).filter(|&code| code != NULL).map(|code| code as usize))
    }
}

impl Narrow {
    /// No rows of a data set yet.
    pub fn new(program: &Program, dataset: &Dataset, budget: &Arc<Budget>) -> Self {
        let names =
            Names { label_columns: Vec::new(), groups: split::groups(dataset).into_iter().map(split::group).collect() };
        let mut narrow = Self {
            location: Spool::new(budget),
            line: Spool::new(budget),
            digest: Spool::new(budget),
            verdict: Spool::new(budget),
            error: Spool::new(budget),
            changed: BTreeMap::new(),
            dedup: BTreeMap::new(),
            scores: BTreeMap::new(),
            sampled: BTreeMap::new(),
            forbidden: BTreeMap::new(),
            labels: BTreeMap::new(),
            found: found_fields(program, dataset).into_iter().map(|field| (field, BTreeSet::new())).collect(),
            part: None,
            by: None,
            groups: names.groups.iter().map(|_| Spool::new(budget)).collect(),
            stratum: None,
            time: None,
            per: split::pers(dataset).into_iter().map(|(at, _)| (at, Interned::new(budget))).collect(),
            names,
            budget: Arc::clone(budget),
        };
        for (at, step) in dataset.steps.iter().enumerate() {
            match &step.kind {
                StepKind::Set { .. } | StepKind::DedupPieces { .. } => {
                    narrow.changed.insert(at, Spool::new(budget));
                }
                StepKind::DedupExact { keep, .. } => {
                    narrow.dedup.insert(at, Spool::new(budget));
                    if let Keep::Best(_) = keep {
                        narrow.scores.insert(at, Spool::new(budget));
                    }
                }
                StepKind::Sample { taken, .. } => {
                    if taken.by().is_some() {
                        narrow.sampled.insert(at, Spool::new(budget));
                    }
                }
                StepKind::Forbid { else_drop: false, .. } => _ = narrow.forbidden.insert(at, Spool::new(budget)),
                StepKind::Label { column, form, .. } => {
                    narrow.labels.insert(at, Interned::new(budget));
                    narrow.names.label_columns.push((at, deciding(at, *column, form)));
                }
                StepKind::Drop { .. }
                | StepKind::DedupNear { .. }
                | StepKind::Decontaminate { .. }
                | StepKind::Redact { .. }
                | StepKind::Forbid { else_drop: true, .. }
                | StepKind::Pair { .. } => {}
            }
        }
        match &dataset.split.rule {
            SplitRule::AllTrain => {}
            SplitRule::ByField(_) => narrow.part = Some(Interned::new(budget)),
            SplitRule::Shares { by, stratify, time, .. } => {
                narrow.time = time.as_ref().map(|_| Spool::new(budget));
                narrow.by = by.map(|_| Spool::new(budget));
                narrow.stratum = stratify.map(|_| Spool::new(budget));
            }
        }
        narrow
    }

    /// The number of rows.
    pub fn len(&self) -> u64 {
        self.location.len()
    }

    /// The memory that the rows and what is made of them share.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// The rows of a chunk.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows_of(&self, chunk: &Chunk) -> Result<Range<Row>, EngineError> {
        let first_from = |offset| {
            let place = location(chunk.file, offset);
            self.location.partition_point(|location| *location < place)
        };
        Ok(first_from(chunk.start)?..first_from(chunk.end)?)
    }

    /// Appends a batch of the first pass; batches come in order of location. `source` gives each file's source.
    ///
    /// # Errors
    /// The file that holds what does not fit into memory cannot be written.
    pub fn push(&mut self, batch: &RecordBatch, source: impl Fn(usize) -> SourceId) -> Result<(), EngineError> {
        let first = self.len();
        push_all(&mut self.location, numbers(batch, LOCATION))?;
        push_all(&mut self.line, numbers(batch, LINE))?;
        push_all(&mut self.digest, sure_keys(batch, DIGEST))?;
        let verdicts = batch[VERDICT].as_primitive::<Int32Type>();
        push_all(&mut self.verdict, verdicts.iter().map(|verdict| verdict.unwrap_or(-1)))?;
        for (row, error) in (first..).zip(batch[ERROR].as_string::<i32>()) {
            if let Some(error) = error {
                self.error.push(Note { row, text: error.to_owned() })?;
            }
        }
        for (&at, changed) in &mut self.changed {
            push_all(changed, flags(batch, &cleaning::changed(at)))?;
        }
        for (&at, forbidden) in &mut self.forbidden {
            push_all(forbidden, flags(batch, &compliance::forbidden(at)))?;
        }
        for (&at, compared) in &mut self.dedup {
            push_all(compared, sure_keys(batch, &cleaning::dedup_key(at)))?;
        }
        for (&at, scores) in &mut self.scores {
            let column = batch[cleaning::score(at).as_str()].as_primitive::<Float64Type>();
            push_all(scores, column.iter().map(|score| score.map(|score| Score { bits: score.to_bits() })))?;
        }
        for (&at, sampled) in &mut self.sampled {
            push_all(sampled, sure_keys(batch, &cleaning::sampled_by(at)))?;
        }
        for ((_, name), values) in self.names.label_columns.iter().zip(self.labels.values_mut()) {
            intern(values, batch, name)?;
        }
        for (&at, values) in &mut self.per {
            intern(values, batch, &split::per(at))?;
        }
        self.push_split(batch)?;
        self.push_found(batch, source);
        Ok(())
    }

    fn push_split(&mut self, batch: &RecordBatch) -> Result<(), SpoolError> {
        if let Some(part) = &mut self.part {
            intern(part, batch, split::PART)?;
        }
        if let Some(by) = &mut self.by {
            push_all(by, keys(batch, split::BY))?;
        }
        if let Some(time) = &mut self.time {
            let moments = batch[split::TIME].as_primitive::<Int64Type>();
            push_all(time, moments.iter().map(|moment| moment.map_or(u64::MAX, in_order)))?;
        }
        if let Some(stratum) = &mut self.stratum {
            push_all(stratum, sure_keys(batch, split::STRATUM))?;
        }
        for (group, name) in self.groups.iter_mut().zip(&self.names.groups) {
            push_all(group, keys(batch, name))?;
        }
        Ok(())
    }

    fn push_found(&mut self, batch: &RecordBatch, source: impl Fn(usize) -> SourceId) {
        for (at, (field, values)) in self.found.iter_mut().enumerate() {
            let Some(column) = batch.column_by_name(&found_column(at)) else { continue };
            for (location, value) in numbers(batch, LOCATION).zip(column.as_string::<i32>()) {
                let (file, _) = file_and_offset(location);
                if let Some(value) = value
                    && source(file) == field.source
                    && !values.contains(value)
                {
                    values.insert(value.to_owned());
                }
            }
        }
    }
}

/// A moment as a number without a sign, in the same order.
pub fn in_order(moment: i64) -> u64 {
    moment as u64 ^ 1 << 63
}

/// The moment of such a number.
pub fn moment_of(number: u64) -> i64 {
    (number ^ 1 << 63) as i64
}

fn push_all<T: Item>(into: &mut Spool<T>, values: impl IntoIterator<Item = T>) -> Result<(), SpoolError> {
    values.into_iter().try_for_each(|value| into.push(value))
}

fn numbers<'b>(batch: &'b RecordBatch, name: &str) -> impl Iterator<Item = u64> + 'b {
    batch[name].as_primitive::<UInt64Type>().values().iter().copied()
}

fn flags<'b>(batch: &'b RecordBatch, name: &str) -> impl Iterator<Item = bool> + 'b {
    batch[name].as_boolean().iter().map(|flag| flag == Some(true))
}

fn keys<'b>(batch: &'b RecordBatch, name: &str) -> impl Iterator<Item = Option<Key>> + 'b {
    let key = |value: &[u8]| Key::try_from(value).expect("a digest has 16 bytes");
    batch[name].as_fixed_size_binary().iter().map(move |value| value.map(key))
}

fn sure_keys<'b>(batch: &'b RecordBatch, name: &str) -> impl Iterator<Item = Key> + 'b {
    keys(batch, name).map(|key| key.expect("a digest of a row or of columns is never null"))
}

fn intern(into: &mut Interned, batch: &RecordBatch, name: &str) -> Result<(), SpoolError> {
    batch[name].as_string::<i32>().iter().try_for_each(|value| into.push(value))
}
