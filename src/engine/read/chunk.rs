//! One chunk's records as batches.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::cell::digest_128;
use super::records::{RecordEnds, is_blank, trim_line_end};
use super::shape::{Header, RowShape};
use super::table::TableBuilder;
use super::{Chunk, ChunkKind, FileSurvey, Sizes, location};
use crate::engine::EngineError;
use crate::hir::{Column, OnBadRow};

/// Reads one chunk, batch by batch.
pub struct ChunkReader {
    shape: Arc<RowShape>,
    file: Arc<FileSurvey>,
    chunk: Chunk,
    sizes: Sizes,
    columns: Arc<[Column]>,
    projection: Arc<[usize]>,
    /// The byte offsets of the records to read, in order; all of them when `None`.
    keep: Option<Arc<[u64]>>,
    kept: usize,
    bytes: Vec<u8>,
    header: Header,
    at: usize,
    line: u64,
    done: bool,
}

impl ChunkReader {
    /// A reader of the columns `projection` of the table over `columns`.
    pub fn new(
        shape: Arc<RowShape>,
        file: Arc<FileSurvey>,
        chunk: Chunk,
        sizes: Sizes,
        columns: Arc<[Column]>,
        projection: Arc<[usize]>,
        keep: Option<Arc<[u64]>>,
    ) -> Self {
        let header = shape.header(&file.header);
        let line = chunk.line;
        Self {
            shape,
            file,
            chunk,
            sizes,
            columns,
            projection,
            keep,
            kept: 0,
            bytes: Vec::new(),
            header,
            at: 0,
            line,
            done: false,
        }
    }

    /// The next batch, `None` after the last.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        if self.done || self.keep.as_ref().is_some_and(|keep| keep.is_empty()) {
            return Ok(None);
        }
        if self.chunk.kind == ChunkKind::Overlong {
            self.done = true;
            return self.overlong().map(Some);
        }
        if self.bytes.is_empty() {
            self.load()?;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let batch = self.fill(&bytes);
        self.bytes = bytes;
        batch
    }

    fn load(&mut self) -> Result<(), EngineError> {
        let mut file = self.file.open()?;
        let length = (self.chunk.end - self.chunk.start) as usize;
        self.bytes.resize(length, 0);
        file.seek(SeekFrom::Start(self.chunk.start))
            .and_then(|_| file.read_exact(&mut self.bytes))
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: std::io::Error) -> EngineError {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => EngineError::Changed { path: self.file.file.location.clone() },
            _ => EngineError::Read { path: self.file.file.location.clone(), error },
        }
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<Option<RecordBatch>, EngineError> {
        let mut table = TableBuilder::new(&self.columns, &self.projection, &self.shape);
        let (begin, digested) = (self.at, table.wants_digest());
        while self.at < bytes.len() && table.rows() < self.sizes.batch_rows && self.at - begin < self.sizes.batch_bytes
        {
            let rest = &bytes[self.at..];
            let mut ends = RecordEnds::new(self.shape.source.format);
            let record = &rest[..ends.next_end(rest).unwrap_or(rest.len())];
            let (start, line) = (self.chunk.start + self.at as u64, self.line);
            self.at += record.len();
            self.line += memchr::memchr_iter(b'\n', record).count() as u64;
            if is_blank(record) || !self.wanted(start) {
                continue;
            }
            let place = location(self.chunk.file, start);
            match self.shape.read(&self.header, trim_line_end(record)) {
                Ok(cells) => {
                    let digest = if digested { self.shape.digest(&cells) } else { [0; 16] };
                    table.push(place, line, digest, Ok(&cells));
                }
                Err(error) => {
                    self.refuse(line, &error)?;
                    let mut hasher = self.shape.raw_hasher();
                    hasher.update(trim_line_end(record));
                    table.push(place, line, digest_128(&hasher), Err(&error));
                }
            }
        }
        if table.rows() == 0 && self.at >= bytes.len() { Ok(None) } else { Ok(Some(table.finish())) }
    }

    /// Whether the record at a byte offset is to be read.
    fn wanted(&mut self, offset: u64) -> bool {
        let Some(keep) = &self.keep else { return true };
        let wanted = keep.get(self.kept) == Some(&offset);
        self.kept += usize::from(wanted);
        wanted
    }

    /// Ends the build where the source wants that.
    fn refuse(&self, line: u64, error: &str) -> Result<(), EngineError> {
        match self.shape.source.on_bad_row {
            OnBadRow::Quarantine => Ok(()),
            OnBadRow::Fail => {
                let path = self.file.file.location.clone();
                Err(EngineError::BadRow { path, line, error: error.to_owned() })
            }
        }
    }

    /// The one row of a record that is longer than the cap: it is hashed piece by piece.
    fn overlong(&mut self) -> Result<RecordBatch, EngineError> {
        let mut file = self.file.open()?;
        file.seek(SeekFrom::Start(self.chunk.start)).map_err(|error| self.failed(error))?;
        let (mut hasher, mut buffer) = (self.shape.raw_hasher(), vec![0; 1 << 20]);
        let mut left = self.chunk.end - self.chunk.start;
        let mut last = Vec::new();
        while left > 0 {
            let piece = &mut buffer[..left.min(1 << 20) as usize];
            file.read_exact(piece).map_err(|error| self.failed(error))?;
            hasher.update(piece);
            left -= piece.len() as u64;
            last = [last.as_slice(), &piece[piece.len().saturating_sub(2)..]].concat();
            last.drain(..last.len().saturating_sub(2));
        }
        let line_end = last.len() - trim_line_end(&last).len();
        let length = self.chunk.end - self.chunk.start - line_end as u64;
        let error = super::shape::overlong(length, self.sizes.row);
        self.refuse(self.chunk.line, &error)?;
        let mut table = TableBuilder::new(&self.columns, &self.projection, &self.shape);
        let place = location(self.chunk.file, self.chunk.start);
        table.push(place, self.chunk.line, digest_128(&hasher), Err(&error));
        Ok(table.finish())
    }
}
