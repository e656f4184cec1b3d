//! What becomes of each record: the verdicts of the first pass in order of steps and of location.

use std::collections::HashMap;

use super::EngineError;
use super::narrow::{Key, Narrow};
use super::outcome::{RecordId, StepOutcome, StepOutcomeKind, Verdict};
use super::read::file_and_offset;
use crate::dedup::Scheme;
use crate::dedup::near::Clusters;
use crate::hir::{Column, ColumnId, Dataset, Personal, SourceId, StepKind};
use crate::label::LabelTables;
use crate::plan::cleaning;

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
    pub ids: Vec<RecordId>,
    /// Each row's fate.
    pub fates: Vec<Fate>,
    /// The row that a dropped row repeats.
    pub duplicate_of: HashMap<u32, u32>,
    /// What is wrong with the quarantined rows.
    pub errors: HashMap<u32, String>,
    /// The counts of reading and of each step.
    pub steps: Vec<StepOutcome>,
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

impl Fates {
    /// The rows that go on, in order.
    pub fn kept(&self) -> Vec<u32> {
        let rows = (0..).zip(&self.fates);
        rows.filter(|(_, fate)| **fate == Fate::Kept).map(|(row, _)| row).collect()
    }
}

/// What records are read again for, since no text of them is kept.
pub trait Reread {
    /// The near-duplicates among rows, by the text that the plan calls so.
    fn near(&mut self, column: &str, rows: &[u32], scheme: Scheme) -> Result<Clusters, EngineError>;

    /// Those of these rows that an output cannot hold, by their place among them, each with the reason.
    fn faults(&mut self, output: usize, rows: &[u32]) -> Result<Vec<(usize, &'static str)>, EngineError>;
}

/// Carries out reading and all steps over the rows of the first pass. `keyed` says whether a file's source has a `@key`.
pub fn resolve(
    narrow: &Narrow,
    dataset: &Dataset,
    tables: &LabelTables,
    keyed: impl Fn(usize) -> bool,
    again: &mut dyn Reread,
) -> Result<Fates, EngineError> {
    let mut fates = identify(narrow, keyed);
    for (at, step) in dataset.steps.iter().enumerate() {
        let reached = fates.kept();
        let mut walk = Walk { narrow, fates: &mut fates, at: at as u32, reached: &reached };
        match &step.kind {
            StepKind::Set { .. } | StepKind::Redact { .. } => {}
            StepKind::DedupPieces { .. } | StepKind::Decontaminate { .. } | StepKind::Sample { .. } => {
                unreachable!("what cannot be built is refused before")
            }
            StepKind::Drop { .. } | StepKind::Forbid { .. } => walk.drop_fired(),
            StepKind::DedupExact { .. } => walk.drop_repeated(),
            StepKind::DedupNear { scheme, .. } => {
                walk.drop_similar(&again.near(&cleaning::near_text(at), &reached, *scheme)?);
            }
            StepKind::Label { column, label, null_drops, .. } => {
                walk.drop_fired();
                let table = tables.get(*label).expect("every label of the data set has its table");
                let column_of = |id: ColumnId| &dataset.columns[id.0 as usize];
                walk.check_label(column_of(*column), *null_drops, |value| table.position(value).is_some());
            }
            StepKind::Pair { output } => walk.quarantine_faulty(&again.faults(*output, &reached)?),
        }
        let changed = narrow.changed.get(&at).map_or(0, |flags| count(&reached, |row| flags[row as usize]));
        let counted = StepOutcome {
            kind: StepOutcomeKind::Step(at),
            rule: step.rule.clone(),
            line: step.line,
            changed,
            ..counts(&fates.fates, &reached)
        };
        fates.steps.push(counted);
    }
    Ok(fates)
}

/// What happened to these rows, which were all kept before: a step's counts, yet without its name.
pub fn counts(fates: &[Fate], reached: &[u32]) -> StepOutcome {
    let of = |verdict| count(reached, |row| fates[row as usize].verdict() == verdict);
    StepOutcome {
        kind: StepOutcomeKind::Read,
        rule: String::new(),
        line: 0,
        records_in: reached.len() as u64,
        records_out: of(Verdict::Kept),
        dropped: of(Verdict::Dropped),
        changed: 0,
        quarantined: of(Verdict::Quarantined),
    }
}

fn count(rows: &[u32], holds: impl Fn(u32) -> bool) -> u64 {
    rows.iter().filter(|&&row| holds(row)).count() as u64
}

/// Ids from digests and occurrence numbers; bad rows and second records of a key are quarantined.
fn identify(narrow: &Narrow, keyed: impl Fn(usize) -> bool) -> Fates {
    let mut occurrences: HashMap<Key, u64> = HashMap::with_capacity(narrow.len());
    let mut fates = Fates {
        ids: Vec::with_capacity(narrow.len()),
        fates: vec![Fate::Kept; narrow.len()],
        duplicate_of: HashMap::new(),
        errors: HashMap::new(),
        steps: Vec::new(),
    };
    for (row, digest) in narrow.digest.iter().enumerate() {
        let seen = occurrences.entry(*digest).or_default();
        fates.ids.push(record_id(digest, *seen));
        *seen += 1;
        let error = match narrow.error.get(&(row as u32)) {
            Some(error) => error.clone(),
            None if *seen > 1 && keyed(file_and_offset(narrow.location[row]).0) => "duplicate key".to_owned(),
            None => continue,
        };
        fates.fates[row] = Fate::Quarantined(Stage::Read);
        fates.errors.insert(row as u32, error);
    }
    let all: Vec<u32> = (0..narrow.len() as u32).collect();
    fates.steps.push(StepOutcome { rule: "read".to_owned(), ..counts(&fates.fates, &all) });
    fates
}

/// BLAKE3-128 of a digest and an occurrence number.
fn record_id(digest: &Key, occurrence: u64) -> RecordId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(digest).update(&occurrence.to_le_bytes());
    RecordId(super::read::cell::digest_128(&hasher))
}

/// One step over the rows that reach it.
struct Walk<'w> {
    narrow: &'w Narrow,
    fates: &'w mut Fates,
    at: u32,
    reached: &'w [u32],
}

impl Walk<'_> {
    fn drop(&mut self, row: u32) {
        self.fates.fates[row as usize] = Fate::Dropped(Stage::Step(self.at));
    }

    /// Drops the rows whose first firing verdict is this step's.
    fn drop_fired(&mut self) {
        for &row in self.reached {
            if self.narrow.verdict[row as usize] == self.at as i32 {
                self.drop(row);
            }
        }
    }

    /// Keeps the first row of each key.
    fn drop_repeated(&mut self) {
        let Some(keys) = self.narrow.dedup.get(&(self.at as usize)) else { return };
        let mut first: HashMap<&Key, u32> = HashMap::with_capacity(self.reached.len());
        for &row in self.reached {
            let of = *first.entry(&keys[row as usize]).or_insert(row);
            if of != row {
                self.fates.duplicate_of.insert(row, of);
                self.drop(row);
            }
        }
    }

    /// Keeps the first row of each cluster; clusters number the rows that reach the step.
    fn drop_similar(&mut self, clusters: &Clusters) {
        for duplicate in clusters.duplicates() {
            let (row, of) = (self.reached[duplicate.index], self.reached[duplicate.of]);
            self.fates.duplicate_of.insert(row, of);
            self.drop(row);
        }
    }

    /// Quarantines the rows that an output cannot hold.
    fn quarantine_faulty(&mut self, faults: &[(usize, &'static str)]) {
        for (index, fault) in faults {
            self.quarantine(self.reached[*index], (*fault).to_owned());
        }
    }

    fn quarantine(&mut self, row: u32, error: String) {
        self.fates.fates[row as usize] = Fate::Quarantined(Stage::Step(self.at));
        self.fates.errors.insert(row, error);
    }

    fn check_label(&mut self, column: &Column, null_drops: bool, known: impl Fn(&str) -> bool) {
        let Some(raw) = self.narrow.labels.get(&(self.at as usize)) else { return };
        let known: Vec<bool> = raw.values.iter().map(|value| known(value)).collect();
        for &row in self.reached {
            if self.fates.fates[row as usize] != Fate::Kept {
                continue;
            }
            let error = match raw.code(row as usize) {
                Some(code) if known[code] => continue,
                Some(_) => format!("unknown value of label `{}`", column.name),
                None if null_drops => {
                    self.drop(row);
                    continue;
                }
                None => format!("label `{}` is null", column.name),
            };
            self.quarantine(row, error);
        }
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
