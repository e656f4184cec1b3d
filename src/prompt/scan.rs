//! The tags of a Jinja text and the words in them: minijinja gives the names that a template reads, this their places.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Variable;

/// A `{{ … }}` or `{% … %}`.
#[derive(Debug)]
pub(super) struct Tag {
    /// Whether it prints.
    prints: bool,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    range: Range<usize>,
    kind: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenKind {
    Word,
    Literal,
    Symbol,
}

/// What can be named in a tag besides values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// After `|`.
    Filter,
    /// After `is`, or `is not`.
    Test,
}

/// The tags of a text, those in comments and in `{% raw %}` left out.
pub(super) fn tags(text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('{').map(|offset| at + offset) {
        let (close, prints) = match text.as_bytes().get(start + 1) {
            Some(b'{') => ("}}", true),
            Some(b'%') => ("%}", false),
            Some(b'#') => {
                at = text[start..].find("#}").map_or(text.len(), |offset| start + offset + 2);
                continue;
            }
            _ => {
                at = start + 1;
                continue;
            }
        };
        let (tokens, end) = tokens(text, start + 2, close);
        let tag = Tag { prints, tokens };
        at = end;
        if tag.statement(text).is_some_and(|(word, _)| word == "raw") {
            at = text[end..].find("endraw").map_or(text.len(), |offset| end + offset);
        }
        tags.push(tag);
    }
    tags
}

/// The tokens up to `close`, and where it ends.
fn tokens(text: &str, start: usize, close: &str) -> (Vec<Token>, usize) {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = start;
    let mut depth = 0_usize;
    while at < text.len() {
        let rest = &text[at..];
        if depth == 0 && rest.starts_with(close) {
            return (tokens, at + close.len());
        }
        let Some(first) = rest.chars().next() else { break };
        let (length, kind) = match first {
            '"' | '\'' => (literal_length(rest, first), Some(TokenKind::Literal)),
            _ if first.is_alphabetic() || first == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (length, Some(TokenKind::Word))
            }
            _ if first.is_ascii_digit() => {
                let length = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
                (length, Some(TokenKind::Literal))
            }
            _ if first.is_whitespace() => (first.len_utf8(), None),
            _ => (first.len_utf8(), Some(TokenKind::Symbol)),
        };
        match first {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(kind) = kind {
            tokens.push(Token { range: at..at + length, kind });
        }
        at += length;
    }
    (tokens, text.len())
}

fn literal_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == quote {
            return offset + 1;
        }
    }
    rest.len()
}

impl Tag {
    fn text<'t>(&self, text: &'t str, index: usize) -> &'t str {
        self.tokens.get(index).map_or("", |token| &text[token.range.clone()])
    }

    /// The word that a statement begins with, and its place.
    pub(super) fn statement<'t>(&self, text: &'t str) -> Option<(&'t str, Range<usize>)> {
        let token = self.tokens.iter().find(|token| token.kind == TokenKind::Word).filter(|_| !self.prints)?;
        Some((&text[token.range.clone()], token.range.clone()))
    }

    /// The filters and tests that are named, with their places.
    pub(super) fn named_functions<'t>(&self, text: &'t str) -> Vec<(Named, &'t str, Range<usize>)> {
        let mut named = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            if token.kind != TokenKind::Word || index == 0 {
                continue;
            }
            let word = &text[token.range.clone()];
            let before = self.text(text, index - 1);
            let test =
                before == "is" && word != "not" || before == "not" && index >= 2 && self.text(text, index - 2) == "is";
            if before == "|" {
                named.push((Named::Filter, word, token.range.clone()));
            } else if test {
                named.push((Named::Test, word, token.range.clone()));
            }
        }
        named
    }

    /// The names of which a member out of `members` is read.
    pub(super) fn names_with_member<'t>(&self, text: &'t str, members: &[&str]) -> Vec<&'t str> {
        let reads = |index: &usize| {
            self.begins_path(text, *index)
                && self.text(text, index + 1) == "."
                && members.contains(&self.text(text, index + 2))
        };
        (0..self.tokens.len()).filter(reads).map(|index| self.text(text, index)).collect()
    }

    /// Names without a member after them that are not all of a printing tag.
    pub(super) fn unprinted_names<'t>(&self, text: &'t str) -> Vec<(&'t str, Range<usize>)> {
        (0..self.tokens.len())
            .filter(|index| {
                self.begins_path(text, *index)
                    && self.text(text, index + 1) != "."
                    && !self.is_printed(text, *index, *index)
            })
            .map(|index| (self.text(text, index), self.tokens[index].range.clone()))
            .collect()
    }

    /// Whether a value's name begins here: a word that is no member, filter or keyword argument.
    fn begins_path(&self, text: &str, index: usize) -> bool {
        let before = if index == 0 { "" } else { self.text(text, index - 1) };
        let keyword =
            self.text(text, index + 1) == "=" && self.text(text, index + 2) != "=" && (before == "(" || before == ",");
        self.tokens.get(index).is_some_and(|token| token.kind == TokenKind::Word)
            && before != "."
            && before != "|"
            && !keyword
    }

    /// Whether the tokens from `first` to `last` are all that a printing tag holds.
    fn is_printed(&self, text: &str, first: usize, last: usize) -> bool {
        let trims = |index: usize| matches!(self.text(text, index), "-" | "+");
        let starts = first == 0 || first == 1 && trims(0);
        let ends = last + 1 == self.tokens.len() || last + 2 == self.tokens.len() && trims(last + 1);
        self.prints && starts && ends
    }
}

/// The places of the undeclared paths, in order; a name that stands in no tag as such gets the whole text.
pub(super) fn places(text: &str, tags: &[Tag], undeclared: &BTreeSet<String>) -> Vec<Variable> {
    let mut begins: BTreeMap<&str, Vec<(&Tag, usize)>> = BTreeMap::new();
    for tag in tags {
        for index in (0..tag.tokens.len()).filter(|index| tag.begins_path(text, *index)) {
            begins.entry(tag.text(text, index)).or_default().push((tag, index));
        }
    }
    let mut found: Vec<Variable> = Vec::new();
    for path in undeclared {
        let parts: Vec<&str> = path.split('.').collect();
        let (name, members) = (parts[0], &parts[1..]);
        let mut variable = Variable {
            name: name.to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            range: 0..text.len(),
            places: Vec::new(),
            printed: false,
        };
        let mut first = true;
        for (tag, index) in begins.get(name).into_iter().flatten() {
            if let Some(last) = path_end(tag, text, *index, &parts[1..]) {
                let place = tag.tokens[*index].range.start..tag.tokens[last].range.end;
                variable.printed |= tag.is_printed(text, *index, last);
                variable.places.push(place.clone());
                if first {
                    variable.range = place;
                    first = false;
                }
            }
        }
        found.push(variable);
    }
    found.sort_by_key(|variable| (variable.range.start, variable.range.end));
    found
}

/// The last token of a path whose name stands at `index`, if these members follow it.
fn path_end(tag: &Tag, text: &str, index: usize, members: &[&str]) -> Option<usize> {
    let mut last = index;
    for part in members {
        if tag.text(text, last + 1) != "." || tag.text(text, last + 2) != *part {
            return None;
        }
        last += 2;
    }
    Some(last)
}
/// Names in single braces, with their places: what a template language other than this one would fill in.
pub fn single_braces(text: &str) -> Vec<(&str, Range<usize>)> {
    let mut found = Vec::new();
    for (open, _) in text.match_indices('{') {
        let inside = &text[open + 1..];
        let length = inside.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inside.len());
        let is_name = length > 0 && !inside.starts_with(|c: char| c.is_numeric());
        let is_single = !text[..open].ends_with('{') && !inside[length..].starts_with("}}");
        if is_name && is_single && inside[length..].starts_with('}') {
            found.push((&inside[..length], open..open + length + 2));
        }
    }
    found
}
