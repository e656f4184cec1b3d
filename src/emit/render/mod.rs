//! Records as rows of a file format: pure, and the same for every thread and chunk.

mod alpaca;
mod column;
mod conversation;
mod lines;
mod messages;
mod preference;
mod prompt_completion;
mod row;
mod slot;
mod slots;
#[cfg(test)]
mod tests;
mod training;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use serde_json::{Map, Value};

pub use column::cell_value;
pub use slots::SlotRenderer;
pub use training::TrainingRenderer;

use super::error::EmitError;
use crate::hir::{self, OutputFormat, TemplateKind};
use crate::label::LabelTables;
use conversation::Conversation;
use row::Rows;

/// Renders the rows of one output.
#[derive(Debug)]
pub struct Renderer {
    layout: Layout,
    identity: String,
}

/// Adds one row to the text; an error says why it cannot be.
type WriteRow<'a> = dyn Fn(&Rows<'_>, usize, &mut Vec<u8>) -> Result<(), String> + 'a;

/// How a row is made.
#[derive(Debug)]
enum Layout {
    Messages { conversation: Conversation, weighted: bool },
    Alpaca(alpaca::Exchange),
    PromptCompletion(prompt_completion::Pair),
    Preference(preference::Preference),
    Lines,
    Table,
}

/// Rows that are ready for the output's file.
#[derive(Debug, Clone, PartialEq)]
pub enum Rendered {
    /// Lines of JSON, each with its newline.
    Lines {
        /// The lines.
        bytes: Vec<u8>,
        /// How many.
        records: usize,
    },
    /// Typed columns.
    Table(RecordBatch),
}

/// A record that a format or a template cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// Its row in the batch.
    pub row: usize,
    /// Why; it holds no data of the record.
    pub message: String,
}

impl Renderer {
    /// Prepares the output of a data set.
    ///
    /// # Errors
    /// [`EmitError::Unfit`] where the format cannot be written from the template.
    pub fn new(
        program: &hir::Program,
        dataset: &hir::Dataset,
        output: &hir::Output,
        labels: &LabelTables,
    ) -> Result<Self, EmitError> {
        let unfit = |reason: String| EmitError::Unfit { output: output.name.clone(), reason };
        let template = || match output.template {
            Some(id) => Ok(&program[id].kind),
            None => Err(unfit("it needs a template: `write … from TEMPLATE`".to_owned())),
        };
        let columns = Columns { columns: &dataset.columns, labels };
        let layout = match output.format {
            OutputFormat::Messages => {
                let conversation = conversation(template()?, &columns).map_err(unfit)?;
                Layout::Messages { weighted: conversation.mutes_an_assistant(), conversation }
            }
            OutputFormat::Alpaca => Layout::Alpaca(alpaca::Exchange::new(template()?, &columns).map_err(unfit)?),
            OutputFormat::PromptCompletion => {
                Layout::PromptCompletion(prompt_completion::Pair::new(template()?, &columns).map_err(unfit)?)
            }
            OutputFormat::Preference => {
                Layout::Preference(preference::Preference::new(template()?, &columns).map_err(unfit)?)
            }
            OutputFormat::Jsonl => Layout::Lines,
            OutputFormat::Parquet => Layout::Table,
        };
        Ok(Self { layout, identity: identity_name(dataset).to_owned() })
    }

    /// Renders a batch: the column of ids first, then the visible columns.
    ///
    /// # Errors
    /// The first row that cannot be rendered.
    pub fn render(&self, batch: &RecordBatch) -> Result<Rendered, RenderError> {
        let each = |write: &WriteRow<'_>| {
            let rows = Rows::new(batch).map_err(|message| RenderError { row: 0, message })?;
            let mut bytes = Vec::new();
            for row in 0..batch.num_rows() {
                write(&rows, row, &mut bytes).map_err(|message| RenderError { row, message })?;
                bytes.push(b'\n');
            }
            Ok(Rendered::Lines { bytes, records: batch.num_rows() })
        };
        match &self.layout {
            Layout::Messages { conversation, weighted } => {
                each(&|rows, row, out| messages::write(conversation, *weighted, rows, row, out))
            }
            Layout::Alpaca(exchange) => each(&|rows, row, out| exchange.write(rows, row, out)),
            Layout::PromptCompletion(pair) => each(&|rows, row, out| pair.write(rows, row, out)),
            Layout::Preference(preference) => each(&|rows, row, out| preference.write(rows, row, out)),
            Layout::Lines => each(&|rows, row, out| lines::write(&self.identity, rows, row, out)),
            Layout::Table => {
                let schema = SchemaRef::new(table_schema(&batch.schema(), &self.identity));
                let table = RecordBatch::try_new(schema, batch.columns().to_vec());
                Ok(Rendered::Table(table.expect("only the first column's name differs from the batch's")))
            }
        }
    }

    /// For each row of such a batch why the format cannot hold it although its texts can be rendered; `None` where it can.
    pub fn faults(&self, batch: &RecordBatch) -> Vec<Option<&'static str>> {
        match (&self.layout, Rows::new(batch)) {
            (Layout::Preference(preference), Ok(rows)) => {
                (0..batch.num_rows()).map(|row| preference.fault(&rows, row)).collect()
            }
            // Columns of a type that no format writes are told by writing them.
            (Layout::Preference(_), Err(_))
            | (Layout::Messages { .. } | Layout::Alpaca(_) | Layout::PromptCompletion(_), _)
            | (Layout::Lines | Layout::Table, _) => vec![None; batch.num_rows()],
        }
    }
}

/// The rows of a batch as objects with a member for each column; null is null.
///
/// # Errors
/// The first row with a value that JSON cannot hold.
pub fn objects(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, RenderError> {
    let rows = Rows::new(batch).map_err(|message| RenderError { row: 0, message })?;
    let object = |row: usize| {
        let member = |(name, column): (&str, &column::Column<'_>)| {
            let value = column.value(row).map_err(|refusal| RenderError { row, message: refusal.message(name) })?;
            Ok((name.to_owned(), value))
        };
        rows.columns().map(member).collect()
    };
    (0..batch.num_rows()).map(object).collect()
}

/// What templates of a data set may name.
pub(crate) struct Columns<'a> {
    columns: &'a [hir::Column],
    labels: &'a LabelTables,
}

/// The name that the column of ids has in written rows: `id`, or another where a field of the data has that name.
pub(crate) fn identity_name(dataset: &hir::Dataset) -> &'static str {
    let taken = |name: &&str| dataset.columns.iter().any(|column| !column.hidden && column.name == **name);
    ["id", "record_id", "annotc_id", "annotc_record_id"].into_iter().find(|name| !taken(name)).unwrap_or("_annotc_id")
}

/// The schema of a written table: the batch's with the name of the ids' column.
pub(crate) fn table_schema(batch: &Schema, identity: &str) -> Schema {
    let fields = batch.fields().iter().enumerate().map(|(at, field)| {
        let name = if at == 0 { identity } else { field.name() };
        Field::new(name, field.data_type().clone(), field.is_nullable())
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// A template as turns: a chat as it is; a completion as a question and its answer, whose first space goes.
fn conversation(template: &TemplateKind, columns: &Columns<'_>) -> Result<Conversation, String> {
    match template {
        TemplateKind::Chat(turns) => Conversation::new(turns, columns),
        TemplateKind::Completion { prompt, completion } => Conversation::from_completion(prompt, completion, columns),
        TemplateKind::Text(_) => Err("a `text` template has no turns".to_owned()),
        TemplateKind::Preference { .. } => Err("a `preference` template has two answers".to_owned()),
    }
}
