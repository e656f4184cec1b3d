//! From the records of files to a `source` block that reads every one of them: pure, over texts that the caller brings.
//!
//! What a type can read is asked of the reader's own functions, so that a build with the block agrees. Values are counted
//! and compared and never kept; what is given back holds names, types and counts.

mod block;
mod bounded;
mod distinct;
mod fields;
mod observed;
mod shape;

use std::collections::HashMap;

use serde::de::IgnoredAny;

pub use block::write_block;
pub use fields::{Field, Inferred, LeftOut, Role};
pub use shape::write_type;

use crate::engine::read::json;
use crate::engine::read::shape::{Width, row_values};
use crate::hir::{ReadOptions, SourceFormat};
use bounded::{DEEPEST, Members};
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
    /// Columns of types that no field can have.
    untyped: Vec<(String, String)>,
    /// The table of a database.
    table: Option<String>,
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
            untyped: Vec::new(),
            table: None,
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

    /// Says which table of a database the records are of.
    pub fn of_table(&mut self, table: Option<String>) {
        self.table = table;
    }

    /// Takes columns of types that no field can have, each with the reason in words.
    pub fn leave_out(&mut self, columns: Vec<(String, String)>) {
        for column in columns {
            if !self.untyped.contains(&column) {
                self.untyped.push(column);
            }
        }
    }

    /// Takes one record.
    ///
    /// # Errors
    /// What is wrong with it, without its data: a build would quarantine it whatever the fields are.
    pub fn take(&mut self, record: &str) -> Result<(), String> {
        match self.format {
            SourceFormat::Csv | SourceFormat::Tsv => self.take_values(record)?,
            SourceFormat::Jsonl
            | SourceFormat::Json
            | SourceFormat::Parquet
            | SourceFormat::Arrow
            | SourceFormat::Avro
            | SourceFormat::Sqlite => self.take_json(record)?,
            SourceFormat::Text | SourceFormat::Conll | SourceFormat::Markdown | SourceFormat::Html => {
                unreachable!("the columns of these are known without looking")
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn take_json(&mut self, record: &str) -> Result<(), String> {
        let what = if self.format == SourceFormat::Json { "element" } else { "line" };
        let malformed = |error: serde_json::Error| json::syntax(&error, what);
        if !record.trim_start().starts_with('{') {
            serde_json::from_str::<IgnoredAny>(record).map_err(malformed)?;
            return Err(format!("the {what} is no object"));
        }
        let Members { values, too_deep } = serde_json::from_str(record).map_err(malformed)?;
        for (key, value) in &values {
            if let Some(field) = self.field(key) {
                field.take_json(value);
            }
        }
        let why = || format!("it is nested deeper than the {DEEPEST} levels that a type can have");
        self.leave_out(too_deep.into_iter().map(|key| (key, why())).collect());
        Ok(())
    }

    fn take_values(&mut self, record: &str) -> Result<(), String> {
        let header = std::mem::take(&mut self.header);
        let dialect = ReadOptions::of(self.format).dialect;
        let fields = row_values(record, dialect, Width::Header(header.len()));
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
