//! What the grammar matched, as a syntax tree; one file for each construct.
//!
//! The grammar fixes which children a pair has, so a missing one is a mistake in this folder.

mod clean;
mod dataset;
mod expr;
mod label;
mod policy;
mod precedence;
mod source;
mod template;
mod test;
mod train;
mod value;

pub(super) use precedence::{Level, infix_level};

use super::ast::{self, Decl, Ident};
use super::grammar::{Pair, Rule};
use super::token::Token;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span, Spanned};

/// Turns pairs into nodes of the tree.
pub(super) struct Builder<'t> {
    file: FileId,
    /// The whole text.
    text: &'t str,
    /// The tokens of the whole text.
    tokens: &'t [Token],
    /// Where the piece begins that the pairs count their bytes from.
    base: usize,
    /// Mistakes that the grammar does not see.
    pub errors: Diagnostics,
}

impl<'t> Builder<'t> {
    /// A builder for the pairs of a piece of `text` that begins at byte `base`.
    pub fn new(file: FileId, text: &'t str, tokens: &'t [Token], base: usize) -> Self {
        Self { file, text, tokens, base, errors: Vec::new() }
    }

    /// The edition of a `lone_edition`.
    pub fn edition(&mut self, lone: &Pair) -> Option<Spanned<u32>> {
        let number = must(&must(lone, Rule::edition), Rule::number);
        let span = self.span(&number);
        if number.as_str() != "1" {
            let message = format!("edition {} of the language is unknown", number.as_str());
            let error = Diagnostic::new(Code::NotSupported, message, span, "not an edition");
            self.errors.push(error.help("this compiler reads `annot 1`"));
            return None;
        }
        Some(Spanned::new(1, span))
    }

    /// The declaration of a `lone_declaration`.
    pub fn declaration(&mut self, lone: &Pair) -> Decl {
        let declaration = must(lone, Rule::declaration);
        let doc = self.doc(&declaration);
        let pair = declaration
            .into_inner()
            .find(|pair| pair.as_rule() != Rule::docs)
            .expect("a declaration is more than its documentation");
        match pair.as_rule() {
            Rule::source => Decl::Source(self.source(doc, &pair)),
            Rule::label => Decl::Label(self.label(doc, &pair)),
            Rule::clean => Decl::Clean(self.clean(doc, &pair)),
            Rule::policy => Decl::Policy(self.policy(doc, &pair)),
            Rule::template => Decl::Template(self.template(doc, &pair)),
            Rule::dataset => Decl::Dataset(self.dataset(doc, &pair)),
            Rule::model => Decl::Model(self.model(doc, &pair)),
            Rule::train => Decl::Train(self.train(doc, &pair)),
            Rule::evaluate => Decl::Evaluate(self.evaluate(doc, &pair)),
            Rule::test => Decl::Test(self.test(doc, &pair)),
            Rule::import => Decl::Use(self.import(&pair)),
            Rule::constant => Decl::Let(self.constant(doc, &pair)),
            Rule::function => Decl::Fn(self.function(doc, &pair)),
            rule => unreachable!("the grammar has no declaration {rule:?}"),
        }
    }

    fn import(&mut self, pair: &Pair) -> ast::Use {
        let names = all(pair, Rule::import_name)
            .map(|name| (self.name_in(&name), child(&name, Rule::import_as).map(|renamed| self.name_in(&renamed))))
            .collect();
        ast::Use { path: self.text_in(pair), names, span: self.span(pair) }
    }

    fn constant(&mut self, doc: Option<String>, pair: &Pair) -> ast::Let {
        ast::Let { doc, name: self.name_in(pair), value: self.expr_in(pair), span: self.span(pair) }
    }

    fn function(&mut self, doc: Option<String>, pair: &Pair) -> ast::Fn {
        let params = all(pair, Rule::param)
            .map(|param| (self.name_in(&param), self.type_of(&must(&param, Rule::type_of))))
            .collect();
        ast::Fn { doc, name: self.name_in(pair), params, body: self.expr_in(pair), span: self.span(pair) }
    }

    /// The place of a pair, from its first token to its last: white space, comments and documentation around it are
    /// left out.
    fn span(&self, pair: &Pair) -> Span {
        let place = pair.as_span();
        let (start, end) = (self.base + place.start(), (self.base + place.end()).min(self.text.len()));
        let first = self.tokens.partition_point(|token| token.start < start);
        let past = self.tokens.partition_point(|token| token.start < end);
        let inside = &self.tokens[first.min(past)..past];
        let from = inside.iter().find(|token| token.is_significant());
        let to = inside.iter().rfind(|token| token.is_significant());
        match (from, to) {
            (Some(from), Some(to)) => Span::new(self.file, from.start, to.end),
            _ => Span::new(self.file, start, start),
        }
    }

    /// The text of the `///` lines before a construct, one line each.
    fn doc(&self, pair: &Pair) -> Option<String> {
        let docs = child(pair, Rule::docs)?;
        let lines: Vec<String> = all(&docs, Rule::doc)
            .map(|doc| {
                let line = doc.as_str().trim_start_matches("///").trim_end();
                line.strip_prefix(' ').unwrap_or(line).to_owned()
            })
            .collect();
        Some(lines.join("\n"))
    }

    /// Reports a clause that a statement has already.
    fn said_twice(&mut self, what: &str, first: Span, again: Span) {
        let message = format!("`{what}` is said twice");
        let error = Diagnostic::new(Code::UnexpectedToken, message, again, "said again here");
        self.errors.push(error.label(first, "first said here").help("remove one of the two"));
    }

    fn name_in(&self, pair: &Pair) -> Ident {
        self.name(&must(pair, Rule::name))
    }

    fn names_in(&self, pair: &Pair) -> Vec<Ident> {
        match child(pair, Rule::names) {
            Some(names) => self.all_names(&names),
            None => self.all_names(&must(pair, Rule::name_list)),
        }
    }

    fn all_names(&self, pair: &Pair) -> Vec<Ident> {
        all(pair, Rule::name).map(|name| self.name(&name)).collect()
    }

    /// A keyword as a name: the one that stands in a pair with no other child before it.
    fn keyword_in(&self, pair: &Pair) -> Ident {
        let word = pair.clone().into_inner().next().expect("the pair begins with a keyword");
        Ident { name: word.as_str().trim_end().to_owned(), span: self.span(&word) }
    }

    /// The place of the child with this rule.
    fn place_of(&self, pair: &Pair, rule: Rule) -> Option<Span> {
        child(pair, rule).map(|found| self.span(&found))
    }
}

/// The first child with this rule.
fn child<'i>(pair: &Pair<'i>, rule: Rule) -> Option<Pair<'i>> {
    pair.clone().into_inner().find(|inner| inner.as_rule() == rule)
}

/// The child that the grammar promises.
fn must<'i>(pair: &Pair<'i>, rule: Rule) -> Pair<'i> {
    child(pair, rule).unwrap_or_else(|| unreachable!("{:?} has no {rule:?}", pair.as_rule()))
}

/// All children with this rule.
fn all<'i>(pair: &Pair<'i>, rule: Rule) -> impl Iterator<Item = Pair<'i>> + use<'i> {
    pair.clone().into_inner().filter(move |inner| inner.as_rule() == rule)
}

/// The single thing that a pair wraps.
fn only<'i>(pair: &Pair<'i>) -> Pair<'i> {
    pair.clone().into_inner().next().unwrap_or_else(|| unreachable!("{:?} wraps nothing", pair.as_rule()))
}
