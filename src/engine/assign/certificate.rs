//! How it is known that the parts share nothing.

use std::collections::HashMap;

use super::super::EngineError;
use super::super::narrow::{Key, Narrow};
use super::super::outcome::Certificate;
use super::super::spool::{Sorter, SpoolError, item};
use super::Parts;
use super::shares::Shares;
use crate::hir::{ColumnId, SplitRule};
use crate::plan::split;

/// A value in a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    value: Key,
    part: u16,
}

item!(fixed Standing { value: Key, part: u16 });

/// How many records of equal content stand in more than one part.
pub(super) fn shared_records(narrow: &Narrow, parts: &Parts) -> Result<u64, EngineError> {
    shared(narrow, narrow.digest.iter()?.map(|digest| digest.map(Some)), parts)
}

/// How many values of the kept rows stand in more than one part.
fn shared(
    narrow: &Narrow,
    values: impl Iterator<Item = Result<Option<Key>, SpoolError>>,
    parts: &Parts,
) -> Result<u64, EngineError> {
    let mut standing = Sorter::new(narrow.budget());
    for (value, part) in values.zip(parts.iter()?) {
        if let (Some(value), Some(part)) = (value?, part?) {
            standing.push(Standing { value, part })?;
        }
    }
    let (mut several, mut first) = (0, None::<Standing>);
    let mut counted = false;
    for one in standing.finish()?.iter()? {
        let one = one?;
        match first.filter(|first| first.value == one.value) {
            Some(first) if first.part != one.part && !counted => (several, counted) = (several + 1, true),
            Some(_) => {}
            None => (first, counted) = (Some(one), false),
        }
    }
    Ok(several)
}

impl Shares<'_> {
    /// What was checked over all emitted records, and what was found.
    pub(super) fn certificate(&self, parts: &Parts) -> Result<Certificate, EngineError> {
        let names = self.unit_names();
        let by = if names.is_empty() { "record".to_owned() } else { names.join(" and ") };
        let columns = self.columns();
        let mut shared_keys = 0;
        for column in &columns {
            shared_keys += shared(self.narrow, column.iter()?, parts)?;
        }
        if columns.is_empty() {
            shared_keys = shared_records(self.narrow, parts)?;
        }
        Ok(Certificate { by, method: self.method(), shared_keys, near_pairs: self.near_pairs(parts)? })
    }

    /// Near-duplicates that stand in different parts. A cluster may have lost its first record to a fixed part, so its kept
    /// members are compared with each other.
    fn near_pairs(&self, parts: &Parts) -> Result<Option<u64>, EngineError> {
        let Some(clusters) = &self.clusters else { return Ok(None) };
        let mut first: HashMap<usize, u16> = HashMap::new();
        let mut torn = 0;
        let mut parts = parts.cursor()?;
        for (at, row) in self.reached.rows()?.enumerate() {
            if let Some(part) = parts.at(row?)? {
                torn += u64::from(*first.entry(clusters.representative(at)).or_insert(part) != part);
            }
        }
        Ok(Some(torn))
    }

    fn unit_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let column = |id: ColumnId| self.dataset.columns[id.0 as usize].name.as_str();
        if let SplitRule::Shares { near, by, .. } = &self.dataset.split.rule {
            names.extend(near.map(|(id, threshold)| format!("{} near {threshold}", column(id))));
            names.extend(by.map(|id| column(id).to_owned()));
        }
        names.extend(split::groups(self.dataset).into_iter().map(|id| column(id).to_owned()));
        names
    }

    fn method(&self) -> String {
        let (fixed, _, seed) = self.rule();
        let ranked = match self.narrow.stratum {
            Some(_) => "ranked by keyed BLAKE3 in each stratum and cut by largest remainder",
            None => "keyed BLAKE3 against thresholds",
        };
        let begin = if fixed.is_empty() { String::new() } else { "whole sources first, the rest by ".to_owned() };
        let checked = match (&self.clusters, self.columns().is_empty()) {
            (Some(_), true) => "checked for equal records and for near-duplicates by verified Jaccard similarity",
            (Some(_), false) => "checked for equal values and for near-duplicates by verified Jaccard similarity",
            (None, true) => "checked for equal records",
            (None, false) => "checked for equal values",
        };
        format!("{begin}{ranked}, seed {seed}; {checked}")
    }
}
