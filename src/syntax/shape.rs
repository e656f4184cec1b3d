//! The shape of a text, for editors: its tokens, comments, brackets, statements and blocks, also where it is not whole.

use super::LONGEST;
use super::bracket::pair_brackets;
use super::scan::scan;
use super::statement::outline;
use super::token::{Kind, Token};
use super::words::Block;
use crate::source::FileId;

/// What a text looks like.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The tokens in order.
    pub tokens: Vec<Token>,
    /// The bytes of each `//` comment.
    pub comments: Vec<(usize, usize)>,
    /// Each bracket with the one that closes it, by token.
    pub brackets: Vec<(usize, usize)>,
    /// The statements, each before those inside it.
    pub statements: Vec<Statement>,
    /// The blocks, each before those inside it; the first is the file.
    pub areas: Vec<Area>,
}

/// A statement, or a declaration as a statement of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The first token, which may be a `///` line.
    pub first: usize,
    /// The first token that says something.
    pub head: usize,
    /// One past the last token.
    pub end: usize,
    /// The block that it stands in.
    pub block: Block,
}

/// The inside of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// What its statements are.
    pub block: Block,
    /// The first byte.
    pub start: usize,
    /// One past the last byte: where the bracket that closes it begins, else the end of what belongs to it.
    pub end: usize,
}

/// Looks at a text.
pub fn shape(text: &str) -> Shape {
    if text.len() > LONGEST {
        let file = Area { block: Block::File, start: 0, end: text.len() };
        let (tokens, comments, brackets, statements) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        return Shape { tokens, comments, brackets, statements, areas: vec![file] };
    }
    // The findings that these stages make are those of `parse`, which reports them.
    let file = FileId(0);
    let tokens = scan(file, text).tokens;
    let pairs = pair_brackets(file, text, &tokens);
    let found = outline(file, text, &tokens, &pairs);
    let area = |area: &super::statement::Area| Area {
        block: area.block,
        start: area.from.checked_sub(1).map_or(0, |before| tokens[before].end),
        end: tokens.get(area.to).map_or(text.len(), |after| after.start),
    };
    let is_closed = |open: usize, close: usize| !pairs.unclosed[open] && close < tokens.len();
    let brackets = pairs.end.iter().enumerate().filter_map(|(open, close)| Some((open, (*close)?)));
    let statement = |found: &super::statement::Statement| Statement {
        first: found.first,
        head: found.head,
        end: found.end,
        block: found.block,
    };
    Shape {
        comments: comments(text, &tokens),
        brackets: brackets.filter(|(open, close)| is_closed(*open, *close)).collect(),
        statements: found.statements.iter().map(statement).collect(),
        areas: found.areas.iter().map(area).collect(),
        tokens,
    }
}

/// The comments: what stands between tokens and begins with two slashes.
fn comments(text: &str, tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    let ends = tokens.iter().map(|token| (token.start, token.end)).chain(std::iter::once((text.len(), text.len())));
    for (start, end) in ends {
        if let Some(at) = text[from..start].find("//") {
            found.push((from + at, from + text[from..start].trim_end_matches('\r').len()));
        }
        from = end;
    }
    found
}

impl Shape {
    /// The innermost block around a byte.
    pub fn area_at(&self, offset: usize) -> Area {
        let around = self.areas.iter().rfind(|area| area.start <= offset && offset <= area.end);
        *around.expect("the first block is the whole file")
    }

    /// The token that a byte lies in or right behind, newlines aside; the later one where two touch.
    pub fn token_at(&self, offset: usize) -> Option<Token> {
        let begun = self.tokens.partition_point(|token| token.start <= offset);
        let near = self.tokens[..begun].iter().rev().take(2);
        near.copied().find(|token| token.kind != Kind::Newline && offset <= token.end)
    }

    /// Whether a byte lies in a comment, `///` lines included.
    pub fn in_comment(&self, offset: usize) -> bool {
        let doc = self.token_at(offset).is_some_and(|token| token.kind == Kind::Doc && token.start < offset);
        doc || self.comments.iter().any(|(start, end)| *start < offset && offset <= *end)
    }

    /// The innermost statement whose tokens reach over a byte.
    pub fn statement_at(&self, offset: usize) -> Option<Statement> {
        let reaches = |statement: &&Statement| {
            self.tokens[statement.first].start <= offset && offset <= self.tokens[statement.end - 1].end
        };
        self.statements.iter().rfind(reaches).copied()
    }

    /// The first and one past the last byte of a statement, its documentation included.
    pub fn bytes(&self, statement: Statement) -> (usize, usize) {
        (self.tokens[statement.first].start, self.tokens[statement.end - 1].end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "annot 1\n// a note\nclean tidy { // rules\n  set text = nfc(text)\n  drop \"x\" when text match { \"a\" => ";

    fn block_of(needle: &str) -> Block {
        shape(TEXT).area_at(TEXT.find(needle).expect("the text holds it")).block
    }

    #[test]
    fn blocks_are_found_in_a_text_that_is_not_whole() {
        assert_eq!(block_of("annot"), Block::File);
        assert_eq!(block_of("set"), Block::Clean);
        assert_eq!(block_of("drop"), Block::Clean);
    }

    #[test]
    fn comments_lie_between_tokens() {
        let shape = shape(TEXT);
        let texts: Vec<&str> = shape.comments.iter().map(|(start, end)| &TEXT[*start..*end]).collect();
        assert_eq!(texts, ["// a note", "// rules"]);
        assert!(shape.in_comment(TEXT.find("note").expect("it is there")));
        assert!(!shape.in_comment(TEXT.find("set").expect("it is there")));
    }

    #[test]
    fn a_statement_is_found_by_a_byte_in_it() {
        let shape = shape(TEXT);
        let statement = shape.statement_at(TEXT.find("nfc").expect("it is there")).expect("it lies in one");
        assert_eq!(shape.tokens[statement.head].text(TEXT), "set");
        assert!(shape.brackets.iter().any(|(open, _)| shape.tokens[*open].text(TEXT) == "("));
    }
}
