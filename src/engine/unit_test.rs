//! Unit tests of a `clean` or a `policy`: its steps over the records given, by the same plan as a build's.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Field, Int32Type, Schema};
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;

use super::EngineError;
use super::passes::{Batches, Workers, scan};
use crate::hir::{Expect, Test};
use crate::plan::dataset::VERDICT;
use crate::plan::types::arrow_type;
use crate::plan::{column_name, constant, test_pass};

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestOutcome {
    /// The name of the block tested.
    pub target: String,
    /// What the test is about.
    pub title: String,
    /// The number of its cases.
    pub cases: usize,
    /// What was not as expected.
    pub failures: Vec<CaseFailure>,
}

/// A case that went otherwise. The records are the spec's own, so their values may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFailure {
    /// The index of the case.
    pub case: usize,
    /// What was expected and what came, in words.
    pub message: String,
}

/// Runs a test: each case is a data set of one record.
pub fn run_test(test: &Test) -> Result<TestOutcome, EngineError> {
    let outcome = |failures| TestOutcome {
        target: test.target.clone(),
        title: test.title.clone(),
        cases: test.cases.len(),
        failures,
    };
    if test.cases.is_empty() {
        return Ok(outcome(Vec::new()));
    }
    let given = given(test)?;
    let table = MemTable::try_new(given.schema(), vec![vec![given]])?;
    let plan = test_pass(&test.columns, &test.steps, scan(Arc::new(table))?)?;
    let workers = Workers::start(NonZeroUsize::MIN, Arc::new(AtomicBool::new(false)))?;
    let mut batches = Vec::new();
    workers.run(&plan, Arc::new(Batches), &mut |_, more| {
        batches.extend(more);
        Ok(())
    })?;
    let mut failures = Vec::new();
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    for (case, (batch, row)) in rows.enumerate() {
        if let Some(message) = compare(test, case, batch, row)? {
            failures.push(CaseFailure { case, message });
        }
    }
    Ok(outcome(failures))
}

/// The cases' records as a batch.
fn given(test: &Test) -> Result<RecordBatch, EngineError> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (at, column) in test.columns.iter().enumerate() {
        let values = test.cases.iter().map(|case| constant(&case.given[at], &column.ty.ty));
        let values = values.collect::<datafusion::common::Result<Vec<_>>>()?;
        fields.push(Field::new(column_name(at), arrow_type(&column.ty.ty), true));
        arrays.push(ScalarValue::iter_to_array(values)?);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
    Ok(batch.map_err(datafusion::error::DataFusionError::from)?)
}

/// What is not as expected of a case.
fn compare(test: &Test, case: usize, batch: &RecordBatch, row: usize) -> Result<Option<String>, EngineError> {
    let verdict = batch[VERDICT].as_primitive::<Int32Type>().iter().nth(row).flatten();
    let dropped_by = verdict.map(|step| test.steps[step as usize].rule.as_str());
    let expected = match (&test.cases[case].expect, dropped_by) {
        (Expect::Drop(_), None) => return Ok(Some("expected the record to be dropped; it was kept".to_owned())),
        (Expect::Drop(None), Some(_)) => return Ok(None),
        (Expect::Drop(Some(reason)), Some(rule)) if reason == rule => return Ok(None),
        (Expect::Drop(Some(reason)), Some(rule)) => {
            return Ok(Some(format!("expected the record to be dropped by \"{reason}\"; \"{rule}\" dropped it")));
        }
        (Expect::Record(_), Some(rule)) => {
            return Ok(Some(format!("expected the record to be kept; \"{rule}\" dropped it")));
        }
        (Expect::Record(values), None) => values,
    };
    let mut differences = Vec::new();
    for (id, literal) in expected {
        let column = &test.columns[id.0 as usize];
        let wanted = constant(literal, &column.ty.ty)?;
        let value = ScalarValue::try_from_array(&batch[column_name(id.0 as usize).as_str()], row)?;
        if value != wanted {
            differences.push(format!("`{}`: expected {}, got {}", column.name, shown(&wanted), shown(&value)));
        }
    }
    Ok((!differences.is_empty()).then(|| differences.join("; ")))
}

fn shown(value: &ScalarValue) -> String {
    match value.try_as_str() {
        Some(Some(text)) => format!("{text:?}"),
        _ if value.is_null() => "null".to_owned(),
        _ => value.to_string(),
    }
}
