//! Tables that training and evaluation read: the columns that they ask for, groups of records, rendered turns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema};

use super::EngineError;
use crate::emit::{RenderError, TrainingRenderer};
use crate::hir::{ColumnId, Dataset, Slice, TemplateId, Type};
use crate::train::{ID_COLUMN, MESSAGES_COLUMN};

/// A table asked for: `training/<name>/<part>.parquet` with the column of ids (first, 32 hexadecimal digits), the columns
/// asked for, `slice:<name>` for each slice (the group's name, null of null), and that of conversations where a template is named.
#[derive(Debug, Clone)]
pub struct TrainingTable {
    /// Its name: that of the run or the evaluation.
    pub name: String,
    /// The columns in order; none that a label hides.
    pub columns: Vec<ColumnId>,
    /// The groups of records.
    pub slices: Vec<Slice>,
    /// The template whose turns are written, as JSON: `[{"role","content","train"}]`.
    pub messages: Option<TemplateId>,
}

/// A table with what it needs to be filled.
#[derive(Debug)]
pub(super) struct TableWriter {
    pub(super) table: TrainingTable,
    pub(super) messages: Option<TrainingRenderer>,
    /// The position of the first slice among the extra columns of the second pass.
    pub(super) first_extra: usize,
}

impl TableWriter {
    /// No rows, with the table's columns.
    pub(super) fn empty(&self, dataset: &Dataset, batch: &RecordBatch) -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringArray::new_null(0));
        let slices = self.table.slices.iter().map(|_| Arc::clone(&texts)).collect();
        self.table(dataset, batch, slices, self.messages.as_ref().map(|_| Vec::new()))
    }

    /// The rows of a batch of visible columns (the id first) with the values of the extra columns.
    pub(super) fn rows(
        &self,
        dataset: &Dataset,
        batch: &RecordBatch,
        extras: &[ArrayRef],
    ) -> Result<RecordBatch, TableError> {
        let slices = self.table.slices.iter().zip(&extras[self.first_extra..]);
        let slices = slices.map(|(slice, values)| groups(slice, values)).collect::<Result<_, _>>();
        let slices = slices.map_err(|error| TableError::Engine(EngineError::from(error)))?;
        let messages = self.messages.as_ref().map(|renderer| renderer.render(batch));
        Ok(self.table(dataset, batch, slices, messages.transpose().map_err(TableError::Render)?))
    }

    fn table(
        &self,
        dataset: &Dataset,
        batch: &RecordBatch,
        slices: Vec<ArrayRef>,
        messages: Option<Vec<String>>,
    ) -> RecordBatch {
        let mut fields = vec![Field::new(ID_COLUMN, DataType::Utf8, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::clone(batch.column(0))];
        for id in &self.table.columns {
            // Visible columns stand in the data set's order behind the id.
            let before = dataset.columns[..id.0 as usize].iter().filter(|column| !column.hidden).count();
            fields.push(batch.schema().field(before + 1).clone());
            columns.push(Arc::clone(batch.column(before + 1)));
        }
        for (slice, values) in self.table.slices.iter().zip(slices) {
            fields.push(Field::new(format!("slice:{}", slice.name), DataType::Utf8, true));
            columns.push(values);
        }
        if let Some(messages) = messages {
            fields.push(Field::new(MESSAGES_COLUMN, DataType::Utf8, false));
            columns.push(Arc::new(StringArray::from(messages)));
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .expect("every column has a value for each row of the batch")
    }
}

/// Why rows could not be made.
pub(super) enum TableError {
    Engine(EngineError),
    Render(RenderError),
}

/// The groups of a slice by bounds, in order; none where each value is a group of its own.
pub fn slice_groups(slice: &Slice) -> Vec<String> {
    if slice.at.is_empty() { Vec::new() } else { group_names(&slice.at, slice.value.ty.ty == Type::Int) }
}

/// The name of each value's group.
fn groups(slice: &Slice, values: &ArrayRef) -> datafusion::common::Result<ArrayRef> {
    if slice.at.is_empty() {
        return Ok(cast(values, &DataType::Utf8)?);
    }
    let whole = *values.data_type() == DataType::Int64;
    let numbers = cast(values, &DataType::Float64)?;
    let names = group_names(&slice.at, whole);
    let group = |value: f64| names[slice.at.iter().take_while(|&&bound| value >= bound).count()].as_str();
    let groups = numbers.as_primitive::<Float64Type>().iter().map(|value| value.map(group));
    Ok(Arc::new(groups.collect::<StringArray>()))
}

/// The names of the groups between bounds: `< 10`, `10–19`, `>= 20`; of fractions `0.5–<0.8`.
fn group_names(bounds: &[f64], whole: bool) -> Vec<String> {
    let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else { return vec!["all".to_owned()] };
    let mut names = vec![format!("< {first}")];
    for pair in bounds.windows(2) {
        names.push(match (pair[0], pair[1] - 1.0) {
            (from, to) if whole && from.fract() == 0.0 && to.fract() == 0.0 && from == to => format!("{from}"),
            (from, to) if whole && from.fract() == 0.0 && to.fract() == 0.0 => format!("{from}–{to}"),
            (from, _) => format!("{from}–<{}", pair[1]),
        });
    }
    names.push(format!(">= {last}"));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_named_by_their_bounds() {
        assert_eq!(group_names(&[10.0, 20.0], true), ["< 10", "10–19", ">= 20"]);
        assert_eq!(group_names(&[3.0], true), ["< 3", ">= 3"]);
        assert_eq!(group_names(&[1.0, 2.0], true), ["< 1", "1", ">= 2"]);
        assert_eq!(group_names(&[0.5, 0.8], false), ["< 0.5", "0.5–<0.8", ">= 0.8"]);
    }
}
