//! One record's life, read from what builds left: where it was read, which rules it passed, what became of it, where it
//! stands now, and what runs made of it.

mod audit;
mod uses;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::{AtPath, EmitError};
use super::manifest::Manifest;
use super::named::Named;
pub use uses::RunUse;

/// Lives told at most; a prefix that more records share is too short to be of use.
const LIMIT: usize = 20;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A record by its id or the first digits of it.
    Id(String),
    /// The record on a line of a file.
    Place {
        /// The file, as the spec reaches it or as it lies here.
        file: String,
        /// The 1-based line.
        line: u64,
    },
}

/// The records that were meant.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Traced {
    /// Their lives: data sets by name, records in order of location; at most 20.
    pub lives: Vec<Life>,
    /// How many more there are.
    pub more: u64,
    /// Ids that are like the one that no record has.
    pub near: Vec<String>,
    /// The data sets that were looked into.
    pub datasets: Vec<String>,
    /// The files that they were read from, where no record of the one that is meant is known.
    pub files: Vec<String>,
}

/// What became of a record in one data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Life {
    /// The data set.
    pub dataset: String,
    /// The folder that it was built into.
    #[serde(skip)]
    pub folder: PathBuf,
    /// BLAKE3 of what the spec said of the data set.
    #[serde(skip)]
    pub spec: String,
    /// The record's id.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its file as the spec reaches it.
    pub file: String,
    /// The 1-based line that it begins on.
    pub line: u64,
    /// Whether no later record of its file was read; told where a place was asked for.
    #[serde(skip)]
    pub is_last: bool,
    /// BLAKE3 of the file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub blake3: String,
    /// `kept`, `dropped` or `quarantined`.
    pub verdict: String,
    /// The rule that decided, when it was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The rule's line in the spec, where that is at hand and says what it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_line: Option<u32>,
    /// What is wrong with it, when it is in the quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The record that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<Other>,
    /// How alike the two are, where near-duplicates were looked for: the Jaccard similarity of their shingles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// How many bytes were cut out of its texts since they occurred before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_bytes: Option<u64>,
    /// How often it is written, where that is more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// The first records that repeat it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repeated_by: Vec<Other>,
    /// How many do.
    pub repeats: u64,
    /// Its part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The steps up to the one that decided.
    pub steps: Vec<Passed>,
    /// Where it stands in the outputs: the path under the data set's folder, and the 1-based line, or row of a table.
    pub outputs: Named<u64>,
    /// What runs made of it.
    pub runs: Vec<RunUse>,
}

/// Another record, by its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Other {
    /// Its id.
    pub id: String,
    /// Its file as the spec reaches it; empty where the audit does not have it.
    pub file: String,
    /// The 1-based line that it begins on.
    pub line: u64,
}

/// A step that a record reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Passed {
    /// `read`, `clean tidy` …
    pub step: String,
    /// The rule.
    pub rule: String,
    /// Its line in the spec, where that is at hand, says what it said, and has a line for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// `passed`, `dropped` or `quarantined`.
    pub result: String,
}

impl Life {
    /// Says where the rules stand: `line` is given the place of a step among those of the manifest.
    pub fn place(&mut self, line: &dyn Fn(usize) -> Option<u32>) {
        for (at, step) in self.steps.iter_mut().enumerate() {
            step.line = line(at);
        }
        let decided = self.steps.last().filter(|step| step.result != "passed");
        self.rule_line = decided.and_then(|step| step.line);
    }
}

/// Looks for records in all data sets that were built under `out`.
pub fn trace(out: &Path, wanted: &Wanted) -> Result<Traced, EmitError> {
    let mut traced = Traced::default();
    let folders = match fs::read_dir(out) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(traced),
        read => read.at("read", out)?,
    };
    let mut folders: Vec<_> = folders.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>().at("read", out)?;
    // A hidden folder is one in the making.
    folders.retain(|folder| folder.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    folders.sort();
    let mut near: Vec<(usize, String)> = Vec::new();
    for folder in folders {
        let Some(manifest) = Manifest::read(&folder)? else { continue };
        traced.datasets.push(manifest.dataset.clone());
        let first = traced.lives.len();
        let found = audit::search(&folder, &manifest, wanted, LIMIT - first)?;
        traced.lives.extend(found.lives);
        traced.more += found.more;
        near.extend(found.near);
        traced.files.extend(manifest.sources.iter().flat_map(|source| &source.files).map(|file| file.path.clone()));
        let lives = &mut traced.lives[first..];
        audit::add_errors(&folder, lives)?;
        audit::add_duplicates(&folder, lives)?;
        uses::add_uses(out, &manifest, lives)?;
    }
    if traced.lives.is_empty() {
        // The one that shares most comes first.
        near.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        near.dedup_by(|a, b| a.1 == b.1);
        traced.near = near.into_iter().take(3).map(|(_, id)| id).collect();
        traced.files.sort();
        traced.files.dedup();
    } else {
        traced.files.clear();
    }
    Ok(traced)
}

/// Whether a path that somebody wrote means a file as the spec reaches it: one is the end of the other.
pub fn is_same_file(written: &str, file: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.replace('\\', "/").split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let (written, file) = (parts(written), parts(file));
    !written.is_empty() && !file.is_empty() && (written.ends_with(&file) || file.ends_with(&written))
}

#[cfg(test)]
mod tests {
    use super::is_same_file;

    #[test]
    fn a_file_is_meant_by_the_end_of_its_path() {
        for (written, file, same) in [
            ("data/a.csv", "data/a.csv", true),
            ("./data/a.csv", "data/a.csv", true),
            ("specs/shop/data/a.csv", "data/a.csv", true),
            ("a.csv", "data/a.csv", true),
            ("ta/a.csv", "data/a.csv", false),
            ("b.csv", "data/a.csv", false),
            ("", "data/a.csv", false),
        ] {
            assert_eq!(is_same_file(written, file), same, "{written} {file}");
        }
    }
}
