//! Where the cursor stands: the block, the statement so far, the word that is being written.

use crate::syntax::shape::{Area, Shape, Statement};
use crate::syntax::{Block, Kind, Token};

/// The place of the cursor in a text.
#[derive(Debug)]
pub struct Place<'t> {
    text: &'t str,
    shape: &'t Shape,
    /// The block around it.
    pub block: Block,
    /// The tokens of the statement before the word at hand; none where a statement begins.
    pub before: Vec<Token>,
    /// The statements around the block, the innermost first.
    around: Vec<Statement>,
    /// The word, or the text, that is being written.
    pub word: Option<Token>,
    /// The bytes that a completion replaces.
    pub replaced: (usize, usize),
}

impl<'t> Place<'t> {
    /// Looks at the place of a byte; `None` in a comment, a number or a regex, where there is nothing to complete.
    pub fn new(text: &'t str, shape: &'t Shape, offset: usize) -> Option<Self> {
        if shape.in_comment(offset) {
            return None;
        }
        let word = shape.token_at(offset).filter(|token| token.start < offset);
        let word = match word.map(|token| token.kind) {
            Some(Kind::Word | Kind::Quoted) => word,
            // Behind its last quote a text is finished.
            Some(Kind::Text) => word.filter(|token| offset < token.end || !closes(token.text(text))),
            Some(Kind::Number | Kind::Regex | Kind::Doc) => return None,
            Some(Kind::Newline | Kind::Open(_) | Kind::Close(_) | Kind::Comma | Kind::Semicolon | Kind::Symbol)
            | None => None,
        };
        let from = word.map_or(offset, |token| token.start);
        let area = shape.area_at(from);
        Some(Self {
            text,
            shape,
            block: area.block,
            before: before(text, shape, area, from),
            around: around(shape, area),
            word,
            replaced: (from, word.map_or(offset, |token| token.end.max(offset))),
        })
    }

    /// The words of the statement before the cursor.
    pub fn words(&self) -> Vec<&'t str> {
        self.before.iter().map(|token| token.text(self.text)).collect()
    }

    /// The words of the statement that the block belongs to, up to the block; the next call of it is one further out.
    pub fn owner(&self, out: usize) -> Vec<&'t str> {
        let Some(statement) = self.around.get(out) else { return Vec::new() };
        let stop = self.replaced.0;
        let tokens = self.shape.tokens[statement.head..statement.end].iter();
        tokens.take_while(|token| token.start < stop).map(|token| token.text(self.text)).collect()
    }

    /// The word of the declaration that the cursor is in, and its name.
    pub fn declaration(&self) -> Option<(&'t str, &'t str)> {
        let statement = self.around.last()?;
        let word = |at: usize| self.shape.tokens.get(at).map(|token| token.text(self.text));
        Some((word(statement.head)?, word(statement.head + 1)?.trim_matches('`')))
    }

    /// The declaration that the cursor is in.
    pub fn declaration_bytes(&self) -> Option<(usize, usize)> {
        self.around.last().map(|statement| self.shape.bytes(*statement))
    }

    /// Whether the word that is being written stands in quotes.
    pub fn in_text(&self) -> bool {
        self.word.is_some_and(|token| token.kind == Kind::Text)
    }
}

/// Whether a text has its closing quotes.
fn closes(text: &str) -> bool {
    let mark = if text.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
    text.len() >= 2 * mark.len() && text.ends_with(mark)
}

/// The tokens of the statement that the byte `from` belongs to, up to it.
fn before(text: &str, shape: &Shape, area: Area, from: usize) -> Vec<Token> {
    let begins_before = |statement: &&Statement| {
        let start = shape.tokens[statement.head].start;
        statement.block == area.block && area.start <= start && start < from
    };
    let Some(statement) = shape.statements.iter().rfind(begins_before) else { return Vec::new() };
    let all = shape.tokens[statement.head..].iter().take_while(|token| token.end <= from);
    let mut found: Vec<Token> = all.copied().collect();
    let rest = found.iter().rposition(|token| token.is_significant()).map_or(0, |last| last + 1);
    let newline = found[rest..].iter().any(|token| matches!(token.kind, Kind::Newline));
    let ends = found.iter().any(|token| token.kind == Kind::Semicolon && area_of(shape, token.start) == area);
    let goes_on = rest.checked_sub(1).is_some_and(|last| goes_on(text, &found, last));
    if ends || newline && !goes_on {
        return Vec::new();
    }
    found.retain(|token| token.is_significant());
    found
}

fn area_of(shape: &Shape, offset: usize) -> Area {
    shape.area_at(offset)
}

/// Whether a statement goes on in the next line: after a comma or an operator, and inside brackets.
fn goes_on(text: &str, tokens: &[Token], last: usize) -> bool {
    let word = tokens[last].text(text);
    let is_operator = match tokens[last].kind {
        Kind::Symbol => !matches!(word, "?" | "." | ":" | "@"),
        Kind::Word => matches!(word, "and" | "or" | "not" | "in" | "is" | "matches"),
        Kind::Comma => true,
        Kind::Quoted
        | Kind::Number
        | Kind::Text
        | Kind::Regex
        | Kind::Doc
        | Kind::Newline
        | Kind::Open(_)
        | Kind::Close(_)
        | Kind::Semicolon => false,
    };
    let open = tokens[..=last].iter().fold(0_i32, |depth, token| match token.kind {
        Kind::Open(_) => depth + 1,
        Kind::Close(_) => depth - 1,
        _ => depth,
    });
    is_operator || open > 0
}

/// The statements around a block, the innermost first.
fn around(shape: &Shape, area: Area) -> Vec<Statement> {
    let lies_around = |statement: &&Statement| {
        let (start, end) = shape.bytes(**statement);
        start < area.start && area.end <= end
    };
    let mut found: Vec<Statement> = shape.statements.iter().filter(lies_around).copied().collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::shape::shape;

    /// The block, the words before the cursor, the word at hand; the cursor is `¦`.
    fn place(marked: &str) -> String {
        let offset = marked.find('¦').expect("the cursor is marked");
        let text = marked.replacen('¦', "", 1);
        let shape = shape(&text);
        match Place::new(&text, &shape, offset) {
            None => "nothing".to_owned(),
            Some(place) => {
                let word = place.word.map_or("", |token| token.text(&text));
                format!("{:?} {} | {word}", place.block, place.words().join(" "))
            }
        }
    }

    #[test]
    fn the_statement_before_the_cursor_is_found() {
        for (text, expected) in [
            ("annot 1\n¦", "File  | "),
            ("annot 1\ncl¦", "File  | cl"),
            ("clean tidy {\n  ¦\n}", "Clean  | "),
            ("clean tidy {\n  set text = ¦\n  dedup text exactly\n}", "Clean set text = | "),
            ("clean tidy {\n  set text = text |> n¦\n}", "Clean set text = text |> | n"),
            ("clean tidy { dedup text exactly; ¦ }", "Clean  | "),
            ("dataset d { from a,\n  ¦ }", "Dataset from a , | "),
            ("dataset d { from a\n  ¦ }", "Dataset  | "),
            ("dataset d { label x = y match { \"a\" => ¦ } }", "Arms \"a\" => | "),
            ("source s { fields { a: st¦ } }", "Fields a : | st"),
            ("source s { path \"a¦\" }", "Source path | \"a\""),
            ("clean c { drop \"x\" ¦ }", "Clean drop \"x\" | "),
            ("clean c { drop \"x\" when a in [¦] }", "Clean drop \"x\" when a in [ | "),
            ("// no¦", "nothing"),
            ("let a = 1¦", "nothing"),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_around_a_block_is_known() {
        let text = "dataset d {\n  label x = y match { \"a\" =>  } }";
        let shape = shape(text);
        let offset = text.find("=>").expect("it is there") + 3;
        let place = Place::new(text, &shape, offset).expect("it is a place");
        assert_eq!(place.owner(0)[..4], ["label", "x", "=", "y"]);
        assert_eq!(place.declaration(), Some(("dataset", "d")));
    }
}
