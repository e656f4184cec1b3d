//! One record's life, read from what a build left: where it was read, which rules it passed, what became of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use arrow::array::{Array, AsArray, Float32Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Float32Type, Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};

use super::error::{AtPath, EmitError};
use super::manifest::Manifest;
use super::named::Named;
use super::staging::{AUDIT, QUARANTINE};

/// Lives told at most; a prefix that more records share is too short to be of use.
const LIMIT: usize = 20;

/// The records that an id, or the beginning of one, means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Traced {
    /// Their lives: data sets by name, records in order of location; at most 20.
    pub lives: Vec<Life>,
    /// How many more there are.
    pub more: u64,
}

/// What became of a record in one data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Life {
    /// The data set.
    pub dataset: String,
    /// The record's id.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its file as the spec reaches it.
    pub file: String,
    /// The 1-based line that it begins on.
    pub line: i64,
    /// `kept`, `dropped` or `quarantined`.
    pub verdict: String,
    /// The rule that decided, when it was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The rule's line in the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_line: Option<i32>,
    /// What is wrong with it, when it is in the quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The record that it repeats: the one that is kept of its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// How alike the two are, where near-duplicates were looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// How many records were dropped since they repeat it.
    #[serde(skip_serializing_if = "is_zero")]
    pub repeated_by: u64,
    /// Its part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The steps up to the one that decided.
    pub steps: Vec<Passed>,
    /// Where it stands in the outputs: the path under the data set's folder, and the 1-based line, or row of a table.
    pub outputs: Named<u64>,
}

/// A step that a record reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Passed {
    /// `read`, `clean tidy` …
    pub step: String,
    /// The rule.
    pub rule: String,
    /// Its line in the spec; 0 where no line says it.
    pub line: u32,
    /// `passed`, `dropped` or `quarantined`.
    pub result: String,
}

/// Looks for the records whose id begins with `id` in all data sets that were built under `out`.
pub fn trace(out: &Path, id: &str) -> Result<Traced, EmitError> {
    let id = id.trim().to_ascii_lowercase();
    let mut traced = Traced { lives: Vec::new(), more: 0 };
    let folders = match fs::read_dir(out) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(traced),
        read => read.at("read", out)?,
    };
    let mut folders: Vec<_> = folders.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>().at("read", out)?;
    // A hidden folder is one in the making.
    folders.retain(|folder| folder.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    folders.sort();
    for folder in folders {
        if let Some(manifest) = Manifest::read(&folder)? {
            search(&folder, &manifest, &id, &mut traced)?;
        }
    }
    Ok(traced)
}

/// Adds the lives of one data set.
fn search(folder: &Path, manifest: &Manifest, id: &str, traced: &mut Traced) -> Result<(), EmitError> {
    let path = folder.join(AUDIT);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).at("open", &path)?)
        .and_then(|builder| builder.build())
        .at("read", &path)?;
    let mut counted: Vec<(String, u64)> = manifest.splits.iter().map(|(part, _)| (part.to_owned(), 0)).collect();
    let first = traced.lives.len();
    let mut repeats: BTreeMap<String, u64> = BTreeMap::new();
    for batch in reader {
        let batch = batch.map_err(parquet::errors::ParquetError::from).at("read", &path)?;
        let rows = AuditColumns::new(&batch).ok_or_else(|| EmitError::Unreadable {
            path: path.clone(),
            reason: "its columns are not an audit's".to_owned(),
        })?;
        for row in 0..batch.num_rows() {
            if rows.duplicate_of.is_valid(row) && rows.duplicate_of.value(row).starts_with(id) {
                *repeats.entry(rows.duplicate_of.value(row).to_owned()).or_default() += 1;
            }
            let part = rows.split.is_valid(row).then(|| rows.split.value(row));
            let position = part.and_then(|part| counted.iter_mut().find(|(name, _)| name == part)).map(|(_, count)| {
                // Copies stand side by side; the first of them is told.
                let first = *count + 1;
                *count += u64::try_from(rows.copies.value(row)).unwrap_or(1);
                first
            });
            if !rows.id.value(row).starts_with(id) {
                continue;
            }
            if traced.lives.len() == LIMIT {
                traced.more += 1;
            } else {
                traced.lives.push(rows.life(row, manifest, position));
            }
        }
    }
    for life in &mut traced.lives[first..] {
        life.repeated_by = repeats.get(&life.id).copied().unwrap_or(0);
    }
    add_errors(folder, &mut traced.lives[first..])
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The audit's columns, typed.
struct AuditColumns<'a> {
    id: &'a StringArray,
    source: &'a StringArray,
    file: &'a StringArray,
    line: &'a arrow::array::Int64Array,
    verdict: &'a StringArray,
    rule: &'a StringArray,
    rule_line: &'a arrow::array::Int32Array,
    duplicate_of: &'a StringArray,
    similarity: &'a Float32Array,
    split: &'a StringArray,
    copies: &'a Int32Array,
}

impl<'a> AuditColumns<'a> {
    fn new(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        Some(Self {
            id: text("id")?,
            source: text("source")?,
            file: text("file")?,
            line: batch.column_by_name("line")?.as_primitive_opt::<Int64Type>()?,
            verdict: text("verdict")?,
            rule: text("rule")?,
            rule_line: batch.column_by_name("rule_line")?.as_primitive_opt::<Int32Type>()?,
            duplicate_of: text("duplicate_of")?,
            similarity: batch.column_by_name("similarity")?.as_primitive_opt::<Float32Type>()?,
            split: text("split")?,
            copies: batch.column_by_name("copies")?.as_primitive_opt::<Int32Type>()?,
        })
    }

    fn life(&self, row: usize, manifest: &Manifest, position: Option<u64>) -> Life {
        let text = |column: &StringArray| column.is_valid(row).then(|| column.value(row).to_owned());
        let (rule, split) = (text(self.rule), text(self.split));
        let rule_line = self.rule_line.is_valid(row).then(|| self.rule_line.value(row));
        let verdict = self.verdict.value(row).to_owned();
        let outputs = manifest.outputs.iter().filter(|file| Some(&file.part) == split.as_ref());
        let outputs = position.into_iter().flat_map(|line| outputs.clone().map(move |file| (file.path.clone(), line)));
        Life {
            dataset: manifest.dataset.clone(),
            id: self.id.value(row).to_owned(),
            source: self.source.value(row).to_owned(),
            file: self.file.value(row).to_owned(),
            line: self.line.value(row),
            steps: steps(manifest, &verdict, rule.as_deref(), rule_line),
            outputs: outputs.collect(),
            duplicate_of: text(self.duplicate_of),
            similarity: self.similarity.is_valid(row).then(|| self.similarity.value(row)),
            repeated_by: 0,
            error: None,
            verdict,
            rule,
            rule_line,
            split,
        }
    }
}

/// The steps up to the one with this rule; all of them for a record that was kept.
fn steps(manifest: &Manifest, verdict: &str, rule: Option<&str>, line: Option<i32>) -> Vec<Passed> {
    let mut passed = Vec::new();
    for step in &manifest.steps {
        let decides = rule.is_some_and(|rule| {
            (step.rule == rule || step.step == rule) && line.is_none_or(|line| i64::from(line) == i64::from(step.line))
        });
        passed.push(Passed {
            step: step.step.clone(),
            rule: step.rule.clone(),
            line: step.line,
            result: if decides { verdict.to_owned() } else { "passed".to_owned() },
        });
        if decides {
            break;
        }
    }
    passed
}

/// Adds the reasons that the quarantine has.
fn add_errors(folder: &Path, lives: &mut [Life]) -> Result<(), EmitError> {
    #[derive(Deserialize)]
    struct Line {
        id: String,
        file: String,
        line: i64,
        error: String,
    }
    if lives.iter().all(|life| life.verdict != "quarantined") {
        return Ok(());
    }
    let path = folder.join(QUARANTINE);
    for text in BufReader::new(File::open(&path).at("open", &path)?).lines() {
        let text = text.at("read", &path)?;
        let line: Line = serde_json::from_str(&text)
            .map_err(|error| EmitError::Unreadable { path: path.clone(), reason: error.to_string() })?;
        for life in lives.iter_mut() {
            if life.id == line.id && life.file == line.file && life.line == line.line {
                life.error = Some(line.error.clone());
            }
        }
    }
    Ok(())
}

impl Traced {
    /// The lives as text for a terminal.
    pub fn to_text(&self) -> String {
        let lives: Vec<String> = self.lives.iter().map(Life::to_text).collect();
        let mut text = lives.join("\n");
        if self.more > 0 {
            writeln!(text, "\n{} more records have an id that begins so", self.more)
                .expect("a string takes every write");
        }
        text
    }

    /// The lives as one JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a life has only names and numbers")
    }
}

impl Life {
    /// The life as text for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{words}").expect("a string takes every write");
        line(format!("{} in {}: {}", self.id, self.dataset, self.verdict));
        line(format!("  read from {}, line {} (source {})", self.file, self.line, self.source));
        for step in &self.steps {
            let mark = if step.result == "passed" { '✓' } else { '✗' };
            let name =
                if step.step == step.rule { step.rule.clone() } else { format!("{} · {}", step.step, step.rule) };
            let place = if step.line > 0 { format!(" (line {} of the spec)", step.line) } else { String::new() };
            let result = if step.result == "passed" { String::new() } else { format!(": {}", step.result) };
            line(format!("  {mark} {name}{place}{result}"));
        }
        if let Some(error) = &self.error {
            line(format!("  because {error}"));
        }
        if let Some(original) = &self.duplicate_of {
            let alike = self.similarity.map(|similarity| format!(", similarity {similarity:.3}"));
            line(format!("  repeats {original}{}", alike.unwrap_or_default()));
        }
        match self.repeated_by {
            0 => {}
            1 => line("  1 record was dropped since it repeats this one".to_owned()),
            more => line(format!("  {more} records were dropped since they repeat this one")),
        }
        if let Some(split) = &self.split {
            line(format!("  in {split}"));
        }
        for (path, at) in self.outputs.iter() {
            let unit = if path.ends_with(".parquet") { "row" } else { "line" };
            line(format!("  {}/{path}, {unit} {at}", self.dataset));
        }
        text
    }
}
