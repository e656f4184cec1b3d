//! What the steps under test need to know beside the record.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;

use super::EngineError;
use super::steps::{InMemory, fates_of};
use crate::engine::passes::{Batches, Workers, scan};
use crate::engine::pieces::{Gathered, taken_apart, up_to};
use crate::engine::spool::Budget;
use crate::hir::{Dataset, Expr, Program, StepKind, TestUse};
use crate::plan::{Cuts, Prepared, column_name, test_pass};

/// Finds what is cut out of the records of each test, as a build does: the records of one test are texts before and behind
/// each other. Nothing is evaluated on: a test reads no file.
pub(super) fn prepare(
    workers: &Workers,
    program: &Program,
    dataset: &Dataset,
    uses: &[&TestUse],
    table: &Arc<MemTable>,
) -> Result<Prepared, EngineError> {
    let mut prepared = Prepared::of_nothing(dataset);
    for (at, step) in dataset.steps.iter().enumerate() {
        let StepKind::DedupPieces { column, pieces } = step.kind else { continue };
        let before = up_to(dataset, at);
        let batch = run_plan(workers, program, &before, &prepared, &[], table)?;
        let mut cuts = Cuts::default();
        let mut from = 0;
        for one in uses {
            let records = batch.slice(from, one.cases.len());
            from += one.cases.len();
            let mut gathered = Gathered::new(pieces, &Budget::unlimited());
            for row in InMemory::reached(&fates_of(program, &before, &records)?)? {
                gathered.add(taken_apart(&records.slice(row, 1), &column_name(column.0 as usize), pieces))?;
            }
            cuts.append(&gathered.finish()?);
        }
        prepared.cuts.insert(at, Arc::new(cuts));
    }
    Ok(prepared)
}

/// The records of all tests as the steps leave them, with what decides over each.
pub(super) fn run_plan(
    workers: &Workers,
    program: &Program,
    dataset: &Dataset,
    prepared: &Prepared,
    extras: &[&Expr],
    table: &Arc<MemTable>,
) -> Result<RecordBatch, EngineError> {
    let plan = test_pass(program, dataset, prepared, extras, scan(Arc::clone(table) as _)?)?;
    let mut batches = Vec::new();
    workers.run(&plan, Arc::new(Batches), &mut |_, more| {
        batches.extend(more);
        Ok(())
    })?;
    let first = batches.first().expect("a group of tests has a record");
    Ok(arrow::compute::concat_batches(&first.schema(), &batches).map_err(DataFusionError::from)?)
}
