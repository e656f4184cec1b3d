//! Builds over small data.

mod damage;
mod formats;
mod gathering;
mod kept_cuts;
mod memory;
mod personal;
mod plans;
mod real;
mod rules;
mod several;
mod spans;
mod splits;
mod stages;
mod tables;
#[cfg(feature = "cluster")]
mod travel;
mod unit_tests;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{AsArray, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::read::Sizes;
use super::{
    BuildInputs, Built, Destination, EngineError, InputFile, MemoryLimit, Site, SourceFiles, Surveyed, TrainingTable,
    build_dataset,
};
use crate::hir::{DatasetId, Program, SourceId};
use crate::semantic;
use crate::source::{SourceFile, SourceMap};

/// The resolved program of a text without mistakes.
fn program(text: &str) -> Program {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("test.annot", text));
    let (parsed, mut diagnostics) = semantic::load(&mut map, file, &mut semantic::NoFiles);
    let (program, more) = semantic::resolve(&map, &parsed, &mut semantic::NoFiles);
    diagnostics.extend(more);
    assert!(!crate::diagnostics::has_errors(&diagnostics), "{diagnostics:#?}");
    program
}

/// Small chunks, so that borders fall everywhere.
const TINY: Sizes = Sizes { chunk: 1 << 10, row: 8 << 20, batch_rows: 7, batch_bytes: 1 << 20 };

/// What a build left behind: its result and its files.
struct Left {
    built: Built,
    files: BTreeMap<String, Vec<u8>>,
}

impl Left {
    fn text(&self, path: &str) -> &str {
        let bytes = self.files.get(path).unwrap_or_else(|| panic!("no {path} among {:?}", self.files.keys()));
        std::str::from_utf8(bytes).unwrap()
    }

    fn lines(&self, path: &str) -> Vec<serde_json::Value> {
        self.text(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The rows of a Parquet file.
    fn table(&self, path: &str) -> RecordBatch {
        let bytes = bytes::Bytes::from(self.files[path].clone());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
        arrow::compute::concat_batches(&schema, &batches).unwrap()
    }

    /// The column `text` of the Parquet output.
    fn texts(&self) -> Vec<String> {
        let table = self.table("parquet/train.parquet");
        table["text"].as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
    }

    /// The records that fixed parts lost.
    fn missing(&self) -> Vec<serde_json::Value> {
        self.lines("training/missing.jsonl")
    }

    /// Errors in the quarantine with their lines.
    fn quarantine(&self) -> Vec<(u64, String)> {
        let rows = self.lines("quarantine.jsonl");
        rows.iter().map(|row| (row["line"].as_u64().unwrap(), row["error"].as_str().unwrap().to_owned())).collect()
    }

    /// A step's numbers: in, out, dropped, quarantined.
    fn step(&self, at: usize) -> [u64; 4] {
        let step = &self.built.outcome.steps[at];
        [step.records_in, step.records_out, step.dropped, step.quarantined]
    }
}

/// Builds the first data set of a spec; `data` are files with the index of their source.
fn build(spec: &str, data: &[(u32, &str, &[u8])], sizes: Sizes, jobs: usize) -> Result<Left, EngineError> {
    build_within(spec, data, sizes, jobs, MemoryLimit::DEFAULT)
}

/// The same with so many bytes of memory between the passes.
fn build_within(
    spec: &str,
    data: &[(u32, &str, &[u8])],
    sizes: Sizes,
    jobs: usize,
    memory: u64,
) -> Result<Left, EngineError> {
    let folder = tempfile::tempdir().unwrap();
    let program = program(spec);
    let files = (0..program.sources.len() as u32).map(|source| SourceFiles {
        source: SourceId(source),
        files: data
            .iter()
            .filter(|(of, ..)| *of == source)
            .map(|(_, name, bytes)| {
                let location = folder.path().join(name);
                std::fs::write(&location, bytes).unwrap();
                InputFile { location, name: (*name).to_owned() }
            })
            .collect(),
        looked_for: vec!["data/*".to_owned()],
    });
    let out = folder.path().join("build");
    run(&program, files.collect(), sizes, jobs, &out, vec![table()], memory)
}

/// A table of ids alone, with which the records that fixed parts lost are listed.
fn table() -> TrainingTable {
    TrainingTable { name: "run".to_owned(), columns: Vec::new(), slices: Vec::new(), messages: None }
}

fn run(
    program: &Program,
    sources: Vec<SourceFiles>,
    sizes: Sizes,
    jobs: usize,
    out: &Path,
    training: Vec<TrainingTable>,
    memory: u64,
) -> Result<Left, EngineError> {
    let jobs = NonZeroUsize::new(jobs).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let memory = MemoryLimit { bytes: memory, cache: cache.path().to_owned() };
    let cancel = Arc::new(AtomicBool::new(false));
    let (evaluated, site) = (Vec::new(), Site::Here);
    let inputs = BuildInputs { sources, evaluated, jobs, site, sizes, memory, cancel, stages: None };
    let left = run_with(program, &inputs, out, training)?;
    let spilled = std::fs::read_dir(cache.path().join("spilled"));
    assert!(spilled.into_iter().flatten().flatten().all(|entry| entry.path().is_file()), "what was spilled is removed");
    Ok(left)
}

fn run_with(
    program: &Program,
    inputs: &BuildInputs,
    out: &Path,
    training: Vec<TrainingTable>,
) -> Result<Left, EngineError> {
    let destination = Destination { out: out.to_owned(), training };
    let id = DatasetId(0);
    let surveyed = Surveyed::of(program, id, inputs, &mut |_| {})?;
    let mut built = build_dataset(program, id, &surveyed, inputs, &destination, &mut |_| {})?;
    let mut files = BTreeMap::new();
    if let Some(finished) = built.finished.take() {
        finished.commit().unwrap();
        collect(&out.join(&program.datasets[0].name), PathBuf::new(), &mut files);
    }
    Ok(Left { built, files })
}

fn collect(folder: &Path, under: PathBuf, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder.join(&under)).unwrap() {
        let entry = entry.unwrap();
        let path = under.join(entry.file_name());
        if entry.path().is_dir() {
            collect(folder, path, files);
        } else {
            files.insert(path.to_str().unwrap().to_owned(), std::fs::read(entry.path()).unwrap());
        }
    }
}
