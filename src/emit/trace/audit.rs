//! What the audit and the quarantine say of a record.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use arrow::array::{Array, AsArray, Float32Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Float32Type, Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

use super::{Life, Other, Passed, Wanted, is_same_file};
use crate::emit::error::{AtPath, EmitError};
use crate::emit::manifest::{Manifest, StepEntry};
use crate::emit::staging::{AUDIT, QUARANTINE};

/// Records that repeat another one which are named.
const NAMED: usize = 10;
/// The digits that an id has to share with the one looked for to be suggested.
const ALIKE: usize = 4;

/// What was found in one data set.
#[derive(Default)]
pub(super) struct Found {
    pub(super) lives: Vec<Life>,
    pub(super) more: u64,
    /// Ids that are alike, with the number of digits that they share.
    pub(super) near: Vec<(usize, String)>,
}

/// The records of a data set that are meant, `limit` at most.
pub(super) fn search(folder: &Path, manifest: &Manifest, wanted: &Wanted, limit: usize) -> Result<Found, EmitError> {
    let mut found = Found::default();
    let mut counted: Vec<(String, u64)> = manifest.splits.iter().map(|(part, _)| (part.to_owned(), 0)).collect();
    each_batch(folder, &mut |rows| {
        for row in 0..rows.id.len() {
            let part = rows.split.is_valid(row).then(|| rows.split.value(row));
            let position = part.and_then(|part| counted.iter_mut().find(|(name, _)| name == part)).map(|(_, count)| {
                // Copies stand side by side; the first of them is told.
                let first = *count + 1;
                *count += u64::from(rows.copies.value(row).unsigned_abs());
                first
            });
            match wanted {
                Wanted::Id(id) if rows.id.value(row).starts_with(id.as_str()) => {
                    if found.lives.len() < limit {
                        found.lives.push(rows.life(row, folder, manifest, position));
                    } else {
                        found.more += 1;
                    }
                }
                Wanted::Id(id) => note_alike(&mut found.near, id, rows.id.value(row)),
                Wanted::Place { file, line } => {
                    let here = rows.line.value(row).unsigned_abs();
                    if here <= *line && is_same_file(file, rows.file.value(row)) && limit > 0 {
                        // Records come in order of their lines: the last one that begins so early holds the line, in
                        // every file that the path may mean.
                        let own = rows.file.value(row);
                        found.lives.retain(|life| life.file != own);
                        let life = rows.life(row, folder, manifest, position);
                        found.lives.push(Life { is_last: true, ..life });
                    } else if here > *line {
                        let own = rows.file.value(row);
                        found.lives.iter_mut().filter(|life| life.file == own).for_each(|life| life.is_last = false);
                    }
                }
            }
        }
    })?;
    found.lives.truncate(limit);
    Ok(found)
}

/// Remembers the three ids that share most with the one that is looked for.
fn note_alike(near: &mut Vec<(usize, String)>, wanted: &str, id: &str) {
    let before = wanted.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    let behind = wanted.bytes().rev().zip(id.bytes().rev()).take_while(|(a, b)| a == b).count();
    // The end of a prefix is not the end of an id.
    let shared = if wanted.len() == id.len() { before + behind } else { before };
    if before < ALIKE && behind < ALIKE || shared < ALIKE {
        return;
    }
    near.push((shared, id.to_owned()));
    near.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.truncate(3);
}

/// Adds the reasons that the quarantine has.
pub(super) fn add_errors(folder: &Path, lives: &mut [Life]) -> Result<(), EmitError> {
    #[derive(Deserialize)]
    struct Line {
        id: String,
        file: String,
        line: u64,
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

/// Adds the places of the records that these repeat, and of those that repeat them.
pub(super) fn add_duplicates(folder: &Path, lives: &mut [Life]) -> Result<(), EmitError> {
    if lives.is_empty() {
        return Ok(());
    }
    let mut originals: HashMap<String, Option<Other>> =
        lives.iter().filter_map(|life| Some((life.duplicate_of.as_ref()?.id.clone(), None))).collect();
    each_batch(folder, &mut |rows| {
        for row in 0..rows.id.len() {
            if let Some(place) = originals.get_mut(rows.id.value(row)) {
                *place = Some(rows.other(row));
            }
            if rows.duplicate_of.is_null(row) {
                continue;
            }
            for life in lives.iter_mut().filter(|life| life.id == rows.duplicate_of.value(row)) {
                life.repeats += 1;
                if life.repeated_by.len() < NAMED {
                    life.repeated_by.push(rows.other(row));
                }
            }
        }
    })?;
    for life in lives.iter_mut() {
        if let Some(of) = &mut life.duplicate_of
            && let Some(Some(place)) = originals.get(&of.id)
        {
            *of = place.clone();
        }
    }
    Ok(())
}

/// The audit's columns, typed.
struct Rows<'a> {
    id: &'a StringArray,
    source: &'a StringArray,
    file: &'a StringArray,
    line: &'a Int64Array,
    verdict: &'a StringArray,
    rule: &'a StringArray,
    step: &'a Int32Array,
    duplicate_of: &'a StringArray,
    similarity: &'a Float32Array,
    split: &'a StringArray,
    copies: &'a Int32Array,
    cut_bytes: &'a Int64Array,
}

fn each_batch(folder: &Path, each: &mut dyn FnMut(&Rows<'_>)) -> Result<(), EmitError> {
    let path = folder.join(AUDIT);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).at("open", &path)?)
        .and_then(|builder| builder.build())
        .at("read", &path)?;
    for batch in reader {
        let batch = batch.map_err(parquet::errors::ParquetError::from).at("read", &path)?;
        let rows = Rows::new(&batch).ok_or_else(|| EmitError::Unreadable {
            path: path.clone(),
            reason: "its columns are not an audit's".to_owned(),
        })?;
        each(&rows);
    }
    Ok(())
}

impl<'a> Rows<'a> {
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
            similarity: batch.column_by_name("similarity")?.as_primitive_opt::<Float32Type>()?,
            split: text("split")?,
            copies: batch.column_by_name("copies")?.as_primitive_opt::<Int32Type>()?,
            cut_bytes: batch.column_by_name("cut_bytes")?.as_primitive_opt::<Int64Type>()?,
        })
    }

    fn other(&self, row: usize) -> Other {
        let (id, file) = (self.id.value(row).to_owned(), self.file.value(row).to_owned());
        Other { id, file, line: self.line.value(row).unsigned_abs() }
    }

    fn life(&self, row: usize, folder: &Path, manifest: &Manifest, position: Option<u64>) -> Life {
        let text = |column: &StringArray| column.is_valid(row).then(|| column.value(row).to_owned());
        let (rule, split) = (text(self.rule), text(self.split));
        let step = self.step.is_valid(row).then(|| self.step.value(row).unsigned_abs() as usize);
        let verdict = self.verdict.value(row).to_owned();
        let outputs = manifest.outputs.iter().filter(|file| Some(&file.part) == split.as_ref());
        let outputs = position.into_iter().flat_map(|line| outputs.clone().map(move |file| (file.path.clone(), line)));
        let (source, file) = (self.source.value(row).to_owned(), self.file.value(row).to_owned());
        let files = manifest.sources.iter().filter(|own| own.name == source).flat_map(|own| &own.files);
        let blake3 = files.clone().find(|own| own.path == file).map(|own| own.digest.blake3.clone());
        Life {
            dataset: manifest.dataset.clone(),
            folder: folder.to_owned(),
            id: self.id.value(row).to_owned(),
            line: self.line.value(row).unsigned_abs(),
            is_last: false,
            blake3: blake3.unwrap_or_default(),
            steps: steps(manifest, &verdict, step),
            outputs: outputs.collect(),
            duplicate_of: text(self.duplicate_of).map(|id| Other { id, file: String::new(), line: 0 }),
            similarity: self.similarity.is_valid(row).then(|| self.similarity.value(row)),
            cut_bytes: self.cut_bytes.is_valid(row).then(|| self.cut_bytes.value(row).unsigned_abs()),
            copies: self
                .copies
                .is_valid(row)
                .then(|| self.copies.value(row).unsigned_abs())
                .filter(|copies| *copies > 1),
            repeated_by: Vec::new(),
            repeats: 0,
            error: None,
            runs: Vec::new(),
            source,
            file,
            verdict,
            rule,
            rule_line: None,
            split,
            spec: manifest.spec.clone(),
        }
    }
}

/// The steps up to the one that decided; all of them for a record that was kept.
fn steps(manifest: &Manifest, verdict: &str, decided: Option<usize>) -> Vec<Passed> {
    let passed = |(at, step): (usize, &StepEntry)| Passed {
        step: step.step.clone(),
        rule: step.rule.clone(),
        line: None,
        result: if decided == Some(at) { verdict.to_owned() } else { "passed".to_owned() },
    };
    let reached = decided.map_or(manifest.steps.len(), |last| last + 1);
    manifest.steps.iter().enumerate().take(reached).map(passed).collect()
}
