//! Cuts a text into chunks at record ends.

use std::path::Path;

use super::encoding::begins_utf16;
use super::records::{Framing, RecordEnds, is_blank, trim_line_end};
use super::survey::{Chunk, ChunkKind};
use super::{Sizes, csv};
use crate::engine::EngineError;
use crate::hir::Dialect;

/// The mark that some programs put before UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Follows the records of one file and cuts it.
pub(super) struct Cutter {
    framing: Framing,
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
    /// Whether the first bytes are a byte order mark of UTF-16.
    utf16: bool,
}

/// A byte and its line.
#[derive(Clone, Copy)]
struct Mark {
    offset: u64,
    line: u64,
}

impl Cutter {
    /// At the beginning of the file of this number.
    pub(super) fn new(framing: Framing, file: usize, sizes: Sizes) -> Self {
        let start = Mark { offset: 0, line: 1 };
        let header = framing.has_header().then(Vec::new);
        Self {
            framing,
            ends: RecordEnds::new(framing),
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
            utf16: false,
        }
    }

    /// The number of bytes that were taken.
    pub(super) fn bytes(&self) -> u64 {
        self.at
    }

    /// Whether the text begins as UTF-16 does, once all of it was taken.
    pub(super) fn is_utf16(&self) -> bool {
        self.utf16
    }

    /// Takes the next bytes of the text.
    pub(super) fn take(&mut self, bytes: &[u8], chunks: &mut Vec<Chunk>) {
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
        self.utf16 = begins_utf16(&held);
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
            let newlines = match self.framing {
                // A line has one line end, and it is the last of its bytes.
                Framing::Lines => u64::from(end.is_some()),
                Framing::Values(_) | Framing::Blocks | Framing::Whole => {
                    memchr::memchr_iter(b'\n', piece).count() as u64
                }
            };
            self.pass(piece, newlines);
            let Some(end) = end else { return };
            self.end_record(chunks);
            rest = &rest[end..];
        }
    }

    /// Takes bytes of the current record, in which there are this many newlines.
    fn pass(&mut self, piece: &[u8], newlines: u64) {
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
        self.newlines += newlines;
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
            let blank = self.header.as_deref().is_some_and(is_blank);
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

    /// Cuts what is left behind the last record end.
    pub(super) fn finish(&mut self, chunks: &mut Vec<Chunk>) {
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
    ///
    /// # Errors
    /// A header of no use.
    pub(super) fn header(self, path: &Path) -> Result<Vec<String>, EngineError> {
        match (&self.header, self.framing) {
            (Some(bytes), Framing::Values(dialect)) => {
                let record = trim_line_end(bytes);
                header_fields(record, record.len() as u64, self.sizes.row, dialect, path)
            }
            (_, Framing::Lines | Framing::Values(_) | Framing::Blocks | Framing::Whole) => Ok(Vec::new()),
        }
    }
}

/// The columns that a header record without its line end names; of one longer than the cap `record` is a part.
pub(super) fn header_fields(
    record: &[u8],
    length: u64,
    cap: u64,
    dialect: Dialect,
    path: &Path,
) -> Result<Vec<String>, EngineError> {
    let failed = |what: String| EngineError::Header { path: path.to_owned(), what };
    if length > cap {
        return Err(failed(format!("is longer than the cap of {cap} bytes")));
    }
    let text = std::str::from_utf8(record).map_err(|_| failed("is not valid UTF-8".to_owned()))?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let fields = csv::split(text, dialect).map_err(|error| failed(error.to_owned()))?;
    Ok(fields.into_iter().map(|field| field.text.into_owned()).collect())
}
