//! From the records of files to a `source` block that reads every one of them: pure, over texts that the caller brings.
//!
//! What a type can read is asked of the reader's own functions, so that a build with the block agrees. Values are counted
//! and compared and never kept; what is given back holds names, types and counts.

mod block;
mod distinct;
mod fields;
mod observed;
mod shape;

use std::collections::HashMap;

use serde_json::Value;

pub use block::{format_word, write_block};
pub use fields::{Field, Inferred, LeftOut, Role};
pub use shape::write_type;

use crate::engine::read::shape::csv_fields;
use crate::hir::SourceFormat;
use observed::Observed;

/// Keys at the top of the records beyond which no field is declared.
const MOST_FIELDS: usize = 1000;

/// What was seen so far.
#[derive(Debug)]
pub struct Inference {
    format: SourceFormat,
    /// The records that could be read.
    rows: u64,
    fields: Vec<(String, Observed)>,
    positions: HashMap<String, usize>,
    /// Keys that were seen and not taken, because there are too many.
    beyond: bool,
    /// Columns that stand twice in a header.
    twice: Vec<String>,
    /// The columns of the file at hand.
    header: Vec<String>,
}

impl Inference {
    /// Nothing seen yet.
    pub fn new(format: SourceFormat) -> Self {
        Self {
            format,
            rows: 0,
            fields: Vec::new(),
            positions: HashMap::new(),
            beyond: false,
            twice: Vec::new(),
            header: Vec::new(),
        }
    }

    /// Begins a file whose header names these columns; none of a format without a header.
    pub fn begin_file(&mut self, header: Vec<String>) {
        for (at, column) in header.iter().enumerate() {
            if header[..at].contains(column) && !self.twice.contains(column) {
                self.twice.push(column.clone());
            }
            self.field(column);
        }
        self.header = header;
    }

    /// Takes one record.
    ///
    /// # Errors
    /// What is wrong with it, without its data: a build would quarantine it whatever the fields are.
    pub fn take(&mut self, record: &str) -> Result<(), String> {
        match self.format {
            SourceFormat::Jsonl => self.take_json(record)?,
            SourceFormat::Csv => self.take_csv(record)?,
        }
        self.rows += 1;
        Ok(())
    }

    fn take_json(&mut self, record: &str) -> Result<(), String> {
        // The parser's own message may quote the text, so only the place is taken.
        let parsed: Value = serde_json::from_str(record).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => "malformed JSON: it ends too early".to_owned(),
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Data => format!("malformed JSON at byte {} of the line", error.column()),
        })?;
        let Value::Object(members) = parsed else { return Err("the line is no object".to_owned()) };
        for (key, value) in &members {
            if let Some(field) = self.field(key) {
                field.take_json(value);
            }
        }
        Ok(())
    }

    fn take_csv(&mut self, record: &str) -> Result<(), String> {
        let header = std::mem::take(&mut self.header);
        let fields = csv_fields(record, header.len());
        if let Ok(fields) = &fields {
            for (column, value) in header.iter().zip(fields) {
                if let Some(field) = self.field(column) {
                    field.take_csv(&value.text, value.quoted);
                }
            }
        }
        self.header = header;
        fields.map(|_| ())
    }

    /// The field of this key; `None` where there are too many.
    fn field(&mut self, key: &str) -> Option<&mut Observed> {
        let at = match self.positions.get(key) {
            Some(&at) => at,
            None if self.fields.len() == MOST_FIELDS => {
                self.beyond = true;
                return None;
            }
            None => {
                self.positions.insert(key.to_owned(), self.fields.len());
                self.fields.push((key.to_owned(), Observed::default()));
                self.fields.len() - 1
            }
        };
        Some(&mut self.fields[at].1)
    }

    /// What can be declared of all that was seen, as the source `name`.
    pub fn finish(self, name: &str) -> Inferred {
        fields::settle_fields(self, name)
    }
}
