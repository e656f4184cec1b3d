//! A stage's record: what it measures, from what, and for whom it was made. Nothing that a build decides is read from it;
//! it says which stages have a measure, and tells people why one cannot be used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Wanted;
use crate::emit::write_atomically;
use crate::plan::stage::Node;

const SCHEMA: &str = "annotc.stage/1";

/// The record's name in the stage's folder.
pub(super) const NAME: &str = "stage.json";

/// Data sets that a record remembers at most, the last ones.
const REMEMBERED: usize = 16;

/// A stage's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    schema: String,
    /// The version of annotc that made it.
    pub annotc: String,
    /// What its files hold.
    #[serde(default)]
    pub holds: Holds,
    /// What is measured.
    pub measures: Vec<NodeEntry>,
    /// What that is computed from.
    pub values: Vec<NodeEntry>,
    /// The data sets that it was made and used for, the last one at the end.
    pub uses: Vec<Use>,
}

/// What the files of a stage hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// What is measured of each record.
    #[default]
    Measures,
    /// The places that a step cuts out of texts.
    Cuts,
}

/// A value, as [`Node`] has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    /// What it is known by.
    pub digest: String,
    /// The value in words.
    pub what: String,
    /// The functions and detectors that compute it, with their versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub uses: BTreeMap<String, u32>,
    /// The digests of what it is computed from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
}

/// A data set that a stage was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The specification.
    pub spec: String,
    /// The data set.
    pub dataset: String,
    /// The files that it read.
    pub inputs: Vec<Input>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its source.
    pub source: String,
    /// The file as the source's `path` reaches it.
    pub file: String,
    /// BLAKE3 of its bytes.
    pub blake3: String,
    /// Its size.
    pub bytes: u64,
    /// The chunks that it is cut into.
    pub chunks: usize,
    /// The digest of what its chunks depend on beside its own rows: what is cut out of them, or which of them reach a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// How its rows are read, in normal form.
    pub reading: String,
}

impl From<&Node> for NodeEntry {
    fn from(Node { digest, what, uses, reads }: &Node) -> Self {
        Self { digest: digest.clone(), what: what.clone(), uses: uses.clone(), reads: reads.clone() }
    }
}

impl Record {
    /// The record of a new stage.
    pub(super) fn new(wanted: &Wanted<'_>) -> Self {
        let measures = wanted.measures;
        Self {
            schema: SCHEMA.to_owned(),
            annotc: env!("CARGO_PKG_VERSION").to_owned(),
            holds: wanted.holds(),
            measures: measures.measures.iter().map(NodeEntry::from).collect(),
            values: measures.values.iter().map(NodeEntry::from).collect(),
            uses: Vec::new(),
        }
    }

    /// Reads the record in a stage's folder; `None` where there is none that this version reads.
    pub fn read(folder: &Path) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(folder.join(NAME)).ok()?).ok()?;
        (record.schema == SCHEMA).then_some(record)
    }

    /// Replaces the record in a stage's folder.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        write_atomically(&folder.join(NAME), &text).map_err(io::Error::other)
    }

    /// Remembers a use as the last one.
    pub(super) fn note(&mut self, fresh: Use) {
        self.uses.retain(|known| (&known.spec, &known.dataset) != (&fresh.spec, &fresh.dataset));
        self.uses.push(fresh);
        self.uses.drain(..self.uses.len().saturating_sub(REMEMBERED));
    }

    /// Whether all of these are measured, by this version of annotc.
    pub(super) fn measures_all(&self, digests: &[&str]) -> bool {
        let known: BTreeSet<&str> = self.measures.iter().map(|node| node.digest.as_str()).collect();
        self.annotc == env!("CARGO_PKG_VERSION") && digests.iter().all(|digest| known.contains(digest))
    }

    /// The functions and detectors that the stage depends on.
    pub fn versions(&self) -> BTreeMap<&str, u32> {
        let nodes = self.measures.iter().chain(&self.values);
        nodes.flat_map(|node| &node.uses).map(|(name, version)| (name.as_str(), *version)).collect()
    }
}
