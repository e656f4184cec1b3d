//! Templates as turns of a conversation.

use std::borrow::Cow;

use super::Columns;
use super::row::Rows;
use super::slot::Slot;
use crate::hir::Turn;

const ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];

/// The turns of a template.
#[derive(Debug)]
pub(crate) struct Conversation {
    turns: Vec<TurnOf>,
}

#[derive(Debug)]
enum TurnOf {
    Text { role: String, content: Slot, trained: bool, strip: bool },
    Field { field: String, trained: bool },
}

/// A turn of one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spoken<'a> {
    /// `system`, `user`, `assistant` or `tool`.
    pub(crate) role: &'a str,
    /// What is said.
    pub(crate) content: Cow<'a, str>,
    /// Whether the loss is on it.
    pub(crate) trained: bool,
}

impl Conversation {
    /// The turns of a chat.
    pub(crate) fn new(turns: &[Turn], columns: &Columns<'_>) -> Result<Self, String> {
        let turn = |turn: &Turn| {
            Ok(match turn {
                Turn::Text { role, content, trained } => TurnOf::Text {
                    role: role.clone(),
                    content: Slot::new(content, columns)?,
                    trained: *trained,
                    strip: false,
                },
                Turn::Field { field, trained } => TurnOf::Field { field: field.clone(), trained: *trained },
            })
        };
        Ok(Self { turns: turns.iter().map(turn).collect::<Result<_, String>>()? })
    }

    /// A question and its answer. The space with which a completion continues its prompt is no part of an answer.
    pub(crate) fn from_completion(prompt: &str, completion: &str, columns: &Columns<'_>) -> Result<Self, String> {
        let turn = |role: &str, content: &str, trained| {
            let content = Slot::new(content, columns)?;
            Ok::<_, String>(TurnOf::Text { role: role.to_owned(), content, trained, strip: trained })
        };
        Ok(Self { turns: vec![turn("user", prompt, false)?, turn("assistant", completion, true)?] })
    }

    /// Whether an assistant turn of the template is not trained on.
    pub(crate) fn mutes_an_assistant(&self) -> bool {
        self.turns.iter().any(|turn| match turn {
            TurnOf::Text { role, trained, .. } => role == "assistant" && !trained,
            TurnOf::Field { trained, .. } => !trained,
        })
    }

    /// The turns of one record.
    pub(crate) fn turns<'a>(&'a self, rows: &'a Rows<'_>, row: usize) -> Result<Vec<Spoken<'a>>, String> {
        let mut spoken = Vec::with_capacity(self.turns.len());
        for turn in &self.turns {
            match turn {
                TurnOf::Text { role, content, trained, strip } => {
                    let mut content = content.render(rows, row)?;
                    if *strip && content.starts_with(' ') {
                        content.to_mut().remove(0);
                    }
                    spoken.push(Spoken { role, content, trained: *trained });
                }
                TurnOf::Field { field, trained } => field_turns(field, *trained, rows, row, &mut spoken)?,
            }
        }
        Ok(spoken)
    }
}

/// The turns that a field of a record holds.
fn field_turns<'a>(
    field: &str,
    trained: bool,
    rows: &'a Rows<'_>,
    row: usize,
    spoken: &mut Vec<Spoken<'a>>,
) -> Result<(), String> {
    let (items, range) =
        rows.field(field)?.items(row).ok_or_else(|| format!("`{field}` is null, not a list of turns"))?;
    let text = |name: &str, item| {
        let text = items.member(name).and_then(|column| column.text(item));
        text.ok_or_else(|| format!("a turn of `{field}` has no `{name}`"))
    };
    for item in range {
        let role = text("role", item)?;
        if !ROLES.contains(&role) {
            return Err(format!("a turn of `{field}` has a role that is none of {}", ROLES.join(", ")));
        }
        let content = Cow::Borrowed(text("content", item)?);
        spoken.push(Spoken { role, content, trained: trained && role == "assistant" });
    }
    Ok(())
}
