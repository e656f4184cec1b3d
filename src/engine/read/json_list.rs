//! A list of JSON values, brought into lines: one element on each. A list of any length is read in constant memory.

use std::io::{self, Read};

/// What is wrong with a text that holds no whole list at the place that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoList {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// The text is no UTF-8.
    #[error("it begins with the byte order mark of UTF-16")]
    Utf16,
    /// Something else stands there.
    #[error("it holds no list at the place where one is looked for")]
    Absent,
    /// The text ends inside the list.
    #[error("it ends before its list does")]
    Open,
    /// Something follows a list that is the whole text.
    #[error("it goes on behind its list")]
    Behind,
}

/// The longest key that can be one of a path, in bytes as it is written.
const LONGEST_KEY: usize = 1 << 12;

/// Reads a JSON text as lines: the elements of the list at a path of keys. White space of an element that would end its
/// line becomes a space; a line end inside a string, which JSON forbids, becomes another forbidden character. The elements
/// themselves are not checked here but row by row, so that a bad one hides no other.
pub struct ListLines<R> {
    input: R,
    bytes: Vec<u8>,
    lines: Vec<u8>,
    given: usize,
    ended: bool,
    place: Place,
}

/// Where in the text we are.
struct Place {
    path: Vec<String>,
    state: State,
    /// Inside a string: whether the character before was a backslash that takes the meaning off the next one.
    string: Option<bool>,
    /// The open brackets: all before the list, those of the element inside of it.
    depth: usize,
    /// How many keys of the path lead to where we are.
    matched: usize,
    key: Vec<u8>,
    key_state: KeyState,
    /// Whether nothing of the element at hand was seen yet.
    blank: bool,
    /// Whether it is the first one.
    first: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a value that the path leads to.
    Value,
    /// In an object that holds the path's next key.
    Object,
    /// In the list.
    List,
    /// Behind the list.
    Done,
}

/// Where in the members of an object we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyState {
    /// The next string is a key.
    Before,
    /// In a key.
    In,
    /// Behind the key that was looked for.
    Found,
    /// In a member that does not count.
    Other,
}

impl<R: Read> ListLines<R> {
    /// Over a text whose list stands at these keys.
    pub fn new(input: R, path: Vec<String>) -> Self {
        let place = Place {
            path,
            state: State::Value,
            string: None,
            depth: 0,
            matched: 0,
            key: Vec::new(),
            key_state: KeyState::Other,
            blank: true,
            first: true,
        };
        let (bytes, lines) = (vec![0; 1 << 16], Vec::with_capacity(1 << 17));
        Self { input, bytes, lines, given: 0, ended: false, place }
    }

    fn more(&mut self) -> io::Result<()> {
        self.lines.clear();
        self.given = 0;
        while self.lines.is_empty() && !self.ended {
            let read = self.input.read(&mut self.bytes)?;
            if read == 0 {
                self.ended = true;
                return match self.place.state {
                    State::Value if self.place.matched == 0 => Err(damaged(NoList::Empty)),
                    State::Value | State::Object => Err(damaged(NoList::Absent)),
                    State::List => Err(damaged(NoList::Open)),
                    State::Done => Ok(()),
                };
            }
            for &byte in &self.bytes[..read] {
                self.place.take(byte, &mut self.lines).map_err(damaged)?;
            }
        }
        Ok(())
    }
}

fn damaged(what: NoList) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Place {
    fn take(&mut self, byte: u8, lines: &mut Vec<u8>) -> Result<(), NoList> {
        match self.state {
            State::List => self.element(byte, lines),
            State::Object => return self.member(byte),
            State::Value => return self.value(byte),
            State::Done if self.path.is_empty() && !byte.is_ascii_whitespace() => return Err(NoList::Behind),
            State::Done => {}
        }
        Ok(())
    }

    /// Takes the first byte of a value that the path leads to.
    fn value(&mut self, byte: u8) -> Result<(), NoList> {
        let at_list = self.matched == self.path.len();
        match byte {
            b'[' if at_list => {
                self.state = State::List;
                self.depth = 0;
            }
            b'{' if !at_list => {
                self.state = State::Object;
                self.key_state = KeyState::Before;
                self.depth = 0;
            }
            // A byte order mark stands before the text.
            0xef | 0xbb | 0xbf if self.matched == 0 => {}
            0xff | 0xfe if self.matched == 0 => return Err(NoList::Utf16),
            _ if byte.is_ascii_whitespace() => {}
            _ => return Err(NoList::Absent),
        }
        Ok(())
    }

    /// Takes a byte of an object that holds the path's next key; `depth` counts the brackets inside of it.
    fn member(&mut self, byte: u8) -> Result<(), NoList> {
        if self.string.is_some() {
            self.follow_string(byte);
            if self.key_state == KeyState::In {
                match self.string {
                    Some(_) if self.key.len() < LONGEST_KEY => self.key.push(byte),
                    Some(_) => {}
                    None => {
                        let found = is_key(&self.key, &self.path[self.matched]);
                        self.key_state = if found { KeyState::Found } else { KeyState::Other };
                    }
                }
            }
            return Ok(());
        }
        match byte {
            b'"' => {
                self.string = Some(false);
                if self.key_state == KeyState::Before && self.depth == 0 {
                    self.key.clear();
                    self.key_state = KeyState::In;
                }
            }
            b':' if self.key_state == KeyState::Found => {
                self.matched += 1;
                self.state = State::Value;
            }
            b',' if self.depth == 0 => self.key_state = KeyState::Before,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.checked_sub(1).ok_or(NoList::Absent)?,
            _ => {}
        }
        Ok(())
    }

    fn follow_string(&mut self, byte: u8) {
        self.string = match (byte, self.string) {
            (b'"', Some(false)) => None,
            (b'\\', Some(false)) => Some(true),
            _ => Some(false),
        };
    }

    /// Takes a byte of the list.
    fn element(&mut self, byte: u8, lines: &mut Vec<u8>) {
        if self.string.is_some() {
            self.follow_string(byte);
            lines.push(if byte == b'\n' { 0x1f } else { byte });
            return;
        }
        match byte {
            b',' if self.depth == 0 => self.end_element(true, lines),
            b']' if self.depth == 0 => {
                self.end_element(false, lines);
                self.state = State::Done;
            }
            _ if byte.is_ascii_whitespace() => {
                if !self.blank {
                    lines.push(b' ');
                }
            }
            _ => {
                match byte {
                    b'"' => self.string = Some(false),
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                self.blank = false;
                lines.push(byte);
            }
        }
    }

    /// Ends a line. Nothing between two commas, or behind the last one, is a row that cannot be read.
    fn end_element(&mut self, by_comma: bool, lines: &mut Vec<u8>) {
        if self.blank && (by_comma || !self.first) {
            lines.push(b',');
        }
        lines.push(b'\n');
        self.blank = true;
        self.first = false;
    }
}

/// Whether a key as it is written between its quotes is this one.
fn is_key(written: &[u8], key: &str) -> bool {
    if !written.contains(&b'\\') {
        return written == key.as_bytes();
    }
    let quoted = [b"\"", written, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).is_ok_and(|read| read == key)
}

impl<R: Read> Read for ListLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.lines.len() {
            self.more()?;
        }
        let piece = &self.lines[self.given..];
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the list at a path of keys with dots between, however the bytes come.
    fn lines(text: &str, path: &str) -> Result<String, String> {
        /// Gives some bytes at a time.
        struct Pieces<'t>(&'t [u8], usize);
        impl Read for Pieces<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = self.1.min(self.0.len()).min(buffer.len());
                buffer[..length].copy_from_slice(&self.0[..length]);
                self.0 = &self.0[length..];
                Ok(length)
            }
        }
        let path: Vec<String> = path.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect();
        let read = |piece| {
            let mut found = String::new();
            let read = ListLines::new(Pieces(text.as_bytes(), piece), path.clone()).read_to_string(&mut found);
            read.map(|_| found).map_err(|error| error.to_string())
        };
        let whole = read(1 << 20);
        assert_eq!(read(1), whole);
        whole
    }

    #[test]
    fn a_list_becomes_lines() {
        let cases = [
            ("[]", "", "\n"),
            (" [ ]\n", "", "\n"),
            (
                "[{\"a\": \"x,]}\\\"[\"},\n {\"a\":\n [1,\r\n2]}\n]\n",
                "",
                "{\"a\": \"x,]}\\\"[\"}\n{\"a\":  [1,  2]} \n",
            ),
            ("[1,,2,]", "", "1\n,\n2\n,\n"),
            ("[\"a\nb\"]", "", "\"a\u{1f}b\"\n"),
            ("{\"version\":\"data\",\"data\":[{},{}],\"more\":[9]}", "data", "{}\n{}\n"),
            ("{\"x\":{\"data\":[7]},\"d\\u0061ta\":[8]}", "data", "8\n"),
            ("{\"a\":{\"z\":[1],\"b\":[{\"data\":1}]}}", "a.b", "{\"data\":1}\n"),
            ("\u{feff}[1]", "", "1\n"),
        ];
        for (text, path, expected) in cases {
            assert_eq!(lines(text, path).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_text_without_the_list_is_refused() {
        let cases = [
            ("", "", NoList::Empty),
            (" \n", "data", NoList::Empty),
            ("{\"a\":1}", "", NoList::Absent),
            ("{\"a\":[1]}", "data", NoList::Absent),
            ("{\"data\":{\"x\":[1]}}", "data", NoList::Absent),
            ("{\"data\"", "data", NoList::Absent),
            ("[1,2", "", NoList::Open),
            ("[\"a]", "", NoList::Open),
            ("[1] [2]", "", NoList::Behind),
        ];
        for (text, path, expected) in cases {
            assert_eq!(lines(text, path), Err(expected.to_string()), "{text}");
        }
    }
}
