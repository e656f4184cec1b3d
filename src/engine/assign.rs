//! The split of a data set: units from values, groups and near-duplicates; fixed parts first; the certificate.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::EngineError;
use super::narrow::{Key, Narrow};
use super::outcome::{Certificate, StepOutcome, StepOutcomeKind};
use super::partition::{Unit, by_stratum, by_threshold};
use super::read::file_and_offset;
use super::resolve::{Fate, Fates, Reread, Stage, counts};
use crate::dedup::near::Clusters;
use crate::hir::{Dataset, FixedPart, SourceId, SplitRule};
use crate::plan::split;

/// The part of each row; `None` for a row that is not kept.
pub type Parts = Vec<Option<u16>>;

/// Gives each kept row its part. Rows that the split takes out change their fate, and a step is counted then.
/// `source` gives each file's source.
pub fn assign(
    narrow: &Narrow,
    dataset: &Dataset,
    fates: &mut Fates,
    source: &dyn Fn(usize) -> SourceId,
    again: &mut dyn Reread,
) -> Result<(Parts, Certificate), EngineError> {
    let reached = fates.kept();
    let mut parts = vec![None; narrow.len()];
    let mut certificate = Certificate {
        by: "record".to_owned(),
        method: "all records are in one part".to_owned(),
        shared_keys: 0,
        near_pairs: None,
    };
    match &dataset.split.rule {
        SplitRule::AllTrain => reached.iter().for_each(|&row| parts[row as usize] = Some(0)),
        SplitRule::ByField(column) => {
            let name = &dataset.columns[column.0 as usize].name;
            assign_by_field(narrow, dataset, fates, &reached, &mut parts, name);
            let keys = [Keys::Rows(&narrow.digest)];
            certificate.method = format!("the field `{name}` names each record's part; checked for equal records");
            certificate.shared_keys = shared(&keys, &fates.kept(), &parts);
        }
        SplitRule::Shares { near, .. } => {
            let clusters = match near {
                Some((_, scheme)) => Some(again.near(split::NEAR, &reached, *scheme)?),
                None => None,
            };
            let shares = Shares { narrow, dataset, source, reached: &reached, clusters };
            shares.assign(fates, &mut parts);
            certificate = shares.certificate(fates, &parts);
        }
    }
    let step = counts(&fates.fates, &reached);
    if step.records_in != step.records_out {
        fates.steps.push(StepOutcome { kind: StepOutcomeKind::Split, rule: "split".to_owned(), ..step });
    }
    Ok((parts, certificate))
}

fn assign_by_field(
    narrow: &Narrow,
    dataset: &Dataset,
    fates: &mut Fates,
    reached: &[u32],
    parts: &mut Parts,
    name: &str,
) {
    let Some(field) = &narrow.part else { return };
    let known: Vec<Option<usize>> =
        field.values.iter().map(|value| dataset.split.parts.iter().position(|part| part == value)).collect();
    for &row in reached {
        let error = match field.code(row as usize).map(|code| known[code]) {
            Some(Some(part)) => {
                parts[row as usize] = Some(part as u16);
                continue;
            }
            Some(None) => format!("the value of `{name}` is no part of the split"),
            None => format!("field `{name}` is null, expected a part of the split"),
        };
        fates.fates[row as usize] = Fate::Quarantined(Stage::Split);
        fates.errors.insert(row, error);
    }
}

/// A column of keys by row.
enum Keys<'k> {
    Rows(&'k [Key]),
    Maybe(&'k [Option<Key>]),
}

impl Keys<'_> {
    fn get(&self, row: u32) -> Option<Key> {
        match self {
            Keys::Rows(keys) => Some(keys[row as usize]),
            Keys::Maybe(keys) => keys[row as usize],
        }
    }
}

/// How many values stand in more than one part.
fn shared(columns: &[Keys<'_>], kept: &[u32], parts: &Parts) -> u64 {
    let mut several = 0;
    for column in columns {
        let mut first: HashMap<Key, Option<u16>> = HashMap::new();
        let mut torn: HashSet<Key> = HashSet::new();
        for &row in kept {
            let Some(key) = column.get(row) else { continue };
            let part = parts[row as usize];
            if *first.entry(key).or_insert(part) != part {
                torn.insert(key);
            }
        }
        several += torn.len() as u64;
    }
    several
}

/// A split by shares.
struct Shares<'s> {
    narrow: &'s Narrow,
    dataset: &'s Dataset,
    source: &'s dyn Fn(usize) -> SourceId,
    reached: &'s [u32],
    /// Near-duplicates, numbered as in `reached`.
    clusters: Option<Clusters>,
}

/// Sets of positions in `reached`; a set is named by its smallest member.
struct Sets(Vec<u32>);

impl Sets {
    fn root(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            let above = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = above;
            at = above;
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

impl Shares<'_> {
    fn rule(&self) -> (&[FixedPart], &[(usize, f64)], u64) {
        match &self.dataset.split.rule {
            SplitRule::Shares { fixed, shares, seed, .. } => (fixed, shares, *seed),
            SplitRule::AllTrain | SplitRule::ByField(_) => (&[], &[], 0),
        }
    }

    /// The columns whose equal values make units.
    fn columns(&self) -> Vec<Keys<'_>> {
        let by = self.narrow.by.iter();
        by.chain(&self.narrow.groups).map(|column| Keys::Maybe(column)).collect()
    }

    fn assign(&self, fates: &mut Fates, parts: &mut Parts) {
        let units = self.units();
        let fixed: Vec<Option<usize>> = self.reached.iter().map(|&row| self.fixed_part(row)).collect();
        let (_, shares, seed) = self.rule();
        let mut free = Vec::new();
        for members in units.values() {
            // The last fixed part wins: a record of the test set stays, and what repeats it elsewhere goes.
            let Some(part) = members.iter().filter_map(|&at| fixed[at as usize]).max() else {
                free.push(members);
                continue;
            };
            let first = members.iter().find(|at| fixed[**at as usize] == Some(part));
            let first = self.reached[*first.expect("the part is that of a member") as usize];
            for &at in members {
                let row = self.reached[at as usize];
                if fixed[at as usize] == Some(part) {
                    parts[row as usize] = Some(part as u16);
                } else {
                    fates.fates[row as usize] = Fate::Dropped(Stage::Split);
                    fates.duplicate_of.insert(row, first);
                }
            }
        }
        let described: Vec<Unit> = free.iter().map(|members| self.describe(members, fates)).collect();
        let assigned = match self.narrow.stratum {
            Some(_) => by_stratum(seed, &described, shares),
            None => described.iter().map(|unit| by_threshold(seed, &unit.key, shares)).collect(),
        };
        for (members, part) in free.iter().zip(assigned) {
            members.iter().for_each(|&at| parts[self.reached[at as usize] as usize] = Some(part as u16));
        }
    }

    /// The units, each with its members in order, by the smallest member.
    fn units(&self) -> BTreeMap<u32, Vec<u32>> {
        let mut sets = Sets((0..self.reached.len() as u32).collect());
        for column in self.columns() {
            let mut first: HashMap<Key, u32> = HashMap::new();
            for (at, &row) in (0..).zip(self.reached) {
                if let Some(key) = column.get(row) {
                    let of = *first.entry(key).or_insert(at);
                    sets.join(of, at);
                }
            }
        }
        for duplicate in self.clusters.iter().flat_map(Clusters::duplicates) {
            sets.join(duplicate.of as u32, duplicate.index as u32);
        }
        let mut units: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for at in 0..self.reached.len() as u32 {
            units.entry(sets.root(at)).or_default().push(at);
        }
        units
    }

    fn fixed_part(&self, row: u32) -> Option<usize> {
        let (file, _) = file_and_offset(self.narrow.location[row as usize]);
        let source = (self.source)(file);
        let (fixed, ..) = self.rule();
        fixed.iter().find(|part| part.sources.contains(&source)).map(|part| part.part)
    }

    /// A unit is hashed by its smallest value, so that more records of a value move nobody; without one, by its
    /// smallest record.
    fn describe(&self, members: &[u32], fates: &Fates) -> Unit {
        let columns = self.columns();
        let rows = members.iter().map(|&at| self.reached[at as usize]);
        let values = rows.clone().flat_map(|row| columns.iter().filter_map(move |column| column.get(row)));
        let key = values.min().or_else(|| rows.clone().map(|row| fates.ids[row as usize].0).min());
        let first = self.reached[members[0] as usize];
        Unit {
            key: key.expect("a unit has a member"),
            size: members.len() as u64,
            stratum: self.narrow.stratum.as_ref().map_or([0; 16], |strata| strata[first as usize]),
        }
    }

    fn certificate(&self, fates: &Fates, parts: &Parts) -> Certificate {
        let mut columns = self.columns();
        let names = self.unit_names();
        let by = if names.is_empty() { "record".to_owned() } else { names.join(" and ") };
        if columns.is_empty() {
            columns.push(Keys::Rows(&self.narrow.digest));
        }
        let near_pairs = self.clusters.as_ref().map(|clusters| {
            let part = |at: usize| parts[self.reached[at] as usize];
            let kept = |at: usize| fates.fates[self.reached[at] as usize] == Fate::Kept;
            // A cluster may have lost its first record to a fixed part, so its kept members are compared with each other.
            let mut first: HashMap<usize, Option<u16>> = HashMap::new();
            let members = (0..self.reached.len()).filter(|&at| kept(at));
            let torn = members.filter(|&at| *first.entry(clusters.representative(at)).or_insert(part(at)) != part(at));
            torn.count() as u64
        });
        Certificate { by, method: self.method(), shared_keys: shared(&columns, &fates.kept(), parts), near_pairs }
    }

    fn unit_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let column = |id: crate::hir::ColumnId| self.dataset.columns[id.0 as usize].name.as_str();
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
