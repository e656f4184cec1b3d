//! `messages`: `{"messages":[{"role","content"}]}`.
//!
//! Where a template mutes an assistant turn, each assistant turn also carries `"weight"`, 1 where the loss is on it and 0
//! where it is not: without it a trainer would learn what the spec takes out.

use super::column::write_text;
use super::conversation::{Conversation, Spoken};
use super::row::Rows;

/// Writes one row.
pub(crate) fn write(
    conversation: &Conversation,
    weighted: bool,
    rows: &Rows<'_>,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let turns = conversation.turns(rows, row)?;
    out.extend_from_slice(b"{\"messages\":");
    write_turns(&turns, weighted, out);
    out.push(b'}');
    Ok(())
}

/// Writes turns as a list of `{"role","content"}`.
pub(crate) fn write_turns(turns: &[Spoken<'_>], weighted: bool, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, turn) in turns.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"{\"role\":" } else { b",{\"role\":" });
        write_text(out, turn.role);
        out.extend_from_slice(b",\"content\":");
        write_text(out, &turn.content);
        if weighted && turn.role == "assistant" {
            out.extend_from_slice(if turn.trained { b",\"weight\":1" } else { b",\"weight\":0" });
        }
        out.push(b'}');
    }
    out.push(b']');
}
