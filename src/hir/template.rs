//! Prompt templates.

use crate::source::Span;

/// A template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its slots.
    pub kind: TemplateKind,
    /// The declaration.
    pub span: Span,
}

/// The kinds of template. Every text is Jinja and was parsed by `prompt` without an error.
#[derive(Debug, Clone)]
pub enum TemplateKind {
    /// Turns of a conversation.
    Chat(Vec<Turn>),
    /// A prompt and what follows it; the loss is on the completion.
    Completion {
        /// What is given.
        prompt: String,
        /// What is learnt.
        completion: String,
    },
    /// A text; the loss is on all of it.
    Text(String),
    /// A prompt with a better and a worse answer.
    Preference {
        /// What is given.
        prompt: String,
        /// The better answer.
        chosen: String,
        /// The worse answer.
        rejected: String,
    },
}

/// One turn of a chat.
#[derive(Debug, Clone)]
pub enum Turn {
    /// A turn of this template.
    Text {
        /// `system`, `user`, `assistant` or `tool`.
        role: String,
        /// Jinja.
        content: String,
        /// Whether the loss is on it: an `assistant` turn without `mute`.
        trained: bool,
    },
    /// The turns that a field of type `list<{ role: string, content: string }>` has.
    Field {
        /// The field's name in the record.
        field: String,
        /// Whether its assistant turns are trained on.
        trained: bool,
    },
}
