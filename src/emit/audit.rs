//! The audit's table: a row for each record that was ever seen.

use std::sync::Arc;

use arrow::array::{Float32Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};

use crate::engine::AuditRow;

/// The columns of the audit.
pub(super) fn audit_schema() -> Schema {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Schema::new(vec![
        text("id", false),
        text("source", false),
        text("file", false),
        Field::new("line", DataType::Int64, false),
        text("verdict", false),
        text("rule", true),
        Field::new("step", DataType::Int32, true),
        text("duplicate_of", true),
        Field::new("similarity", DataType::Float32, true),
        text("split", true),
        Field::new("copies", DataType::Int32, true),
        Field::new("cut_bytes", DataType::Int64, true),
    ])
}

/// Rows of the audit.
pub(super) fn audit_batch(rows: &[AuditRow<'_>]) -> RecordBatch {
    let mut texts: [StringBuilder; 7] = std::array::from_fn(|_| StringBuilder::new());
    let (mut lines, mut steps) = (Int64Builder::new(), Int32Builder::new());
    let (mut similarities, mut copies, mut cut) = (Float32Builder::new(), Int32Builder::new(), Int64Builder::new());
    for row in rows {
        let [id, source, file, verdict, rule, duplicate_of, split] = &mut texts;
        id.append_value(&*row.id.hex());
        source.append_value(row.source);
        file.append_value(row.file);
        lines.append_value(i64::try_from(row.line).expect("a file has fewer than 2^63 lines"));
        verdict.append_value(row.verdict.name());
        rule.append_option(row.rule);
        steps.append_option(row.step.map(|step| i32::try_from(step).expect("a data set has fewer than 2^31 steps")));
        match row.duplicate_of {
            Some(other) => duplicate_of.append_value(&*other.hex()),
            None => duplicate_of.append_null(),
        }
        similarities.append_option(row.similarity);
        split.append_option(row.split);
        copies.append_option(row.copies.map(|copies| i32::try_from(copies).expect("a weight is at most 1,000")));
        cut.append_option(row.cut_bytes.map(|bytes| i64::try_from(bytes).expect("texts are shorter than 2^63 bytes")));
    }
    let [mut id, mut source, mut file, mut verdict, mut rule, mut duplicate_of, mut split] = texts;
    RecordBatch::try_new(
        Arc::new(audit_schema()),
        vec![
            Arc::new(id.finish()),
            Arc::new(source.finish()),
            Arc::new(file.finish()),
            Arc::new(lines.finish()),
            Arc::new(verdict.finish()),
            Arc::new(rule.finish()),
            Arc::new(steps.finish()),
            Arc::new(duplicate_of.finish()),
            Arc::new(similarities.finish()),
            Arc::new(split.finish()),
            Arc::new(copies.finish()),
            Arc::new(cut.finish()),
        ],
    )
    .expect("the audit's columns were built by its schema")
}
