//! Why the measures of a data set are in the cache or are not: held against the stage that comes nearest.

use std::collections::{BTreeMap, HashMap};

use super::record::{Holds, Input, NodeEntry, Record, Use};
use super::shelf::{Stored, stored};
use super::{Stages, Wanted, chunk_file};
use crate::plan::stage::{Measures, Node};

/// What a build would find of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The stage's name.
    pub key: String,
    /// The chunks in all.
    pub chunks: usize,
    /// Those that would be read from the cache.
    pub reused: usize,
    /// The stage that was compared with, where it is another one.
    pub nearest: Option<String>,
    /// Why chunks would be measured again.
    pub reasons: Vec<String>,
}

/// What a build would find of a stage.
pub fn explain(stages: &Stages, wanted: &Wanted<'_>) -> Explained {
    let Wanted { dataset, survey, measures, .. } = wanted;
    let keys = wanted.chunk_keys();
    let folders = stages.holding(wanted);
    let is_there =
        |key: &String| folders.iter().any(|folder| chunk_file::is_whole(&folder.join(chunk_file::name(key))));
    let there: Vec<bool> = keys.iter().map(is_there).collect();
    let reused = there.iter().filter(|there| **there).count();
    let mut explained = Explained { key: wanted.key(), chunks: keys.len(), reused, nearest: None, reasons: Vec::new() };
    if let Some(why) = measures.withheld() {
        explained.reused = 0;
        explained.reasons.push(format!("nothing of it is kept: {why}"));
        return explained;
    }
    if reused == keys.len() {
        return explained;
    }
    let others = stored(&stages.root);
    let Some((nearest, record)) = nearest(&others, &stages.spec, wanted) else {
        let why = match wanted.holds() {
            Holds::Measures => "no stage is kept that was made for such measures",
            Holds::Cuts => "no places are kept that such a step cut",
        };
        explained.reasons.push(why.to_owned());
        return explained;
    };
    explained.nearest = (nearest.key != explained.key).then(|| nearest.key.clone());
    explained.reasons = measured_otherwise(measures, record);
    let missing: Vec<usize> = survey
        .files
        .iter()
        .enumerate()
        .map(|(file, _)| there[survey.chunks_of(file)].iter().filter(|there| !**there).count())
        .collect();
    if let Some(used) = use_of(record, &stages.spec, &dataset.name) {
        let now = wanted.inputs();
        let lacking = now.iter().zip(missing).filter(|(_, missing)| *missing > 0);
        let others = explained.reasons.is_empty();
        explained.reasons.extend(
            lacking.filter_map(|(input, missing)| read_otherwise(input, (used, record.holds), missing, others)),
        );
    }
    explained
}

/// The stage that comes nearest: one with all measures, then one made for this data set, then the one with most of the
/// measures, then the one with most that are called so, then the one used last.
fn nearest<'s>(stages: &'s [Stored], spec: &str, wanted: &Wanted<'_>) -> Option<(&'s Stored, &'s Record)> {
    let (measures, dataset) = (wanted.measures, &wanted.dataset.name);
    let rank = |record: &Record| {
        let own = record.uses.iter().any(|of| of.spec == spec && of.dataset == *dataset);
        let known: Vec<&str> = record.measures.iter().map(|node| node.digest.as_str()).collect();
        let shared = measures.measures.iter().filter(|node| known.contains(&node.digest.as_str())).count();
        let alike = |node: &Node| record.measures.iter().any(|other| other.what == node.what);
        let alike = measures.measures.iter().filter(|node| alike(node)).count();
        (shared == measures.measures.len(), own, shared, alike)
    };
    let ranked = stages.iter().filter_map(|stage| Some((stage, stage.record.as_ref()?)));
    let ranked = ranked.filter(|(_, record)| record.holds == wanted.holds());
    // The first of equal ones is the one used last.
    ranked.rev().max_by_key(|(_, record)| rank(record)).filter(|(_, record)| {
        let (_, own, shared, _) = rank(record);
        own || shared > 0
    })
}

fn use_of<'r>(record: &'r Record, spec: &str, dataset: &str) -> Option<&'r Use> {
    let own = record.uses.iter().find(|of| of.spec == spec && of.dataset == dataset);
    own.or_else(|| record.uses.last())
}

/// What is to be measured and is not in a stage, each with the reason.
fn measured_otherwise(measures: &Measures, record: &Record) -> Vec<String> {
    if record.annotc != env!("CARGO_PKG_VERSION") {
        return vec![format!("it was made by annotc {}, this is {}", record.annotc, env!("CARGO_PKG_VERSION"))];
    }
    let now: Vec<NodeEntry> = measures.values.iter().chain(&measures.measures).map(NodeEntry::from).collect();
    let now: HashMap<&str, &NodeEntry> = now.iter().map(|node| (node.digest.as_str(), node)).collect();
    let was: HashMap<&str, &NodeEntry> =
        record.values.iter().chain(&record.measures).map(|node| (node.digest.as_str(), node)).collect();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in measures.measures.iter().filter(|node| !was.contains_key(node.digest.as_str())) {
        let alike =
            record.measures.iter().find(|other| other.what == node.what && !now.contains_key(other.digest.as_str()));
        let reason = match alike {
            None => "not measured before".to_owned(),
            Some(other) => difference(&NodeEntry::from(node), other, &now, &was),
        };
        reasons.entry(reason).or_default().push(quoted(&node.what));
    }
    reasons.into_iter().map(|(reason, measures)| format!("{}: {reason}", measures.join(", "))).collect()
}

/// Words that hold a quotation already stand as they are.
fn quoted(what: &str) -> String {
    if what.contains('`') { what.to_owned() } else { format!("`{what}`") }
}

/// Why two values that are called the same are not.
fn difference(
    now: &NodeEntry,
    was: &NodeEntry,
    nodes: &HashMap<&str, &NodeEntry>,
    old: &HashMap<&str, &NodeEntry>,
) -> String {
    for (name, version) in &now.uses {
        match was.uses.get(name) {
            Some(before) if before != version => {
                return format!("`{name}` has version {version} now and had version {before}");
            }
            Some(_) | None => {}
        }
    }
    for (read, before) in now.reads.iter().zip(&was.reads).filter(|(read, before)| read != before) {
        let (Some(read), Some(before)) = (nodes.get(read.as_str()), old.get(before.as_str())) else { continue };
        if read.what == before.what {
            return difference(read, before, nodes, old);
        }
        return format!("computed from `{}` now, from `{}` before", read.what, before.what);
    }
    format!("`{}` is declared otherwise", now.what)
}

/// Why chunks of a file are not there, where the measures are the same; `others` says whether nothing else explains it.
fn read_otherwise(input: &Input, (used, holds): (&Use, Holds), missing: usize, others: bool) -> Option<String> {
    let Input { source, file, blake3, reading, chunks, beside, bytes: _ } = input;
    let Some(before) = used.inputs.iter().find(|before| before.source == *source && before.file == *file) else {
        return Some(format!("{file}: it was not read then"));
    };
    if before.reading != *reading {
        return Some(format!(
            "{file}: source `{source}` reads its rows otherwise: its name, format, fields or `on_bad_row`"
        ));
    }
    if before.blake3 != *blake3 {
        return Some(format!("{file}: its content changed"));
    }
    if before.beside != *beside {
        return Some(match holds {
            Holds::Cuts => format!("{file}: other records of it reach the step"),
            Holds::Measures => format!("{file}: something else is cut out of its texts"),
        });
    }
    others.then(|| {
        format!("{file}: {missing} of {chunks} chunks are missing: a build ended before them, or they were removed or damaged")
    })
}
