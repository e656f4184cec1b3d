//! One chunk's records as batches.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::cell::{Cell, digest_128};
use super::records::{Framing, RecordEnds, trim_line_end};
use super::rows::Rows;
use super::shape::{Header, RecordPlace, RowShape};
use super::table::TableBuilder;
use super::table_row::TableShape;
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
    /// The places of the records to read, in order: their first bytes, or their rows; all of them when `None`.
    keep: Option<Arc<[u64]>>,
    kept: usize,
    bytes: Vec<u8>,
    header: Header,
    at: usize,
    line: u64,
    /// The rows of a table, once they are opened, with the batch at hand.
    rows: Option<OpenRows>,
    done: bool,
}

/// The rows of a chunk of a table.
struct OpenRows {
    rows: Rows,
    shape: TableShape,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    next: usize,
    /// The file's row that this is.
    at: u64,
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
            rows: None,
            done: false,
        }
    }

    /// The next batch, `None` after the last.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        if self.done || self.keep.as_ref().is_some_and(|keep| keep.is_empty()) {
            return Ok(None);
        }
        match self.chunk.kind {
            ChunkKind::Overlong => {
                self.done = true;
                self.overlong().map(Some)
            }
            ChunkKind::Records => {
                if self.bytes.is_empty() {
                    self.load()?;
                }
                let bytes = std::mem::take(&mut self.bytes);
                let batch = self.fill(&bytes);
                self.bytes = bytes;
                batch
            }
            ChunkKind::Rows => {
                let mut rows = match self.rows.take() {
                    Some(rows) => rows,
                    None => self.open_rows()?,
                };
                let batch = self.fill_rows(&mut rows);
                self.rows = Some(rows);
                batch
            }
        }
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
            std::io::ErrorKind::UnexpectedEof => EngineError::Changed { path: self.file.file.shown() },
            _ => EngineError::Read { path: self.file.file.shown(), error },
        }
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<Option<RecordBatch>, EngineError> {
        let framing = Framing::of(self.shape.source.format, &self.shape.source.options)
            .expect("only texts are cut into chunks of records");
        let mut table = TableBuilder::new(&self.columns, &self.projection, &self.shape);
        let (begin, digested) = (self.at, table.wants_digest());
        let (shape, file) = (Arc::clone(&self.shape), Arc::clone(&self.file));
        let (mut cells, mut hashed): (Vec<Cell<'_>>, _) = (Vec::new(), Vec::new());
        while self.at < bytes.len() && table.rows() < self.sizes.batch_rows && self.at - begin < self.sizes.batch_bytes
        {
            let rest = &bytes[self.at..];
            let record = &rest[..RecordEnds::new(framing).next_end(rest).unwrap_or(rest.len())];
            let (start, line) = (self.chunk.start + self.at as u64, self.line);
            self.at += record.len();
            self.line += match framing {
                // A line has one line end, and it is the last of its bytes.
                Framing::Lines => u64::from(record.ends_with(b"\n")),
                Framing::Values(_) | Framing::Blocks | Framing::Whole => {
                    memchr::memchr_iter(b'\n', record).count() as u64
                }
            };
            if shape.is_no_record(record) || !self.wanted(start) {
                continue;
            }
            let place = location(self.chunk.file, start);
            let record = trim_line_end(record);
            match shape.read(&self.header, record, RecordPlace { file: &file.file.name, line }, &mut cells) {
                Ok(()) => {
                    let digest = if digested { shape.digest(&cells, &mut hashed) } else { [0; 16] };
                    table.push(place, line, digest, Ok(&cells));
                }
                Err(error) => {
                    self.refuse(line, &error)?;
                    let mut hasher = shape.raw_hasher();
                    hasher.update(record);
                    table.push(place, line, digest_128(&hasher), Err(&error));
                }
            }
        }
        if table.rows() == 0 && self.at >= bytes.len() { Ok(None) } else { Ok(Some(table.finish())) }
    }

    fn open_rows(&self) -> Result<OpenRows, EngineError> {
        let table = self.file.rows().expect("only files that are tables are cut into chunks of rows");
        let shape = self.shape.table(table.schema());
        let rows = table.read(&self.file, self.chunk.start..self.chunk.end, &shape, self.sizes.batch_rows)?;
        let shape = shape.projected();
        Ok(OpenRows { rows, shape, batch: None, next: 0, at: self.chunk.start })
    }

    fn fill_rows(&mut self, open: &mut OpenRows) -> Result<Option<RecordBatch>, EngineError> {
        let mut table = TableBuilder::new(&self.columns, &self.projection, &self.shape);
        let (digested, mut hashed, mut size) = (table.wants_digest(), Vec::new(), 0);
        while table.rows() < self.sizes.batch_rows && size < self.sizes.batch_bytes as u64 {
            let batch = match &open.batch {
                Some(batch) if open.next < batch.num_rows() => batch,
                _ => {
                    open.next = 0;
                    open.batch = open.rows.next_batch(&self.file)?;
                    match &open.batch {
                        Some(batch) => batch,
                        None if table.rows() == 0 => return Ok(None),
                        None => break,
                    }
                }
            };
            let (row, at) = (open.next, open.at);
            (open.next, open.at) = (row + 1, at + 1);
            if !self.wanted(at) {
                continue;
            }
            let (place, line) = (location(self.chunk.file, at), at + 1);
            let mut read = open.shape.read(batch, row);
            let bytes: u64 = read.cells.iter().map(Cell::size).sum();
            size += bytes;
            if read.error.is_none() && bytes > self.file.longest_row {
                read.error = Some(super::shape::overlong(bytes, self.file.longest_row));
            }
            match read.error {
                None => {
                    let digest = if digested { self.shape.digest(&read.cells, &mut hashed) } else { [0; 16] };
                    table.push(place, line, digest, Ok(&read.cells));
                }
                Some(error) => {
                    self.refuse(line, &error)?;
                    let mut hasher = self.shape.raw_hasher();
                    hasher.update(&open.shape.raw(batch, row, &read.cells));
                    table.push(place, line, digest_128(&hasher), Err(&error));
                }
            }
        }
        Ok(Some(table.finish()))
    }

    /// Whether the record at a place is to be read.
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
                let path = self.file.file.shown();
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
        let error = super::shape::overlong(length, self.file.longest_row);
        self.refuse(self.chunk.line, &error)?;
        let mut table = TableBuilder::new(&self.columns, &self.projection, &self.shape);
        let place = location(self.chunk.file, self.chunk.start);
        table.push(place, self.chunk.line, digest_128(&hasher), Err(&error));
        Ok(table.finish())
    }
}
