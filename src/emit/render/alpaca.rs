//! `alpaca`: `{"instruction","input","output"}`, one exchange.
//!
//! A chat's `system` is the instruction, its `user` the input and its `assistant` the output; without a `system` the
//! `user` is the instruction and the input is empty. Of a completion, the prompt is the instruction, the input is empty
//! and the completion without its first space is the output.

use super::column::write_text;
use super::conversation::Conversation;
use super::row::Rows;
use super::{Columns, conversation};
use crate::hir::{TemplateKind, Turn};

/// The turns of an exchange.
#[derive(Debug)]
pub(crate) struct Exchange(Conversation);

impl Exchange {
    /// The exchange of a template.
    pub(crate) fn new(template: &TemplateKind, columns: &Columns<'_>) -> Result<Self, String> {
        if let TemplateKind::Chat(turns) = template {
            let roles: Vec<&str> = turns
                .iter()
                .map(|turn| match turn {
                    Turn::Text { role, .. } => role.as_str(),
                    Turn::Field { .. } => "turns",
                })
                .collect();
            if !matches!(roles[..], ["user", "assistant"] | ["system", "user", "assistant"]) {
                return Err("`alpaca` holds one exchange, `user` and `assistant`, after a `system` or alone; \
                            a longer chat is written as `messages`"
                    .to_owned());
            }
        }
        conversation(template, columns).map(Self)
    }

    /// Writes one row.
    pub(crate) fn write(&self, rows: &Rows<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let turns = self.0.turns(rows, row)?;
        let (instruction, input, output) = match &turns[..] {
            [system, user, assistant] => (&*system.content, &*user.content, &*assistant.content),
            [user, assistant] => (&*user.content, "", &*assistant.content),
            _ => unreachable!("an exchange was checked to have two turns or three"),
        };
        for (key, text) in
            [(&b"{\"instruction\":"[..], instruction), (b",\"input\":", input), (b",\"output\":", output)]
        {
            out.extend_from_slice(key);
            write_text(out, text);
        }
        out.push(b'}');
        Ok(())
    }
}
