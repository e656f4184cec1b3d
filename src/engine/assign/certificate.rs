//! How it is known that the parts share nothing.

use std::collections::HashMap;

use super::super::EngineError;
use super::super::narrow::{Key, Narrow, moment_of};
use super::super::outcome::{Certificate, PartTimes};
use super::super::resolve::Reached;
use super::super::spool::{Sorter, SpoolError, item};
use super::Parts;
use super::shares::Shares;
use crate::dedup::near::Clusters;
use crate::hir::{ColumnId, Dataset, SplitRule, Step, StepKind};
use crate::plan::{changed_columns, split};

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

/// How many of the rows are near-duplicates that stand in another part than the first kept one of their cluster: none exactly
/// when no cluster is torn. A cluster may have lost its first record to a fixed part, so its kept members are compared with
/// each other.
pub(super) fn torn(reached: &Reached, clusters: &Clusters, parts: &Parts) -> Result<u64, EngineError> {
    let mut first: HashMap<usize, u16> = HashMap::new();
    let mut torn = 0;
    let mut parts = parts.cursor()?;
    for (at, row) in reached.rows()?.enumerate() {
        if let Some(part) = parts.at(row?)? {
            torn += u64::from(*first.entry(clusters.representative(at)).or_insert(part) != part);
        }
    }
    Ok(torn)
}

/// What is known of near-duplicates across the parts, as the end of a certificate's method.
pub(super) fn near_method(dataset: &Dataset) -> String {
    if dataset.split.parts.len() < 2 {
        return String::new();
    }
    let name = |column: ColumnId| dataset.columns[column.0 as usize].name.as_str();
    if let Some((column, scheme)) = dataset.split.near() {
        return format!(", and for near-duplicates of `{}` by {scheme}", name(column));
    }
    let near = |(at, step): (usize, &Step)| {
        let StepKind::DedupNear { column, scheme, .. } = step.kind else { return None };
        let changed = dataset.steps[at + 1..].iter().any(|later| changed_columns(&later.kind).contains(&column));
        (!changed).then(|| format!(", and `{}` leaves one of near-duplicates by {scheme}", step.rule))
    };
    dataset
        .steps
        .iter()
        .enumerate()
        .find_map(near)
        .unwrap_or_else(|| "; near-duplicates were not looked for".to_owned())
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
        let near_pairs = self.clusters.as_ref().map(|clusters| torn(self.reached, clusters, parts)).transpose()?;
        let times = self.times(parts)?;
        Ok(Certificate { by, method: self.method(), shared_keys, near_pairs, times })
    }

    /// When the first and the last record of each part are from, where the parts follow each other in time.
    fn times(&self, parts: &Parts) -> Result<Vec<PartTimes>, EngineError> {
        let Some(times) = &self.narrow.time else { return Ok(Vec::new()) };
        let mut ends: Vec<Option<(u64, u64)>> = vec![None; self.dataset.split.parts.len()];
        for (part, time) in parts.iter()?.zip(times.iter()?) {
            let (Some(part), time) = (part?, time?) else { continue };
            let end = &mut ends[usize::from(part)];
            let (first, last) = end.unwrap_or((time, time));
            *end = Some((first.min(time), last.max(time)));
        }
        let named = self.dataset.split.parts.iter().zip(ends);
        let known = named.filter_map(|(part, ends)| ends.map(|ends| (part, ends)));
        let mut times: Vec<PartTimes> = known
            .map(|(part, (first, last))| PartTimes {
                part: part.clone(),
                first: moment_of(first),
                last: moment_of(last),
            })
            .collect();
        times.sort_by_key(|part| (part.first, part.last));
        Ok(times)
    }

    fn unit_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let column = |id: ColumnId| self.dataset.columns[id.0 as usize].name.as_str();
        if let SplitRule::Shares { near, by, .. } = &self.dataset.split.rule {
            names.extend(near.map(|(id, scheme)| format!("{} near {}", column(id), scheme.threshold.get())));
            names.extend(by.map(|id| column(id).to_owned()));
        }
        names.extend(split::groups(self.dataset).into_iter().map(|id| column(id).to_owned()));
        names
    }

    fn method(&self) -> String {
        let (fixed, _, seed) = self.rule();
        let ranked = match (self.time(), &self.narrow.stratum) {
            (Some(time), _) => {
                let name = &self.dataset.columns[time.column.0 as usize].name;
                let cut =
                    if time.periods.is_empty() { "cut by largest remainder" } else { "cut at the moments written" };
                format!("the latest `{name}` of each unit, {cut}")
            }
            (None, Some(_)) => {
                format!("ranked by keyed BLAKE3 in each stratum and cut by largest remainder, seed {seed}")
            }
            (None, None) => format!("keyed BLAKE3 against thresholds, seed {seed}"),
        };
        let begin = if fixed.is_empty() { "" } else { "whole sources first, the rest by " };
        let what = if self.columns().is_empty() { "records" } else { "values" };
        format!("{begin}{ranked}; all emitted records were checked for equal {what}")
    }
}
