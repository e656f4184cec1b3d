//! `redact`: a text without personal data, and how much was found.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Builder, ListBuilder, StringArray, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_datafusion_err};

use crate::pii::{self, Detector};

/// The field with the redacted text.
pub const TEXT: &str = "text";
/// The field with the number of finds of each detector, in the order of the call.
pub const FOUND: &str = "found";

fn fields() -> Fields {
    let counts = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
    [Field::new(TEXT, DataType::Utf8, true), Field::new(FOUND, counts, true)].into_iter().collect()
}

pub(super) fn result_type() -> DataType {
    DataType::Struct(fields())
}

/// The detectors named, separated by commas.
pub(super) fn named(detectors: &str) -> Result<Vec<&'static Detector>> {
    detectors
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| pii::lookup(name).ok_or_else(|| exec_datafusion_err!("no detector is called `{name}` here")))
        .collect()
}

/// Redacts each text with the detectors named, separated by commas.
pub(super) fn evaluate(texts: &StringArray, detectors: &str) -> Result<ArrayRef> {
    let detectors = named(detectors)?;
    let mut redacted = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
    let mut found = ListBuilder::new(Int64Builder::new());
    for text in texts.iter() {
        let Some(text) = text else {
            redacted.append_null();
            found.append_null();
            continue;
        };
        let redaction = pii::redact(text, &detectors);
        redacted.append_value(&redaction.text);
        for detector in &detectors {
            let count = redaction.found.iter().filter(|one| one.kind == detector.name).map(|one| one.count as i64);
            found.values().append_value(count.sum());
        }
        found.append(true);
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(redacted.finish()), Arc::new(found.finish())];
    Ok(Arc::new(StructArray::try_new(fields(), columns, None)?))
}
