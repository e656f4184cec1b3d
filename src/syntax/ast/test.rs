//! `test` declarations.

use super::{Expr, Ident, Text};
use crate::source::Span;

/// `test TARGET "title" { given { … } expect … }`
#[derive(Debug, Clone)]
pub struct Test {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The `clean`, `policy`, `template` or `label` under test.
    pub target: Ident,
    /// What the test is about.
    pub title: Text,
    /// The records given: record literals.
    pub given: Vec<Expr>,
    /// What is expected, one for each record given.
    pub expect: Vec<Expect>,
    /// The whole declaration.
    pub span: Span,
}

/// What a test expects.
#[derive(Debug, Clone)]
pub enum Expect {
    /// A record literal: each named field, slot or label has this value afterwards.
    Record(Expr),
    /// `expect drop "reason"`
    Drop(Option<Text>, Span),
    /// `expect quarantine`
    Quarantine(Span),
}
