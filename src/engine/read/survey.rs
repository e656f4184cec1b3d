//! The survey: each file is read once from end to end, hashed and cut into chunks at record ends.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::records::{RecordEnds, trim_line_end};
use super::{OFFSET_BITS, Sizes, csv};
use crate::engine::EngineError;
use crate::hir::{SourceFormat, SourceId};

/// A file of a source: where it lies and how it is named in outputs.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct InputFile {
    /// Where it lies.
    pub location: PathBuf,
    /// As the source's `path` statement reaches it: relative, with `/`. It stands in the outputs.
    pub name: String,
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
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct FileSurvey {
    /// Its source.
    pub source: SourceId,
    /// Where it lies and how it is named.
    pub file: InputFile,
    /// BLAKE3 of its bytes.
    #[cfg_attr(feature = "cluster", serde(with = "super::scan::wire::hash"))]
    pub blake3: blake3::Hash,
    /// Its size.
    pub bytes: u64,
    /// The columns of a CSV file's header; empty for JSONL.
    pub header: Vec<String>,
    modified: Option<SystemTime>,
}

/// A piece of a file that begins and ends at record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct Chunk {
    /// Which file.
    pub file: usize,
    /// Its first byte.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
    /// The 1-based line of its first byte.
    pub line: u64,
    /// What it holds.
    pub kind: ChunkKind,
}

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub enum ChunkKind {
    /// Records, each no longer than the cap.
    Records,
    /// One record longer than the cap: it is never read into memory.
    Overlong,
}

impl Survey {
    /// Reads all files, each of a source with its format. `progress` is given the bytes read since the last call.
    pub fn of(
        files: Vec<(SourceId, SourceFormat, InputFile)>,
        sizes: Sizes,
        cancel: &AtomicBool,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Survey, EngineError> {
        if files.len() >= 1 << (64 - OFFSET_BITS) {
            return Err(EngineError::TooManyFiles(files.len()));
        }
        let mut survey = Survey { files: Vec::new(), chunks: Vec::new(), sizes };
        for (source, format, file) in files {
            let number = survey.files.len();
            let surveyed = survey_file(source, format, file, number, sizes, cancel, progress, &mut survey.chunks)?;
            survey.files.push(surveyed);
        }
        Ok(survey)
    }
}

impl FileSurvey {
    /// Opens the file, after a check that it still is what was surveyed.
    pub fn open(&self) -> Result<File, EngineError> {
        let path = &self.file.location;
        let failed = |error| EngineError::Read { path: path.clone(), error };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.len() != self.bytes || metadata.modified().ok() != self.modified {
            return Err(EngineError::Changed { path: path.clone() });
        }
        Ok(file)
    }
}

#[expect(clippy::too_many_arguments, reason = "the state of one walk over one file")]
fn survey_file(
    source: SourceId,
    format: SourceFormat,
    file: InputFile,
    number: usize,
    sizes: Sizes,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(u64),
    chunks: &mut Vec<Chunk>,
) -> Result<FileSurvey, EngineError> {
    let failed = |error| EngineError::Read { path: file.location.clone(), error };
    let mut input = File::open(&file.location).map_err(failed)?;
    let metadata = input.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder")));
    }
    let mut cutter = Cutter::new(format, number, sizes);
    let (mut hasher, mut buffer, mut bytes) = (blake3::Hasher::new(), vec![0; 1 << 20], 0_u64);
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(EngineError::Interrupted);
        }
        let read = fill(&mut input, &mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        cutter.take(&buffer[..read], chunks);
        bytes += read as u64;
        progress(read as u64);
    }
    cutter.finish(chunks);
    if bytes != metadata.len() || bytes >= 1 << OFFSET_BITS {
        return Err(EngineError::Changed { path: file.location.clone() });
    }
    let header = cutter.header(&file.location)?;
    let (blake3, modified) = (hasher.finalize(), metadata.modified().ok());
    Ok(FileSurvey { source, file, blake3, bytes, header, modified })
}

/// Reads until the buffer is full or the file ends, so that a short read changes nothing.
fn fill(input: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The mark that some programs put before UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Follows the records of one file and cuts it.
struct Cutter {
    ends: RecordEnds,
    sizes: Sizes,
    file: usize,
    /// The bytes seen.
    at: u64,
    /// The newlines seen.
    newlines: u64,
    chunk: Mark,
    record: Mark,
    /// The bytes of the header record, while it is being read; they are kept up to the cap.
    header: Option<Vec<u8>>,
    header_done: bool,
    /// The last byte seen: the line end of an overlong record does not count.
    last: [u8; 2],
    /// The first bytes, until it is known whether they are a byte order mark.
    mark: Vec<u8>,
    mark_done: bool,
}

/// A byte and its line.
#[derive(Clone, Copy)]
struct Mark {
    offset: u64,
    line: u64,
}

impl Cutter {
    fn new(format: SourceFormat, file: usize, sizes: Sizes) -> Self {
        let start = Mark { offset: 0, line: 1 };
        let header = (format == SourceFormat::Csv).then(Vec::new);
        Self {
            ends: RecordEnds::new(format),
            sizes,
            file,
            at: 0,
            newlines: 0,
            chunk: start,
            record: start,
            header_done: header.is_none(),
            header,
            last: [0; 2],
            mark: Vec::new(),
            mark_done: false,
        }
    }

    /// Takes the next bytes of the file.
    fn take(&mut self, bytes: &[u8], chunks: &mut Vec<Chunk>) {
        if self.mark_done {
            return self.walk(bytes, chunks);
        }
        self.mark.extend_from_slice(bytes);
        if self.mark.len() >= BYTE_ORDER_MARK.len() {
            self.leave_mark(chunks);
        }
    }

    /// Skips a byte order mark and goes on with what was held back.
    fn leave_mark(&mut self, chunks: &mut Vec<Chunk>) {
        self.mark_done = true;
        let held = std::mem::take(&mut self.mark);
        let rest = held.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&held);
        self.at = (held.len() - rest.len()) as u64;
        self.record.offset = self.at;
        self.chunk.offset = self.at;
        self.walk(rest, chunks);
    }

    fn walk(&mut self, bytes: &[u8], chunks: &mut Vec<Chunk>) {
        let mut rest = bytes;
        loop {
            let end = self.ends.next_end(rest);
            let piece = &rest[..end.unwrap_or(rest.len())];
            self.pass(piece);
            let Some(end) = end else { return };
            self.end_record(chunks);
            rest = &rest[end..];
        }
    }

    /// Takes bytes of the current record.
    fn pass(&mut self, piece: &[u8]) {
        if !self.header_done
            && let Some(header) = &mut self.header
        {
            let room = (self.sizes.row as usize + 1).saturating_sub(header.len());
            header.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        match *piece {
            [] => {}
            [one] => self.last = [self.last[1], one],
            [.., before, one] => self.last = [before, one],
        }
        self.at += piece.len() as u64;
        self.newlines += memchr::memchr_iter(b'\n', piece).count() as u64;
    }

    fn end_record(&mut self, chunks: &mut Vec<Chunk>) {
        let length = self.at - self.record.offset;
        let line_end = match self.last {
            [b'\r', b'\n'] if length >= 2 => 2,
            [_, b'\n'] => 1,
            _ => 0,
        };
        let next = Mark { offset: self.at, line: self.newlines + 1 };
        if !self.header_done {
            // A blank line before the header is no header.
            let blank = self.header.as_deref().is_some_and(super::records::is_blank);
            if blank {
                self.header = Some(Vec::new());
            } else {
                self.header_done = true;
            }
            self.chunk = next;
        } else if length - line_end > self.sizes.row {
            self.cut(self.record.offset, ChunkKind::Records, chunks);
            self.chunk = self.record;
            self.cut(self.at, ChunkKind::Overlong, chunks);
            self.chunk = next;
        } else if self.at - self.chunk.offset >= self.sizes.chunk {
            self.cut(self.at, ChunkKind::Records, chunks);
            self.chunk = next;
        }
        self.record = next;
    }

    fn finish(&mut self, chunks: &mut Vec<Chunk>) {
        if !self.mark_done {
            self.leave_mark(chunks);
        }
        if self.at > self.record.offset {
            self.end_record(chunks);
        }
        self.cut(self.at, ChunkKind::Records, chunks);
    }

    fn cut(&mut self, end: u64, kind: ChunkKind, chunks: &mut Vec<Chunk>) {
        let Mark { offset: start, line } = self.chunk;
        if start < end {
            chunks.push(Chunk { file: self.file, start, end, line, kind });
        }
    }

    /// The columns that the header names.
    fn header(self, path: &Path) -> Result<Vec<String>, EngineError> {
        match &self.header {
            Some(bytes) => {
                let record = trim_line_end(bytes);
                header_fields(record, record.len() as u64, self.sizes.row, path)
            }
            None => Ok(Vec::new()),
        }
    }
}

/// The columns that a header record without its line end names; of one longer than the cap `record` is a part.
pub(super) fn header_fields(record: &[u8], length: u64, cap: u64, path: &Path) -> Result<Vec<String>, EngineError> {
    let failed = |what: String| EngineError::Header { path: path.to_owned(), what };
    if length > cap {
        return Err(failed(format!("is longer than the cap of {cap} bytes")));
    }
    let text = std::str::from_utf8(record).map_err(|_| failed("is not valid UTF-8".to_owned()))?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let fields = csv::split(text).map_err(|error| failed(error.to_owned()))?;
    Ok(fields.into_iter().map(|field| field.text.into_owned()).collect())
}
