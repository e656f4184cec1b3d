//! Which bracket closes which, also in a text where some do not close.

use super::token::{Kind, Token};
use super::words::Block;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

/// The deepest nesting of brackets and blocks.
pub(super) const DEEPEST: usize = 64;

/// How the brackets of a text belong together.
pub(super) struct Brackets {
    /// For each opening token the token that ends its inside; `None` for all others.
    pub end: Vec<Option<usize>>,
    /// For each token whether it opens a block that the text never closes.
    pub unclosed: Vec<bool>,
    /// Opening tokens that stand too deep.
    pub too_deep: Vec<usize>,
    /// Closing tokens that close nothing.
    pub stray: Vec<usize>,
    /// `(` and `[` that are never closed.
    pub open_ends: Vec<usize>,
    /// Mistakes.
    pub errors: Diagnostics,
}

/// Pairs the brackets of a text.
///
/// Where a `{` is still open at the end, the text is looked at once more with two further signs: a declaration's word
/// at the start of a line ends what is open, and a `}` closes the block whose line is indented as it is.
pub(super) fn pair_brackets(file: FileId, text: &str, tokens: &[Token]) -> Brackets {
    let plain = Pairing::new(file, text, tokens, false).run();
    if plain.unclosed.contains(&true) { Pairing::new(file, text, tokens, true).run() } else { plain }
}

struct Pairing<'t> {
    file: FileId,
    text: &'t str,
    tokens: &'t [Token],
    by_layout: bool,
    open: Vec<(usize, u8)>,
    found: Brackets,
}

impl<'t> Pairing<'t> {
    fn new(file: FileId, text: &'t str, tokens: &'t [Token], by_layout: bool) -> Self {
        let found = Brackets {
            end: vec![None; tokens.len()],
            unclosed: vec![false; tokens.len()],
            too_deep: Vec::new(),
            stray: Vec::new(),
            open_ends: Vec::new(),
            errors: Vec::new(),
        };
        Self { file, text, tokens, by_layout, open: Vec::new(), found }
    }

    fn run(mut self) -> Brackets {
        for (at, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Open(bracket) => self.open(at, bracket),
                Kind::Symbol if self.opens_list_type(at) => self.open(at, b'<'),
                Kind::Symbol if token.text(self.text) == ">" => {
                    self.open.pop_if(|(_, bracket)| *bracket == b'<');
                }
                Kind::Close(bracket) => self.close(at, bracket),
                Kind::Newline => self.drop_angles(),
                Kind::Word if self.by_layout && self.begins_declaration(at) => self.leave_all(at),
                _ => {}
            }
        }
        self.leave_all(self.tokens.len());
        self.found
    }

    /// `list<` nests like a bracket, as far as the depth is concerned.
    fn opens_list_type(&self, at: usize) -> bool {
        let token = self.tokens[at];
        let before = at.checked_sub(1).map(|before| self.tokens[before]);
        token.text(self.text) == "<"
            && before.is_some_and(|before| before.end == token.start && before.text(self.text) == "list")
    }

    fn open(&mut self, at: usize, bracket: u8) {
        self.open.push((at, bracket));
        if self.open.len() == DEEPEST + 1 {
            self.found.too_deep.push(at);
            let token = self.tokens[at];
            self.found.errors.push(
                Diagnostic::new(
                    Code::NestedTooDeep,
                    format!("brackets and blocks nest deeper than {DEEPEST} levels"),
                    Span::new(self.file, token.start, token.end),
                    "too deep from here on",
                )
                .help("name the inner parts with `let` or `fn`"),
            );
        }
    }

    fn close(&mut self, at: usize, bracket: u8) {
        self.drop_angles();
        let wanted = match bracket {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        if let Some((opener, bracket)) = self.mistaken_for(at, wanted) {
            return self.close_mistaken(at, opener, bracket);
        }
        // A `)` or `]` never closes beyond the block that it stands in.
        let opener = self
            .open
            .iter()
            .rposition(|(_, open)| *open == wanted || (*open == b'{' && wanted != b'{'))
            .filter(|index| self.open[*index].1 == wanted);
        let Some(mut index) = opener else {
            self.found.stray.push(at);
            let token = self.tokens[at];
            let sign = token.text(self.text);
            let message = format!("`{sign}` closes nothing");
            let span = Span::new(self.file, token.start, token.end);
            let error = Diagnostic::new(Code::UnclosedBlock, message, span, "nothing is open here");
            self.found.errors.push(error.help(format!("remove it, or open the bracket that `{sign}` should close")));
            return;
        };
        if self.by_layout && wanted == b'{' {
            index = self.same_indentation(at, index);
        }
        while self.open.len() > index + 1 {
            self.leave(at);
        }
        if let Some((opener, _)) = self.open.pop() {
            self.found.end[opener] = Some(at);
        }
    }

    /// The innermost bracket, where it was opened on the line of a `)` or `]` that closes another kind and nothing else on
    /// the line: the one was written for the other.
    fn mistaken_for(&self, at: usize, wanted: u8) -> Option<(usize, u8)> {
        let (opener, bracket) = *self.open.last()?;
        let line = |from: usize| !self.text[self.tokens[from].start..self.tokens[at].start].contains('\n');
        let is_meant = |(opener, bracket): &(usize, u8)| *bracket == wanted && line(*opener);
        (wanted != b'{' && bracket != wanted && line(opener) && !self.open.iter().any(is_meant))
            .then_some((opener, bracket))
    }

    /// Takes a closing bracket for the one that should stand there.
    fn close_mistaken(&mut self, at: usize, opener: usize, bracket: u8) {
        self.open.pop();
        self.found.end[opener] = Some(at);
        self.found.open_ends.push(opener);
        let span = |at: usize| Span::new(self.file, self.tokens[at].start, self.tokens[at].end);
        let (_, closing) = describe(bracket);
        let sign = self.tokens[at].text(self.text);
        let error = Diagnostic::new(
            Code::UnclosedBlock,
            format!("`{sign}` cannot close `{}`", self.tokens[opener].text(self.text)),
            span(at),
            format!("expected `{closing}`"),
        );
        self.found.errors.push(error.label(span(opener), "opened here").help(format!("write `{closing}`")));
    }

    /// The open block that a `}` at the start of a line belongs to by its indentation, else the innermost one.
    fn same_indentation(&self, at: usize, innermost: usize) -> usize {
        let (indent, is_first) = self.indentation(at);
        if !is_first || self.indentation(self.open[innermost].0).0 <= indent {
            return innermost;
        }
        (0..innermost)
            .rev()
            .find(|index| self.open[*index].1 == b'{' && self.indentation(self.open[*index].0).0 == indent)
            .unwrap_or(innermost)
    }

    /// The width of the white space before a token's line, and whether the token is the first of it.
    fn indentation(&self, at: usize) -> (usize, bool) {
        let start = self.tokens[at].start;
        let line = memchr::memrchr(b'\n', &self.text.as_bytes()[..start]).map_or(0, |newline| newline + 1);
        let before = &self.text[line..start];
        let width = before.len() - before.trim_start().len();
        (width, width == before.len())
    }

    fn begins_declaration(&self, at: usize) -> bool {
        let word = self.tokens[at].text(self.text);
        let is_first = at == 0 || self.tokens[at - 1].kind == Kind::Newline;
        is_first && self.indentation(at).0 == 0 && Block::File.words().any(|row| row.word == word)
    }

    fn drop_angles(&mut self) {
        while self.open.pop_if(|(_, bracket)| *bracket == b'<').is_some() {}
    }

    fn leave_all(&mut self, at: usize) {
        while !self.open.is_empty() {
            self.leave(at);
        }
    }

    /// Gives up the innermost open bracket. A block then reaches up to the token `at`; any other bracket is taken as if
    /// it did not stand there, so that it swallows no statement.
    fn leave(&mut self, at: usize) {
        let Some((opener, bracket)) = self.open.pop() else { return };
        if bracket == b'<' {
            return;
        }
        if bracket == b'{' {
            self.found.end[opener] = Some(at);
            self.found.unclosed[opener] = true;
        } else {
            self.found.open_ends.push(opener);
        }
        let token = self.tokens[opener];
        let (what, closing) = describe(bracket);
        let span = Span::new(self.file, token.start, token.end);
        let mut error = Diagnostic::new(Code::UnclosedBlock, format!("{what} is never closed"), span, "opened here");
        if let Some(end) = self.tokens.get(at) {
            let place = Span::new(self.file, end.start, end.end);
            error = error.label(place, format!("a `{closing}` is missing before this"));
        }
        self.found.errors.push(error.help(format!("close it with `{closing}`")));
    }
}

/// How a message calls an open bracket, and what closes it.
fn describe(bracket: u8) -> (&'static str, char) {
    match bracket {
        b'{' => ("the block", '}'),
        b'(' => ("the bracket", ')'),
        _ => ("the bracket", ']'),
    }
}
