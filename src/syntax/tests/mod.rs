//! What the parser reads and what it says about what it cannot read.

mod corpus;
mod expressions;
mod format;
mod format_limits;
mod format_table;
mod invariants;
mod mistakes;

use super::ast;
use super::parse;
use crate::diagnostics::Diagnostics;
use crate::source::{FileId, Span};

/// Reads a text as the first file.
fn read(text: &str) -> (ast::File, Diagnostics) {
    parse(FileId(0), text)
}

/// The characters of a span.
fn at(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// The mistakes of a text: `code "span": message`.
fn mistakes(text: &str) -> Vec<String> {
    let (_, errors) = read(text);
    errors
        .iter()
        .map(|error| format!("{} {:?}: {}", error.code.id(), at(text, error.labels[0].span), error.message))
        .collect()
}
