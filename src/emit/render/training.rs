//! Records as our own training reads them: turns with a flag that says whether the loss is on them.

use arrow::array::RecordBatch;
use serde::Serialize;

use super::conversation::Conversation;
use super::row::Rows;
use super::slot::Slot;
use super::{Columns, RenderError};
use crate::emit::EmitError;
use crate::hir::{self, TemplateId, TemplateKind};
use crate::label::LabelTables;

/// Renders a template for training: one JSON text for each record, `[{"role","content","train"}]`. A completion has the
/// roles `prompt` and `completion` and its exact texts, a preference `prompt`, `chosen` and `rejected`, a text alone the role
/// `completion`.
#[derive(Debug)]
pub struct TrainingRenderer {
    turns: Turns,
}

#[derive(Debug)]
enum Turns {
    Chat(Conversation),
    Texts(Vec<(&'static str, Slot, bool)>),
}

#[derive(Serialize)]
struct Entry<'a> {
    role: &'a str,
    content: &'a str,
    train: bool,
}

impl TrainingRenderer {
    /// Prepares a template over a data set's records.
    ///
    /// # Errors
    /// [`EmitError::Unfit`] where the template reads what the data set does not have.
    pub fn new(
        program: &hir::Program,
        dataset: &hir::Dataset,
        template: TemplateId,
        labels: &LabelTables,
    ) -> Result<Self, EmitError> {
        let template = &program[template];
        let unfit = |reason: String| EmitError::Unfit { output: template.name.clone(), reason };
        let columns = Columns { columns: &dataset.columns, labels };
        let slot = |text: &str| Slot::new(text, &columns).map_err(unfit);
        let turns = match &template.kind {
            TemplateKind::Chat(turns) => Turns::Chat(Conversation::new(turns, &columns).map_err(unfit)?),
            TemplateKind::Completion { prompt, completion } => {
                Turns::Texts(vec![("prompt", slot(prompt)?, false), ("completion", slot(completion)?, true)])
            }
            TemplateKind::Text(text) => Turns::Texts(vec![("completion", slot(text)?, true)]),
            TemplateKind::Preference { prompt, chosen, rejected } => Turns::Texts(vec![
                ("prompt", slot(prompt)?, false),
                ("chosen", slot(chosen)?, true),
                ("rejected", slot(rejected)?, true),
            ]),
        };
        Ok(Self { turns })
    }

    /// Renders a batch: the column of ids first, then the visible columns.
    ///
    /// # Errors
    /// The first row that cannot be rendered.
    pub fn render(&self, batch: &RecordBatch) -> Result<Vec<String>, RenderError> {
        let rows = Rows::new(batch).map_err(|message| RenderError { row: 0, message })?;
        (0..batch.num_rows())
            .map(|row| self.record(&rows, row).map_err(|message| RenderError { row, message }))
            .collect()
    }

    fn record(&self, rows: &Rows<'_>, row: usize) -> Result<String, String> {
        match &self.turns {
            Turns::Chat(conversation) => {
                let turns = conversation.turns(rows, row)?;
                let entries = turns.iter();
                let entries =
                    entries.map(|turn| Entry { role: turn.role, content: &turn.content, train: turn.trained });
                Ok(json(&entries.collect::<Vec<_>>()))
            }
            Turns::Texts(texts) => {
                let rendered =
                    texts.iter().map(|(_, slot, _)| slot.render(rows, row)).collect::<Result<Vec<_>, _>>()?;
                let entries = texts.iter().zip(&rendered);
                let entries = entries.map(|((role, _, train), content)| Entry { role, content, train: *train });
                Ok(json(&entries.collect::<Vec<_>>()))
            }
        }
    }
}

fn json(entries: &[Entry<'_>]) -> String {
    serde_json::to_string(entries).expect("texts are written to memory")
}
