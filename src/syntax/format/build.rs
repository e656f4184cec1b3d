//! From what the grammar matched to docs: each place between two pieces gets a space, nothing, or a line that may break.

use std::iter::Peekable;

use pest::iterators::Pairs;
use unicode_width::UnicodeWidthStr;

use super::align::Stop;
use super::doc::{Block, Bracket, Doc, Docs, Item, Measure, Statement, enclosed};
use super::piece::Pieces;
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::token::Kind;

/// The words that are not padded and for which no other is: rare and long ones, and those that are followed by
/// something of another kind than their neighbours are.
pub(in crate::syntax) const ODD: &[&str] =
    &["annotations", "on_bad_row", "dedup", "decontaminate", "k_anonymous", "optimizer", "mute"];

/// The statements of a whole text, which `file` is the match of.
pub(super) fn build(text: &str, pieces: &Pieces, file: Pair) -> Vec<Statement> {
    let mut builder = Builder { text, pieces, at: 0, head: None };
    file.into_inner()
        .filter(|pair| pair.as_rule() != Rule::EOI)
        .map(|declaration| builder.statement(declaration))
        .collect()
}

/// Turns pairs into docs. Pieces are taken in the order of the text, each once.
pub(super) struct Builder<'t> {
    text: &'t str,
    pieces: &'t Pieces,
    /// The next piece.
    at: usize,
    /// The first word of the statement at hand, if what follows it is aligned.
    head: Option<usize>,
}

/// The parts of a pair: its inner pairs, and the pieces between them that have no pair of their own.
pub(super) struct Parts<'i> {
    rule: Rule,
    end: usize,
    inner: Peekable<Pairs<'i, Rule>>,
}

/// One of them.
pub(super) enum Part<'i> {
    Piece,
    Pair(Pair<'i>),
}

impl<'i> Parts<'i> {
    pub fn of(pair: Pair<'i>) -> Self {
        Self { rule: pair.as_rule(), end: pair.as_span().end(), inner: pair.into_inner().peekable() }
    }
}

impl<'t> Builder<'t> {
    /// The next part of a pair. A piece is not yet taken.
    pub(super) fn next<'i>(&self, parts: &mut Parts<'i>) -> Option<Part<'i>> {
        parts.inner.next_if(|pair| pair.as_rule() == Rule::docs);
        let until = parts.inner.peek().map_or(parts.end, |pair| pair.as_span().start());
        if self.pieces.pieces.get(self.at).is_some_and(|piece| piece.token.start < until) {
            return Some(Part::Piece);
        }
        parts.inner.next().map(Part::Pair)
    }

    /// The characters of a piece.
    fn text(&self, at: usize) -> &'t str {
        self.pieces.pieces.get(at).map_or("", |piece| piece.token.text(self.text))
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.pieces.pieces.get(at).map(|piece| piece.token.kind)
    }

    /// The number of the next piece.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Whether comments stand between two pieces.
    fn has_comments(&self, after: usize, before: usize) -> bool {
        let end = |at: usize| self.pieces.pieces[at].comments.end;
        end(before) > end(after)
    }

    /// Whether a comment stands before the next piece, so that it begins a new line.
    fn is_forced(&self) -> bool {
        self.pieces.pieces.get(self.at).is_some_and(|piece| !piece.comments.is_empty())
    }

    /// A line before the next piece.
    pub(super) fn line(&self) -> Doc {
        Doc::Line { forced: self.is_forced() }
    }

    /// Appends what stands before the next piece where no line is broken but for a comment.
    pub(super) fn gap(&self, space: bool, out: &mut Vec<Doc>) {
        if self.is_forced() {
            out.push(Doc::Indent(Docs::new(vec![self.line()])));
        } else if space {
            out.push(Doc::Space);
        }
    }

    /// Takes the next piece.
    fn piece(&mut self) -> Doc {
        let at = self.at;
        self.at += 1;
        let text = self.text(at);
        let measure = match text.split_once('\n') {
            Some((line, _)) => Measure { flat: None, lead: line.width(), breaks: true },
            None => Measure::solid(text.width()),
        };
        Doc::Piece { at, measure }
    }

    fn statement(&mut self, pair: Pair) -> Statement {
        let first = self.at;
        let is_headed = !matches!(
            pair.as_rule(),
            Rule::edition | Rule::declaration | Rule::field | Rule::value | Rule::arm | Rule::constraint
        );
        let is_aligned = is_headed && !ODD.contains(&self.text(first));
        let outer = std::mem::replace(&mut self.head, is_aligned.then_some(first));
        let mut docs = Vec::new();
        self.sequence(pair, &mut docs);
        self.head = outer;
        Statement { first, docs: Docs::new(vec![Doc::Group(Docs::new(docs))]) }
    }

    /// Appends the parts of a pair.
    pub(super) fn sequence(&mut self, pair: Pair, out: &mut Vec<Doc>) {
        match pair.as_rule() {
            Rule::expr => return self.expr(pair, out),
            Rule::operand => return self.operand(pair, out),
            _ => {}
        }
        let first = self.at;
        let mut parts = Parts::of(pair);
        let mut glue = true;
        while let Some(part) = self.next(&mut parts) {
            if self.at > first {
                self.before(&parts, &part, glue, out);
            }
            glue = self.glues_after(&part);
            self.part(&mut parts, part, out);
        }
    }

    /// Appends what stands before a part that is not the first of its pair.
    pub(super) fn before(&self, parts: &Parts, part: &Part, glue: bool, out: &mut Vec<Doc>) {
        let rule = match part {
            Part::Pair(pair) => Some(pair.as_rule()),
            Part::Piece => None,
        };
        out.extend(rule.and_then(|rule| stop(parts.rule, rule)).map(Doc::Stop));
        if self.head.is_some_and(|head| head + 1 == self.at) {
            out.push(Doc::Stop(Stop::Head));
        }
        let ends_block = self.kind(self.at - 1) == Some(Kind::Close(b'}'));
        if rule.is_some_and(|rule| is_clause(parts.rule, rule)) && !ends_block {
            out.push(Doc::Indent(Docs::new(vec![self.line()])));
        } else if self.text(self.at - 1) == "," {
            out.push(Doc::Indent(Docs::new(vec![Doc::Fill { forced: self.is_forced() }])));
        } else {
            self.gap(!glue && !self.glues_before(parts.rule, rule), out);
        }
    }

    /// Appends a part.
    pub(super) fn part(&mut self, parts: &mut Parts, part: Part, out: &mut Vec<Doc>) {
        match part {
            Part::Piece if matches!(self.kind(self.at), Some(Kind::Open(_))) => out.push(self.bracket(parts)),
            Part::Piece => out.push(self.piece()),
            Part::Pair(pair) => match pair.as_rule() {
                Rule::paren => out.push(self.bracket(parts)),
                Rule::open => out.push(self.block(parts)),
                rule if is_clause(parts.rule, rule) => {
                    let mut clause = Vec::new();
                    self.sequence(pair, &mut clause);
                    out.push(Doc::Indent(Docs::new(vec![Doc::Group(Docs::new(clause))])));
                }
                _ => self.sequence(pair, out),
            },
        }
    }

    /// Takes a bracket, of which the opening piece is the next one, out of the parts of its pair.
    fn bracket(&mut self, parts: &mut Parts) -> Doc {
        let open = self.at;
        self.at += 1;
        let mut items = Vec::new();
        let mut commas = !matches!(parts.rule, Rule::group | Rule::index | Rule::count);
        let mut simple = true;
        while let Some(part) = self.next(parts) {
            if matches!(part, Part::Piece) && matches!(self.kind(self.at), Some(Kind::Close(_))) {
                break;
            }
            if matches!(&part, Part::Pair(pair) if pair.as_rule() == Rule::sep) {
                self.at += 1;
                continue;
            }
            let item = self.item(parts, part);
            simple &= self.at == item.first + 1;
            items.push(item);
        }
        let close = self.at;
        self.at += 1;
        commas &= !items.is_empty();
        let padded = self.kind(open) == Some(Kind::Open(b'{'));
        let opened = items.first().is_some_and(|item| item.new_line);
        let forced = opened || self.has_comments(open, close);
        let measure = enclosed(items.iter().map(|item| &item.docs), 2, padded, forced);
        Doc::Bracket(Bracket { open, items, close, padded, commas, simple, measure })
    }

    fn item(&mut self, parts: &mut Parts, part: Part) -> Item {
        let first = self.at;
        let pieces = &self.pieces.pieces;
        let new_line = pieces[first].line > pieces[first - 1].line;
        let mut docs = Vec::new();
        self.part(parts, part, &mut docs);
        Item { first, new_line, docs: Docs::new(docs) }
    }

    /// Takes a block in the same way.
    fn block(&mut self, parts: &mut Parts) -> Doc {
        let open = self.at;
        self.at += 1;
        let mut statements = Vec::new();
        while let Some(Part::Pair(pair)) = self.next(parts) {
            if pair.as_rule() == Rule::close {
                break;
            }
            statements.push(self.statement(pair));
        }
        let close = self.at;
        self.at += 1;
        let pieces = &self.pieces.pieces;
        let several_lines = pieces[close].line > pieces[open].line && !statements.is_empty();
        let forced = several_lines || self.has_comments(open, close);
        let measure = enclosed(statements.iter().map(|statement| &statement.docs), 2, true, forced);
        Doc::Block(Block { open, statements, close, measure })
    }

    /// Whether no space follows a part.
    fn glues_after(&self, part: &Part) -> bool {
        match part {
            Part::Piece => matches!(self.text(self.at), "@" | "." | "-"),
            Part::Pair(pair) => matches!(pair.as_rule(), Rule::dot | Rule::dots | Rule::less),
        }
    }

    /// Whether no space stands before a part, of which the rule is given if it has one.
    fn glues_before(&self, parent: Rule, rule: Option<Rule>) -> bool {
        let after_number = self.kind(self.at - 1) == Some(Kind::Number);
        match rule {
            None => self.text(self.at) == "," || parent == Rule::attribute && self.text(self.at) == "(",
            // `5.x` would be a number without its last digit.
            Some(Rule::member) => !after_number,
            Some(Rule::paren) => parent == Rule::function,
            Some(
                Rule::colon
                | Rule::dot
                | Rule::dots
                | Rule::less
                | Rule::more
                | Rule::nullable
                | Rule::args
                | Rule::index
                | Rule::count,
            ) => true,
            Some(_) => false,
        }
    }
}

/// What is aligned before a part.
fn stop(parent: Rule, rule: Rule) -> Option<Stop> {
    match (parent, rule) {
        (Rule::field, Rule::type_of) => Some(Stop::Type),
        (Rule::value, Rule::value_title) => Some(Stop::Title),
        (Rule::value, Rule::value_key) => Some(Stop::Key),
        (Rule::arm, Rule::arrow) => Some(Stop::Arrow),
        (Rule::set, Rule::equals) => Some(Stop::SetEquals),
        (Rule::drop, Rule::when) => Some(Stop::DropWhen),
        (Rule::forbid, Rule::when) => Some(Stop::ForbidWhen),
        _ => None,
    }
}

/// Whether an inner pair is a clause of its statement: a newline may stand before it.
fn is_clause(parent: Rule, rule: Rule) -> bool {
    match rule {
        Rule::when
        | Rule::near
        | Rule::near_over
        | Rule::near_like
        | Rule::kept
        | Rule::at_least
        | Rule::at_most
        | Rule::contaminated_by
        | Rule::else_drop
        | Rule::per
        | Rule::split_by
        | Rule::split_check
        | Rule::stratify
        | Rule::seed
        | Rule::length_else
        | Rule::accumulate
        | Rule::warmup
        | Rule::decay
        | Rule::floor
        | Rule::validate_by
        | Rule::at
        | Rule::device_else => true,
        Rule::k_because => parent == Rule::allow_personal,
        Rule::k_over => parent == Rule::k_anonymous,
        Rule::k_against => parent == Rule::decontaminate,
        _ => false,
    }
}
