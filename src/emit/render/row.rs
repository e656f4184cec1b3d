//! The rows of a batch, by the names of their columns.

use std::collections::HashMap;

use arrow::array::RecordBatch;

use super::column::Column;

/// A batch whose first column holds ids and whose others are the data set's visible columns.
pub(crate) struct Rows<'a> {
    names: Vec<&'a str>,
    columns: Vec<Column<'a>>,
    positions: HashMap<&'a str, usize>,
}

impl<'a> Rows<'a> {
    /// Types the columns; an error names one whose type the language does not have.
    pub(crate) fn new(batch: &'a RecordBatch) -> Result<Self, String> {
        let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
        let typed = |(array, name): (&'a _, &&str)| {
            Column::new(array).map_err(|ty| format!("`{name}` has the type {ty}, which no format writes"))
        };
        let columns = batch.columns().iter().zip(&names).map(typed).collect::<Result<Vec<_>, _>>()?;
        // The ids' column is not a field: a template that says `id` means the data's own.
        let positions = names.iter().enumerate().skip(1).map(|(at, name)| (*name, at)).collect();
        Ok(Self { names, columns, positions })
    }

    /// The names and columns in order; the first is the ids'.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'a str, &Column<'a>)> {
        self.names.iter().copied().zip(&self.columns)
    }

    /// A field's column.
    pub(crate) fn field(&self, name: &str) -> Result<&Column<'a>, String> {
        let at = self.positions.get(name).ok_or_else(|| format!("there is no column `{name}`"))?;
        Ok(&self.columns[*at])
    }
}
