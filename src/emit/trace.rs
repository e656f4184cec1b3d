//! One record's life, read from what a build left: where it was read, which rules it passed, what became of it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};

use super::error::{AtPath, EmitError};
use super::manifest::{Manifest, StepEntry};
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
    /// The rule's line in the spec, where that is known and says what it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_line: Option<u32>,
    /// What is wrong with it, when it is in the quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The record that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// Its part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The steps up to the one that decided.
    pub steps: Vec<Passed>,
    /// BLAKE3 of what the spec said of the data set.
    #[serde(skip)]
    pub spec: String,
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
    /// Its line in the spec, where that is known, says what it said, and has a line for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
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
    for batch in reader {
        let batch = batch.map_err(parquet::errors::ParquetError::from).at("read", &path)?;
        let rows = AuditColumns::new(&batch).ok_or_else(|| EmitError::Unreadable {
            path: path.clone(),
            reason: "its columns are not an audit's".to_owned(),
        })?;
        for row in 0..batch.num_rows() {
            let part = rows.split.is_valid(row).then(|| rows.split.value(row));
            let position = part.and_then(|part| counted.iter_mut().find(|(name, _)| name == part)).map(|(_, count)| {
                *count += 1;
                *count
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
    add_errors(folder, &mut traced.lives[first..])
}

/// The audit's columns, typed.
struct AuditColumns<'a> {
    id: &'a StringArray,
    source: &'a StringArray,
    file: &'a StringArray,
    line: &'a arrow::array::Int64Array,
    verdict: &'a StringArray,
    rule: &'a StringArray,
    step: &'a arrow::array::Int32Array,
    duplicate_of: &'a StringArray,
    split: &'a StringArray,
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
            step: batch.column_by_name("step")?.as_primitive_opt::<Int32Type>()?,
            duplicate_of: text("duplicate_of")?,
            split: text("split")?,
        })
    }

    fn life(&self, row: usize, manifest: &Manifest, position: Option<u64>) -> Life {
        let text = |column: &StringArray| column.is_valid(row).then(|| column.value(row).to_owned());
        let (rule, split) = (text(self.rule), text(self.split));
        let step = self.step.is_valid(row).then(|| self.step.value(row));
        let verdict = self.verdict.value(row).to_owned();
        let outputs = manifest.outputs.iter().filter(|file| Some(&file.part) == split.as_ref());
        let outputs = position.into_iter().flat_map(|line| outputs.clone().map(move |file| (file.path.clone(), line)));
        Life {
            dataset: manifest.dataset.clone(),
            id: self.id.value(row).to_owned(),
            source: self.source.value(row).to_owned(),
            file: self.file.value(row).to_owned(),
            line: self.line.value(row),
            steps: steps(manifest, &verdict, step),
            outputs: outputs.collect(),
            duplicate_of: text(self.duplicate_of),
            error: None,
            verdict,
            rule,
            rule_line: None,
            split,
            spec: manifest.spec.clone(),
        }
    }
}

/// The steps up to the one that decided; all of them for a record that was kept.
fn steps(manifest: &Manifest, verdict: &str, decided: Option<i32>) -> Vec<Passed> {
    let last = decided.and_then(|step| usize::try_from(step).ok());
    let passed = |(at, step): (usize, &StepEntry)| Passed {
        step: step.step.clone(),
        rule: step.rule.clone(),
        line: None,
        result: if last == Some(at) { verdict.to_owned() } else { "passed".to_owned() },
    };
    let reached = last.map_or(manifest.steps.len(), |last| last + 1);
    manifest.steps.iter().enumerate().take(reached).map(passed).collect()
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
    /// Says where the rules stand. `line` is given a data set, BLAKE3 of what the spec said of it, and the place of a step
    /// among those of its manifest.
    pub fn place(&mut self, line: &dyn Fn(&str, &str, usize) -> Option<u32>) {
        for life in &mut self.lives {
            for (at, step) in life.steps.iter_mut().enumerate() {
                step.line = line(&life.dataset, &life.spec, at);
            }
            let decided = life.steps.last().filter(|step| step.result != "passed");
            life.rule_line = decided.and_then(|step| step.line);
        }
    }

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
            let place = step.line.map_or_else(String::new, |line| format!(" (line {line} of the spec)"));
            let result = if step.result == "passed" { String::new() } else { format!(": {}", step.result) };
            line(format!("  {mark} {name}{place}{result}"));
        }
        if let Some(error) = &self.error {
            line(format!("  because {error}"));
        }
        if let Some(original) = &self.duplicate_of {
            line(format!("  repeats {original}"));
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
