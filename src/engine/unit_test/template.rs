//! A template over the records of a test, rendered as a build renders them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use serde_json::Value as Json;

use super::coverage::RuleId;
use super::{Difference, EngineError, Mismatch, Ran, given};
use crate::emit::SlotRenderer;
use crate::hir::{Expect, LabelId, Literal, Program, TemplateId, TestUse, Type, Value};
use crate::label::{LabelTable, LabelTables};
use crate::plan::types::arrow_type;

/// Renders the records and compares the slots that are named.
pub(super) fn run(program: &Program, test_use: &TestUse, template: TemplateId) -> Result<Ran, EngineError> {
    let template = &program[template];
    let tables = label_tables(program, test_use);
    let renderer =
        SlotRenderer::new(template, &test_use.columns, &tables).map_err(|error| EngineError::Write(Box::new(error)))?;
    let rendered = renderer.render(&batch(test_use)?).map_err(|error| EngineError::Write(Box::new(error)))?;
    let mut ran = Ran::default();
    for (case, slots) in test_use.cases.iter().zip(rendered) {
        ran.mismatches.push(match (&case.expect, slots) {
            (_, Err(reason)) => Some(Mismatch::Unrendered(reason)),
            (Expect::Slots(expected), Ok(slots)) => {
                ran.fired = BTreeSet::from([RuleId::whole(template.span)]);
                differences(expected, &slots)
            }
            (Expect::Record(_) | Expect::Drop(_) | Expect::Quarantine, Ok(_)) => {
                unreachable!("a checked test of a template expects slots")
            }
        });
    }
    Ok(ran)
}

fn differences(expected: &[(String, Vec<String>)], rendered: &[(String, String)]) -> Option<Mismatch> {
    let mut differences = Vec::new();
    for (name, expected) in expected {
        let got: Vec<&str> = rendered.iter().filter(|(slot, _)| slot == name).map(|(_, text)| text.as_str()).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        if expected != got {
            let single = expected.len() == 1 && got.len() == 1;
            let as_written = |texts: &[&str]| if single { Json::from(texts[0]) } else { Json::from(texts.to_vec()) };
            let (expected, got) = (as_written(&expected), as_written(&got));
            differences.push(Difference { name: name.clone(), expected, got });
        }
    }
    (!differences.is_empty()).then_some(Mismatch::Values(differences))
}

/// The records as a build renders them: ids, then the columns by name.
fn batch(test_use: &TestUse) -> Result<RecordBatch, EngineError> {
    let ids: StringArray = (0..test_use.cases.len()).map(|case| Some(case.to_string())).collect();
    let mut fields = vec![Field::new("id", DataType::Utf8, false)];
    let mut arrays = vec![Arc::new(ids) as ArrayRef];
    for (at, column) in test_use.columns.iter().enumerate() {
        fields.push(Field::new(&column.name, arrow_type(&column.ty.ty), true));
        arrays.push(given::column(&[test_use], at)?);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
    Ok(batch.map_err(datafusion::error::DataFusionError::from)?)
}

/// The labels of the records; where the data say which values there are, those that are given.
fn label_tables(program: &Program, test_use: &TestUse) -> LabelTables {
    let mut tables: Vec<LabelTable> = Vec::new();
    for (at, column) in test_use.columns.iter().enumerate() {
        let Type::Label(label) = column.ty.ty else { continue };
        if tables.iter().all(|table| table.label() != label) {
            tables.push(label_table(program, test_use, label, at));
        }
    }
    LabelTables(tables)
}

fn label_table(program: &Program, test_use: &TestUse, label: LabelId, column: usize) -> LabelTable {
    match program[label].schema.listed() {
        Some(values) => LabelTable::new(label, values.to_vec(), false),
        None => {
            let given = test_use.cases.iter().filter_map(|case| match &case.given[column] {
                Value::Constant(Literal::String(name)) => Some(name.clone()),
                Value::Constant(_) | Value::List(_) | Value::Record(_) => None,
            });
            LabelTable::from_found(label, given.collect())
        }
    }
}
