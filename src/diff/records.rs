//! Two builds of a data set, record by record, by their ids.

use std::collections::{BTreeMap, HashMap};

use crate::emit::snapshot::{Fate, Id, Snapshot, Values};

/// What differs. Records are named by their ids; nothing here is a text of one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordDiff {
    /// Rows seen in the first and in the second build.
    pub rows: (u64, u64),
    /// Records emitted by the first and by the second build.
    pub emitted: (u64, u64),
    /// Records that the second build alone saw, by what became of them.
    pub added: BTreeMap<String, Vec<Id>>,
    /// Records that the first build alone saw, by what became of them.
    pub removed: BTreeMap<String, Vec<Id>>,
    /// Records of which another thing became: from, to.
    pub verdicts: BTreeMap<(String, String), Vec<Id>>,
    /// Records that moved between parts: from, to.
    pub moved: BTreeMap<(String, String), Vec<Id>>,
    /// Records whose label changed: label, from, to.
    pub relabelled: BTreeMap<(String, String, String), Vec<Id>>,
    /// Records whose values changed, labels aside; `None` where a build has no file with columns.
    pub changed: Option<Vec<Id>>,
    /// Columns that one of the builds has alone.
    pub columns: (Vec<String>, Vec<String>),
    /// For each output of both builds, the records that are written otherwise.
    pub rewritten: Vec<Rewritten>,
    /// Records of each value of each label: label, value.
    pub labels: Vec<Count>,
    /// Records that each rule took out or changed: block and rule, what it did.
    pub rules: Vec<Count>,
}

/// An output whose rows differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewritten {
    /// Its name.
    pub output: String,
    /// Records in both builds whose rows differ.
    pub records: Vec<Id>,
    /// Records in both.
    pub of: u64,
}

/// A count in both builds; `None` where it has no such thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// What it belongs to: a label, or a block and its rule.
    pub of: String,
    /// What is counted: a value, or `dropped`, `quarantined`, `changed`.
    pub what: String,
    /// In the first build.
    pub before: Option<u64>,
    /// In the second.
    pub after: Option<u64>,
}

impl RecordDiff {
    /// Whether any record differs, or any count.
    pub fn differs(&self) -> bool {
        let counts = self.labels.iter().chain(&self.rules).any(|count| count.before != count.after);
        let ids = [&self.added, &self.removed].iter().any(|records| !records.is_empty())
            || [&self.verdicts, &self.moved].iter().any(|records| !records.is_empty())
            || !self.relabelled.is_empty()
            || self.changed.as_ref().is_some_and(|changed| !changed.is_empty());
        let columns = !(self.columns.0.is_empty() && self.columns.1.is_empty());
        counts || ids || columns || self.rewritten.iter().any(|output| !output.records.is_empty())
    }
}

/// Compares two builds. Lists stand in the order of the builds' records.
pub fn compare_records(before: &Snapshot, after: &Snapshot) -> RecordDiff {
    let emitted = |snapshot: &Snapshot| snapshot.manifest.splits.iter().map(|(_, part)| part.records).sum();
    let mut diff = RecordDiff {
        rows: (before.records.len() as u64, after.records.len() as u64),
        emitted: (emitted(before), emitted(after)),
        labels: label_counts(before, after),
        rules: rule_counts(before, after),
        ..RecordDiff::default()
    };
    compare_fates(before, after, &mut diff);
    if let (Some(old), Some(new)) = (&before.values, &after.values) {
        compare_values(before, old, new, &mut diff);
    }
    for (output, old) in &before.outputs {
        if let Some((_, new)) = after.outputs.iter().find(|(name, _)| name == output) {
            let both = before.records.iter().filter_map(|(id, _)| Some((id, old.get(id)?, new.get(id)?)));
            let differing = both.clone().filter(|(_, old, new)| old != new).map(|(id, ..)| id.clone());
            diff.rewritten.push(Rewritten {
                output: output.clone(),
                records: differing.collect(),
                of: both.count() as u64,
            });
        }
    }
    diff
}

fn compare_fates(before: &Snapshot, after: &Snapshot, diff: &mut RecordDiff) {
    let index = |snapshot: &Snapshot| -> HashMap<Id, Fate> { snapshot.records.iter().cloned().collect() };
    let (old, new) = (index(before), index(after));
    for (id, fate) in &before.records {
        let Some(now) = new.get(id) else {
            diff.removed.entry(told(fate)).or_default().push(id.clone());
            continue;
        };
        if told(fate) != told(now) {
            diff.verdicts.entry((told(fate), told(now))).or_default().push(id.clone());
        } else if fate.split != now.split
            && let (Some(from), Some(to)) = (&fate.split, &now.split)
        {
            diff.moved.entry((from.to_string(), to.to_string())).or_default().push(id.clone());
        }
    }
    for (id, fate) in after.records.iter().filter(|(id, _)| !old.contains_key(id)) {
        diff.added.entry(told(fate)).or_default().push(id.clone());
    }
}

/// `kept`, `dropped by too short`.
fn told(fate: &Fate) -> String {
    fate.rule.as_ref().map_or_else(|| fate.verdict.to_string(), |rule| format!("{} by {rule}", fate.verdict))
}

fn compare_values(before: &Snapshot, old: &Values, new: &Values, diff: &mut RecordDiff) {
    let position = |names: &[String], name: &String| names.iter().position(|known| known == name);
    let pairs = |a: &[String], b: &[String]| -> Vec<(usize, usize)> {
        a.iter().enumerate().filter_map(|(at, name)| Some((at, position(b, name)?))).collect()
    };
    let only = |a: &[String], b: &[String]| a.iter().filter(|name| !b.contains(name)).cloned().collect();
    diff.columns = (only(&old.columns, &new.columns), only(&new.columns, &old.columns));
    let (columns, labels) = (pairs(&old.columns, &new.columns), pairs(&old.labels, &new.labels));
    let mut changed = Vec::new();
    for (id, _) in &before.records {
        let (Some((hashes, values)), Some((hashes_now, values_now))) = (old.rows.get(id), new.rows.get(id)) else {
            continue;
        };
        if columns.iter().any(|&(a, b)| hashes[a] != hashes_now[b]) {
            changed.push(id.clone());
        }
        for &(a, b) in labels.iter().filter(|&&(a, b)| values[a] != values_now[b]) {
            let key = (old.labels[a].clone(), values[a].to_string(), values_now[b].to_string());
            diff.relabelled.entry(key).or_default().push(id.clone());
        }
    }
    diff.changed = Some(changed);
}

/// How many records of all parts have each value of each label.
fn label_counts(before: &Snapshot, after: &Snapshot) -> Vec<Count> {
    let counts = |snapshot: &Snapshot| {
        let mut counts: Vec<(String, String, u64)> = Vec::new();
        for (_, part) in snapshot.manifest.splits.iter() {
            for (label, values) in part.labels.iter() {
                for (value, records) in values.iter() {
                    add(&mut counts, label.to_owned(), value.to_owned(), *records);
                }
            }
        }
        counts
    };
    joined(counts(before), counts(after))
}

/// How many records each rule took out or changed.
fn rule_counts(before: &Snapshot, after: &Snapshot) -> Vec<Count> {
    let counts = |snapshot: &Snapshot| {
        let mut counts: Vec<(String, String, u64)> = Vec::new();
        for step in &snapshot.manifest.steps {
            let name =
                if step.step == step.rule { step.rule.clone() } else { format!("{} · {}", step.step, step.rule) };
            let did = [("dropped", step.dropped), ("quarantined", step.quarantined), ("changed", step.changed)];
            for (what, records) in did.into_iter().filter(|(_, records)| *records > 0) {
                add(&mut counts, name.clone(), what.to_owned(), records);
            }
        }
        counts
    };
    joined(counts(before), counts(after))
}

fn add(counts: &mut Vec<(String, String, u64)>, of: String, what: String, records: u64) {
    match counts.iter_mut().find(|(known, thing, _)| *known == of && *thing == what) {
        Some((.., sum)) => *sum += records,
        None => counts.push((of, what, records)),
    }
}

/// The counts of the first in order, then what the second has alone.
fn joined(before: Vec<(String, String, u64)>, after: Vec<(String, String, u64)>) -> Vec<Count> {
    let find = |counts: &[(String, String, u64)], of: &str, what: &str| {
        counts.iter().find(|(a, b, _)| a == of && b == what).map(|(.., records)| *records)
    };
    let mut counts: Vec<Count> = Vec::new();
    for (of, what, records) in &before {
        let now = find(&after, of, what);
        counts.push(Count { of: of.clone(), what: what.clone(), before: Some(*records), after: now });
    }
    for (of, what, records) in after.into_iter().filter(|(of, what, _)| find(&before, of, what).is_none()) {
        counts.push(Count { of, what, before: None, after: Some(records) });
    }
    counts
}
