//! Source texts, spans and their line and column positions.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// One `.annot` file of a compilation; an index into [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct FileId(pub u32);

/// A range of bytes in one file: `start` inclusive, `end` exclusive, both on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    /// The file that the bytes lie in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file` from byte `start` up to byte `end`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start: start as u32, end: end as u32 }
    }

    /// The smallest span that covers `self` and `other`, which lie in one file.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The number of bytes covered.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether no byte is covered: a place between two characters.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A value with the place that it was written at.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub node: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Ties `node` to `span`.
    pub fn new(node: T, span: Span) -> Self {
        Self { node, span }
    }
}

/// A text with its name and the starts of its lines.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// The whole text, without a byte order mark.
    pub text: String,
    line_starts: Vec<u32>,
    /// How many characters stand before each block of [`BLOCK`] bytes.
    counts: Vec<u32>,
}

/// The bytes between two counts of characters: a column in a line of a megabyte is found without counting them all.
const BLOCK: usize = 1024;

impl SourceFile {
    /// Takes a text; a leading byte order mark is removed.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let line_starts =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1)).collect();
        let counts = text.as_bytes().chunks(BLOCK).scan(0, |count, block| {
            *count += block.iter().filter(|byte| begins_character(**byte)).count() as u32;
            Some(*count)
        });
        let counts = std::iter::once(0).chain(counts).collect();
        Self { path: path.into(), text, line_starts, counts }
    }

    /// The 1-based line and the 1-based column, in characters, of a byte offset.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let line = self.line_starts.partition_point(|&start| start <= offset) - 1;
        let end = self.text.floor_char_boundary(offset as usize);
        (line + 1, self.characters_before(end) - self.characters_before(self.line_starts[line] as usize) + 1)
    }

    /// The bytes of the line that a byte offset lies in, without its newline.
    pub fn line_bytes(&self, offset: usize) -> Range<usize> {
        let next = self.line_starts.partition_point(|&start| start as usize <= offset);
        let end = self.line_starts.get(next).map_or(self.text.len(), |&start| start as usize - 1);
        self.line_starts[next - 1] as usize..end
    }

    /// The number of characters that begin before a byte offset.
    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        let rest = &self.text.as_bytes()[block * BLOCK..offset];
        self.counts[block] as usize + rest.iter().filter(|byte| begins_character(**byte)).count()
    }
}

/// Whether a byte of UTF-8 is the first one of its character.
fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// The texts of one compilation.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text and gives its id.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(self.files.len() as u32 - 1)
    }

    /// The text with this id, which this map gave out.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The ids of all texts, in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = FileId> {
        (0..self.files.len() as u32).map(FileId)
    }

    /// The path of the text with this id.
    pub fn path(&self, id: FileId) -> &Path {
        &self.file(id).path
    }

    /// The characters of a span.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.start as usize..span.end as usize]
    }

    /// The 1-based line that a span begins on.
    pub fn line(&self, span: Span) -> usize {
        self.file(span.file).line_column(span.start).0
    }
}
