//! Texts that are open in the editor: they, not the files on disk, are what is looked at.

use std::path::PathBuf;

use lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::position::{Encoding, Places};

/// An open text.
#[derive(Debug, Clone)]
pub struct Document {
    /// The address by which the client calls it.
    pub uri: Uri,
    /// Where its file is, or would be.
    pub path: PathBuf,
    /// The client's number for this state of it.
    pub version: i32,
    /// The text without a byte order mark.
    pub text: String,
    /// Whether the client's text begins with a byte order mark, which takes a place in its first line.
    marked: bool,
}

const MARK: char = '\u{feff}';

impl Document {
    /// A text as it was opened.
    pub fn new(uri: Uri, path: PathBuf, version: i32, text: String) -> Self {
        let mut document = Self { uri, path, version, text: String::new(), marked: false };
        document.replace(text);
        document
    }

    fn replace(&mut self, mut text: String) {
        self.marked = text.starts_with(MARK);
        if self.marked {
            text.drain(..MARK.len_utf8());
        }
        self.text = text;
    }

    /// Applies changes in order. A change without a range is the whole text.
    pub fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        for change in changes {
            match change.range {
                None => self.replace(change.text),
                Some(range) => {
                    let places = Places::new(&self.text, encoding).indented(self.indent(encoding));
                    let (start, end) = places.bytes(range);
                    self.text.replace_range(start..end, &change.text);
                }
            }
        }
        self.version = version;
    }

    /// How far the first line is moved in the client's text.
    pub fn indent(&self, encoding: Encoding) -> u32 {
        if self.marked { encoding.length(MARK.encode_utf8(&mut [0; 3])) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::{Position, Range};

    fn changed(text: &str, changes: &[(Option<[u32; 4]>, &str)]) -> String {
        let uri: Uri = "file:///a.annot".parse().expect("it is an address");
        let mut document = Document::new(uri, PathBuf::from("/a.annot"), 1, text.to_owned());
        let change = |(range, text): &(Option<[u32; 4]>, &str)| TextDocumentContentChangeEvent {
            range: range.map(|[a, b, c, d]| Range::new(Position::new(a, b), Position::new(c, d))),
            range_length: None,
            text: (*text).to_owned(),
        };
        document.change(2, changes.iter().map(change).collect(), Encoding::Utf16);
        document.text
    }

    #[test]
    fn changes_are_applied_in_order() {
        assert_eq!(changed("ab\ncd", &[(Some([0, 1, 1, 1]), "x"), (Some([0, 0, 0, 1]), "y")]), "yxd");
        assert_eq!(changed("ab", &[(None, "new"), (Some([0, 3, 0, 3]), "er")]), "newer");
        assert_eq!(changed("😀é\r\nx", &[(Some([0, 2, 1, 0]), "-")]), "😀-x");
    }

    #[test]
    fn a_change_out_of_the_text_is_cut_to_it() {
        assert_eq!(changed("ab", &[(Some([0, 9, 7, 0]), "c")]), "abc");
        assert_eq!(changed("ab", &[(Some([0, 2, 0, 1]), "")]), "a");
    }

    #[test]
    fn a_byte_order_mark_takes_a_place() {
        assert_eq!(changed("\u{feff}ab", &[(Some([0, 1, 0, 2]), "x")]), "xb");
    }
}
