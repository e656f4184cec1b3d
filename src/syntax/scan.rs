//! Text to tokens, with every mistake that lies in single characters and literals.
//!
//! The grammar reads the text by itself; the tokens are what can still be told about a text that the grammar refuses.

use super::hidden::{Place, describe, is_bidi, is_override};
use super::literal::{self, EscapeError};
use super::token::{Kind, OPERATOR_WORDS, Token, is_name_char};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Suggestion};
use crate::source::{FileId, Span};

/// What a scan found.
pub(super) struct Scan {
    /// The tokens in order.
    pub tokens: Vec<Token>,
    /// Mistakes, in the order of the text.
    pub errors: Diagnostics,
    /// Bytes that are no part of the language and may be read as white space.
    pub blanks: Vec<(usize, usize)>,
    /// Where a statement cannot be read, because a literal in it is broken.
    pub broken: Vec<usize>,
}

/// Splits a text into tokens.
pub(super) fn scan(file: FileId, text: &str) -> Scan {
    let mut scanner = Scanner {
        file,
        text,
        at: 0,
        scan: Scan { tokens: Vec::new(), errors: Vec::new(), blanks: Vec::new(), broken: Vec::new() },
    };
    if text.starts_with('\u{feff}') {
        scanner.at = '\u{feff}'.len_utf8();
        scanner.scan.blanks.push((0, scanner.at));
    }
    while let Some(c) = scanner.peek() {
        scanner.token(c);
    }
    scanner.scan
}

struct Scanner<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    scan: Scan,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.scan.tokens.push(Token { kind, start: self.at, end: self.at + length });
        self.at += length;
    }

    fn error(&mut self, code: Code, start: usize, end: usize, message: String, label: &str) -> &mut Diagnostic {
        let span = Span::new(self.file, start, end);
        self.scan.errors.push(Diagnostic::new(code, message, span, label));
        self.scan.errors.last_mut().expect("an error was pushed a line above")
    }

    /// The length up to the end of the line.
    fn line_length(&self) -> usize {
        let rest = self.rest();
        let length = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        if rest[..length].ends_with('\r') { length - 1 } else { length }
    }

    fn token(&mut self, c: char) {
        match c {
            ' ' | '\t' => self.at += 1,
            '\r' if self.rest().starts_with("\r\n") => self.at += 1,
            '\n' => self.push(Kind::Newline, 1),
            '(' | '[' | '{' => self.push(Kind::Open(c as u8), 1),
            ')' | ']' | '}' => self.push(Kind::Close(c as u8), 1),
            ',' => self.push(Kind::Comma, 1),
            ';' => self.push(Kind::Semicolon, 1),
            '"' => self.string(),
            '`' => self.backticks(),
            '/' => self.slash(),
            '0'..='9' => self.number(),
            '\'' => self.foreign_string('\'', '\''),
            '“' | '”' | '„' => self.foreign_string(c, '”'),
            '#' => self.foreign_comment(self.line_length()),
            c if is_name_char(c) => {
                let length = self.rest().find(|c| !is_name_char(c)).unwrap_or(self.rest().len());
                if self.is_prefix(length) {
                    self.prefixed_string(length);
                } else {
                    self.push(Kind::Word, length);
                }
            }
            c => self.sign(c),
        }
    }

    fn sign(&mut self, c: char) {
        const LONG: &[&str] = &["|>", "=>", "==", "!=", "<=", ">=", "??", "..", "&&", "||", "->", ":="];
        if let Some(sign) = LONG.iter().find(|sign| self.rest().starts_with(**sign)) {
            self.push(Kind::Symbol, sign.len());
        } else if c == '.' && self.starts_fraction() {
            let length = 1 + self.rest()[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest().len() - 1);
            let number = self.rest()[..length].to_owned();
            let (start, end) = (self.at, self.at + length);
            let message = format!("`{number}` lacks a digit before the point");
            mend(self.error(Code::BadNumber, start, end, message, "here"), format!("0{number}"));
            self.scan.broken.push(start);
            self.push(Kind::Number, length);
        } else if c.is_ascii_graphic() {
            self.push(Kind::Symbol, 1);
        } else {
            self.stray(c);
        }
    }

    /// Whether the point at hand begins a number like `.5` instead of following something.
    fn starts_fraction(&self) -> bool {
        let digit = self.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        let follows = self.scan.tokens.last().is_some_and(|last| {
            last.end == self.at && !matches!(last.kind, Kind::Symbol | Kind::Open(_) | Kind::Comma)
        });
        digit && !follows
    }

    /// A run of characters that no token contains.
    fn stray(&mut self, first: char) {
        let strange = |c: char| !(is_name_char(c) || c.is_ascii_graphic() || matches!(c, ' ' | '\t' | '\n'));
        let length = if is_bidi(first) || first == '\r' {
            first.len_utf8()
        } else {
            self.rest().find(|c| !strange(c) || is_bidi(c)).unwrap_or(self.rest().len()).max(first.len_utf8())
        };
        let (start, end) = (self.at, self.at + length);
        let what = describe(first);
        let error =
            self.error(Code::BadCharacter, start, end, format!("{what} cannot stand here"), "not part of the language");
        error.help = Some(if is_bidi(first) {
            "remove it: it makes a text look other than it is".to_owned()
        } else if first.is_whitespace() && first != '\r' {
            "write an ordinary space instead".to_owned()
        } else {
            "remove it, or put a name that contains it in backticks".to_owned()
        });
        self.scan.blanks.push((start, end));
        self.at = end;
    }

    /// Reports direction controls, which may not hide in comments and literals either.
    fn check_hidden(&mut self, length: usize, place: Place) {
        let hides = |c: char| c == '\0' || if place.holds_text() { is_override(c) } else { is_bidi(c) };
        let found: Vec<(usize, char)> = self.rest()[..length].char_indices().filter(|(_, c)| hides(*c)).collect();
        for (offset, c) in found {
            let start = self.at + offset;
            let message = format!("{} cannot stand in {}", describe(c), place.described());
            let help = if place.holds_text() {
                format!("remove it, or write `\\u{{{:x}}}`, which can be seen", c as u32)
            } else {
                "remove it: it makes a text look other than it is".to_owned()
            };
            self.error(Code::BadCharacter, start, start + c.len_utf8(), message, "here").help = Some(help);
        }
    }

    fn slash(&mut self) {
        let rest = self.rest();
        let length = self.line_length();
        if rest.starts_with("///") && !rest.starts_with("////") {
            self.check_hidden(length, Place::Comment);
            self.push(Kind::Doc, length);
        } else if rest.starts_with("//") {
            self.check_hidden(length, Place::Comment);
            self.at += length;
        } else if rest.starts_with("/*") {
            self.foreign_comment(rest.find("*/").map_or(length, |end| end + 2));
        } else if self.operand_may_stand() {
            self.regex();
        } else {
            self.push(Kind::Symbol, 1);
        }
    }

    /// Whether the token before asks for an operand, so that `/` begins a regex instead of dividing.
    fn operand_may_stand(&self) -> bool {
        let before = self.scan.tokens.iter().rev().find(|token| token.is_significant());
        before.is_none_or(|token| match token.kind {
            Kind::Open(_) | Kind::Comma | Kind::Semicolon | Kind::Symbol => true,
            Kind::Word => OPERATOR_WORDS.contains(&token.text(self.text)),
            Kind::Quoted | Kind::Number | Kind::Text | Kind::Regex | Kind::Close(_) => false,
            Kind::Doc | Kind::Newline => false,
        })
    }

    fn regex(&mut self) {
        let line = self.line_length();
        let Some(body) = literal::regex_body(&self.rest()[..line]) else {
            let (start, end) = (self.at, self.at + self.rest()[..line].trim_end().len());
            self.error(Code::BadRegex, start, end, "the regex is not closed".to_owned(), "begins here").help =
                Some("close it with `/` on the same line; a `/` inside is written `\\/`".to_owned());
            self.scan.broken.push(start);
            return self.push(Kind::Regex, end - start);
        };
        let flags = self.rest()[body..].find(|c: char| !c.is_ascii_lowercase()).unwrap_or(self.rest().len() - body);
        let start = self.at + body;
        let unknown: Vec<(usize, char)> =
            self.rest()[body..body + flags].char_indices().filter(|(_, c)| !matches!(c, 'i' | 's' | 'x')).collect();
        for (offset, c) in unknown {
            let at = start + offset;
            self.error(Code::BadRegex, at, at + 1, format!("a regex has no flag `{c}`"), "not a flag").help =
                Some("the flags are `i` (ignore case), `s` (`.` matches newlines) and `x` (layout)".to_owned());
        }
        self.check_hidden(body, Place::Regex);
        self.push(Kind::Regex, body + flags);
    }

    fn string(&mut self) {
        let start = self.at;
        let found = literal::string_length(self.rest());
        let (length, closed) = match found {
            Ok(length) => (length, true),
            Err(length) => (length, false),
        };
        if closed {
            let errors = literal::escape_errors(&self.rest()[..length]);
            for EscapeError { offset, length } in errors {
                let at = start + offset;
                let escape = self.text[at..at + length].to_owned();
                self.error(Code::BadString, at, at + length, format!("`{escape}` is no escape"), "unknown escape")
                    .help =
                    Some("the escapes are `\\n \\t \\r \\\\ \\\" \\u{…}`; a backslash itself is `\\\\`, and paths are written with `/`".to_owned());
            }
        } else if self.rest().starts_with("\"\"\"") {
            self.error(Code::BadString, start, start + 3, "the string is not closed".to_owned(), "begins here").help =
                Some("close it with `\"\"\"`".to_owned());
            self.scan.broken.push(start);
        } else {
            let end = start + length;
            self.error(Code::BadString, start, end, "the string is not closed".to_owned(), "begins here").help =
                Some("close it with `\"` on the same line, or write it over several lines in `\"\"\"`".to_owned());
            self.scan.broken.push(start);
        }
        self.check_hidden(length, Place::String);
        self.push(Kind::Text, length);
    }

    fn backticks(&mut self) {
        let start = self.at;
        let line = self.line_length();
        match self.rest()[1..line].find('`') {
            Some(0) => {
                self.error(Code::BadString, start, start + 2, "the name in backticks is empty".to_owned(), "no name");
                self.scan.broken.push(start);
                self.push(Kind::Quoted, 2);
            }
            Some(end) => {
                self.check_hidden(end + 2, Place::Name);
                self.push(Kind::Quoted, end + 2);
            }
            None => {
                let end = start + self.rest()[..line].trim_end().len();
                self.error(
                    Code::BadString,
                    start,
                    end,
                    "the name in backticks is not closed".to_owned(),
                    "begins here",
                )
                .help = Some("close it with a backtick on the same line".to_owned());
                self.scan.broken.push(start);
                self.push(Kind::Quoted, end - start);
            }
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let digits = literal::number_length(self.rest());
        let rest = &self.rest()[digits..];
        let mut length = digits + usize::from(rest.starts_with('%'));
        let glued = self.rest()[length..].find(|c| !is_name_char(c)).unwrap_or(self.rest().len() - length);
        if glued > 0 {
            let (number, word) = (&self.rest()[..length], &self.rest()[length..length + glued]);
            let word_is_unit = word.len() > 1 && word.chars().all(char::is_alphabetic);
            let apart = format!("{number} {word}");
            length += glued;
            let message = format!("`{}` is no number", &self.rest()[..length]);
            let error = self.error(Code::BadNumber, start, start + length, message, "not a number");
            if word_is_unit {
                mend(error, apart);
            } else {
                let help = "numbers are written like `1_000`, `0.5`, `3e-4` or `20%`; a name that begins with a digit \
                            stands in backticks";
                error.help = Some(help.to_owned());
            }
            self.scan.broken.push(start);
        } else if rest.starts_with('.') && !rest[1..].starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
            let number = self.rest()[..digits].to_owned();
            length = digits + 1;
            let message = format!("`{number}.` lacks a digit after the point");
            mend(self.error(Code::BadNumber, start, start + length, message, "here"), format!("{number}.0"));
            self.scan.broken.push(start);
        }
        self.push(Kind::Number, length);
    }

    /// A string in quotes that other languages have.
    fn foreign_string(&mut self, open: char, close: char) {
        let line = self.line_length();
        let inside = &self.rest()[open.len_utf8()..line];
        let length = match inside.find([close, '"', '“']) {
            Some(end) => {
                let mark = inside[end..].chars().next().map_or(0, char::len_utf8);
                open.len_utf8() + end + mark
            }
            None => self.rest()[..line].trim_end().len(),
        };
        let (start, end) = (self.at, self.at + length);
        self.error(Code::BadString, start, end, format!("`{open}` does not begin a string"), "here").help =
            Some("strings stand in double quotes: `\"…\"`".to_owned());
        self.scan.broken.push(start);
        self.push(Kind::Text, length);
    }

    /// Whether a word is the prefix that a string has in other languages.
    fn is_prefix(&self, length: usize) -> bool {
        let (word, rest) = self.rest().split_at(length);
        let is_one =
            ["r", "f", "b", "u", "rb", "br", "rf", "fr"].iter().any(|prefix| word.eq_ignore_ascii_case(prefix));
        is_one && rest.starts_with(['"', '\''])
    }

    /// A string with a prefix: `r"\d+"`
    fn prefixed_string(&mut self, prefix: usize) {
        let (word, rest) = self.rest().split_at(prefix);
        let length = if rest.starts_with('"') {
            literal::string_length(rest).unwrap_or_else(|length| length)
        } else {
            let line = &rest[..self.line_length() - prefix];
            line[1..].find('\'').map_or(line.trim_end().len(), |end| end + 2)
        };
        let help = match word.to_ascii_lowercase().as_str() {
            "r" => "a pattern stands between slashes: `/\\d+/`; a string has no prefix: `\"…\"`",
            "f" => "a template names its values in braces: `\"{{ text }}\"`; a string has no prefix",
            _ => "leave the letter out: `\"…\"`",
        };
        let message = format!("a string has no prefix `{word}`");
        let (start, end) = (self.at, self.at + prefix + length);
        self.error(Code::BadString, start, end, message, "with a prefix").help = Some(help.to_owned());
        self.scan.broken.push(start);
        self.push(Kind::Text, prefix + length);
    }

    /// A comment as other languages write it.
    fn foreign_comment(&mut self, length: usize) {
        let (start, end) = (self.at, self.at + length);
        let mark = if self.rest().starts_with('#') { 1 } else { 2 };
        let message = format!("`{}` does not begin a comment", &self.rest()[..mark]);
        let error = self.error(Code::BadCharacter, start, start + mark, message, "here");
        error.help = Some("a comment begins with `//`".to_owned());
        if mark == 1 {
            error.suggestion = Some(Suggestion { span: error.labels[0].span, replacement: "//".to_owned() });
        }
        self.scan.blanks.push((start, end));
        self.at = end;
    }
}

/// Says what to write in the place of a mistake.
fn mend(error: &mut Diagnostic, replacement: String) {
    error.help = Some(format!("write `{replacement}`"));
    error.suggestion = Some(Suggestion { span: error.labels[0].span, replacement });
}
