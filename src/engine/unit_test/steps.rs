//! The steps of a block over the records of a test: a data set in memory, decided by the plan and the resolver of a build.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{Field, Int64Type, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use serde_json::Value as Json;

use super::coverage::{Part, RuleId, chosen_arm};
use super::known::{Known, known};
use super::prepare::{prepare, run_plan};
use super::{Difference, Ending, EngineError, Mismatch, Ran, RuleRef, Wanted, given};
use crate::dedup::near::Clusters;
use crate::emit::cell_value;
use crate::engine::narrow::Narrow;
use crate::engine::near::{Compared, clusters_of};
use crate::engine::passes::Workers;
use crate::engine::read::table::{DIGEST, ERROR, LINE, LOCATION};
use crate::engine::resolve::{Fate, Fates, Reached, Reread, Stage, resolve};
use crate::engine::spool::Budget;
use crate::hir::{
    Column, ColumnId, Dataset, Expect, Expr, LabelSchema, Program, SourceId, Split, Step, StepKind, TestUse, Value,
};
use crate::label::{LabelTable, LabelTables};
use crate::plan::dataset::extra;
use crate::plan::types::arrow_type;
use crate::plan::{cleaning, column_name, compliance};
use crate::source::Span;

/// Runs the steps over the records of several tests at once and compares, for each test, what became of its own.
pub(super) fn run(
    workers: &Workers,
    program: &Program,
    uses: &[&TestUse],
    steps: &[Step],
) -> Result<Vec<Ran>, EngineError> {
    let dataset = as_dataset(uses[0], steps);
    let arms: Vec<(usize, Expr)> = dataset.steps.iter().enumerate().filter_map(arm_of).collect();
    let table = table(uses)?;
    let table = MemTable::try_new(table.schema(), vec![vec![table]])?;
    let table = Arc::new(table);
    let extras: Vec<&Expr> = arms.iter().map(|(_, arm)| arm).collect();
    let prepared = prepare(workers, program, &dataset, uses, &table)?;
    let batch = run_plan(workers, program, &dataset, &prepared, &extras, &table)?;
    let mut ran = Vec::with_capacity(uses.len());
    let mut from = 0;
    for one in uses {
        ran.push(decide(program, &dataset, one, &batch.slice(from, one.cases.len()), &arms)?);
        from += one.cases.len();
    }
    Ok(ran)
}

/// The records of a test, which are read again where they lie.
pub(super) struct InMemory<'b>(&'b RecordBatch);

impl InMemory<'_> {
    /// The rows that are kept.
    pub(super) fn reached((narrow, fates): &(Arc<Narrow>, Fates)) -> Result<Vec<usize>, EngineError> {
        let rows = fates.reached(narrow);
        Ok(rows.rows()?.map(|row| row.map(|row| row as usize)).collect::<Result<_, _>>()?)
    }
}

impl Reread for InMemory<'_> {
    fn near(&mut self, compared: &Compared, reached: &Reached) -> Result<Clusters, EngineError> {
        let rows = reached.rows()?.map(|row| row.map(|row| row as u32)).collect::<Result<Vec<_>, _>>()?;
        let rows = UInt32Array::from(rows);
        let reached = arrow::compute::take_record_batch(self.0, &rows).map_err(DataFusionError::from)?;
        Ok(clusters_of(&reached, compared))
    }

    fn faults(
        &mut self,
        _: usize,
        _: &Reached,
        _: &mut dyn FnMut(u64, &'static str) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        // A block under test writes nothing: it has no step that asks for it.
        Ok(())
    }
}

/// Decides over the records of one test as the resolver of a build does.
fn decide(
    program: &Program,
    dataset: &Dataset,
    test_use: &TestUse,
    batch: &RecordBatch,
    arms: &[(usize, Expr)],
) -> Result<Ran, EngineError> {
    let (narrow, fates) = fates_of(program, dataset, batch)?;
    let tables = label_tables(program, dataset, &narrow);
    let decided = Decided { dataset, batch, tables: &tables, known: known(&narrow, &fates)? };
    let mismatches = test_use.cases.iter().enumerate();
    let mismatches = mismatches.map(|(row, case)| decided.mismatch(row, &case.expect));
    Ok(Ran { mismatches: mismatches.collect::<Result<_, _>>()?, fired: decided.fired(arms) })
}

/// The records of a test with what becomes of them.
pub(super) fn fates_of(
    program: &Program,
    dataset: &Dataset,
    batch: &RecordBatch,
) -> Result<(Arc<Narrow>, Fates), EngineError> {
    let mut narrow = Narrow::new(program, dataset, &Budget::unlimited());
    narrow.push(batch, |_| SourceId(0))?;
    let narrow = Arc::new(narrow);
    let tables = label_tables(program, dataset, &narrow);
    let fates = resolve(&narrow, dataset, &tables, |_| false, &|_| SourceId(0), &mut InMemory(batch))?;
    Ok((narrow, fates))
}

/// The block as a data set without sources. Its keys and groups are not asked for, and a `forbid` that fails the build
/// takes the record out, so that a test can expect it.
fn as_dataset(test_use: &TestUse, steps: &[Step]) -> Dataset {
    let columns = test_use.columns.iter().cloned().map(|column| Column { key: false, group: false, ..column });
    let steps = steps.iter().cloned().map(|step| match step.kind {
        StepKind::Forbid { condition, else_drop: _ } => {
            Step { kind: StepKind::Forbid { condition, else_drop: true }, ..step }
        }
        _ => step,
    });
    Dataset {
        name: test_use.dataset.clone().unwrap_or_default(),
        doc: None,
        sources: Vec::new(),
        columns: columns.collect(),
        steps: steps.collect(),
        requirements: Vec::new(),
        split: Split::all_train(),
        outputs: Vec::new(),
        personal: Vec::new(),
        license: None,
        terms: None,
        span: test_use.cases[0].span,
    }
}

/// The records with the columns that a reader adds.
fn table(uses: &[&TestUse]) -> Result<RecordBatch, EngineError> {
    let rows = uses.iter().map(|one| one.cases.len()).sum::<usize>();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (at, column) in uses[0].columns.iter().enumerate() {
        fields.push(Field::new(column_name(at), arrow_type(&column.ty.ty), true));
        arrays.push(given::column(uses, at)?);
    }
    let numbers = |first: u64| Arc::new((first..first + rows as u64).collect::<UInt64Array>()) as ArrayRef;
    let digests = FixedSizeBinaryArray::try_from_iter((0..rows).map(|row| (row as u128).to_le_bytes()));
    let own: [(&str, ArrayRef); 4] = [
        (LOCATION, numbers(0)),
        (LINE, numbers(1)),
        (DIGEST, Arc::new(digests.map_err(DataFusionError::from)?)),
        (ERROR, Arc::new(StringArray::new_null(rows))),
    ];
    for (name, array) in own {
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
    Ok(batch.map_err(DataFusionError::from)?)
}

fn arm_of((at, step): (usize, &Step)) -> Option<(usize, Expr)> {
    match &step.kind {
        StepKind::Label { value, .. } => Some((at, chosen_arm(value)?)),
        StepKind::Set { .. }
        | StepKind::Drop { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Redact { .. }
        | StepKind::Forbid { .. }
        | StepKind::Pair { .. } => None,
    }
}

/// The labels' values; of a label that finds them in the data, those that the records have.
fn label_tables(program: &Program, dataset: &Dataset, narrow: &Narrow) -> LabelTables {
    let mut tables = Vec::new();
    for (at, step) in dataset.steps.iter().enumerate() {
        let StepKind::Label { label, .. } = step.kind else { continue };
        let table = match (&program[label].schema, program[label].schema.listed()) {
            (_, Some(values)) => LabelTable::new(label, values.to_vec(), false),
            (
                LabelSchema::Choice(_) | LabelSchema::Choices(_) | LabelSchema::Spans(_) | LabelSchema::Declared(_),
                None,
            ) => {
                let raw = narrow.labels.get(&at).map(|raw| raw.values.clone());
                LabelTable::from_found(label, raw.unwrap_or_default())
            }
            (LabelSchema::Scalar(_), None) => continue,
        };
        tables.push(table);
    }
    LabelTables(tables)
}

/// The value of a column in a record.
fn cell(name: &str, column: &ArrayRef, row: usize) -> Result<Json, EngineError> {
    let value = cell_value(column, row);
    value.map_err(|reason| DataFusionError::Execution(format!("`{name}` cannot be compared: {reason}")).into())
}

/// The records of a test with what became of them.
struct Decided<'d> {
    dataset: &'d Dataset,
    batch: &'d RecordBatch,
    tables: &'d LabelTables,
    known: Vec<Known>,
}

impl Decided<'_> {
    /// What is not as expected of a record.
    fn mismatch(&self, row: usize, expect: &Expect) -> Result<Option<Mismatch>, EngineError> {
        let otherwise = |expected| {
            let got = self.ending(row, expect)?;
            Ok(Some(Mismatch::Ending { expected, got }))
        };
        match (expect, self.known[row].fate) {
            (Expect::Record(values), Fate::Kept) => self.differences(row, values),
            (Expect::Record(values), _) => otherwise(Wanted::Kept(self.label_value(values)?)),
            (Expect::Drop(None), Fate::Dropped(_)) | (Expect::Quarantine, Fate::Quarantined(_)) => Ok(None),
            (Expect::Drop(Some(reason)), Fate::Dropped(Stage::Step(at))) if self.step(at).rule == *reason => Ok(None),
            (Expect::Drop(reason), _) => otherwise(Wanted::Dropped(reason.as_ref().map(|reason| self.rule_of(reason)))),
            (Expect::Quarantine, _) => otherwise(Wanted::Quarantined),
            (Expect::Slots(_), _) => unreachable!("a checked test of steps expects no slots"),
        }
    }

    /// The value that is expected of the label under test.
    fn label_value(&self, values: &[(ColumnId, Value)]) -> Result<Option<Json>, EngineError> {
        let label = self.label_column();
        let value = values.iter().find(|(column, _)| Some(*column) == label);
        value.map(|(column, value)| self.written(*column, value)).transpose()
    }

    /// A value that the test writes for a column.
    fn written(&self, column: ColumnId, value: &Value) -> Result<Json, EngineError> {
        let column = &self.dataset.columns[column.0 as usize];
        cell(&column.name, &given::array(&column.ty.ty, &[value])?, 0)
    }

    fn step(&self, at: u32) -> &Step {
        &self.dataset.steps[at as usize]
    }

    /// The rule with this reason.
    fn rule_of(&self, reason: &str) -> RuleRef {
        let step = self.dataset.steps.iter().find(|step| step.rule == reason);
        RuleRef { rule: reason.to_owned(), line: step.map_or(0, |step| step.line) }
    }

    fn ending(&self, row: usize, expect: &Expect) -> Result<Ending, EngineError> {
        let rule = |at: u32| RuleRef { rule: self.step(at).rule.clone(), line: self.step(at).line };
        Ok(match self.known[row].fate {
            Fate::Kept => Ending::Kept(self.label_column().map(|column| self.value(column, row)).transpose()?),
            Fate::Dropped(Stage::Step(at)) => Ending::Dropped {
                rule: rule(at),
                duplicate_of: self.known[row].repeats,
                expected_too: self.fires_later(row, at, expect),
            },
            Fate::Quarantined(Stage::Step(at)) => self.quarantined(row, rule(at))?,
            Fate::Dropped(Stage::Read | Stage::Split) | Fate::Quarantined(Stage::Read | Stage::Split) => {
                unreachable!("a record given is read, and no test splits")
            }
        })
    }

    fn quarantined(&self, row: usize, rule: RuleRef) -> Result<Ending, EngineError> {
        let value = self.label_column().map_or(Ok(Json::Null), |column| self.value(column, row))?;
        let names = self.tables.0.iter().flat_map(LabelTable::values).map(|value| value.name.as_str());
        let closest = value.as_str().and_then(|raw| crate::diagnostics::closest(raw, names)).map(str::to_owned);
        let reason = self.known[row].error.clone().unwrap_or_default();
        Ok(Ending::Quarantined { rule, reason, value, closest })
    }

    /// The column of the label under test.
    fn label_column(&self) -> Option<ColumnId> {
        self.dataset.steps.iter().find_map(|step| match step.kind {
            StepKind::Label { column, .. } => Some(column),
            _ => None,
        })
    }

    /// Whether the rule that was expected to drop a record stands behind the one that did and would have dropped it.
    fn fires_later(&self, row: usize, at: u32, expect: &Expect) -> bool {
        let Expect::Drop(Some(reason)) = expect else { return false };
        let later = self.dataset.steps.iter().enumerate().skip(at as usize + 1);
        later.filter(|(_, step)| step.rule == *reason).any(|(step, _)| {
            let verdicts = self.batch.column_by_name(&cleaning::verdict(step));
            verdicts.is_some_and(|verdicts| {
                let verdicts = verdicts.as_boolean();
                verdicts.is_valid(row) && verdicts.value(row)
            })
        })
    }

    fn value(&self, column: ColumnId, row: usize) -> Result<Json, EngineError> {
        let name = &self.dataset.columns[column.0 as usize].name;
        cell(name, &self.batch[column_name(column.0 as usize).as_str()], row)
    }

    fn differences(&self, row: usize, expected: &[(ColumnId, Value)]) -> Result<Option<Mismatch>, EngineError> {
        let mut differences = Vec::new();
        for (id, value) in expected {
            let (expected, got) = (self.written(*id, value)?, self.value(*id, row)?);
            if expected != got {
                let name = self.dataset.columns[id.0 as usize].name.clone();
                differences.push(Difference { name, expected, got });
            }
        }
        Ok((!differences.is_empty()).then_some(Mismatch::Values(differences)))
    }

    /// The rules that fired in some record that reached them.
    fn fired(&self, arms: &[(usize, Expr)]) -> BTreeSet<RuleId> {
        let mut fired = BTreeSet::new();
        for (at, step) in self.dataset.steps.iter().enumerate() {
            let reached = (0..self.known.len()).filter(|row| self.reaches(*row, at));
            for row in reached {
                self.fire(row, at, step, arms, &mut fired);
            }
        }
        fired
    }

    fn reaches(&self, row: usize, at: usize) -> bool {
        match self.known[row].fate.stage() {
            None => true,
            Some(Stage::Step(taken)) => taken as usize >= at,
            Some(Stage::Read | Stage::Split) => false,
        }
    }

    fn fire(&self, row: usize, at: usize, step: &Step, arms: &[(usize, Expr)], fired: &mut BTreeSet<RuleId>) {
        let dropped = self.known[row].fate == Fate::Dropped(Stage::Step(at as u32));
        let whole = match &step.kind {
            StepKind::Set { .. } => self.known[row].changed.contains(&at),
            StepKind::DedupPieces { .. } => dropped || self.known[row].changed.contains(&at),
            StepKind::Redact { columns, .. } => columns.iter().any(|column| self.found(at, *column, row)),
            StepKind::Drop { .. }
            | StepKind::DedupExact { .. }
            | StepKind::DedupNear { .. }
            | StepKind::Decontaminate { .. }
            | StepKind::Forbid { .. }
            | StepKind::Pair { .. }
            | StepKind::Sample { .. } => dropped,
            StepKind::Label { .. } => {
                self.fire_label(row, at, step.span, arms, dropped, fired);
                return;
            }
        };
        if whole {
            fired.insert(RuleId::of_step(step));
        }
    }

    fn fire_label(
        &self,
        row: usize,
        at: usize,
        statement: Span,
        arms: &[(usize, Expr)],
        dropped: bool,
        fired: &mut BTreeSet<RuleId>,
    ) {
        let mapped = arms.iter().position(|(step, _)| *step == at);
        let mut by_arm = false;
        match mapped {
            None => {
                fired.insert(RuleId::whole(statement));
            }
            Some(position) => {
                let chosen = self.batch[extra(position).as_str()].as_primitive::<Int64Type>();
                if chosen.is_valid(row) {
                    fired.insert(RuleId { statement, part: Part::Arm(chosen.value(row) as usize) });
                    by_arm = self.known[row].verdict == at as i32;
                }
            }
        }
        if dropped && !by_arm {
            fired.insert(RuleId { statement, part: Part::ElseDrop });
        }
    }

    /// Whether a `redact` found something in a column.
    fn found(&self, at: usize, column: ColumnId, row: usize) -> bool {
        let counts = self.batch[compliance::found(at, column).as_str()].as_list::<i32>();
        counts.is_valid(row) && counts.value(row).as_primitive::<Int64Type>().values().iter().any(|count| *count > 0)
    }
}
