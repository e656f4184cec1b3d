//! From docs to lines.

use unicode_width::UnicodeWidthStr;

use super::align::{Line, Row, Stop, align};
use super::doc::{Block, Bracket, Doc, Docs, Statement};
use super::long_text::indented;
use super::piece::{Comment, Pieces};
use super::{INDENT, WIDTH};
use crate::syntax::token::Kind;

/// The lines of a whole text.
pub(super) fn print(text: &str, pieces: &Pieces, statements: &[Statement]) -> Vec<Line> {
    let mut printer = Printer {
        text,
        pieces,
        lines: Vec::new(),
        comments: 0,
        indent: 0,
        column: 0,
        next: Next::Line { indent: 0, blanks: 0 },
        at_start: true,
        after_comment: false,
        stops: Vec::new(),
    };
    printer.statements(statements, 2);
    printer.next = Next::Line { indent: 0, blanks: 0 };
    printer.comments(pieces.comments.len(), 2);
    printer.lines
}

/// What comes before the next thing that is written.
#[derive(Clone, Copy)]
enum Next {
    Nothing,
    Space,
    Line { indent: usize, blanks: usize },
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Flat,
    Broken,
}

struct Printer<'t> {
    text: &'t str,
    pieces: &'t Pieces,
    lines: Vec<Line>,
    /// The comments that are written already.
    comments: usize,
    /// The columns that a new line begins with.
    indent: usize,
    /// The columns of the last line.
    column: usize,
    next: Next,
    /// Whether nothing stands in the block or bracket at hand yet.
    at_start: bool,
    /// Whether the last line ends in a comment or is one, so that nothing can follow on it.
    after_comment: bool,
    /// The stops of the statement at hand: what is aligned, and how many bytes of its line stand before it.
    stops: Vec<(Stop, usize)>,
}

impl Printer<'_> {
    /// Writes statements, each on a line, with at most `most` blank lines between them.
    fn statements(&mut self, statements: &[Statement], most: usize) {
        let mut rows = Vec::new();
        for Statement { first, docs } in statements {
            if self.ends_run(*first) {
                align(&mut self.lines, &std::mem::take(&mut rows));
            }
            self.begin_line(*first, most);
            let line = self.lines.len();
            self.stops.clear();
            self.docs(docs, Mode::Broken, 0);
            if self.lines.len() == line + 1 {
                rows.push(Row { line, stops: std::mem::take(&mut self.stops) });
            }
        }
        align(&mut self.lines, &rows);
    }

    /// Whether the statement that begins with a piece is aligned with none before it: a blank line stands between them,
    /// and not before a `///` line.
    fn ends_run(&self, first: usize) -> bool {
        let piece = &self.pieces.pieces[first];
        let mut after_doc = false;
        for comment in &self.pieces.comments[piece.comments.clone()] {
            if comment.blanks > 0 && !comment.is_doc && !after_doc {
                return true;
            }
            after_doc |= comment.is_doc;
        }
        piece.blanks > 0 && !after_doc
    }

    /// Begins a new line with a piece, after the comments before it.
    fn begin_line(&mut self, piece: usize, most: usize) {
        self.next = Next::Line { indent: self.indent, blanks: 0 };
        let piece = &self.pieces.pieces[piece];
        let after_doc = self.comments(piece.comments.end, most);
        let blanks = if self.at_start || after_doc { 0 } else { piece.blanks.min(most) };
        self.next = Next::Line { indent: self.indent, blanks };
        self.at_start = false;
    }

    /// Writes the comments up to number `until`; a new line begins after each. Gives whether one was a `///` line.
    fn comments(&mut self, until: usize, most: usize) -> bool {
        let pieces = self.pieces;
        let mut after_doc = false;
        for comment in &pieces.comments[self.comments.min(until)..until] {
            let text = &self.text[comment.text.clone()];
            let blanks = if self.at_start || after_doc { 0 } else { comment.blanks.min(most) };
            self.comment(comment, text, blanks);
            after_doc |= comment.is_doc;
        }
        self.comments = self.comments.max(until);
        after_doc
    }

    fn comment(&mut self, comment: &Comment, text: &str, blanks: usize) {
        let indent = match self.next {
            Next::Line { indent, .. } => indent,
            Next::Nothing | Next::Space => self.indent,
        };
        match self.lines.last_mut() {
            Some(last) if !comment.own_line && !comment.is_doc && !self.after_comment => {
                last.comment = Some(text.to_owned());
            }
            Some(Line { indent, comment: Some(_), .. }) if comment.continues => {
                let line = Line { indent: *indent, text: String::new(), comment: Some(text.to_owned()), blanks: 0 };
                self.lines.push(line);
            }
            _ => {
                self.lines.push(Line { indent, text: text.to_owned(), comment: None, blanks });
                self.at_start = false;
            }
        }
        self.after_comment = true;
        self.next = Next::Line { indent, blanks: 0 };
    }

    /// Writes something that has no newline in it.
    fn write(&mut self, text: &str) {
        match self.next {
            Next::Line { indent, blanks } => {
                self.lines.push(Line { indent, text: String::new(), comment: None, blanks });
                self.column = indent;
            }
            Next::Space => {
                self.last_line().push(' ');
                self.column += 1;
            }
            Next::Nothing => {}
        }
        self.last_line().push_str(text);
        self.column += text.width();
        self.next = Next::Nothing;
        self.after_comment = false;
    }

    fn last_line(&mut self) -> &mut String {
        &mut self.lines.last_mut().expect("something begins a line before it goes on").text
    }

    /// The column of what is written next.
    fn place(&self) -> usize {
        match self.next {
            Next::Line { indent, .. } => indent,
            Next::Space => self.column + 1,
            Next::Nothing => self.column,
        }
    }

    /// Writes parts, after which `tail` columns follow up to the next place where a new line may begin.
    fn docs(&mut self, docs: &Docs, mode: Mode, tail: usize) {
        let leads = match mode {
            Mode::Flat => Vec::new(),
            Mode::Broken => docs.leads(tail),
        };
        for (at, doc) in docs.docs.iter().enumerate() {
            let tail = leads.get(at + 1).copied().unwrap_or(0);
            let fits = |flat: Option<usize>| flat.is_some_and(|flat| self.place() + flat + tail <= WIDTH);
            let inner = if mode == Mode::Flat || fits(doc.measure().flat) { Mode::Flat } else { Mode::Broken };
            match doc {
                Doc::Piece { at, .. } => self.piece(*at),
                Doc::Space => self.next = Next::Space,
                Doc::Line { .. } if mode == Mode::Broken => self.next_line(),
                Doc::Fill { forced } if *forced || inner == Mode::Broken => self.next_line(),
                Doc::Line { .. } | Doc::Fill { .. } => self.next = Next::Space,
                Doc::Stop(stop) => {
                    let bytes = self.lines.last().map_or(0, |line| line.text.len());
                    self.stops.push((*stop, bytes));
                }
                Doc::Indent(docs) => {
                    self.indent += INDENT;
                    self.docs(docs, mode, tail);
                    self.indent -= INDENT;
                }
                Doc::Group(docs) => self.docs(docs, inner, tail),
                Doc::Bracket(bracket) => self.bracket(bracket, inner),
                Doc::Block(block) => self.block(block, inner),
            }
        }
    }

    fn next_line(&mut self) {
        self.next = Next::Line { indent: self.indent, blanks: 0 };
    }

    fn piece(&mut self, at: usize) {
        self.comments(self.pieces.pieces[at].comments.end, 0);
        let token = self.pieces.pieces[at].token;
        let text = token.text(self.text);
        if token.kind != Kind::Text || !text.contains('\n') {
            return self.write(text);
        }
        self.write("");
        let indent = self.lines.last().map_or(0, |line| line.indent) + INDENT;
        let text = indented(text, indent);
        let mut lines = text.split('\n');
        self.write(lines.next().unwrap_or_default());
        for line in lines {
            // The white space of these lines belongs to the string.
            self.lines.push(Line { indent: 0, text: line.to_owned(), comment: None, blanks: 0 });
            self.column = line.width();
        }
    }

    fn bracket(&mut self, bracket: &Bracket, mode: Mode) {
        self.piece(bracket.open);
        if mode == Mode::Flat {
            return self.flat(bracket.items.iter().map(|item| &item.docs), ",", bracket.padded, bracket.close);
        }
        self.indent += INDENT;
        self.at_start = true;
        let opened = bracket.items.first().is_some_and(|item| item.new_line);
        let leads: Vec<usize> = bracket.items.iter().map(|item| item.docs.measure.lead).collect();
        for (number, item) in bracket.items.iter().enumerate() {
            let has_comments = self.pieces.pieces[item.first].comments.end > self.comments;
            let fits = number > 0 && self.column + 2 + leads[number] <= WIDTH;
            if bracket.simple && fits && !has_comments && !(opened && item.new_line) {
                self.next = Next::Space;
            } else {
                self.begin_line(item.first, 1);
            }
            self.docs(&item.docs, Mode::Broken, usize::from(bracket.commas));
            if bracket.commas {
                self.next = Next::Nothing;
                self.write(",");
            }
        }
        self.end(bracket.close);
    }

    fn block(&mut self, block: &Block, mode: Mode) {
        self.piece(block.open);
        if mode == Mode::Flat {
            let stops = self.stops.len();
            self.flat(block.statements.iter().map(|statement| &statement.docs), ";", true, block.close);
            return self.stops.truncate(stops);
        }
        self.indent += INDENT;
        self.at_start = true;
        let stops = std::mem::take(&mut self.stops);
        self.statements(&block.statements, 1);
        self.stops = stops;
        self.end(block.close);
    }

    /// Writes the inside and the end of a bracket or block that stands on one line.
    fn flat<'d>(&mut self, parts: impl ExactSizeIterator<Item = &'d Docs>, between: &str, padded: bool, close: usize) {
        let inside = if padded { Next::Space } else { Next::Nothing };
        self.next = inside;
        for (number, docs) in parts.enumerate() {
            if number > 0 {
                self.next = Next::Nothing;
                self.write(between);
                self.next = Next::Space;
            }
            self.docs(docs, Mode::Flat, 0);
        }
        self.next = inside;
        self.piece(close);
    }

    /// Ends an open bracket or block: the comments that are left in it, then its last piece on a line of its own.
    fn end(&mut self, close: usize) {
        self.next_line();
        self.comments(self.pieces.pieces[close].comments.end, 1);
        self.indent -= INDENT;
        self.next_line();
        self.at_start = false;
        self.piece(close);
    }
}
