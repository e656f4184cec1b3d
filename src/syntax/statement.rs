//! A text as a tree of blocks and statements, found without the grammar, so that a mistake in one statement hides no
//! other.

use super::bracket::Brackets;
use super::token::{CLAUSE_WORDS, Kind, Token};
use super::words::{Block, Word};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, closest};
use crate::source::{FileId, Span};

/// A statement, or a declaration as a statement of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    /// The first token, which may be a `///` line.
    pub first: usize,
    /// The first token that says something.
    pub head: usize,
    /// One past the last token.
    pub end: usize,
    /// The block that it stands in.
    pub block: Block,
    /// Whether it cannot be read and was reported already.
    pub lost: bool,
}

/// The statements of a text, each before those inside it, and what is wrong with their first words.
pub(super) struct Outline {
    /// The statements in order.
    pub statements: Vec<Statement>,
    /// For each token whether it is a misplaced `///` line.
    pub stray_docs: Vec<bool>,
    /// Commas after the last item of a list, by token.
    pub trailing_commas: Vec<usize>,
    /// Commas between statements, by token.
    pub separators: Vec<usize>,
    /// The blocks, each before those inside it.
    pub areas: Vec<Area>,
    /// Mistakes.
    pub errors: Diagnostics,
}

/// The inside of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    /// What its statements are.
    pub block: Block,
    /// Its first token.
    pub from: usize,
    /// One past its last token: the bracket that closes it, where one does.
    pub to: usize,
}

/// Splits a text into declarations and these into statements.
pub(super) fn outline(file: FileId, text: &str, tokens: &[Token], brackets: &Brackets) -> Outline {
    let found = Outline {
        statements: Vec::new(),
        stray_docs: vec![false; tokens.len()],
        trailing_commas: Vec::new(),
        separators: Vec::new(),
        areas: Vec::new(),
        errors: Vec::new(),
    };
    let mut walk = Walk { file, text, tokens, brackets, found };
    walk.block(Block::File, 0, tokens.len());
    walk.found
}

struct Walk<'t> {
    file: FileId,
    text: &'t str,
    tokens: &'t [Token],
    brackets: &'t Brackets,
    found: Outline,
}

impl Walk<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens[at].text(self.text)
    }

    fn span(&self, at: usize) -> Span {
        Span::new(self.file, self.tokens[at].start, self.tokens[at].end)
    }

    /// Splits the tokens from `at` up to `end` into the statements of a block.
    fn block(&mut self, block: Block, mut at: usize, end: usize) {
        self.found.areas.push(Area { block, from: at, to: end });
        let mut commas = Vec::new();
        while at < end {
            let token = self.tokens[at];
            if matches!(token.kind, Kind::Newline | Kind::Semicolon) || self.is_stray_close(at) {
                at += 1;
                continue;
            }
            if token.kind == Kind::Comma && block.without_commas().is_some() {
                commas.push(at);
                at += 1;
                continue;
            }
            let stop = self.statement_end(block, at, end);
            self.statement(block, at, stop);
            at = stop.max(at + 1);
        }
        self.report_separators(block, &commas);
        self.found.separators.extend(commas);
    }

    /// Reports the commas between the statements of a block, which are one habit.
    fn report_separators(&mut self, block: Block, commas: &[usize]) {
        let (Some(what), Some(first)) = (block.without_commas(), commas.first()) else { return };
        let label = match commas.len() {
            1 => "no comma stands here".to_owned(),
            2 => "no comma stands here, nor further on".to_owned(),
            more => format!("no comma stands here, nor in {} places further on", more - 1),
        };
        let message = format!("{what} are not separated by commas");
        let error = Diagnostic::new(Code::UnexpectedToken, message, self.span(*first), label);
        self.found.errors.push(error.help("put each on a line of its own, or `;` between two on one line"));
    }

    fn is_stray_close(&self, at: usize) -> bool {
        matches!(self.tokens[at].kind, Kind::Close(_)) && self.brackets.stray.binary_search(&at).is_ok()
    }

    /// The token that ends the statement which begins at `first`.
    fn statement_end(&self, block: Block, first: usize, end: usize) -> usize {
        let mut at = first;
        let mut last = None;
        // A comma stands between two statements, but for the patterns of an arm.
        let mut separates = block.without_commas().is_some() && block != Block::Arms;
        while at < end {
            let token = self.tokens[at];
            match token.kind {
                Kind::Semicolon => return at,
                Kind::Comma if separates => return at,
                Kind::Newline => {
                    let next = (at..end).find(|next| self.tokens[*next].kind != Kind::Newline);
                    match (next, last) {
                        (Some(next), Some(last)) if !self.goes_on(block, last, next, end) => return at,
                        (Some(next), _) => at = next,
                        (None, _) => return at,
                    }
                }
                Kind::Doc if last.is_some() && self.begins_line(at) => return at,
                Kind::Doc => at += 1,
                Kind::Open(_) => {
                    last = Some(at);
                    at = self.after_bracket(at).min(end);
                    if last.is_some_and(|open| self.brackets.unclosed[open]) {
                        return at;
                    }
                }
                _ => {
                    separates |= block == Block::Arms && self.text(at) == "=>";
                    last = Some(at);
                    at += 1;
                }
            }
        }
        end
    }

    /// Whether a token is the first of its line.
    fn begins_line(&self, at: usize) -> bool {
        at == 0 || self.tokens[at - 1].kind == Kind::Newline
    }

    /// The token after a bracket and its inside.
    fn after_bracket(&self, open: usize) -> usize {
        match self.brackets.end[open] {
            Some(end) if self.brackets.unclosed[open] => end,
            Some(end) => end + 1,
            None => open + 1,
        }
    }

    /// Whether a statement whose last token so far is `last` goes on in the line that begins with the token `next`.
    fn goes_on(&self, block: Block, last: usize, next: usize, end: usize) -> bool {
        let word = self.text(next);
        let after_comma = self.tokens[last].kind == Kind::Comma;
        // An operator at the end of a line is a mistake; what follows belongs to it.
        let after_operator = self.tokens[last].kind == Kind::Symbol
            && matches!(
                self.text(last),
                "+" | "-" | "*" | "/" | "??" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "|>" | "="
            )
            || self.tokens[last].kind == Kind::Word && matches!(self.text(last), "and" | "or" | "not" | "matches");
        let begins_statement = block.words().any(|row| row.word == word) && !block.is_open();
        if after_operator && block != Block::Arms && !begins_statement {
            return matches!(
                self.tokens[next].kind,
                Kind::Word | Kind::Number | Kind::Text | Kind::Quoted | Kind::Open(_)
            );
        }
        // In other languages a statement begins so; the clause is of a split alone.
        let begins_elsewhere = word == "check" && block != Block::Dataset;
        match self.tokens[next].kind {
            Kind::Doc => false,
            // A block may not begin in a line of its own, and is read all the same.
            Kind::Open(b'{') if block == Block::File => true,
            _ if block == Block::Arms && !after_comma && self.begins_arm(next, end) => false,
            Kind::Symbol => after_comma || !matches!(word, "@" | ":" | "=" | "=>" | "!" | "?" | ".."),
            Kind::Word if after_comma => !self.begins_statement_after_comma(block, next, end),
            Kind::Word => {
                matches!(word, "and" | "or" | "in" | "is" | "matches" | "match")
                    || (word == "not" && next + 1 < end && self.text(next + 1) == "in")
                    || (CLAUSE_WORDS.contains(&word) && !begins_elsewhere && !block.words().any(|row| row.word == word))
            }
            _ => after_comma,
        }
    }

    /// Whether the word after a comma and a newline is no item of a list: the comma was one too many.
    fn begins_statement_after_comma(&self, block: Block, at: usize, end: usize) -> bool {
        let is_word = block.words().any(|row| row.word == self.text(at));
        let next = (at + 1 < end).then(|| self.tokens[at + 1].kind);
        is_word
            && matches!(next, Some(Kind::Word | Kind::Text | Kind::Quoted))
            && !(at + 1 < end
                && matches!(self.text(at + 1), "from" | "by" | "near" | "check" | "exactly" | "stratify" | "seed"))
    }

    /// Whether a line of a `match` block begins an arm: patterns and `=>`.
    fn begins_arm(&self, from: usize, end: usize) -> bool {
        for at in from..end {
            match self.tokens[at].kind {
                Kind::Word | Kind::Quoted | Kind::Number | Kind::Text | Kind::Comma => {}
                Kind::Symbol if self.text(at) == "-" => {}
                Kind::Symbol => return self.text(at) == "=>",
                _ => return false,
            }
        }
        false
    }

    fn statement(&mut self, block: Block, first: usize, end: usize) {
        let head = (first..end).find(|at| self.tokens[*at].is_significant());
        let docs_stand_well = head.is_some_and(|head| {
            block.takes_docs() && !(block == Block::File && matches!(self.text(head), "use" | "annot"))
        });
        for at in first..end {
            if self.tokens[at].kind == Kind::Doc && !(docs_stand_well && head.is_some_and(|head| at < head)) {
                self.found.stray_docs[at] = true;
            }
        }
        let Some(head) = head else { return };
        self.check_last_comma(head, end);
        let index = self.found.statements.len();
        self.found.statements.push(Statement { first, head, end, block, lost: false });
        let next_too_deep = self.brackets.too_deep.partition_point(|at| *at < first);
        if self.brackets.too_deep.get(next_too_deep).is_some_and(|at| *at < end) {
            self.found.statements[index].lost = true;
            return;
        }
        let row = block.words().find(|row| row.word == self.text(head));
        if row.is_none() && !block.is_open() {
            self.found.statements[index].lost = true;
            self.report_unknown(block, head);
            return;
        }
        let inner_unclosed = (first..end).any(|at| self.brackets.unclosed[at]);
        if inner_unclosed && block != Block::File {
            self.found.statements[index].lost = true;
            return;
        }
        self.inner_blocks(block, row, head, end);
    }

    fn check_last_comma(&mut self, head: usize, end: usize) {
        let last = (head..end).rev().find(|at| self.tokens[*at].is_significant());
        if let Some(comma) = last.filter(|at| self.tokens[*at].kind == Kind::Comma) {
            let message = "nothing follows the comma";
            let error = Diagnostic::new(Code::UnexpectedToken, message, self.span(comma), "the list ends here");
            let help = "remove it: a list ends in a comma only inside brackets";
            self.found.errors.push(error.help(help).suggest(self.span(comma), ""));
            self.found.trailing_commas.push(comma);
        }
    }

    /// Looks at the blocks that a statement opens.
    fn inner_blocks(&mut self, block: Block, row: Option<&Word>, head: usize, end: usize) {
        let mut opens = self.opened_block(block, row, head, end);
        let mut at = head;
        let mut depth = 0usize;
        while at < end {
            match self.tokens[at].kind {
                Kind::Open(b'{') => {
                    let after_match = at > head && self.text(at - 1) == "match";
                    let inner = if after_match {
                        Some(Block::Arms)
                    } else if depth == 0 {
                        opens.take()
                    } else {
                        None
                    };
                    if let (Some(inner), Some(close)) = (inner, self.brackets.end[at]) {
                        // The doc lines of an inner block are that block's concern.
                        self.found.stray_docs[at..close].fill(false);
                        self.block(inner, at + 1, close.min(end));
                        at = self.after_bracket(at);
                        continue;
                    }
                    depth += 1;
                }
                Kind::Open(_) => depth += 1,
                Kind::Close(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
    }

    /// The kind of block that the first free `{` of a statement opens.
    fn opened_block(&self, block: Block, row: Option<&Word>, head: usize, end: usize) -> Option<Block> {
        let is_label = block == Block::File && row.is_some_and(|row| row.word == "label");
        if is_label {
            let colon = (head..end).find(|at| self.text(*at) == ":")?;
            return match (colon + 1 < end).then(|| self.text(colon + 1))? {
                "json" => Some(Block::Fields),
                "scale" => Some(Block::Constraints),
                _ => Some(Block::Values),
            };
        }
        match block {
            Block::Values => Some(Block::Values),
            _ => row.and_then(|row| row.opens),
        }
    }

    fn report_unknown(&mut self, block: Block, head: usize) {
        let word = self.text(head).to_owned();
        let words = || block.words().map(|row| row.word);
        let is_word = self.tokens[head].kind == Kind::Word;
        let (code, what) = match block {
            Block::File => (Code::UnknownDeclaration, "declaration"),
            _ => (Code::UnknownStatement, "statement"),
        };
        let place = if block == Block::File { String::new() } else { format!(" in {}", block.describe()) };
        if !is_word {
            let message = format!("expected a {what}{place}, found {}", describe(&word));
            let error = Diagnostic::new(Code::UnexpectedToken, message, self.span(head), "not the beginning of one");
            return self.found.errors.push(error.help(known_words(block)));
        }
        let message = format!("unknown {what} `{word}`{place}");
        if block == Block::File && self.goes_on_unknown(head, &word) {
            return;
        }
        let ours = closest(&word, words()).or_else(|| super::foreign::statement_word(block, &word));
        let is_edition =
            block == Block::File && head + 1 < self.tokens.len() && self.tokens[head + 1].kind == Kind::Number;
        let error = |label: String| Diagnostic::new(code, message, self.span(head), label);
        let error = match ours.or(is_edition.then_some("annot")) {
            Some(ours) => {
                let error = error(format!("did you mean `{ours}`?"));
                error.help(example_of(block, ours)).suggest(self.span(head), ours)
            }
            None => {
                let help = self.elsewhere(block, &word).unwrap_or_else(|| known_words(block));
                error(format!("no {what} begins with this word")).help(help)
            }
        };
        self.found.errors.push(error);
    }

    /// Whether a line follows another that was not known either: both are one text in another language.
    fn goes_on_unknown(&self, head: usize, word: &str) -> bool {
        let is_strange = |word: &str| {
            closest(word, Block::File.words().map(|row| row.word)).is_none()
                && super::foreign::statement_word(Block::File, word).is_none()
                && self.elsewhere(Block::File, word).is_none()
        };
        let above = self.found.statements.iter().rev().nth(1).filter(|above| above.block == Block::File && above.lost);
        let Some(above) = above else { return false };
        let newlines = self.tokens[above.end..head].iter().filter(|token| token.kind == Kind::Newline).count();
        newlines == 1 && is_strange(word) && is_strange(self.text(above.head))
    }

    /// Says where a word belongs that is known in another block.
    fn elsewhere(&self, block: Block, word: &str) -> Option<String> {
        let row = super::words::WORDS.iter().find(|row| row.word == word && row.block != block)?;
        match row.block {
            Block::File => Some(format!("`{word}` is a declaration and stands outside of all blocks")),
            other => Some(format!("`{word}` stands in {}", other.describe())),
        }
    }
}

/// How a message quotes what was found.
pub(super) fn describe(text: &str) -> String {
    format!("`{}`", shorten(text))
}

/// The beginning of a text, short enough for a message.
pub(super) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(24) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn known_words(block: Block) -> String {
    let words: Vec<String> = block.words().map(|row| format!("`{}`", row.word)).collect();
    match block {
        Block::File => format!("a declaration begins with {}", super::expected::either(&words[1..])),
        _ => format!("{} holds {}", block.describe(), super::expected::either(&words)),
    }
}

fn example_of(block: Block, word: &str) -> String {
    let row = block.words().find(|row| row.word == word);
    row.map_or_else(String::new, |row| format!("for example `{}`", row.example))
}
