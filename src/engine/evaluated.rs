//! What records are held against by `decontaminate`: the texts of files, or of a field of a source.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::AsArray;
use serde_json::{Value, json};

use super::EngineError;
use super::build::{BuildInputs, Surveyed};
use super::outcome::{FileOutcome, SourceOutcome, SourceUse};
use super::passes::{Batches, scan};
use super::read::records::{Framing, RecordEnds};
use super::read::survey::InputFile;
use super::read::unpack::unpacked;
use super::read::{ChunkTable, FileSurvey, csv};
use super::stages::Build;
use crate::dedup::contamination::Contamination;
use crate::hir::{Column, Compression, Dataset, Dialect, Evaluated, Program, SourceId, StepKind, extension};
use crate::plan::normal::{reading, short_digest};
use crate::plan::{Chain, Evaluation, column_name};

/// The files that a path of a `decontaminate` names, found by the caller.
#[derive(Debug, Clone)]
pub struct EvaluatedFiles {
    /// The path, as written.
    pub path: String,
    /// The folder that it begins at.
    pub folder: String,
    /// Its files in any order.
    pub files: Vec<InputFile>,
}

/// Files that are evaluated on, with their hashes.
#[derive(Debug, Clone)]
pub(super) struct Hashed {
    path: String,
    folder: String,
    files: Vec<HashedFile>,
}

#[derive(Debug, Clone)]
struct HashedFile {
    file: InputFile,
    blake3: blake3::Hash,
    bytes: u64,
}

/// The steps of a data set that hold records against something.
pub(super) fn evaluated(dataset: &Dataset) -> impl Iterator<Item = (usize, &[Evaluated], usize)> {
    dataset.steps.iter().enumerate().filter_map(|(at, step)| match &step.kind {
        StepKind::Decontaminate { against, words, .. } => Some((at, against.as_slice(), *words)),
        _ => None,
    })
}

/// The sources that a data set holds its records against and does not read.
pub fn foreign_sources(dataset: &Dataset) -> Vec<SourceId> {
    let mut sources = Vec::new();
    for one in evaluated(dataset).flat_map(|(_, against, _)| against) {
        if let Evaluated::Field { source, .. } = one
            && !dataset.sources.contains(source)
            && !sources.contains(source)
        {
            sources.push(*source);
        }
    }
    sources
}

/// Hashes the files that a data set holds its records against.
pub(super) fn hash_files(
    dataset: &Dataset,
    inputs: &BuildInputs,
    cancel: &AtomicBool,
) -> Result<Vec<Hashed>, EngineError> {
    let mut hashed: Vec<Hashed> = Vec::new();
    for one in evaluated(dataset).flat_map(|(_, against, _)| against) {
        let Evaluated::Files { path, folder } = one else { continue };
        if hashed.iter().any(|known| known.path == *path && known.folder == *folder) {
            continue;
        }
        let given = inputs.evaluated.iter().find(|given| given.path == *path && given.folder == *folder);
        let mut files = given.map(|given| given.files.clone()).unwrap_or_default();
        if files.is_empty() {
            return Err(EngineError::NoFiles { source_name: path.clone(), looked_for: vec![path.clone()] });
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let files = files.into_iter().map(|file| hash_file(file, cancel)).collect::<Result<_, _>>()?;
        hashed.push(Hashed { path: path.clone(), folder: folder.clone(), files });
    }
    Ok(hashed)
}

fn hash_file(file: InputFile, cancel: &AtomicBool) -> Result<HashedFile, EngineError> {
    let failed = |error| EngineError::Read { path: file.location.clone(), error };
    let mut hasher = blake3::Hasher::new();
    let mut bytes = 0;
    let mut reader = BufReader::with_capacity(1 << 20, File::open(&file.location).map_err(failed)?);
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(EngineError::Interrupted);
        }
        let read = reader.fill_buf().map_err(failed)?;
        if read.is_empty() {
            break;
        }
        hasher.update(read);
        let length = read.len();
        bytes += length as u64;
        reader.consume(length);
    }
    Ok(HashedFile { blake3: hasher.finalize(), bytes, file })
}

/// What is held against, as the manifest and the lock name it.
pub(super) fn outcomes(hashed: &[Hashed]) -> Vec<SourceOutcome> {
    let file = |one: &HashedFile| FileOutcome {
        path: one.file.name.clone(),
        location: one.file.location.clone(),
        blake3: one.blake3.to_hex().to_string(),
        bytes: one.bytes,
        records: 0,
    };
    let of = |hashed: &Hashed| SourceOutcome {
        name: hashed.path.clone(),
        files: hashed.files.iter().map(file).collect(),
        license: None,
        used: SourceUse::Evaluated,
    };
    hashed.iter().map(of).collect()
}

impl Surveyed {
    /// For each step that holds records against something, the digest of all that its verdicts depend on beside the record.
    pub(super) fn against(&self, program: &Program, dataset: &Dataset) -> BTreeMap<usize, String> {
        let digest = |against: &[Evaluated]| {
            let all: Vec<Value> = against.iter().map(|one| self.content(program, dataset, one)).collect();
            short_digest(&json!(all).to_string())
        };
        evaluated(dataset).map(|(at, against, _)| (at, digest(against))).collect()
    }

    /// The content of files, and how it is read.
    fn content(&self, program: &Program, dataset: &Dataset, one: &Evaluated) -> Value {
        match one {
            Evaluated::Files { path, folder } => {
                let files = self.hashed(path, folder).files.iter();
                let packed = |file: &HashedFile| match Compression::of_name(&file.file.location.to_string_lossy()) {
                    Compression::None => "",
                    Compression::Gzip => ".gz",
                    Compression::Zstd => ".zst",
                };
                let ending = |file: &HashedFile| ending(&file.file.location) + packed(file);
                let files = files.map(|file| json!([ending(file), file.blake3.to_hex().as_str()]));
                json!(["files", files.collect::<Vec<_>>()])
            }
            Evaluated::Field { source, field } => {
                let survey = self.elsewhere.get(source).unwrap_or(self.survey());
                let files = survey.files.iter().filter(|file| file.source == *source);
                let hashes: Vec<String> = files.map(|file| file.blake3.to_hex().to_string()).collect();
                let name = &program[*source].fields[*field].name;
                json!(["field", reading(program, dataset, &program[*source]), name, hashes])
            }
        }
    }

    /// The files of a path, which were hashed before.
    fn hashed(&self, path: &str, folder: &str) -> &Hashed {
        let known = |hashed: &&Hashed| hashed.path == path && hashed.folder == folder;
        self.evaluated.iter().find(known).expect("the files were hashed before")
    }
}

impl Build<'_> {
    /// Reads what the data set holds its records against.
    pub(super) fn read_evaluated(&mut self, surveyed: &Surveyed, cancel: &Arc<AtomicBool>) -> Result<(), EngineError> {
        let steps: Vec<(usize, Vec<Evaluated>, usize)> =
            evaluated(self.dataset).map(|(at, against, words)| (at, against.to_vec(), words)).collect();
        for (at, against, words) in steps {
            let mut contamination = Contamination::new(words);
            let mut own = vec![false; self.survey.files.len()];
            for one in &against {
                match one {
                    Evaluated::Files { path, folder } => {
                        for file in &surveyed.hashed(path, folder).files {
                            each_text(file, &mut |text| contamination.add(text))?;
                        }
                    }
                    Evaluated::Field { source, field } => {
                        let is_own = |file: &FileSurvey| file.source == *source;
                        own.iter_mut().zip(&self.survey.files).for_each(|(own, file)| *own |= is_own(file));
                        self.each_value(surveyed, *source, *field, cancel, &mut |text| contamination.add(text))?;
                    }
                }
            }
            self.prepared.evaluated.insert(at, Arc::new(Evaluation { contamination, own }));
        }
        self.prepared.against = surveyed.against(self.program, self.dataset);
        Ok(())
    }

    /// The values of a text field of a source as they are read; rows that cannot be read have none.
    fn each_value(
        &self,
        surveyed: &Surveyed,
        source: SourceId,
        field: usize,
        cancel: &Arc<AtomicBool>,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), EngineError> {
        let survey = surveyed.elsewhere.get(&source).unwrap_or(self.survey);
        let field = &self.program[source].fields[field];
        let column = Column {
            name: field.name.clone(),
            ty: field.ty.clone(),
            label: None,
            hidden: false,
            personal: field.personal.clone(),
            key: field.key,
            group: field.group,
        };
        let of = |id: SourceId| &self.program[id];
        let survey = survey.of_source(source);
        let table = ChunkTable::new(survey, &[column], of, Arc::clone(cancel));
        let plan = Chain::new(scan(Arc::new(table))?).select(&[column_name(0)])?;
        self.workers.run(&plan, Arc::new(Batches), &mut |_, batches| {
            for batch in &batches {
                batch[column_name(0).as_str()].as_string::<i32>().iter().flatten().for_each(&mut *each);
            }
            Ok(())
        })
    }
}

/// Tells `each` every text of a file: of JSON Lines all strings at any depth, of CSV all cells below the header, of plain
/// text each line.
fn each_text(file: &HashedFile, each: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
    let path = &file.file.location;
    let failed = |error| EngineError::Read { path: path.clone(), error };
    let text = std::fs::read(path).map_err(failed)?;
    if blake3::hash(&text) != file.blake3 {
        return Err(EngineError::Changed { path: path.clone() });
    }
    let bad = |line: usize| EngineError::Evaluated { path: path.clone(), line };
    let name = path.to_string_lossy();
    let text = unpacked(&name, text).map_err(|what| EngineError::Damaged { path: path.clone(), what })?;
    let text = String::from_utf8(text).map_err(|error| bad(1 + lines_in(&error)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match ending(path).as_str() {
        "txt" => text.lines().for_each(each),
        "csv" => {
            let (mut ends, mut rest, mut line) = (RecordEnds::new(Framing::Values(Dialect::RFC_4180)), text, 1);
            let mut is_header = true;
            while !rest.is_empty() {
                let end = ends.next_end(rest.as_bytes()).unwrap_or(rest.len());
                let (record, behind) = rest.split_at(end);
                let fields =
                    csv::split(record.trim_end_matches(['\r', '\n']), Dialect::RFC_4180).map_err(|_| bad(line))?;
                if !std::mem::take(&mut is_header) {
                    fields.iter().for_each(|field| each(&field.text));
                }
                line += record.matches('\n').count();
                rest = behind;
            }
        }
        _ => {
            for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                strings(&serde_json::from_str(line).map_err(|_| bad(at + 1))?, each);
            }
        }
    }
    Ok(())
}

fn lines_in(error: &std::string::FromUtf8Error) -> usize {
    let read = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    read.iter().filter(|byte| **byte == b'\n').count()
}

/// The ending of a file's name, without that of a compression.
fn ending(path: &Path) -> String {
    extension(&path.to_string_lossy()).unwrap_or_default()
}

fn strings(value: &Value, each: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, each)),
        Value::Object(members) => members.values().for_each(|member| strings(member, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
