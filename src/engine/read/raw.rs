//! The records of one file as texts, in order and without a type: for those who ask what a file holds. Where records end
//! and which bytes are none is decided by the same functions as in a build.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::cell::RowError;
use super::cut::{BYTE_ORDER_MARK, header_fields};
use super::encoding::{begins_utf16, utf16_unsaid};
use super::records::{Framing, RecordEnds, is_blank, trim_line_end};
use super::shape::{overlong, record_text};
use super::unpack::Steps;
use crate::engine::EngineError;
use crate::hir::{ReadOptions, SourceFormat};

/// Reads one file from front to back. Nothing is kept but the record at hand.
pub struct RawRecords {
    input: BufReader<Box<dyn Read>>,
    steps: Steps,
    path: PathBuf,
    ends: RecordEnds,
    /// The longest record in bytes, without its line end.
    cap: u64,
    /// The 1-based line of the next record.
    line: u64,
    /// The bytes of the record at hand, up to the cap.
    bytes: Vec<u8>,
}

/// A record as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// The 1-based line that it begins on.
    pub line: u64,
    /// Its text without the line end, or what is wrong with its bytes.
    pub text: Result<&'a str, RowError>,
}

impl RawRecords {
    /// Opens a file of texts, and gives the columns that its header names: none of a format without a header. A
    /// compressed file is unpacked as it is read.
    ///
    /// # Errors
    /// A file that cannot be read, or whose header is of no use.
    pub fn open(
        path: &Path,
        format: SourceFormat,
        options: &ReadOptions,
        cap: u64,
    ) -> Result<(Vec<String>, Self), EngineError> {
        let failed = |error| EngineError::Read { path: path.to_owned(), error };
        let mut file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder")));
        }
        let framing = Framing::of(format, options).expect("only texts are read record by record");
        let steps = Steps::of(&path.to_string_lossy(), format, options).heeding(format, &mut file).map_err(failed)?;
        let text = steps.text(file).map_err(|error| steps.failure(path, &error))?;
        let input = BufReader::with_capacity(1 << 20, text);
        let ends = RecordEnds::new(framing);
        let mut records = Self { input, steps, path: path.to_owned(), ends, cap, line: 1, bytes: Vec::new() };
        records.skip_mark()?;
        let header = match framing {
            Framing::Values(dialect) if dialect.header => match records.advance()? {
                Some((_, length)) => header_fields(trim_line_end(&records.bytes), length, cap, dialect, path)?,
                None => Vec::new(),
            },
            Framing::Values(_) | Framing::Lines | Framing::Blocks | Framing::Whole => Vec::new(),
        };
        Ok((header, records))
    }

    fn skip_mark(&mut self) -> Result<(), EngineError> {
        let begin = self.input.fill_buf().map_err(|error| self.steps.failure(&self.path, &error))?;
        if !self.steps.is_decoded() && begins_utf16(begin) {
            return Err(utf16_unsaid(&self.path));
        }
        if begin.starts_with(BYTE_ORDER_MARK) {
            self.input.consume(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// The next record that is no blank line, `None` after the last.
    ///
    /// # Errors
    /// [`EngineError::Read`] where the file fails.
    pub fn next_record(&mut self) -> Result<Option<RawRecord<'_>>, EngineError> {
        let Some((line, length)) = self.advance()? else { return Ok(None) };
        let text =
            if length > self.cap { Err(overlong(length, self.cap)) } else { record_text(trim_line_end(&self.bytes)) };
        Ok(Some(RawRecord { line, text }))
    }

    /// Reads up to the end of the next record that is not blank: its line, and its length without the line end.
    fn advance(&mut self) -> Result<Option<(u64, u64)>, EngineError> {
        loop {
            let (line, length) = (self.line, self.fill()?);
            if length == 0 {
                return Ok(None);
            }
            let line_end = self.bytes.len() - trim_line_end(&self.bytes).len();
            let length = length - line_end as u64;
            if length > self.cap || !is_blank(&self.bytes) {
                return Ok(Some((line, length)));
            }
        }
    }

    /// Takes the bytes of one record with its line end, and gives their number; 0 at the end of the file. Of a record
    /// beyond the cap the last two bytes are kept behind the first ones, since they may be its line end.
    fn fill(&mut self) -> Result<u64, EngineError> {
        self.bytes.clear();
        let mut length = 0;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok([]) => return Ok(length),
                Ok(buffer) => buffer,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.steps.failure(&self.path, &error)),
            };
            let end = self.ends.next_end(buffer);
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            self.line += memchr::memchr_iter(b'\n', piece).count() as u64;
            length += piece.len() as u64;
            self.bytes.extend_from_slice(piece);
            let most = self.cap as usize + 2;
            if self.bytes.len() > most {
                self.bytes.drain(most - 2..self.bytes.len() - 2);
            }
            let taken = piece.len();
            self.input.consume(taken);
            if end.is_some() {
                return Ok(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header, then line and text of each record.
    fn read(format: SourceFormat, bytes: &[u8], cap: u64) -> (Vec<String>, Vec<(u64, String)>) {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), bytes).expect("a file is written");
        let (header, mut records) =
            RawRecords::open(file.path(), format, &ReadOptions::of(format), cap).expect("the file opens");
        let mut found = Vec::new();
        while let Some(record) = records.next_record().expect("the file can be read") {
            found.push((record.line, record.text.map_or_else(|error| format!("! {error}"), str::to_owned)));
        }
        (header, found)
    }

    #[test]
    fn records_are_those_of_a_build() {
        let (header, rows) = read(SourceFormat::Jsonl, b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}", 100);
        assert!(header.is_empty());
        assert_eq!(rows, [(1, "{\"a\":1}".to_owned()), (4, "{\"b\":2}".to_owned())]);
        let (header, rows) = read(SourceFormat::Csv, b"\na,\"b\nc\"\n1,\"x\ny\"\n\n2,z\n", 100);
        assert_eq!(header, ["a", "b\nc"]);
        assert_eq!(rows, [(4, "1,\"x\ny\"".to_owned()), (7, "2,z".to_owned())]);
    }

    #[test]
    fn what_cannot_be_a_record_says_why() {
        let (_, rows) = read(SourceFormat::Jsonl, b"12345\r\n123456\r\n1234567890\n\xff\n12", 5);
        let long = |length| format!("! row of {length} bytes, longer than the cap of 5 bytes");
        let expected =
            [(1, "12345".into()), (2, long(6)), (3, long(10)), (4, "! invalid UTF-8 at byte 1 of the row".into())];
        assert_eq!(rows[..4], expected);
        assert_eq!(rows[4], (5, "12".to_owned()));
    }
}
