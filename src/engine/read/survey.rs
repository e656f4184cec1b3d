//! The survey: each file is read once from end to end, hashed and cut into chunks at record ends. What does not lie as text
//! is unpacked and decoded on the way, into a private file that the reader then reads.

#[cfg(feature = "cluster")]
pub(in crate::engine) mod wire;

use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use super::cut::Cutter;
use super::encoding::utf16_unsaid;
use super::records::Framing;
use super::rows::RowTable;
use super::spool::{Cursor, PrivateFile, Scratch};
use super::unpack::{Passing, Steps, fill};
use super::{OFFSET_BITS, Sizes, rows};
use crate::engine::EngineError;
use crate::hir::{Source, SourceId};

/// A file of a source: where it lies and how it is named in outputs.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct InputFile {
    /// Where it lies.
    pub location: PathBuf,
    /// As the source's `path` statement reaches it: relative, with `/`. It stands in the outputs.
    pub name: String,
}

impl InputFile {
    /// Whether it is a copy of a file that lies elsewhere.
    pub fn is_remote(&self) -> bool {
        self.name.contains("://")
    }

    /// How a message calls it: where it lies, or the address that it is a copy of.
    pub fn shown(&self) -> PathBuf {
        if self.is_remote() { PathBuf::from(&self.name) } else { self.location.clone() }
    }
}

/// All files of a data set, in order of declaration, then by name.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The files; a location's file number is an index.
    pub files: Vec<FileSurvey>,
    /// The chunks of all files in order.
    pub chunks: Vec<Chunk>,
    /// How the files were cut.
    pub sizes: Sizes,
}

/// What is known of a file.
#[derive(Debug, Clone)]
pub struct FileSurvey {
    /// Its source.
    pub source: SourceId,
    /// Where it lies and how it is named.
    pub file: InputFile,
    /// BLAKE3 of its bytes as they lie.
    pub blake3: blake3::Hash,
    /// Its size as it lies.
    pub bytes: u64,
    /// One past the last place that a chunk can end at: bytes of text, or rows.
    pub extent: u64,
    /// The columns of a header; empty for formats without one.
    pub header: Vec<String>,
    /// The longest row in bytes, without its line end; a longer one is quarantined unread.
    pub longest_row: u64,
    content: Content,
    rows: Option<RowTable>,
}

/// Where the reader finds what a file holds.
#[derive(Debug, Clone)]
enum Content {
    /// In the file itself.
    AsItLies(Option<SystemTime>),
    /// In a private file.
    Spooled(Cursor),
    /// Where the process that has surveyed the file says.
    #[cfg(feature = "cluster")]
    Elsewhere(wire::Elsewhere),
}

/// A piece of a file that begins and ends at record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct Chunk {
    /// Which file.
    pub file: usize,
    /// Its first byte, or row.
    pub start: u64,
    /// One past its last byte, or row.
    pub end: u64,
    /// The 1-based line, or row, that it begins with.
    pub line: u64,
    /// What it holds.
    pub kind: ChunkKind,
}

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub enum ChunkKind {
    /// Records of a text, each no longer than the cap.
    Records,
    /// One record longer than the cap: it is never read into memory.
    Overlong,
    /// Rows of a table.
    Rows,
}

/// What a survey is given.
pub struct Surveying<'s> {
    /// How files are cut.
    pub sizes: Sizes,
    /// Where private files are made, into which is unpacked what does not lie as text.
    pub scratch: &'s Scratch,
    /// Set from elsewhere to stop.
    pub cancel: &'s AtomicBool,
    /// Is given the bytes read since the last call.
    pub progress: &'s mut dyn FnMut(u64),
}

impl Survey {
    /// Reads all files, each with its source.
    ///
    /// # Errors
    /// A file that cannot be read, or that does not hold what its source says.
    pub fn of(files: Vec<(SourceId, &Source, InputFile)>, work: &mut Surveying<'_>) -> Result<Survey, EngineError> {
        if files.len() >= 1 << (64 - OFFSET_BITS) {
            return Err(EngineError::TooManyFiles(files.len()));
        }
        let mut survey = Survey { files: Vec::new(), chunks: Vec::new(), sizes: work.sizes };
        for (id, source, file) in files {
            let number = survey.files.len();
            let surveyed = match Framing::of(source.format, &source.options) {
                Some(framing) => survey_text(id, source, framing, file, number, work, &mut survey.chunks)?,
                None => survey_rows(id, source, file, number, work, &mut survey.chunks)?,
            };
            survey.files.push(surveyed);
        }
        Ok(survey)
    }
}

impl Survey {
    /// The same without the chunks of other sources.
    pub fn of_source(&self, source: SourceId) -> Survey {
        let chunks = self.chunks.iter().filter(|chunk| self.files[chunk.file].source == source).copied().collect();
        Survey { files: self.files.clone(), chunks, sizes: self.sizes }
    }

    /// The chunks of a file.
    pub fn chunks_of(&self, file: usize) -> Range<usize> {
        let first_from = |file| self.chunks.partition_point(|chunk| chunk.file < file);
        first_from(file)..first_from(file + 1)
    }
}

impl FileSurvey {
    /// Opens what the file holds, after a check that it still is what was surveyed.
    ///
    /// # Errors
    /// A file that cannot be opened any more, or that has changed.
    pub fn open(&self) -> Result<Cursor, EngineError> {
        match &self.content {
            Content::Spooled(cursor) => Ok(cursor.clone()),
            Content::AsItLies(modified) => {
                let failed = |error| EngineError::Read { path: self.file.shown(), error };
                let file = File::open(&self.file.location).map_err(failed)?;
                let metadata = file.metadata().map_err(failed)?;
                if metadata.len() != self.bytes || metadata.modified().ok() != *modified {
                    return Err(EngineError::Changed { path: self.file.shown() });
                }
                Ok(Cursor::new(file, self.bytes))
            }
            #[cfg(feature = "cluster")]
            Content::Elsewhere(known) => known.open(&self.file),
        }
    }

    /// The table that the file is, where it is one.
    pub(in crate::engine) fn rows(&self) -> Option<&RowTable> {
        self.rows.as_ref()
    }
}

/// Opens a file, which must be none that is a folder.
fn open(file: &InputFile) -> Result<(File, std::fs::Metadata), EngineError> {
    let failed = |error| EngineError::Read { path: file.shown(), error };
    let input = File::open(&file.location).map_err(failed)?;
    let metadata = input.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder")));
    }
    Ok((input, metadata))
}

fn survey_text(
    id: SourceId,
    source: &Source,
    framing: Framing,
    file: InputFile,
    number: usize,
    work: &mut Surveying<'_>,
    chunks: &mut Vec<Chunk>,
) -> Result<FileSurvey, EngineError> {
    let (mut input, metadata) = open(&file)?;
    let path = file.shown();
    let steps = Steps::of(&file.name, source.format, &source.options).heeding(source.format, &mut input);
    let steps = steps.map_err(|error| EngineError::Read { path: path.clone(), error })?;
    let longest_row = source.longest_row.unwrap_or(work.sizes.row);
    let sizes = Sizes { row: longest_row, ..work.sizes };
    let mut spool = if steps.is_none() { None } else { Some(work.scratch.create()?) };
    let mut cutter = Cutter::new(framing, number, sizes);
    let mut passing = Passing::new(input, work.cancel, work.progress);
    let copied = copy(&steps, &mut passing, &mut cutter, spool.as_mut(), chunks);
    match copied {
        Ok(()) => {}
        Err(Copying::Reading(error)) => return Err(passing.failure(&steps, &path, error)),
        Err(Copying::Writing(error)) => return Err(work.scratch.failed(error)),
    }
    let (blake3, bytes) = passing.finish().map_err(|error| passing.failure(&steps, &path, error))?;
    cutter.finish(chunks);
    if !steps.is_decoded() && cutter.is_utf16() {
        return Err(utf16_unsaid(&path));
    }
    let extent = cutter.bytes();
    if bytes != metadata.len() || extent >= 1 << OFFSET_BITS {
        return Err(EngineError::Changed { path });
    }
    let header = cutter.header(&path)?;
    let content = match spool {
        Some(spool) => Content::Spooled(spool.finish().map_err(|error| work.scratch.failed(error))?),
        None => Content::AsItLies(metadata.modified().ok()),
    };
    Ok(FileSurvey { source: id, file, blake3, bytes, extent, header, longest_row, content, rows: None })
}

/// Which side of a copy failed.
enum Copying {
    Reading(std::io::Error),
    Writing(std::io::Error),
}

/// Cuts the text of a file, and keeps it where it does not lie as it is.
fn copy(
    steps: &Steps,
    input: &mut Passing<'_>,
    cutter: &mut Cutter,
    mut spool: Option<&mut PrivateFile>,
    chunks: &mut Vec<Chunk>,
) -> Result<(), Copying> {
    let mut text = steps.text(input.by_ref()).map_err(Copying::Reading)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = fill(&mut *text, &mut buffer).map_err(Copying::Reading)?;
        if read == 0 {
            return Ok(());
        }
        cutter.take(&buffer[..read], chunks);
        if let Some(spool) = &mut spool {
            spool.write_all(&buffer[..read]).map_err(Copying::Writing)?;
        }
    }
}

fn survey_rows(
    id: SourceId,
    source: &Source,
    file: InputFile,
    number: usize,
    work: &mut Surveying<'_>,
    chunks: &mut Vec<Chunk>,
) -> Result<FileSurvey, EngineError> {
    let (input, metadata) = open(&file)?;
    let mut passing = Passing::new(input, work.cancel, work.progress);
    let (blake3, bytes) =
        passing.finish().map_err(|error| match work.cancel.load(std::sync::atomic::Ordering::Relaxed) {
            true => EngineError::Interrupted,
            false => EngineError::Read { path: file.shown(), error },
        })?;
    if bytes != metadata.len() {
        return Err(EngineError::Changed { path: file.shown() });
    }
    let opened = rows::open(source, &file, bytes, work.scratch, work.cancel)?;
    let total = opened.table.rows();
    let per_chunk = opened.table.rows_in(work.sizes.chunk);
    let mut start = 0;
    while start < total {
        let end = total.min(start + per_chunk);
        chunks.push(Chunk { file: number, start, end, line: start + 1, kind: ChunkKind::Rows });
        start = end;
    }
    let content = match opened.spool {
        Some(spool) => Content::Spooled(spool),
        None => Content::AsItLies(metadata.modified().ok()),
    };
    let longest_row = source.longest_row.unwrap_or(work.sizes.row);
    let (header, rows) = (Vec::new(), Some(opened.table));
    Ok(FileSurvey { source: id, file, blake3, bytes, extent: total, header, longest_row, content, rows })
}
