//! `prompt_completion`: `{"prompt","completion"}`; two texts from a completion, which keeps its leading space; two lists of
//! messages from a chat, whose last turn is the completion.

use super::Columns;
use super::column::write_text;
use super::conversation::Conversation;
use super::messages::write_turns;
use super::row::Rows;
use super::slot::Slot;
use crate::hir::{TemplateKind, Turn};

/// What a row is made from.
#[derive(Debug)]
pub(crate) enum Pair {
    /// Two texts.
    Texts {
        /// What is given.
        prompt: Slot,
        /// What is learnt.
        completion: Slot,
    },
    /// Turns of which the last is learnt.
    Turns(Conversation),
}

impl Pair {
    /// The pair of a template.
    pub(crate) fn new(template: &TemplateKind, columns: &Columns<'_>) -> Result<Self, String> {
        match template {
            TemplateKind::Completion { prompt, completion } => {
                Ok(Self::Texts { prompt: Slot::new(prompt, columns)?, completion: Slot::new(completion, columns)? })
            }
            TemplateKind::Chat(turns) => match &turns[..] {
                [_, .., Turn::Text { role, trained: true, .. }] if role == "assistant" => {
                    Ok(Self::Turns(Conversation::new(turns, columns)?))
                }
                _ => {
                    Err("the chat must end with an `assistant` turn that is trained on and follows a prompt".to_owned())
                }
            },
            TemplateKind::Text(_) => Err("a `text` template has no prompt".to_owned()),
            TemplateKind::Preference { .. } => Err("a `preference` template has two answers".to_owned()),
        }
    }

    /// Writes one row.
    pub(crate) fn write(&self, rows: &Rows<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(b"{\"prompt\":");
        match self {
            Pair::Texts { prompt, completion } => {
                write_text(out, &prompt.render(rows, row)?);
                out.extend_from_slice(b",\"completion\":");
                write_text(out, &completion.render(rows, row)?);
            }
            Pair::Turns(conversation) => {
                let turns = conversation.turns(rows, row)?;
                let (completion, prompt) = turns.split_last().expect("the chat was checked to have a last turn");
                if prompt.is_empty() {
                    return Err("the record's turns leave the prompt empty".to_owned());
                }
                write_turns(prompt, false, out);
                out.extend_from_slice(b",\"completion\":");
                write_turns(std::slice::from_ref(completion), false, out);
            }
        }
        out.push(b'}');
        Ok(())
    }
}
