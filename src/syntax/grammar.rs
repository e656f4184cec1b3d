//! The parser that pest derives from `grammar/annot.pest`.

#![allow(missing_docs)] // pest derives one variant for each rule; the grammar itself is their documentation.

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/annot.pest"]
pub(super) struct Grammar;

/// A piece of text that a rule matched.
pub(super) type Pair<'i> = pest::iterators::Pair<'i, Rule>;
