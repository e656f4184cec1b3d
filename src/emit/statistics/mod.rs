//! `statistics.json`: what was measured of the emitted records, and what the rules took out, with examples. The report, the
//! data card and `annotc stats` are made from it. Of a column that ever was personal it holds lengths, and no value.

mod clusters;
mod gather;
mod involved;

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{AtPath, EmitError};
use super::named::Named;
use crate::statistics::Measured;
pub(super) use clusters::duplicates;
pub(super) use gather::Gathered;
pub use gather::{ColumnMeasure, Sampled, measures};
pub use involved::{Involved, involved};

/// The statistics' name in the data set's folder.
pub const STATISTICS: &str = "statistics.json";
const SCHEMA: &str = "annotc.statistics/1";

/// What is known of the records of a data set. Two builds of the same data set have the same: nothing in it depends on the
/// pieces in which the records came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// `annotc.statistics/1`
    pub schema: String,
    /// The data set's name.
    pub dataset: String,
    /// What the spec says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What was measured of each part, in the data set's order.
    pub parts: Named<PartStatistics>,
    /// The rules that took records out, in the order of the steps.
    pub taken: Vec<TakenEntry>,
    /// What was wrong with the records in the quarantine, the most frequent first.
    pub errors: Vec<ErrorEntry>,
    /// What each deduplication found, in the order of the steps.
    pub duplicates: Vec<DuplicatesEntry>,
}

/// What was measured of a part.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PartStatistics {
    /// Its records.
    pub records: u64,
    /// The columns that are written, but for labels whose values have names: those are counted in the manifest.
    pub columns: Named<Measured>,
}

/// A rule that took records out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakenEntry {
    /// `read`, `split`, or the block: `clean tidy`.
    pub step: String,
    /// The rule as the audit names it.
    pub rule: String,
    /// Its place among the steps of the manifest, from 0.
    pub place: u32,
    /// Records that it dropped.
    pub dropped: u64,
    /// Records that it quarantined.
    pub quarantined: u64,
    /// The columns that it looks at and whose values are not shown, since they are or were personal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// The first of the records.
    pub samples: Vec<SampleEntry>,
}

/// A record, by its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleEntry {
    /// Its id.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its file as the spec reaches it.
    pub file: String,
    /// The 1-based line that it begins on.
    pub line: u64,
    /// The record that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// What the rule looked at, cut to a line; nothing where one of the columns is or was personal.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub text: Named<String>,
}

/// What was wrong with records in the quarantine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorEntry {
    /// The reason; `other reasons` for what exceeds the kinds that are told apart.
    pub error: String,
    /// How many records have it.
    pub records: u64,
    /// The first of them.
    pub samples: Vec<SampleEntry>,
}

/// What a deduplication, or the split, found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DuplicatesEntry {
    /// The rule as the audit names it.
    pub rule: String,
    /// Its place among the steps of the manifest, from 0.
    pub place: u32,
    /// Records that are kept by it and repeated by others.
    pub clusters: u64,
    /// Records that repeat them.
    pub repeats: u64,
    /// How large the clusters are: the number of records, the first one included, as `[from, to, clusters]`.
    pub sizes: crate::statistics::Histogram,
    /// The largest clusters, by the record that all others repeat.
    pub largest: Vec<ClusterEntry>,
}

/// A cluster of duplicates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterEntry {
    /// The record that the others repeat.
    pub id: String,
    /// Its file as the spec reaches it.
    pub file: String,
    /// The 1-based line that it begins on.
    pub line: u64,
    /// How many records it has.
    pub records: u64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            dataset: String::new(),
            description: None,
            parts: Named::default(),
            taken: Vec::new(),
            errors: Vec::new(),
            duplicates: Vec::new(),
        }
    }
}

impl Statistics {
    /// Reads the statistics in a data set's folder; `None` when there are none, or those of another schema.
    pub fn read(folder: &Path) -> Result<Option<Self>, EmitError> {
        let path = folder.join(STATISTICS);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.at("read", &path)?,
        };
        let unreadable =
            |error: serde_json::Error| EmitError::Unreadable { path: path.clone(), reason: error.to_string() };
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(unreadable)?;
        if value["schema"] != SCHEMA {
            return Ok(None);
        }
        serde_json::from_value(value).map(Some).map_err(unreadable)
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("statistics have only names, numbers and lists");
        text.push('\n');
        text
    }
}
