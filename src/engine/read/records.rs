//! Where records end: the one state machine that both the survey and the reader use, so that they cannot disagree.

use crate::hir::SourceFormat;

/// Finds record ends in bytes that come piece by piece.
///
/// JSONL: a record ends with a newline. CSV (RFC 4180): a record ends with a newline outside quotes; a quote opens a
/// quoted field only where a field begins, elsewhere it is an ordinary character.
#[derive(Debug, Clone, Copy)]
pub struct RecordEnds {
    format: SourceFormat,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A field begins here.
    FieldStart,
    /// In a field without quotes, or behind the closing quote of one with them.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote between quotes: a second one is a quote character, anything else closes the field.
    QuoteInQuoted,
}

impl RecordEnds {
    /// At the beginning of a record.
    pub fn new(format: SourceFormat) -> Self {
        Self { format, state: State::FieldStart }
    }

    /// The number of bytes up to and with the newline that ends the record that the machine is in, if `bytes` has it.
    /// Without one, all of `bytes` is taken into the state.
    pub fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.format {
            SourceFormat::Jsonl => memchr::memchr(b'\n', bytes).map(|at| at + 1),
            SourceFormat::Csv => self.next_csv_end(bytes),
        }
    }

    /// Whether the bytes so far end between quotes.
    pub fn in_quotes(&self) -> bool {
        self.state == State::Quoted
    }

    fn next_csv_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match self.state {
                State::FieldStart | State::Plain | State::QuoteInQuoted => match (byte, self.state) {
                    (b'\n', _) => {
                        self.state = State::FieldStart;
                        return Some(at + 1);
                    }
                    (b',', _) => self.state = State::FieldStart,
                    (b'"', State::FieldStart | State::QuoteInQuoted) => self.state = State::Quoted,
                    _ => {
                        self.state = State::Plain;
                        // Nothing but a comma or a newline ends a plain field.
                        at += memchr::memchr2(b',', b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                        continue;
                    }
                },
                State::Quoted => {
                    let quote = memchr::memchr(b'"', &bytes[at..])?;
                    at += quote;
                    self.state = State::QuoteInQuoted;
                }
            }
            at += 1;
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
    fn ends(format: SourceFormat, bytes: &[u8], piece: usize) -> Vec<usize> {
        let mut machine = RecordEnds::new(format);
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
        let cases: [(SourceFormat, &[u8], &[usize]); 6] = [
            (SourceFormat::Jsonl, b"{}\n\n{\"a\":1}\r\nx", &[3, 4, 13]),
            (SourceFormat::Csv, b"a,b\n1,2\r\n", &[4, 9]),
            (SourceFormat::Csv, b"\"x\ny\",1\nz,2\n", &[8, 12]),
            (SourceFormat::Csv, b"a\"b\nc\"\n", &[4, 7]),
            (SourceFormat::Csv, b"\"a\"\"\n\"\n", &[7]),
            (SourceFormat::Csv, b"\"a\"b\"\n,\"\n\"\n", &[6, 11]),
        ];
        for (format, bytes, expected) in cases {
            for piece in 1..=bytes.len() {
                assert_eq!(ends(format, bytes, piece), expected, "{bytes:?} in pieces of {piece}");
            }
        }
    }
}
