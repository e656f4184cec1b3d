//! The reader's table: its schema, and batches of its projected columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryBuilder, RecordBatch, RecordBatchOptions, StringBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::cell::Cell;
use super::columns::ColumnBuilder;
use super::shape::RowShape;
use crate::hir::Column;
use crate::plan::types::arrow_type;

/// Columns that the reader adds behind the declared ones.
pub const LOCATION: &str = "_location";
/// The 1-based line that a record begins on.
pub const LINE: &str = "_line";
/// 16 bytes that identify a record's content, or its key.
pub const DIGEST: &str = "_digest";
/// What is wrong with a row that could not be read.
pub const ERROR: &str = "_error";

/// The table's schema: the columns by position, `c0`, `c1` … so that no name of a spec can hurt, then the reader's own.
pub fn table_schema(columns: &[Column]) -> SchemaRef {
    let declared = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.label.is_none())
        .map(|(at, column)| Field::new(crate::plan::column_name(at), arrow_type(&column.ty.ty), true));
    let own = [
        Field::new(LOCATION, DataType::UInt64, false),
        Field::new(LINE, DataType::UInt64, false),
        Field::new(DIGEST, DataType::FixedSizeBinary(16), false),
        Field::new(ERROR, DataType::Utf8, true),
    ];
    Arc::new(Schema::new(declared.chain(own).collect::<Vec<_>>()))
}

/// A batch that grows by one row at a time.
pub(super) struct TableBuilder {
    schema: SchemaRef,
    columns: Vec<Slot>,
    rows: usize,
}

/// A projected column.
enum Slot {
    /// A declared column, with the source's field that it is read from.
    Declared(Option<usize>, ColumnBuilder),
    Location(UInt64Builder),
    Line(UInt64Builder),
    Digest(FixedSizeBinaryBuilder),
    Error(StringBuilder),
}

impl TableBuilder {
    /// An empty batch of the columns `projection` of a table over `columns`, filled from rows of one shape.
    pub(super) fn new(columns: &[Column], projection: &[usize], shape: &RowShape) -> Self {
        let full = table_schema(columns);
        let declared: Vec<&Column> = columns.iter().filter(|column| column.label.is_none()).collect();
        let slot = |&at: &usize| match at.checked_sub(declared.len()) {
            None => Slot::Declared(shape.fields[at], ColumnBuilder::new(&declared[at].ty.ty)),
            Some(0) => Slot::Location(UInt64Builder::new()),
            Some(1) => Slot::Line(UInt64Builder::new()),
            Some(2) => Slot::Digest(FixedSizeBinaryBuilder::new(16)),
            Some(_) => Slot::Error(StringBuilder::new()),
        };
        let slots = projection.iter().map(slot).collect();
        let fields = projection.iter().map(|&at| full.field(at).clone()).collect::<Vec<_>>();
        Self { schema: Arc::new(Schema::new(fields)), columns: slots, rows: 0 }
    }

    /// The number of rows so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether digests are wanted: they are costly.
    pub(super) fn wants_digest(&self) -> bool {
        self.columns.iter().any(|slot| matches!(slot, Slot::Digest(_)))
    }

    /// Appends a row; `error` says what is wrong with it, and then it has no cells.
    pub(super) fn push(&mut self, location: u64, line: u64, digest: [u8; 16], row: Result<&[Cell<'_>], &str>) {
        for slot in &mut self.columns {
            match slot {
                Slot::Declared(field, builder) => {
                    let cell = field.and_then(|field| row.ok().and_then(|cells| cells.get(field)));
                    builder.append(cell.unwrap_or(&Cell::Null));
                }
                Slot::Location(builder) => builder.append_value(location),
                Slot::Line(builder) => builder.append_value(line),
                Slot::Digest(builder) => {
                    builder.append_value(digest).expect("a digest has the 16 bytes that the column was made for");
                }
                Slot::Error(builder) => builder.append_option(row.err()),
            }
        }
        self.rows += 1;
    }

    /// The batch.
    pub(super) fn finish(mut self) -> RecordBatch {
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(Slot::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(self.schema, columns, &options)
            .expect("every column was built with the type of its field and grew by one for each row")
    }
}

impl Slot {
    fn finish(&mut self) -> ArrayRef {
        match self {
            Slot::Declared(_, builder) => builder.finish(),
            Slot::Location(builder) | Slot::Line(builder) => Arc::new(builder.finish()),
            Slot::Digest(builder) => Arc::new(builder.finish()),
            Slot::Error(builder) => Arc::new(builder.finish()),
        }
    }
}
