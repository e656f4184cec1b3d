//! A text as pieces, the tokens that say something, with what stands between them.

use std::ops::Range;

use crate::source::FileId;
use crate::syntax::scan::scan;
use crate::syntax::token::{Kind, Token};

/// The pieces of a text and all its comments.
pub(super) struct Pieces {
    /// The tokens but for newlines, semicolons and `///` lines.
    pub pieces: Vec<Piece>,
    /// The comments, in order.
    pub comments: Vec<Comment>,
}

/// A token that is printed.
pub(super) struct Piece {
    /// What it is and where.
    pub token: Token,
    /// The comments between the piece before and this one.
    pub comments: Range<usize>,
    /// Blank lines straight before it, after those comments.
    pub blanks: usize,
    /// The newlines before it in the whole text.
    pub line: usize,
}

/// A `//` comment or a `///` line.
pub(super) struct Comment {
    /// Its characters, without white space at the end.
    pub text: Range<usize>,
    /// Whether it documents what follows.
    pub is_doc: bool,
    /// Whether nothing stands before it on its line.
    pub own_line: bool,
    /// Whether it stands straight below a comment that ends a line, in the same column.
    pub continues: bool,
    /// Blank lines straight before it.
    pub blanks: usize,
}

/// Splits a text that is read without a mistake.
pub(super) fn split(text: &str) -> Pieces {
    let mut splitter = Splitter {
        text,
        found: Pieces { pieces: Vec::new(), comments: Vec::new() },
        taken: 0,
        line: 0,
        // Before the first line there is nothing to end.
        newlines: 1,
        column_above: None,
    };
    let mut before = 0;
    for token in scan(FileId(0), text).tokens {
        splitter.comment(before, token.start);
        before = token.end;
        splitter.token(token);
    }
    splitter.comment(before, text.len());
    splitter.found
}

struct Splitter<'t> {
    text: &'t str,
    found: Pieces,
    /// The comments that stand before a piece already.
    taken: usize,
    line: usize,
    /// Newlines since the last piece or comment.
    newlines: usize,
    /// The column of the comment that ended the line before, or went on from it.
    column_above: Option<usize>,
}

impl Splitter<'_> {
    fn token(&mut self, token: Token) {
        match token.kind {
            Kind::Newline => {
                self.line += 1;
                self.newlines += 1;
                if self.newlines > 1 {
                    self.column_above = None;
                }
            }
            Kind::Semicolon => {}
            Kind::Doc => {
                self.push_comment(token.start, token.end, true);
                self.column_above = None;
            }
            Kind::Word
            | Kind::Quoted
            | Kind::Number
            | Kind::Text
            | Kind::Regex
            | Kind::Open(_)
            | Kind::Close(_)
            | Kind::Comma
            | Kind::Symbol => {
                let comments = self.taken..self.found.comments.len();
                self.taken = comments.end;
                let blanks = self.newlines.saturating_sub(1);
                self.found.pieces.push(Piece { token, comments, blanks, line: self.line });
                self.newlines = 0;
                self.column_above = None;
            }
        }
    }

    /// Takes the comment that stands between two tokens, if there is one: nothing else but white space does.
    fn comment(&mut self, start: usize, end: usize) {
        let between = &self.text[start..end];
        let blank = between.len() - between.trim_start().len();
        if blank < between.len() {
            self.push_comment(start + blank, end, false);
        }
    }

    fn push_comment(&mut self, start: usize, end: usize, is_doc: bool) {
        let end = start + self.text[start..end].trim_end().len();
        let own_line = self.newlines > 0;
        let line = memchr::memrchr(b'\n', &self.text.as_bytes()[..start]).map_or(0, |newline| newline + 1);
        let column = self.text[line..start].chars().count();
        let continues = own_line && self.column_above == Some(column);
        let blanks = self.newlines.saturating_sub(1);
        self.found.comments.push(Comment { text: start..end, is_doc, own_line, continues, blanks });
        self.column_above = (continues || !own_line).then_some(column);
        self.newlines = 0;
    }
}
