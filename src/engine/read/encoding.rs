//! Texts that are not UTF-8, as UTF-8.

pub(super) mod charset;

use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding};

use crate::engine::EngineError;

/// Stands for bytes that are no character of the encoding: it is no UTF-8 itself, so that the row that it lies in cannot be
/// read.
const NO_CHARACTER: u8 = 0xff;

/// The canonical name of an encoding, where it is one that is known; `UTF-8` is one.
pub fn find(label: &str) -> Option<&'static str> {
    Encoding::for_label_no_replacement(label.as_bytes()).map(Encoding::name)
}

/// The canonical name of UTF-8.
pub const UTF_8: &str = "UTF-8";

/// The names that a message suggests.
pub const COMMON: [&str; 12] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "iso-8859-1",
    "iso-8859-15",
    "windows-1251",
    "koi8-r",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "gb18030",
];

/// Whether a text begins with the byte order mark of UTF-16, which no UTF-8 does.
pub(super) fn begins_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

/// The complaint about such a text of a source that says no encoding.
pub(super) fn utf16_unsaid(path: &Path) -> EngineError {
    EngineError::Misread {
        path: path.to_owned(),
        what: "begins with the byte order mark of UTF-16, and is read as UTF-8".to_owned(),
        help: "say it as an option of the format: `format csv { encoding \"utf-16le\" }`",
    }
}

/// Reads a text in an encoding as UTF-8, without the byte order mark. Such a mark says more than the specification does.
pub struct Utf8<R> {
    input: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    /// The part of `bytes` that is not yet decoded.
    rest: std::ops::Range<usize>,
    decoded: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf8<R> {
    /// Over bytes in the encoding of this canonical name.
    pub fn new(input: R, encoding: &'static str) -> Self {
        let encoding = Encoding::for_label(encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
        let (bytes, decoded) = (vec![0; 1 << 16], Vec::with_capacity(1 << 18));
        Self { input, decoder: encoding.new_decoder(), bytes, rest: 0..0, decoded, given: 0, ended: false }
    }

    /// Decodes some more; nothing is left behind once the input has ended.
    fn decode(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.given = 0;
        while self.decoded.is_empty() && !self.ended {
            if self.rest.is_empty() {
                let read = self.input.read(&mut self.bytes)?;
                self.rest = 0..read;
                self.ended = read == 0;
            }
            self.decode_rest();
        }
        Ok(())
    }

    fn decode_rest(&mut self) {
        loop {
            let mut room = [0; 4096];
            let source = &self.bytes[self.rest.clone()];
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(source, &mut room, self.ended);
            self.rest.start += read;
            self.decoded.extend_from_slice(&room[..written]);
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.decoded.push(NO_CHARACTER),
            }
        }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.decoded.len() {
            self.decode()?;
        }
        let piece = &self.decoded[self.given..];
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_utf_8_and_what_is_no_character_stays_unreadable() {
        let cases: [(&str, &[u8], &[u8]); 7] = [
            ("windows-1252", b"caf\xe9 \x80\n", "café €\n".as_bytes()),
            ("iso-8859-1", b"\xe4\n", "ä\n".as_bytes()),
            ("utf-16le", b"\xff\xfea\0\n\0", b"a\n"),
            ("utf-16le", b"\xfe\xff\0a", b"a"),
            ("utf-16be", b"\xd8\x00\0b", b"\xffb"),
            ("shift_jis", b"\x93\xfa\x81", "日\u{0}".trim_end_matches('\0').as_bytes()),
            ("euc-kr", b"a\xff\nb", b"a\xff\nb"),
        ];
        for (label, bytes, expected) in cases {
            let mut text = Vec::new();
            let name = find(label).unwrap();
            Utf8::new(bytes, name).read_to_end(&mut text).unwrap();
            let expected = if label == "shift_jis" { [expected, b"\xff"].concat() } else { expected.to_vec() };
            assert_eq!(text, expected, "{label}");
        }
        assert_eq!(find("latin-quux"), None);
    }
}
