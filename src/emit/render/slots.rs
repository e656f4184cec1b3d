//! A template's slots as texts by their names: what unit tests compare.

use arrow::array::RecordBatch;

use super::conversation::Conversation;
use super::row::Rows;
use super::slot::Slot;
use super::{Columns, RenderError};
use crate::emit::EmitError;
use crate::hir::{Column, Template, TemplateKind};
use crate::label::LabelTables;

/// Renders the slots of a template, each exactly as its text is.
#[derive(Debug)]
pub struct SlotRenderer {
    slots: Slots,
}

#[derive(Debug)]
enum Slots {
    Chat(Conversation),
    Texts(Vec<(&'static str, Slot)>),
}

/// The slots of one record in order, each with its text; a turn of a chat has its role's name.
pub type RenderedSlots = Vec<(String, String)>;

impl SlotRenderer {
    /// Prepares a template over records of these columns.
    ///
    /// # Errors
    /// [`EmitError::Unfit`] where the template reads what the columns do not have.
    pub fn new(template: &Template, columns: &[Column], labels: &LabelTables) -> Result<Self, EmitError> {
        let unfit = |reason: String| EmitError::Unfit { output: template.name.clone(), reason };
        let columns = Columns { columns, labels };
        let texts = |texts: &[(&'static str, &str)]| {
            let slots = texts.iter().map(|(name, text)| Ok((*name, Slot::new(text, &columns)?)));
            Ok(Slots::Texts(slots.collect::<Result<Vec<_>, String>>()?))
        };
        let slots = match &template.kind {
            TemplateKind::Chat(turns) => Conversation::new(turns, &columns).map(Slots::Chat),
            TemplateKind::Completion { prompt, completion } => texts(&[("prompt", prompt), ("completion", completion)]),
            TemplateKind::Text(text) => texts(&[("text", text)]),
            TemplateKind::Preference { prompt, chosen, rejected } => {
                texts(&[("prompt", prompt), ("chosen", chosen), ("rejected", rejected)])
            }
        };
        Ok(Self { slots: slots.map_err(unfit)? })
    }

    /// Renders each record of a batch: the column of ids first, then the visible columns. A record that cannot be rendered
    /// has the reason in its place.
    ///
    /// # Errors
    /// A column of a type that the language does not have.
    pub fn render(&self, batch: &RecordBatch) -> Result<Vec<Result<RenderedSlots, String>>, RenderError> {
        let rows = Rows::new(batch).map_err(|message| RenderError { row: 0, message })?;
        Ok((0..batch.num_rows()).map(|row| self.record(&rows, row)).collect())
    }

    fn record(&self, rows: &Rows<'_>, row: usize) -> Result<RenderedSlots, String> {
        match &self.slots {
            Slots::Chat(conversation) => {
                let turns = conversation.turns(rows, row)?;
                Ok(turns.into_iter().map(|turn| (turn.role.to_owned(), turn.content.into_owned())).collect())
            }
            Slots::Texts(texts) => texts
                .iter()
                .map(|(name, slot)| Ok(((*name).to_owned(), slot.render(rows, row)?.into_owned())))
                .collect(),
        }
    }
}
