//! Tables that can be read from front to back alone, converted once: the declared fields with the types of the language,
//! what is wrong with each row, and what identifies a row that could not be read.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;

use super::cell::{Cell, RowError};
use super::columns::ColumnBuilder;
use super::rows::{Opened, Opening, RowTable};
use super::spool::PrivateFile;
use super::table_row::{CONVERTED, ERROR, RAW, TableShape, raw_of};
use crate::engine::EngineError;
use crate::plan::column_name;
use crate::plan::types::arrow_type;

/// A batch is written once it has this many rows, or bytes.
const ROWS: usize = 4096;
const BYTES: u64 = 1 << 20;

/// Writes the rows of a table into a private file.
pub(super) struct Converter<'o> {
    work: &'o Opening<'o>,
    schema: SchemaRef,
    writer: FileWriter<BufWriter<PrivateFile>>,
    columns: Vec<ColumnBuilder>,
    errors: StringBuilder,
    raw: BinaryBuilder,
    rows: usize,
    bytes: u64,
    batches: Vec<u64>,
}

impl<'o> Converter<'o> {
    /// No rows yet.
    pub(super) fn new(work: &'o Opening<'o>) -> Result<Self, EngineError> {
        let fields = work.source.fields.iter().enumerate();
        let fields = fields.map(|(at, field)| Field::new(column_name(at), arrow_type(&field.ty.ty), true));
        let own = [Field::new(ERROR, DataType::Utf8, true), Field::new(RAW, DataType::Binary, false)];
        let metadata = HashMap::from([(CONVERTED.to_owned(), "1".to_owned())]);
        let schema = Arc::new(Schema::new_with_metadata(fields.chain(own).collect::<Vec<_>>(), metadata));
        let file = work.scratch.create()?;
        let writer = FileWriter::try_new(BufWriter::new(file), &schema).map_err(|error| scratch(work, error))?;
        Ok(Self {
            work,
            schema,
            writer,
            columns: work.source.fields.iter().map(|field| ColumnBuilder::new(&field.ty.ty)).collect(),
            errors: StringBuilder::new(),
            raw: BinaryBuilder::new(),
            rows: 0,
            bytes: 0,
            batches: Vec::new(),
        })
    }

    /// Takes all rows of a batch.
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<(), EngineError> {
        let shape = TableShape::new(&self.work.source.fields, &batch.schema());
        for row in 0..batch.num_rows() {
            let read = shape.read(batch, row);
            self.push(&read.cells, read.error.as_ref())?;
        }
        Ok(())
    }

    /// Takes a row, one cell for each field of the source.
    pub(super) fn push(&mut self, cells: &[Cell<'_>], error: Option<&RowError>) -> Result<(), EngineError> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.append(if error.is_some() { &Cell::Null } else { cell });
        }
        self.errors.append_option(error);
        self.raw.append_value(error.map(|_| raw_of(cells)).unwrap_or_default());
        self.rows += 1;
        self.bytes += cells.iter().map(Cell::size).sum::<u64>();
        if self.rows == ROWS || self.bytes >= BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut columns: Vec<ArrayRef> = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        columns.push(Arc::new(self.errors.finish()));
        columns.push(Arc::new(self.raw.finish()));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("every column was built with the type of its field and grew by one for each row");
        self.writer.write(&batch).map_err(|error| scratch(self.work, error))?;
        self.batches.push(self.rows as u64);
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    /// The table that was written.
    pub(super) fn finish(mut self) -> Result<Opened, EngineError> {
        self.flush()?;
        let unwritten = |error| self.work.scratch.failed(error);
        let mut writer = self.writer.into_inner().map_err(|error| scratch(self.work, error))?;
        writer.flush().map_err(unwritten)?;
        let file = writer.into_inner().map_err(|error| unwritten(error.into_error()))?;
        let spool = file.finish().map_err(unwritten)?;
        let table = RowTable::of_ipc(self.schema, self.batches, spool.length());
        Ok(Opened { table, spool: Some(spool) })
    }
}

fn scratch(work: &Opening<'_>, error: ArrowError) -> EngineError {
    let error = match error {
        ArrowError::IoError(_, error) => error,
        other => std::io::Error::other(other),
    };
    work.scratch.failed(error)
}
