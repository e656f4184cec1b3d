//! What is shown of the records that stand for those that a rule took out: the values that the rule looked at, as they were
//! when it did. They are read again, a few for each rule; where one of the columns is or was personal none of them is.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use serde_json::Value;

use super::EngineError;
use super::passes::{Batches, scan};
use super::preview::Places;
use super::read::table::LOCATION;
use super::stages::Build;
use crate::emit::statistics::{Sampled, involved};
use crate::emit::{Named, objects};
use crate::hir::ColumnId;
use crate::plan::{before_pass, column_name};

/// The most characters of a value that are shown.
const LONGEST: usize = 160;

impl Build<'_> {
    /// What is shown of each of these records: column and value.
    pub(super) fn sample_texts(&self, samples: &[Sampled]) -> Result<Vec<Named<String>>, EngineError> {
        let mut shown: HashMap<u64, Named<String>> = HashMap::new();
        for at in 0..self.dataset.steps.len() {
            let of_step = |one: &&Sampled| one.place == at as u32 + 1;
            let mut places: Vec<u64> = samples.iter().filter(of_step).map(|one| one.location).collect();
            let looked = involved(self.program, self.dataset, at);
            if places.is_empty() || looked.columns.is_empty() || !looked.withheld.is_empty() {
                continue;
            }
            places.sort_unstable();
            let table = self.table.keeping(Arc::new(Places(places)));
            let plan = before_pass(self.dataset, &self.prepared, at, &looked.columns, scan(Arc::new(table))?)?;
            self.workers.run(&plan, Arc::new(Batches), &mut |_, batches| {
                for batch in &batches {
                    let places = batch[LOCATION].as_primitive::<UInt64Type>().values();
                    shown.extend(places.iter().copied().zip(self.lines(batch, &looked.columns)));
                }
                Ok(())
            })?;
        }
        Ok(samples.iter().map(|one| shown.remove(&one.location).unwrap_or_default()).collect())
    }

    /// The values of columns, each as one line; a value that has no text of its own is left out.
    fn lines(&self, batch: &RecordBatch, columns: &[ColumnId]) -> Vec<Named<String>> {
        let values = batch.project(&(1..batch.num_columns()).collect::<Vec<_>>());
        let rows = objects(&values.expect("the columns are those of the batch")).unwrap_or_default();
        let name = |id: &ColumnId| self.dataset.columns[id.0 as usize].name.clone();
        let cell = |row: &serde_json::Map<String, Value>, id: &ColumnId| {
            Some((name(id), line(row.get(column_name(id.0 as usize).as_str())?)))
        };
        rows.iter().map(|row| columns.iter().filter_map(|id| cell(row, id)).collect()).collect()
    }
}

/// A value on one line, cut where it is long.
fn line(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
