//! What a first pass measured, kept from one build to the next.
//!
//! ```text
//! <cache>/stages/1/<stage>/stage.json        what the stage measures and for whom it was made
//! <cache>/stages/1/<stage>/<chunk>.arrow     the measures of one chunk, with their checksum
//! ```
//!
//! A stage's name is the digest of the columns that it measures and of this program's version, a chunk's name the digest
//! of how its source is read, the BLAKE3 of its file, and where it lies there. So nothing in the cache is ever out of date:
//! what was made from something else has another name. A chunk is written under another name and renamed when it is whole;
//! it is not forced to the disk, since what a loss of power leaves of it fails the checksum and is measured again.
//!
//! What cannot be written is not kept and what cannot be read is not there: neither ends a build.

mod chunk_file;
mod record;
mod shelf;
mod table;
mod why;

pub use record::{Input, NodeEntry, Record, Use};
pub use shelf::{Prune, Pruned, Stored, prune, stored};
pub use table::MeasureTable;
pub use why::{Explained, explain};

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use super::read::{Chunk, ChunkKind, FileSurvey, Survey};
use crate::hir::{Dataset, Program};
use crate::plan::normal::{reading, short_digest};
use crate::plan::stage::Measures;

/// The most bytes that a build leaves in the cache beside its own stages, where nobody says otherwise: 5 GiB.
pub const DEFAULT_BYTES: u64 = 5 << 30;

/// Raised whenever what stands in a chunk's file changes its form or its meaning.
const FORMAT: u32 = 1;

/// Where stages are kept.
#[derive(Debug, Clone)]
pub struct Stages {
    root: PathBuf,
    /// The specification that is built, as the records name it.
    spec: String,
    /// When this build began.
    begun: SystemTime,
}

/// How much of a first pass was there already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reuse {
    /// The chunks in all.
    pub chunks: usize,
    /// Those whose measures were read from the cache.
    pub reused: usize,
    /// Those that were there, were damaged and have been measured again.
    pub damaged: usize,
    /// Why measures could not be kept, the first time.
    pub failure: Option<String>,
    /// Why nothing of this data set is kept.
    pub withheld: Option<String>,
}

impl Stages {
    /// The stages below a cache folder, for a build of this specification.
    pub fn new(cache: &Path, spec: String) -> Self {
        Self { root: root(cache), spec, begun: SystemTime::now() }
    }

    /// Removes the stages that were used least recently, down to this many bytes, but none that this build used.
    pub fn bound(&self, bytes: u64) -> Pruned {
        prune(&self.root, Prune { max_bytes: Some(bytes), spare_since: Some(self.begun), ..Prune::default() })
    }

    /// The folder of what these measures are kept in.
    fn folder(&self, measures: &Measures) -> PathBuf {
        self.root.join(stage_key(measures))
    }

    /// The folders that have all these measures, the first one of them alone.
    fn holding(&self, measures: &Measures) -> Vec<PathBuf> {
        let own = self.folder(measures);
        let wanted: Vec<&str> = measures.measures.iter().map(|node| node.digest.as_str()).collect();
        let others = shelf::folders(&self.root).into_iter().filter(|other| *other != own);
        let with_all = others.filter(|other| Record::read(other).is_some_and(|record| record.measures_all(&wanted)));
        let mut holding: Vec<PathBuf> = with_all.collect();
        holding.sort();
        holding.insert(0, own);
        holding
    }

    /// Says in the stage's record that this build uses it, which makes it the one used last.
    fn note(&self, program: &Program, dataset: &Dataset, measures: &Measures, survey: &Survey) -> std::io::Result<()> {
        let folder = self.folder(measures);
        fs::create_dir_all(&folder)?;
        let mut record = Record::read(&folder).unwrap_or_else(|| Record::new(measures));
        record.note(Use {
            spec: self.spec.clone(),
            dataset: dataset.name.clone(),
            inputs: inputs(program, dataset, survey),
        });
        record.write(&folder)
    }
}

/// The folder of the stages below a cache folder.
pub fn root(cache: &Path) -> PathBuf {
    cache.join("stages").join(FORMAT.to_string())
}

/// The name of the stage of these measures.
fn stage_key(measures: &Measures) -> String {
    short_digest(&json!([FORMAT, env!("CARGO_PKG_VERSION"), measures.columns()]).to_string())
}

/// The names of the chunks of a survey.
fn chunk_keys(program: &Program, dataset: &Dataset, survey: &Survey) -> Vec<String> {
    let readings = readings(program, dataset, survey);
    survey.chunks.iter().map(|chunk| chunk_key(chunk, &survey.files[chunk.file], &readings[chunk.file])).collect()
}

/// How the rows of each file are read.
fn readings(program: &Program, dataset: &Dataset, survey: &Survey) -> Vec<String> {
    let reading = |file: &FileSurvey| {
        let source = &program[file.source];
        let read = reading(program, dataset, source);
        // Where a field has the file's name, the same content under another name has other rows.
        if source.reads_name() { format!("{read} {}", file.file.name) } else { read }
    };
    survey.files.iter().map(reading).collect()
}

fn chunk_key(chunk: &Chunk, file: &FileSurvey, reading: &str) -> String {
    // The file's number is no part of the name: it changes with the files beside it, and so no location is kept.
    let Chunk { file: _, start, end, line, kind } = chunk;
    let kind = match kind {
        ChunkKind::Records => "records",
        ChunkKind::Overlong => "overlong",
        ChunkKind::Rows => "rows",
    };
    let blake3 = file.blake3.to_hex().to_string();
    short_digest(&json!([reading, blake3, start, end, line, kind, file.longest_row]).to_string())
}

/// The files of a survey as a record names them.
fn inputs(program: &Program, dataset: &Dataset, survey: &Survey) -> Vec<Input> {
    let readings = readings(program, dataset, survey);
    let input = |(at, (file, reading)): (usize, (&FileSurvey, String))| Input {
        source: program[file.source].name.clone(),
        file: file.file.name.clone(),
        blake3: file.blake3.to_hex().to_string(),
        bytes: file.bytes,
        chunks: survey.chunks_of(at).len(),
        reading,
    };
    survey.files.iter().zip(readings).enumerate().map(input).collect()
}
