//! Reading a text declaration by declaration, and a declaration again without the statement that could not be read.

use pest::Parser;

use super::ast;
use super::bracket::{Brackets, pair_brackets};
use super::build::Builder;
use super::expected::{Stop, explain, failure_offset, token_at};
use super::grammar::{Grammar, Rule};
use super::scan::{Scan, scan};
use super::statement::{Outline, Statement, outline};
use super::token::{Kind, Token};
use super::words::Block;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, closest};
use crate::source::{FileId, Span};

/// Mistakes in one declaration after which the rest of it is left alone: each costs a further look at it.
const MOST_MISTAKES: usize = 24;

/// Reads a whole text.
pub(super) fn read(file: FileId, text: &str) -> (ast::File, Diagnostics) {
    let Scan { tokens, mut errors, blanks, broken } = scan(file, text);
    let mut brackets = pair_brackets(file, text, &tokens);
    let Outline { mut statements, stray_docs, trailing_commas, separators, errors: unknown, .. } =
        outline(file, text, &tokens, &brackets);
    let literals = open_literals(text, &tokens, &broken);
    brackets.errors.retain(|error| !is_swallowed(error, &literals));
    errors.append(&mut brackets.errors);
    errors.extend(without_aftermath(unknown, &tokens, &brackets));
    let stray_docs: Vec<Token> =
        tokens.iter().zip(stray_docs).filter(|(_, stray)| *stray).map(|(doc, _)| *doc).collect();
    errors.extend(stray_docs.iter().map(|doc| misplaced_doc(file, *doc)));
    for at in broken {
        lose(&mut statements, token_at(&tokens, at));
    }
    for at in brackets.stray.iter().chain(&brackets.open_ends) {
        lose(&mut statements, *at);
    }
    let mut reader = Reader {
        file,
        text,
        tokens: &tokens,
        brackets: &brackets,
        readable: text.as_bytes().to_vec(),
        errors,
        unopened: Vec::new(),
    };
    for (start, end) in blanks {
        reader.blank(start, end);
    }
    for doc in stray_docs {
        reader.blank(doc.start, doc.end);
    }
    for at in trailing_commas {
        reader.blank(tokens[at].start, tokens[at].end);
    }
    for at in separators {
        reader.read_as(tokens[at].start, ";");
    }
    let tree = reader.file(&mut statements);
    let (mut errors, unopened) = (reader.errors, reader.unopened);
    errors.retain(|error| !closes_unopened(error, &unopened, &brackets.stray, &tokens));
    errors.sort_by_key(|error| error.labels.first().map(|label| (label.span.start, label.span.end)));
    (tree, errors)
}

fn misplaced_doc(file: FileId, token: Token) -> Diagnostic {
    let span = Span::new(file, token.start, token.end);
    Diagnostic::new(Code::MisplacedDoc, "a `///` comment documents nothing here", span, "nothing to document follows")
        .help("`///` stands on the lines before a declaration, a field or a label's value; a plain comment begins with `//`")
}

/// The literals that are not closed, each with the start of its line: they have swallowed the rest of it.
fn open_literals(text: &str, tokens: &[Token], broken: &[usize]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for at in broken {
        let is_literal = tokens
            .get(token_at(tokens, *at))
            .is_some_and(|token| matches!(token.kind, Kind::Text | Kind::Regex | Kind::Quoted));
        if is_literal {
            let (line, before) = found.last().copied().unwrap_or((0, 0));
            let newline = memchr::memrchr(b'\n', &text.as_bytes()[before..*at]);
            found.push((newline.map_or(line, |newline| before + newline + 1), *at));
        }
    }
    found
}

/// Whether a bracket is open only because such a literal has swallowed its end.
fn is_swallowed(error: &Diagnostic, literals: &[(usize, usize)]) -> bool {
    let Some(opened) = error.labels.first() else { return false };
    let start = opened.span.start as usize;
    let next = literals.partition_point(|(_, at)| *at < start);
    error.code == Code::UnclosedBlock && literals.get(next).is_some_and(|(line, _)| *line <= start)
}

/// Leaves out the unknown declarations before a `}` that closes nothing: they are what an earlier `}` cut off its block.
fn without_aftermath(unknown: Diagnostics, tokens: &[Token], brackets: &Brackets) -> Diagnostics {
    let cut = brackets.stray.iter().rfind(|at| tokens[**at].kind == Kind::Close(b'}'));
    let cut = cut.map_or(0, |at| tokens[*at].start as u32);
    let is_aftermath = |error: &Diagnostic| {
        error.code == Code::UnknownDeclaration && error.labels.first().is_some_and(|label| label.span.start < cut)
    };
    unknown.into_iter().filter(|error| !is_aftermath(error)).collect()
}

/// Whether an error is about the first `}` after a declaration that lacks its `{`: that was told.
fn closes_unopened(error: &Diagnostic, unopened: &[usize], stray: &[usize], tokens: &[Token]) -> bool {
    let Some(place) = error.labels.first().filter(|_| error.code == Code::UnclosedBlock) else { return false };
    let after = |last: &usize| stray.iter().find(|at| **at > *last).map(|at| tokens[*at].start as u32);
    unopened.iter().any(|last| after(last) == Some(place.span.start))
}

/// Marks the innermost statement around a token as unreadable.
fn lose(statements: &mut [Statement], token: usize) {
    // Each statement stands before those inside it, so the last one that reaches over the token is the innermost.
    let begun = statements.partition_point(|statement| statement.first <= token);
    if let Some(statement) = statements[..begun].iter_mut().rfind(|statement| token < statement.end) {
        statement.lost = true;
    }
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    tokens: &'t [Token],
    brackets: &'t Brackets,
    /// The text with white space in the place of what is not to be read; bytes stay where they are.
    readable: Vec<u8>,
    errors: Diagnostics,
    /// Declarations that end where their `{` should stand, by their last token.
    unopened: Vec<usize>,
}

impl Reader<'_> {
    /// Puts white space in the place of some bytes, and leaves newlines.
    fn blank(&mut self, start: usize, end: usize) {
        for byte in &mut self.readable[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }

    /// Puts other bytes, of which there are as many, in the place of some.
    fn read_as(&mut self, start: usize, text: &str) {
        self.readable[start..start + text.len()].copy_from_slice(text.as_bytes());
    }

    /// What is left to be read of some bytes.
    fn readable(&self, start: usize, end: usize) -> &str {
        std::str::from_utf8(&self.readable[start..end]).expect("whole tokens were replaced by ASCII")
    }

    fn blank_statement(&mut self, statement: &Statement) {
        let last = self.tokens[statement.end - 1];
        self.blank(self.tokens[statement.first].start, last.end);
    }

    fn span(&self, at: usize) -> Span {
        Span::new(self.file, self.tokens[at].start, self.tokens[at].end)
    }

    fn file(&mut self, statements: &mut [Statement]) -> ast::File {
        let mut tree = ast::File { edition: None, decls: Vec::new(), damaged: Vec::new() };
        if self.is_another_language(statements) {
            self.errors.clear();
            self.errors.push(self.another_language(&statements[0]));
            return tree;
        }
        self.check_first(statements);
        let mut from = 0;
        while from < statements.len() {
            let inside = statements[from + 1..].iter().take_while(|statement| statement.block != Block::File).count();
            let group = &mut statements[from..from + 1 + inside];
            if self.tokens[group[0].head].text(self.text) == "annot" && !group[0].lost {
                self.edition(&group[0], from == 0, &mut tree);
            } else {
                self.declaration(group, &mut tree);
            }
            from += 1 + inside;
        }
        tree
    }

    fn check_first(&mut self, statements: &[Statement]) {
        let first = statements.first();
        if first.is_some_and(|first| self.tokens[first.head].text(self.text) == "annot") {
            return;
        }
        // A misspelt `annot` was reported as an unknown declaration.
        if first.is_some_and(|first| first.lost && self.looks_like_edition(first)) {
            return;
        }
        let (span, label) = match first {
            Some(first) => (self.span(first.head), "comes before the edition"),
            None => (Span::new(self.file, 0, 0), "nothing stands here"),
        };
        let error = Diagnostic::new(Code::MissingEdition, "the file does not begin with `annot 1`", span, label);
        self.errors
            .push(error.help("write `annot 1` as the first line: it says which edition of the language follows"));
    }

    /// Whether nothing in a file looks like a declaration: it is not one mistake, it is another language.
    fn is_another_language(&self, statements: &[Statement]) -> bool {
        let Some(first) = statements.first() else { return false };
        let text = |at: usize| self.tokens[at].text(self.text);
        let declares = |statement: &Statement| {
            let words = || Block::File.words().map(|row| row.word);
            let names = statement.head + 1 < statement.end
                && matches!(self.tokens[statement.head + 1].kind, Kind::Word | Kind::Quoted | Kind::Text);
            names && closest(text(statement.head), words()).is_some()
        };
        text(first.head) != "annot"
            && !self.looks_like_edition(first)
            && !statements.iter().any(|statement| statement.block == Block::File && declares(statement))
    }

    fn another_language(&self, first: &Statement) -> Diagnostic {
        let message = "the file does not begin with `annot 1`, and nothing in it is a declaration";
        let span = self.span(first.head);
        Diagnostic::new(Code::MissingEdition, message, span, "no declaration begins so").help(
            "a specification begins with the line `annot 1` and holds declarations like \
             `source questions { path \"questions.csv\" }`",
        )
    }

    fn looks_like_edition(&self, first: &Statement) -> bool {
        first.end - first.head == 2 && self.tokens[first.head + 1].kind == Kind::Number
    }

    fn edition(&mut self, statement: &Statement, is_first: bool, tree: &mut ast::File) {
        if !is_first {
            let span = self.span(statement.head);
            let error = Diagnostic::new(Code::MissingEdition, "the edition is not the first statement", span, "here");
            return self.errors.push(error.help("write `annot 1` once, before everything else"));
        }
        let (start, end) = self.bytes(statement);
        match Grammar::parse(Rule::lone_edition, self.readable(start, end)) {
            Ok(mut pairs) => {
                let pair = pairs.next().expect("a rule that matched gives its pair");
                let mut builder = Builder::new(self.file, self.text, self.tokens, start);
                tree.edition = builder.edition(&pair);
                self.errors.append(&mut builder.errors);
            }
            Err(error) => {
                let found = token_at(self.tokens, start + failure_offset(&error));
                let stop = Stop { found, end: statement.end, statement: None };
                let (why, _) = explain(self.file, self.text, self.tokens, &stop, &error);
                self.errors.push(if why.help.is_none() { why.help("the first line is `annot 1`") } else { why });
            }
        }
    }

    /// The bytes from a statement's first token to its last.
    fn bytes(&self, statement: &Statement) -> (usize, usize) {
        (self.tokens[statement.first].start, self.tokens[statement.end - 1].end)
    }

    /// Reads a declaration: `group` is its statement and those inside it.
    fn declaration(&mut self, group: &mut [Statement], tree: &mut ast::File) {
        for statement in group.iter().filter(|statement| statement.lost) {
            self.blank_statement(statement);
        }
        let mut damaged = group.iter().any(|statement| statement.lost);
        let closing = if self.is_unclosed(group) { "}" } else { "" };
        let mut mistakes = 0;
        while !group[0].lost && mistakes < MOST_MISTAKES {
            let (start, end) = self.bytes(&group[0]);
            let piece = format!("{}{closing}", self.readable(start, end));
            match Grammar::parse(Rule::lone_declaration, &piece) {
                Ok(mut pairs) => {
                    let pair = pairs.next().expect("a rule that matched gives its pair");
                    let mut builder = Builder::new(self.file, self.text, self.tokens, start);
                    tree.decls.push(builder.declaration(&pair));
                    self.errors.append(&mut builder.errors);
                    break;
                }
                Err(error) => {
                    mistakes += 1;
                    damaged |= self.pass_a_mistake(group, start + failure_offset(&error), &error);
                }
            }
        }
        if damaged {
            tree.damaged.extend(self.declared_name(&group[0]));
        }
    }

    /// Whether the declaration's own block lacks its end.
    fn is_unclosed(&self, group: &[Statement]) -> bool {
        let is_lost = |at: usize| group.iter().any(|inner| inner.lost && (inner.first..inner.end).contains(&at));
        (group[0].first..group[0].end).any(|at| self.brackets.unclosed[at] && !is_lost(at))
    }

    /// Reports what the grammar could not read. Where its meaning is plain it is read so; else its innermost statement is
    /// taken out, and the answer is yes.
    fn pass_a_mistake(&mut self, group: &mut [Statement], at: usize, error: &pest::error::Error<Rule>) -> bool {
        let stop = group[0].end;
        let found = token_at(self.tokens, at).min(stop);
        // Where a statement ends too early, it is the one that the token before belongs to.
        let ends = found >= stop || self.tokens[found].is_boundary();
        let place = if ends {
            (group[0].first..found).rev().find(|at| self.tokens[*at].is_significant()).unwrap_or(group[0].first)
        } else {
            found
        };
        let around = group
            .iter_mut()
            .filter(|statement| !statement.lost && (statement.first..statement.end).contains(&place))
            .min_by_key(|statement| statement.end - statement.first);
        let statement = around.as_ref().map(|statement| (statement.block, statement.head));
        let (why, mend) = explain(self.file, self.text, self.tokens, &Stop { found, end: stop, statement }, error);
        // What was read differently in vain is one mistake still.
        let shown = |error: &Diagnostic| error.labels.first().map(|label| label.span);
        let is_told = self.errors.last().is_some_and(|last| shown(last) == shown(&why));
        if !is_told {
            self.errors.push(why);
        }
        if !is_told && !mend.0.is_empty() {
            mend.0.iter().for_each(|(start, text)| self.read_as(*start, text));
            return false;
        }
        if ends && statement.is_some_and(|(block, _)| block == Block::File) {
            self.unopened.push(place);
        }
        match around {
            Some(statement) => {
                statement.lost = true;
                let statement = *statement;
                self.blank_statement(&statement);
            }
            None => group[0].lost = true,
        }
        true
    }

    /// The name of a declaration that could not be read in full.
    fn declared_name(&self, statement: &Statement) -> Option<ast::Ident> {
        let tokens = &self.tokens[statement.head + 1..statement.end];
        let name = tokens.first().filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Text))?;
        let text = name.text(self.text).trim_matches(['`', '"']).to_owned();
        Some(ast::Ident { name: text, span: Span::new(self.file, name.start, name.end) })
    }
}
