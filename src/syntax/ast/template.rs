//! `template` declarations.

use super::{Ident, Text};
use crate::source::Span;

/// `template NAME: KIND { … }`
#[derive(Debug, Clone)]
pub struct Template {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The template's name.
    pub name: Ident,
    /// `chat`, `completion`, `preference` or `text`.
    pub kind: Ident,
    /// Its statements in order.
    pub items: Vec<Item>,
    /// The whole declaration.
    pub span: Span,
}

/// One statement of a template: a slot and its Jinja text, or a list of turns.
#[derive(Debug, Clone)]
pub struct Item {
    /// The place of `mute`, which takes the turn out of the loss.
    pub mute: Option<Span>,
    /// `system`, `user`, `assistant`, `prompt`, `completion`, `chosen`, `rejected`, `text` or `turns`.
    pub slot: Ident,
    /// What fills it.
    pub body: ItemBody,
    /// The whole statement.
    pub span: Span,
}

/// What fills a slot.
#[derive(Debug, Clone)]
pub enum ItemBody {
    /// Jinja text. `raw` is the span of the characters between the quotes when the literal has no escape
    /// and no dedent, so that a place in the text is a place in the file.
    Text {
        /// The text after escapes.
        text: Text,
        /// The literal's inside, when offsets agree.
        raw: Option<Span>,
    },
    /// `turns FIELD`
    Field(Ident),
}
