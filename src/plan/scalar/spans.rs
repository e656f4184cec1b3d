//! `spans` and `carried_spans`: spans held against the text that they are of, and carried through what changes it.
//!
//! Both give the record `{ spans, kept }`: the spans in the text as it is then, and what is kept of them (see
//! [`crate::label::kept`]): the kinds that there are, or why they are no spans of the text.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, Int64Builder, ListBuilder, StringArray, StringBuilder, StructArray,
    StructBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, internal_datafusion_err};

use super::{redact, texts};
use crate::hir::Spans;
use crate::label::kept::{keep_fault, keep_names, names_of, read_kept};
use crate::label::spans::{GivenSpan, LabelSpan, carry_redacted, carry_spans, check_spans};
use crate::pii;

/// The field with the spans.
pub const SPANS: &str = "spans";
/// The field with what is kept of them.
pub const KEPT: &str = "kept";

/// The schema as the constant that a plan carries: `[names, may_overlap]`.
pub(super) fn written(spans: &Spans) -> String {
    serde_json::json!([names_of(&spans.values), spans.may_overlap]).to_string()
}

fn span_fields() -> Fields {
    let member = |name, ty| Field::new(name, ty, true);
    [member("start", DataType::Int64), member("end", DataType::Int64), member("label", DataType::Utf8)]
        .into_iter()
        .collect()
}

fn list_item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Struct(span_fields()), true))
}

fn fields() -> Fields {
    [Field::new(SPANS, DataType::List(list_item()), true), Field::new(KEPT, DataType::Utf8, true)].into_iter().collect()
}

pub(super) fn result_type() -> DataType {
    DataType::Struct(fields())
}

/// The lists of spans over texts as they were read, carried to the same texts as they are now.
pub(super) fn evaluate(given: &ArrayRef, read: &StringArray, now: &StringArray, written: &str) -> Result<ArrayRef> {
    let wrong = |_| exec_datafusion_err!("the label of the plan cannot be read here");
    let (values, may_overlap): (Vec<String>, bool) = serde_json::from_str(written).map_err(wrong)?;
    let lists = given.as_list_opt::<i32>().ok_or_else(|| internal_datafusion_err!("spans of no list"))?;
    let mut states = States::new(values.clone());
    for row in 0..lists.len() {
        if lists.is_null(row) {
            states.null();
            continue;
        }
        let members = Members::of(&lists.value(row))?;
        states.push(match (read.is_valid(row), now.is_valid(row)) {
            (true, true) => check_spans(&members.given(), read.value(row), &values, may_overlap)
                .and_then(|spans| carry_spans(spans, read.value(row), now.value(row))),
            (false, _) | (_, false) => Err("there is no text"),
        });
    }
    Ok(states.finish())
}

/// The spans of states in texts from which the detectors take something.
pub(super) fn carry(states: &ArrayRef, before: &StringArray, detectors: &str) -> Result<ArrayRef> {
    let detectors = redact::named(detectors)?;
    let record = states.as_struct_opt().ok_or_else(|| internal_datafusion_err!("spans of no state"))?;
    let member = |name| record.column_by_name(name).ok_or_else(|| internal_datafusion_err!("no such member"));
    let (lists, kept) = (member(SPANS)?.as_list::<i32>(), texts(member(KEPT)?)?);
    let mut carried = States::new(Vec::new());
    for row in 0..record.len() {
        if kept.is_null(row) {
            carried.null();
            continue;
        }
        if let Err(fault) = read_kept(kept.value(row)) {
            carried.push_as(&[], &keep_fault(fault));
            continue;
        }
        let spans = Members::of(&lists.value(row))?.spans();
        let redacted = match spans.is_empty() || before.is_null(row) {
            true => Ok(spans),
            false => carry_redacted(spans, before.value(row), &pii::redact(before.value(row), &detectors)),
        };
        match redacted {
            Ok(spans) => carried.push_as(&spans, kept.value(row)),
            Err(fault) => carried.push_as(&[], &keep_fault(fault)),
        }
    }
    Ok(carried.finish())
}

/// The members of a list of spans, whatever else they have.
struct Members {
    start: Int64Array,
    end: Int64Array,
    label: StringArray,
}

impl Members {
    fn of(list: &ArrayRef) -> Result<Self> {
        let record = list.as_struct_opt().ok_or_else(|| internal_datafusion_err!("spans are records"))?;
        let member = |name| record.column_by_name(name).ok_or_else(|| internal_datafusion_err!("no such member"));
        let number = |name| Ok::<_, datafusion::error::DataFusionError>(cast(member(name)?, &DataType::Int64)?);
        Ok(Self {
            start: number("start")?.as_primitive::<Int64Type>().clone(),
            end: number("end")?.as_primitive::<Int64Type>().clone(),
            label: texts(member("label")?)?,
        })
    }

    fn given(&self) -> Vec<GivenSpan<'_>> {
        let numbers = self.start.iter().zip(self.end.iter()).zip(self.label.iter());
        numbers.map(|((start, end), label)| (start, end, label)).collect()
    }

    /// The same where they were checked.
    fn spans(&self) -> Vec<LabelSpan> {
        let span = |row: usize| LabelSpan {
            start: self.start.value(row) as usize,
            end: self.end.value(row) as usize,
            label: self.label.value(row).to_owned(),
        };
        (0..self.start.len()).map(span).collect()
    }
}

/// States as they grow.
struct States {
    values: Vec<String>,
    spans: ListBuilder<StructBuilder>,
    kept: StringBuilder,
}

impl States {
    fn new(values: Vec<String>) -> Self {
        let spans = ListBuilder::new(StructBuilder::from_fields(span_fields(), 0)).with_field(list_item());
        Self { values, spans, kept: StringBuilder::new() }
    }

    fn null(&mut self) {
        self.spans.append_null();
        self.kept.append_null();
    }

    fn push(&mut self, spans: std::result::Result<Vec<LabelSpan>, &'static str>) {
        match spans {
            Ok(spans) => {
                let there = |value: &&String| spans.iter().any(|span| span.label == **value);
                let kept = keep_names(self.values.iter().filter(there).map(String::as_str));
                self.push_as(&spans, &kept);
            }
            Err(fault) => self.push_as(&[], &keep_fault(fault)),
        }
    }

    fn push_as(&mut self, spans: &[LabelSpan], kept: &str) {
        const BUILT: &str = "the builder has the members of a span";
        for span in spans {
            let record = self.spans.values();
            record.field_builder::<Int64Builder>(0).expect(BUILT).append_value(span.start as i64);
            record.field_builder::<Int64Builder>(1).expect(BUILT).append_value(span.end as i64);
            record.field_builder::<StringBuilder>(2).expect(BUILT).append_value(&span.label);
            record.append(true);
        }
        self.spans.append(true);
        self.kept.append_value(kept);
    }

    fn finish(mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![Arc::new(self.spans.finish()), Arc::new(self.kept.finish())];
        Arc::new(StructArray::new(fields(), columns, None))
    }
}
