//! The canonical look of a text.
//!
//! ```text
//! text → parse → pieces (tokens, comments) + grammar → docs (what may be broken where) → lines → aligned text
//! ```
//!
//! The look depends on the tokens, the comments, and what of the author's layout is named below. A second run finds all of
//! that again, so what was formatted once stays as it is.
//!
//! * **Lines.** Two spaces for each level; one statement a line. A block that the author wrote on one line stays on one, its
//!   statements parted by `;`, as long as it fits into [`WIDTH`] columns and holds no comment.
//! * **Blank lines** are the author's: at most one inside a block or bracket, at most two between declarations, none where a
//!   block begins or ends and none between a `///` line and what it documents.
//! * **Long statements.** A statement that fits stands on one line, however it was written. One that does not is broken where
//!   the language lets it go on: before its clause words first (all of them), then, in a clause that is still too long,
//!   before the operators that bind loosest, before each `|>`, inside brackets, and after commas as late as possible.
//! * **Brackets** stand on one line if they fit, unless the author began a new line after the opening one. An open bracket
//!   holds one item a line and ends in a comma; items of one token each (numbers, names, strings) stand as the author parted
//!   them, as many on a line as fit.
//! * **Columns.** In a run of statements without a blank line, those that stand on one line are padded: what follows the
//!   first word, the types of fields, the titles and keys of values, the arrows of a `match`. So are the `=` and `when`
//!   of neighbouring `set`, `drop` and `forbid`. A statement of several lines takes no part, nor do the words of
//!   [`build::ODD`], nor a line that the padding would make too long. A blank line before a `///` line ends no run.
//! * **Comments** keep their text and order. Those at line ends stand in one column up to the next blank line or another
//!   indentation; what continues one below, in the same column, stays below it. Comments do not count as width.
//! * **Strings in `"""`** are indented with their statement, as far as their value allows it.

mod align;
mod build;
mod doc;
mod expression;
mod long_text;
mod piece;
mod print;

#[cfg(test)]
pub(super) use build::ODD;

use pest::Parser;

use super::grammar::{Grammar, Rule};
use super::parse;
use crate::diagnostics::{Diagnostics, has_errors};
use crate::source::FileId;

/// The columns that a line may have.
const WIDTH: usize = 100;

/// The columns of one level.
const INDENT: usize = 2;

/// Gives a text its canonical look: the same tokens and comments, and so the same meaning, with LF line ends and without a
/// byte order mark. A text that cannot be read has none; its mistakes are in a file with the id 0.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (_, found) = parse(FileId(0), text);
    if has_errors(&found) {
        return Err(found);
    }
    let pieces = piece::split(text);
    let file = Grammar::parse(Rule::file, text)
        .expect("the grammar reads what is read without a mistake")
        .next()
        .expect("a rule that matched gives its pair");
    let statements = build::build(text, &pieces, file);
    Ok(align::join(print::print(text, &pieces, &statements)))
}
