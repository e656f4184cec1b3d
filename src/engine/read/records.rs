//! Where records end: the one state machine that both the survey and the reader use, so that they cannot disagree.

use crate::hir::{Dialect, ReadOptions, SourceFormat, TextUnit};

/// What ends a record in the bytes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A newline.
    Lines,
    /// A newline outside quotes that no escape stands before; a quote opens a quoted value only where a value begins,
    /// elsewhere it is an ordinary character.
    Values(Dialect),
    /// A blank line.
    Blocks,
    /// The end of the file.
    Whole,
}

impl Framing {
    /// The framing of a format; a list of JSON objects was brought into lines before. `None` of what is no text.
    pub fn of(format: SourceFormat, options: &ReadOptions) -> Option<Self> {
        Some(match format {
            SourceFormat::Jsonl | SourceFormat::Json => Self::Lines,
            SourceFormat::Csv | SourceFormat::Tsv => Self::Values(options.dialect),
            SourceFormat::Text => match options.unit {
                TextUnit::Line => Self::Lines,
                TextUnit::Paragraph => Self::Blocks,
                TextUnit::File => Self::Whole,
            },
            SourceFormat::Conll => Self::Blocks,
            SourceFormat::Markdown | SourceFormat::Html => Self::Whole,
            SourceFormat::Parquet | SourceFormat::Arrow | SourceFormat::Avro | SourceFormat::Sqlite => return None,
        })
    }

    /// Whether the first record names the columns.
    pub fn has_header(self) -> bool {
        match self {
            Self::Values(dialect) => dialect.header,
            Self::Lines | Self::Blocks | Self::Whole => false,
        }
    }
}

/// Finds record ends in bytes that come piece by piece.
#[derive(Debug, Clone, Copy)]
pub struct RecordEnds {
    framing: Framing,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A value or a line begins here.
    Start,
    /// In a value without quotes, behind the closing quote of one with them, or in a line that is not blank.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote between quotes: a second one is a quote character, anything else closes the value.
    QuoteInQuoted,
    /// Behind an escape outside quotes.
    Escaped,
    /// Behind an escape between quotes.
    EscapedInQuoted,
}

impl RecordEnds {
    /// At the beginning of a record.
    pub fn new(framing: Framing) -> Self {
        Self { framing, state: State::Start }
    }

    /// The number of bytes up to and with the newline that ends the record that the machine is in, if `bytes` has it.
    /// Without one, all of `bytes` is taken into the state.
    pub fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.framing {
            Framing::Lines => memchr::memchr(b'\n', bytes).map(|at| at + 1),
            Framing::Values(dialect) => self.next_row_end(bytes, dialect),
            Framing::Blocks => self.next_block_end(bytes),
            Framing::Whole => None,
        }
    }

    fn next_row_end(&mut self, bytes: &[u8], dialect: Dialect) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match self.state {
                State::Quoted => {
                    let special = match (dialect.quote, dialect.escape) {
                        (Some(quote), Some(escape)) => memchr::memchr2(quote, escape, &bytes[at..]),
                        (Some(quote), None) => memchr::memchr(quote, &bytes[at..]),
                        (None, _) => None,
                    };
                    at += special?;
                    let is_quote = dialect.quote == Some(bytes[at]);
                    self.state = if is_quote { State::QuoteInQuoted } else { State::EscapedInQuoted };
                }
                State::Escaped => self.state = State::Plain,
                State::EscapedInQuoted => self.state = State::Quoted,
                State::Start | State::Plain | State::QuoteInQuoted => {
                    if byte == b'\n' {
                        self.state = State::Start;
                        return Some(at + 1);
                    } else if byte == dialect.delimiter {
                        self.state = State::Start;
                    } else if self.state != State::Plain && dialect.quote == Some(byte) {
                        self.state = State::Quoted;
                    } else if dialect.escape == Some(byte) {
                        self.state = State::Escaped;
                    } else {
                        self.state = State::Plain;
                        let rest = &bytes[at..];
                        let next = match dialect.escape {
                            Some(escape) => memchr::memchr3(dialect.delimiter, b'\n', escape, rest),
                            None => memchr::memchr2(dialect.delimiter, b'\n', rest),
                        };
                        at += next.unwrap_or(rest.len());
                        continue;
                    }
                }
            }
            at += 1;
        }
        None
    }

    /// A block ends with the first blank line, which belongs to it.
    fn next_block_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.state == State::Start {
                match bytes[at] {
                    b'\n' => return Some(at + 1),
                    byte if byte.is_ascii_whitespace() => at += 1,
                    _ => self.state = State::Plain,
                }
            } else {
                at += memchr::memchr(b'\n', &bytes[at..])? + 1;
                self.state = State::Start;
            }
        }
        None
    }
}

/// A record's bytes without its line end, `\n` or `\r\n`.
pub fn trim_line_end(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

/// Whether a record is a blank line, which is no record.
pub fn is_blank(record: &[u8]) -> bool {
    record.iter().all(|byte| byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends that are found when the bytes come in pieces of `piece`.
    fn ends(framing: Framing, bytes: &[u8], piece: usize) -> Vec<usize> {
        let mut machine = RecordEnds::new(framing);
        let (mut found, mut base) = (Vec::new(), 0);
        for part in bytes.chunks(piece) {
            let mut at = 0;
            while let Some(end) = machine.next_end(&part[at..]) {
                at += end;
                found.push(base + at);
            }
            base += part.len();
        }
        found
    }

    #[test]
    fn ends_do_not_depend_on_the_pieces() {
        let csv = Framing::Values(Dialect::RFC_4180);
        let bare = Framing::Values(Dialect { quote: None, ..Dialect::RFC_4180 });
        let escapes = Framing::Values(Dialect { escape: Some(b'\\'), ..Dialect::RFC_4180 });
        let cases: [(Framing, &[u8], &[usize]); 12] = [
            (Framing::Lines, b"{}\n\n{\"a\":1}\r\nx", &[3, 4, 13]),
            (csv, b"a,b\n1,2\r\n", &[4, 9]),
            (csv, b"\"x\ny\",1\nz,2\n", &[8, 12]),
            (csv, b"a\"b\nc\"\n", &[4, 7]),
            (csv, b"\"a\"\"\n\"\n", &[7]),
            (csv, b"\"a\"b\"\n,\"\n\"\n", &[6, 11]),
            (bare, b"\"a\nb\"\n", &[3, 6]),
            (escapes, b"\"a\\\"\n\",b\n", &[9]),
            (escapes, b"a\\\nb,\\\"\nc\n", &[8, 10]),
            (Framing::Blocks, b"a\nb\n\n \t\nc\r\n\r\nd", &[5, 8, 13]),
            (Framing::Blocks, b"\n\na\n", &[1, 2]),
            (Framing::Whole, b"a\n\nb", &[]),
        ];
        for (framing, bytes, expected) in cases {
            for piece in 1..=bytes.len() {
                assert_eq!(ends(framing, bytes, piece), expected, "{bytes:?} in pieces of {piece}");
            }
        }
    }
}
