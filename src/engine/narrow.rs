//! What the first pass leaves of each record: some tens of bytes, and no text of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, UInt64Type};

use super::read::file_and_offset;
use super::read::table::{DIGEST, ERROR, LINE, LOCATION};
use crate::hir::{Dataset, Program, SourceId, StepKind};
use crate::plan::dataset::VERDICT;
use crate::plan::labels::{FoundField, found_column, found_fields};
use crate::plan::{cleaning, column_name, compliance, split};

/// 16 bytes by which values are compared.
pub type Key = [u8; 16];

/// The rows of the first pass in order of location.
#[derive(Debug, Default)]
pub struct Narrow {
    /// Where each row begins.
    pub location: Vec<u64>,
    /// The 1-based line of each row.
    pub line: Vec<u64>,
    /// What identifies each row's content.
    pub digest: Vec<Key>,
    /// The first step whose verdict fires; −1 when none does.
    pub verdict: Vec<i32>,
    /// What is wrong with the rows that could not be read, by row.
    pub error: BTreeMap<u32, String>,
    /// For each `set`: whether it changed the row.
    pub changed: BTreeMap<usize, Vec<bool>>,
    /// For each `dedup … exactly`: what it compares.
    pub dedup: BTreeMap<usize, Vec<Key>>,
    /// For each `forbid` that fails the build: whether the row fulfils it.
    pub forbidden: BTreeMap<usize, Vec<bool>>,
    /// For each label step: the raw values.
    pub labels: BTreeMap<usize, Interned>,
    /// For each label whose values are found in a source of the data set: the values.
    pub found: Vec<(FoundField, BTreeSet<String>)>,
    /// What each row's field says that its part is.
    pub part: Option<Interned>,
    /// The unit's column.
    pub by: Option<Vec<Option<Key>>>,
    /// The `@group` columns.
    pub groups: Vec<Vec<Option<Key>>>,
    /// The stratum.
    pub stratum: Option<Vec<Key>>,
    /// For each requirement per a column that is no label's: its values.
    pub per: BTreeMap<usize, Interned>,
    names: Names,
}

/// Texts of few different values, one for each row.
#[derive(Debug, Default, Clone)]
pub struct Interned {
    /// The different values in order of appearance.
    pub values: Vec<String>,
    codes: Vec<u32>,
    positions: HashMap<String, u32>,
}

/// The columns to look for, which follow from the data set.
#[derive(Debug, Default)]
struct Names {
    label_columns: Vec<(usize, String)>,
    sets: Vec<usize>,
    dedups: Vec<usize>,
    forbids: Vec<usize>,
    groups: Vec<String>,
    per: Vec<usize>,
}

const NULL: u32 = u32::MAX;

impl Interned {
    /// The position in `values` of a row's value; `None` of null.
    pub fn code(&self, row: usize) -> Option<usize> {
        Some(self.codes[row]).filter(|&code| code != NULL).map(|code| code as usize)
    }

    /// A row's value.
    pub fn value(&self, row: usize) -> Option<&str> {
        self.code(row).map(|code| self.values[code].as_str())
    }

    fn push(&mut self, value: Option<&str>) {
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
        self.codes.push(code);
    }
}

impl Narrow {
    /// No rows of a data set yet.
    pub fn new(program: &Program, dataset: &Dataset) -> Self {
        let mut names = Names {
            groups: split::groups(dataset).into_iter().map(split::group).collect(),
            per: split::pers(dataset).into_iter().map(|(at, _)| at).collect(),
            ..Names::default()
        };
        for (at, step) in dataset.steps.iter().enumerate() {
            match step.kind {
                StepKind::Set { .. } => names.sets.push(at),
                StepKind::DedupExact { .. } => names.dedups.push(at),
                StepKind::Forbid { else_drop: false, .. } => names.forbids.push(at),
                StepKind::Label { column, .. } => names.label_columns.push((at, column_name(column.0 as usize))),
                StepKind::Drop { .. }
                | StepKind::DedupNear { .. }
                | StepKind::DedupPieces { .. }
                | StepKind::Decontaminate { .. }
                | StepKind::Sample { .. }
                | StepKind::Redact { .. }
                | StepKind::Forbid { else_drop: true, .. }
                | StepKind::Pair { .. } => {}
            }
        }
        let found = found_fields(program, dataset).into_iter().map(|field| (field, BTreeSet::new())).collect();
        Self { found, groups: vec![Vec::new(); names.groups.len()], names, ..Self::default() }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.location.len()
    }

    /// Appends a batch of the first pass; batches come in order of location. `source` gives each file's source.
    pub fn push(&mut self, batch: &RecordBatch, source: impl Fn(usize) -> SourceId) {
        let first = self.len();
        self.location.extend(numbers(batch, LOCATION));
        self.line.extend(numbers(batch, LINE));
        self.digest.extend(keys(batch, DIGEST).into_iter().map(|key| key.expect("every row has a digest")));
        let verdicts = batch[VERDICT].as_primitive::<Int32Type>();
        self.verdict.extend(verdicts.iter().map(|verdict| verdict.unwrap_or(-1)));
        let errors = batch[ERROR].as_string::<i32>();
        for (row, error) in errors.iter().enumerate() {
            if let Some(error) = error {
                self.error.insert((first + row) as u32, error.to_owned());
            }
        }
        for &at in &self.names.sets {
            self.changed.entry(at).or_default().extend(flags(batch, &cleaning::changed(at)));
        }
        for &at in &self.names.forbids {
            self.forbidden.entry(at).or_default().extend(flags(batch, &compliance::forbidden(at)));
        }
        for &at in &self.names.dedups {
            let column = keys(batch, &cleaning::dedup_key(at)).into_iter();
            self.dedup.entry(at).or_default().extend(column.map(|key| key.expect("a digest of columns is never null")));
        }
        for (at, name) in &self.names.label_columns {
            intern(self.labels.entry(*at).or_default(), batch, name);
        }
        for &at in &self.names.per {
            intern(self.per.entry(at).or_default(), batch, &split::per(at));
        }
        self.push_split(batch);
        self.push_found(batch, first, source);
    }

    fn push_split(&mut self, batch: &RecordBatch) {
        if batch.column_by_name(split::PART).is_some() {
            intern(self.part.get_or_insert_default(), batch, split::PART);
        }
        if batch.column_by_name(split::BY).is_some() {
            self.by.get_or_insert_default().extend(keys(batch, split::BY));
        }
        if batch.column_by_name(split::STRATUM).is_some() {
            let strata = keys(batch, split::STRATUM).into_iter();
            self.stratum.get_or_insert_default().extend(strata.map(|key| key.expect("a digest is never null")));
        }
        for (group, name) in self.groups.iter_mut().zip(&self.names.groups) {
            group.extend(keys(batch, name));
        }
    }

    fn push_found(&mut self, batch: &RecordBatch, first: usize, source: impl Fn(usize) -> SourceId) {
        for (at, (field, values)) in self.found.iter_mut().enumerate() {
            let Some(column) = batch.column_by_name(&found_column(at)) else { continue };
            for (row, value) in column.as_string::<i32>().iter().enumerate() {
                let (file, _) = file_and_offset(self.location[first + row]);
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

fn numbers<'b>(batch: &'b RecordBatch, name: &str) -> impl Iterator<Item = u64> + 'b {
    batch[name].as_primitive::<UInt64Type>().values().iter().copied()
}

fn flags(batch: &RecordBatch, name: &str) -> Vec<bool> {
    batch[name].as_boolean().iter().map(|flag| flag == Some(true)).collect()
}

fn keys(batch: &RecordBatch, name: &str) -> Vec<Option<Key>> {
    let column = batch[name].as_fixed_size_binary();
    let key = |value: &[u8]| Key::try_from(value).expect("a digest has 16 bytes");
    column.iter().map(|value| value.map(key)).collect()
}

fn intern(into: &mut Interned, batch: &RecordBatch, name: &str) {
    batch[name].as_string::<i32>().iter().for_each(|value| into.push(value));
}
