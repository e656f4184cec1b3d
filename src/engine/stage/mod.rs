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
//! **What other records decide** is part of a name too: see [`Beside`]. A `dedup` of lines, sentences or substrings has a
//! stage of what it cuts out, known by its text, what it compares, and the records of all files that reach it. What is
//! measured behind it has names with the digest of what is cut out of the chunk: a record that goes elsewhere changes
//! nothing here as long as the same places are cut. The steps before it are a stage as of any data set, in which each
//! record's lines or sentences are measured, 24 bytes for each, so that their comparison needs no second reading when
//! others reach the step. Of substrings that would be many times their text: then the texts are read again.
//!
//! What cannot be written is not kept and what cannot be read is not there: neither ends a build.

mod beside;
mod chunk_file;
mod cuts;
mod record;
mod shelf;
mod table;
mod why;

pub use beside::Beside;
pub use cuts::KeptCuts;
pub use record::{Holds, Input, NodeEntry, Record, Use};
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
    /// Whether nothing is written, since somebody only looks.
    looks: bool,
}

/// A stage that a build wants: what it measures of which records.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// The program.
    pub program: &'w Program,
    /// The data set, or its first steps.
    pub dataset: &'w Dataset,
    /// Its files.
    pub survey: &'w Survey,
    /// What is measured.
    pub measures: &'w Measures,
    /// What that depends on beside the records' own fields.
    pub beside: &'w Beside,
}

/// Where what a step cuts out came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutsFrom {
    /// From the cache, as it was decided before.
    Cache,
    /// From the pieces of each record, which were measured: other records reach the step.
    Measures,
    /// From the texts of the records that reach the step.
    Texts,
}

/// How much of what a step that cuts needs was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutsReuse {
    /// The rule.
    pub rule: String,
    /// The chunks in all.
    pub chunks: usize,
    /// Those of which what the steps before it measure was read from the cache.
    pub reused: usize,
    /// Where what it cuts out came from.
    pub from: CutsFrom,
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
    /// What the steps that cut found, in their order.
    pub cuts: Vec<CutsReuse>,
}

impl Reuse {
    /// Adds what was found later: the numbers of chunks are those of the first pass itself, which comes last.
    pub(super) fn add(&mut self, later: Reuse) {
        let Reuse { chunks, reused, damaged, failure, withheld, cuts } = later;
        (self.chunks, self.reused) = (chunks, reused);
        self.damaged += damaged;
        self.failure = self.failure.take().or(failure);
        self.withheld = self.withheld.take().or(withheld);
        self.cuts.extend(cuts);
    }
}

impl Stages {
    /// The stages below a cache folder, for a build of this specification.
    pub fn new(cache: &Path, spec: String) -> Self {
        Self { root: root(cache), spec, begun: SystemTime::now(), looks: false }
    }

    /// The same for somebody who only looks: nothing is written, removed or said to be used.
    pub fn looking(&self) -> Self {
        Self { looks: true, ..self.clone() }
    }

    /// Removes the stages that were used least recently, down to this many bytes, but none that this build used.
    pub fn bound(&self, bytes: u64) -> Pruned {
        prune(&self.root, Prune { max_bytes: Some(bytes), spare_since: Some(self.begun), ..Prune::default() })
    }

    /// The folder of a stage.
    fn folder(&self, wanted: &Wanted<'_>) -> PathBuf {
        self.root.join(wanted.key())
    }

    /// The folders that have all measures of a stage, its own as the first.
    fn holding(&self, wanted: &Wanted<'_>) -> Vec<PathBuf> {
        let own = self.folder(wanted);
        let digests: Vec<&str> = wanted.measures.measures.iter().map(|node| node.digest.as_str()).collect();
        let others = shelf::folders(&self.root).into_iter().filter(|other| *other != own);
        let with_all = others.filter(|other| Record::read(other).is_some_and(|record| record.measures_all(&digests)));
        let mut holding: Vec<PathBuf> = with_all.collect();
        holding.sort();
        holding.insert(0, own);
        holding
    }

    /// Says in the stage's record that this build uses it, which makes it the one used last.
    fn note(&self, wanted: &Wanted<'_>) -> std::io::Result<()> {
        if self.looks {
            return Ok(());
        }
        let folder = self.folder(wanted);
        fs::create_dir_all(&folder)?;
        let mut record = Record::read(&folder).unwrap_or_else(|| Record::new(wanted));
        record.note(Use { spec: self.spec.clone(), dataset: wanted.dataset.name.clone(), inputs: wanted.inputs() });
        record.write(&folder)
    }
}

impl Wanted<'_> {
    /// What its files hold.
    fn holds(&self) -> Holds {
        if self.beside.is_of_reached() { Holds::Cuts } else { Holds::Measures }
    }

    /// The name of the stage.
    fn key(&self) -> String {
        let columns = self.measures.columns();
        let form = match self.beside.all() {
            None => json!([FORMAT, env!("CARGO_PKG_VERSION"), columns]),
            Some(beside) => json!([FORMAT, env!("CARGO_PKG_VERSION"), columns, beside]),
        };
        short_digest(&form.to_string())
    }

    /// The names of its chunks.
    fn chunk_keys(&self) -> Vec<String> {
        let (survey, readings) = (self.survey, self.readings());
        let plain = |chunk: &Chunk| chunk_key(chunk, &survey.files[chunk.file], &readings[chunk.file]);
        self.beside.names(survey.chunks.iter().map(plain).collect())
    }

    /// How the rows of each file are read.
    fn readings(&self) -> Vec<String> {
        let reading = |file: &FileSurvey| {
            let source = &self.program[file.source];
            let read = reading(self.program, self.dataset, source);
            // Where a field has the file's name, the same content under another name has other rows.
            if source.reads_name() { format!("{read} {}", file.file.name) } else { read }
        };
        self.survey.files.iter().map(reading).collect()
    }

    /// The files as a record names them.
    fn inputs(&self) -> Vec<Input> {
        let survey = self.survey;
        let input = |(at, (file, reading)): (usize, (&FileSurvey, String))| Input {
            source: self.program[file.source].name.clone(),
            file: file.file.name.clone(),
            blake3: file.blake3.to_hex().to_string(),
            bytes: file.bytes,
            chunks: survey.chunks_of(at).len(),
            beside: self.beside.of(survey.chunks_of(at)),
            reading,
        };
        survey.files.iter().zip(self.readings()).enumerate().map(input).collect()
    }
}

/// The folder of the stages below a cache folder.
pub fn root(cache: &Path) -> PathBuf {
    cache.join("stages").join(FORMAT.to_string())
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
