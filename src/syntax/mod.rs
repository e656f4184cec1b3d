//! The only door to pest: text to syntax tree.
//!
//! ```text
//! text → scan → brackets → outline (declarations, statements) → grammar, declaration by declaration → build → ast
//! ```
//!
//! The grammar decides what the language is. The tokens and the outline exist for texts that it refuses: they say where
//! a statement begins and ends, so that each mistake is reported and the rest is still read. [`shape`] shows them to
//! editors, whose texts are being written and so are seldom whole.

pub mod ast;
mod bracket;
mod build;
mod expected;
mod foreign;
mod format;
mod grammar;
mod hidden;
mod literal;
mod one_line;
mod recover;
mod scan;
pub mod shape;
mod statement;
mod token;
mod words;
mod written;

#[cfg(test)]
mod tests;

pub use format::format;
pub use one_line::one_line;
pub use token::{CLAUSE_WORDS, HARD_WORDS, Kind, Token, is_name_char};
pub use words::{Block, Statement, WORDS, Word, statements};
pub use written::{is_plain_name, written_name, written_text};

use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

/// The longest text that is read, in bytes: places are 32-bit numbers.
const LONGEST: usize = 256 << 20;

/// Reads a text. The tree holds every declaration and every statement that could be read; each mistake is reported by
/// itself, in the order of the text.
pub fn parse(file: FileId, text: &str) -> (ast::File, Diagnostics) {
    if text.len() > LONGEST {
        let span = Span::new(file, 0, 0);
        let message = format!("the file has {} MiB and is no specification", text.len() >> 20);
        let error = Diagnostic::new(Code::NotSupported, message, span, "too long");
        let tree = ast::File { edition: None, decls: Vec::new(), damaged: Vec::new() };
        return (tree, vec![error.help("data stands in files of its own, which a `source` names")]);
    }
    recover::read(file, text)
}
