//! Places of the protocol (lines and columns in code units that were agreed on) and bytes of a text.

use lsp_types::{Position, PositionEncodingKind, Range};

/// The units in which columns are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// What the protocol counts when nothing was agreed on.
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The first of the client's encodings that is known here.
    pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let known = offered.unwrap_or_default().iter().find_map(|kind| match kind.as_str() {
            "utf-8" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            "utf-32" => Some(Self::Utf32),
            _ => None,
        });
        known.unwrap_or(Self::Utf16)
    }

    /// The protocol's word for it.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    /// The units of a text.
    pub fn length(self, text: &str) -> u32 {
        let units = match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
            Self::Utf32 => text.chars().count(),
        };
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    fn width(self, c: char) -> u32 {
        match self {
            Self::Utf8 => c.len_utf8() as u32,
            Self::Utf16 => c.len_utf16() as u32,
            Self::Utf32 => 1,
        }
    }
}

/// A text with its lines.
#[derive(Debug, Clone)]
pub struct Places<'t> {
    text: &'t str,
    encoding: Encoding,
    /// The first byte of each line.
    starts: Vec<usize>,
    /// How far the client's first line is moved to the right, by a byte order mark that is no part of the text here.
    indent: u32,
}

impl<'t> Places<'t> {
    /// Finds the lines of a text, which end in `\n`, `\r\n` or `\r`.
    pub fn new(text: &'t str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes);
        let ends = ends.filter(|at| bytes[*at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'));
        Self { text, encoding, starts: std::iter::once(0).chain(ends.map(|at| at + 1)).collect(), indent: 0 }
    }

    /// The same text with its first line moved to the right.
    pub fn indented(self, indent: u32) -> Self {
        Self { indent, ..self }
    }

    /// The bytes of a line without its end.
    fn line(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line];
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        (start, start + self.text[start..end].trim_end_matches(['\n', '\r']).len())
    }

    /// The place of a byte; one inside a character or a line's end counts as the place before it.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let (start, end) = self.line(line);
        let indent = if line == 0 { self.indent } else { 0 };
        Position::new(line as u32, indent + self.encoding.length(&self.text[start..offset.min(end)]))
    }

    /// The byte of a place. A column behind the line's end means the end, a line behind the last one the end of the text.
    pub fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        if line >= self.starts.len() {
            return self.text.len();
        }
        let (start, end) = self.line(line);
        let mut units = if line == 0 { self.indent } else { 0 };
        for (at, c) in self.text[start..end].char_indices() {
            units += self.encoding.width(c);
            if units > position.character {
                return start + at;
            }
        }
        end
    }

    /// The places of two bytes.
    pub fn range(&self, start: usize, end: usize) -> Range {
        Range::new(self.position(start), self.position(end))
    }

    /// The bytes of a range, in order also where the range is not.
    pub fn bytes(&self, range: Range) -> (usize, usize) {
        let (start, end) = (self.offset(range.start), self.offset(range.end));
        (start.min(end), start.max(end))
    }

    /// The units of a piece of the text.
    pub fn length(&self, start: usize, end: usize) -> u32 {
        self.encoding.length(&self.text[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a😀é\r\nb\rc\n";

    #[test]
    fn each_encoding_counts_its_own_units() {
        let end_of_line = TEXT.find('\r').expect("it is there");
        for (encoding, emoji, line) in [(Encoding::Utf8, 5, 7), (Encoding::Utf16, 3, 4), (Encoding::Utf32, 2, 3)] {
            let places = Places::new(TEXT, encoding);
            assert_eq!(places.position(5), Position::new(0, emoji), "{encoding:?}");
            assert_eq!(places.offset(Position::new(0, emoji)), 5, "{encoding:?}");
            assert_eq!(places.position(end_of_line), Position::new(0, line), "{encoding:?}");
            assert_eq!(places.offset(Position::new(0, 99)), end_of_line, "{encoding:?}");
        }
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        let places = Places::new(TEXT, Encoding::Utf16);
        let at = |letter: char| places.position(TEXT.find(letter).expect("it is there"));
        assert_eq!((at('b'), at('c')), (Position::new(1, 0), Position::new(2, 0)));
        assert_eq!(places.position(TEXT.len()), Position::new(3, 0));
        assert_eq!(places.offset(Position::new(9, 0)), TEXT.len());
    }

    #[test]
    fn half_a_character_is_its_beginning() {
        let places = Places::new(TEXT, Encoding::Utf16);
        assert_eq!(places.offset(Position::new(0, 2)), 1);
        assert_eq!(places.position(3), Position::new(0, 1));
    }
}
