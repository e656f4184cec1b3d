//! Reading: ids from digests and occurrence numbers; bad rows and second records of a key are quarantined.

use std::sync::Arc;

use super::super::EngineError;
use super::super::narrow::{Key, Narrow, Note, Row};
use super::super::outcome::{RecordId, StepOutcomeKind};
use super::super::read::file_and_offset;
use super::super::read::shape::first_16;
use super::super::spool::{OfRow, Sorted, Sorter, Sparse, Spool, item};
use super::{Fate, Fates, Stage, no_records};

/// A row by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Content {
    digest: Key,
    row: Row,
}

item!(fixed Content { digest: Key, row: Row });

/// A row whose content stood before, with how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Occurrence {
    row: Row,
    before: u64,
}

item!(fixed Occurrence { row: Row, before: u64 });

impl OfRow for Occurrence {
    fn row(&self) -> Row {
        self.row
    }
}

/// Identifies all rows.
pub(super) fn identify(narrow: &Narrow, keyed: impl Fn(usize) -> bool) -> Result<Fates, EngineError> {
    let budget = narrow.budget();
    let (mut ids, mut fates, mut errors) = (Spool::new(budget), Spool::new(budget), Spool::new(budget));
    let mut outcome = no_records(StepOutcomeKind::Read, "read", 0);
    let repeated = occurrences(narrow)?;
    let mut repeated = Sparse::new(repeated.iter()?);
    let mut bad = Sparse::new(narrow.error.iter()?);
    for ((row, digest), location) in (0..).zip(narrow.digest.iter()?).zip(narrow.location.iter()?) {
        let before = repeated.at(row)?.map_or(0, |occurrence| occurrence.before);
        ids.push(record_id(&digest?, before))?;
        let text = match bad.at(row)? {
            Some(Note { text, .. }) => Some(text),
            None if before > 0 && keyed(file_and_offset(location?).0) => Some("duplicate key".to_owned()),
            None => None,
        };
        outcome.records_in += 1;
        match text {
            None => {
                outcome.records_out += 1;
                fates.push(Fate::Kept)?;
            }
            Some(text) => {
                outcome.quarantined += 1;
                fates.push(Fate::Quarantined(Stage::Read))?;
                errors.push(Note { row, text })?;
            }
        }
    }
    Ok(Fates { ids, fates: Arc::new(fates), steps: vec![outcome], repeats: Vec::new(), errors: vec![errors] })
}

/// The rows whose content stood before, in order of the rows.
fn occurrences(narrow: &Narrow) -> Result<Sorted<Occurrence>, EngineError> {
    let mut contents = Sorter::new(narrow.budget());
    for (row, digest) in (0..).zip(narrow.digest.iter()?) {
        contents.push(Content { digest: digest?, row })?;
    }
    let mut repeated = Sorter::new(narrow.budget());
    let mut last: Option<(Key, u64)> = None;
    for content in contents.finish()?.iter()? {
        let Content { digest, row } = content?;
        let before = last.filter(|(known, _)| *known == digest).map_or(0, |(_, seen)| seen);
        last = Some((digest, before + 1));
        if before > 0 {
            repeated.push(Occurrence { row, before })?;
        }
    }
    Ok(repeated.finish()?)
}

/// BLAKE3-128 of a digest and an occurrence number.
fn record_id(digest: &Key, occurrence: u64) -> RecordId {
    let mut content = [0; 24];
    content[..16].copy_from_slice(digest);
    content[16..].copy_from_slice(&occurrence.to_le_bytes());
    RecordId(first_16(&blake3::hash(&content)))
}
