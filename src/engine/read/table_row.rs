//! The rows of Arrow batches as cells: which column is read by which type of field, and what a value is in it.

use std::borrow::Cow;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema};

use super::cell::{Cell, RowError, expected};
use super::json::require;
use super::table_value::{Wrong, fits, value};
use crate::hir::{FieldType, SourceField};

/// The columns of a table that was converted before: one for each field, then these.
pub(super) const ERROR: &str = "error";
/// What identifies a row that could not be read.
pub(super) const RAW: &str = "raw";
/// The key of the schema's metadata that tells such a table.
pub(super) const CONVERTED: &str = "annotc.converted";

/// Where the fields of a source stand in a table.
#[derive(Debug)]
pub struct TableShape {
    fields: Vec<(String, FieldType)>,
    /// For each field the column, then the places in the structs below it; empty where there is no such column.
    paths: Vec<Vec<usize>>,
    /// The columns of errors and of identities, in a table that was converted before.
    converted: Option<(usize, usize)>,
}

/// The cells of a row, and what is wrong with it: then the cells that could be read all the same.
pub(super) struct ReadRow<'a> {
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) error: Option<RowError>,
}

impl TableShape {
    /// The shape of a source's rows in tables of this schema.
    pub fn new(fields: &[SourceField], schema: &Schema) -> Self {
        let converted = schema.metadata().contains_key(CONVERTED);
        let width = fields.len();
        let paths = fields.iter().enumerate();
        let paths = paths.map(|(at, field)| if converted { vec![at] } else { find(&field.column, schema).0 });
        Self {
            paths: paths.collect(),
            fields: fields.iter().map(|field| (field.name.clone(), field.ty.clone())).collect(),
            converted: converted.then_some((width, width + 1)),
        }
    }

    /// The columns of the table that are read, in order.
    pub(super) fn columns(&self) -> Vec<usize> {
        let own = self.converted.iter().flat_map(|(error, raw)| [*error, *raw]);
        let mut columns: Vec<usize> = self.paths.iter().filter_map(|path| path.first().copied()).chain(own).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The same shape over batches that have the columns of [`Self::columns`] alone.
    pub(super) fn projected(mut self) -> Self {
        let columns = self.columns();
        let place = |column: usize| columns.binary_search(&column).expect("every column that is read is among them");
        for path in self.paths.iter_mut().filter(|path| !path.is_empty()) {
            path[0] = place(path[0]);
        }
        self.converted = self.converted.map(|(error, raw)| (place(error), place(raw)));
        self
    }

    /// Reads a row.
    pub(super) fn read<'a>(&self, batch: &'a RecordBatch, row: usize) -> ReadRow<'a> {
        let mut error = self.converted.and_then(|(error, _)| {
            let errors = batch.column(error).as_string::<i32>();
            errors.is_valid(row).then(|| errors.value(row).to_owned())
        });
        let mut cells = Vec::with_capacity(self.fields.len());
        for ((name, ty), path) in self.fields.iter().zip(&self.paths) {
            let mut cell = match descend(batch, path, row) {
                None => Cell::Absent,
                Some((array, row)) => value(array, row, &ty.ty).unwrap_or_else(|wrong| {
                    let place = wrong.place(name);
                    let Wrong { what, expected: wanted, .. } = wrong;
                    error.get_or_insert_with(|| format!("field `{place}` is {what}, expected {wanted}"));
                    Cell::Null
                }),
            };
            if error.is_none()
                && let Err(found) = require(&mut cell, name, ty.nullable)
            {
                error = Some(found);
            }
            cells.push(cell);
        }
        ReadRow { cells, error }
    }

    /// What identifies a row that cannot be read: of a table that was converted, what was found then; else what could be
    /// read of it.
    pub(super) fn raw(&self, batch: &RecordBatch, row: usize, cells: &[Cell<'_>]) -> Vec<u8> {
        if let Some((_, raw)) = self.converted {
            return batch.column(raw).as_binary::<i32>().value(row).to_vec();
        }
        raw_of(cells)
    }
}

/// What identifies a row of which only some cells could be read.
pub(super) fn raw_of(cells: &[Cell<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    cells.iter().for_each(|cell| cell.write_into(&mut bytes));
    bytes
}

/// The path to the column of a field, and its type; empty where there is none. A column may have a name with dots.
fn find<'s>(column: &[String], schema: &'s Schema) -> (Vec<usize>, Option<&'s DataType>) {
    let whole = column.join(".");
    if let Some((at, field)) = schema.fields().find(&whole) {
        return (vec![at], Some(field.data_type()));
    }
    let mut path = Vec::new();
    let mut fields = Some(schema.fields());
    let mut found = None;
    for name in column {
        let Some((at, field)) = fields.and_then(|fields| fields.find(name)) else { return (Vec::new(), None) };
        path.push(at);
        found = Some(field.data_type());
        fields = match field.data_type() {
            DataType::Struct(fields) => Some(fields),
            _ => None,
        };
    }
    (path, found)
}

/// The array and the row of it where a path of structs ends; `None` where the path leads nowhere, or through a null.
fn descend<'a>(batch: &'a RecordBatch, path: &[usize], row: usize) -> Option<(&'a dyn Array, usize)> {
    let (first, rest) = path.split_first()?;
    let mut array = batch.column(*first).as_ref();
    for &at in rest {
        if array.is_null(row) {
            return None;
        }
        array = array.as_struct().column(at).as_ref();
    }
    Some((array, row))
}

/// Whether the rows of a table of this schema can have the fields of a source.
///
/// # Errors
/// What cannot be, in words that go on from the file's name.
pub(super) fn check(fields: &[SourceField], schema: &Schema, source: &str) -> Result<(), String> {
    for field in fields {
        let name = field.column.join(".");
        match find(&field.column, schema) {
            (_, None) if field.ty.nullable => {}
            (_, None) => return Err(format!("has no column `{name}`, which source `{source}` reads")),
            (_, Some(found)) => fits(found, &field.ty.ty).map_err(|what| {
                format!(
                    "has {what} in column `{name}`, of which source `{source}` cannot make {}",
                    expected(&field.ty.ty)
                )
            })?,
        }
    }
    Ok(())
}

/// A text of an array of texts, whatever its offsets are.
pub(super) fn text(array: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row),
        DataType::Utf8View => array.as_string_view().value(row),
        _ => return None,
    }))
}
