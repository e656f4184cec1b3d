//! The language's functions, and `matches`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use regex::Regex;

use crate::plan::functions::{Eval, Function, ValueType};

/// The Arrow type of what a function returns.
pub(super) fn result_type(function: &Function) -> DataType {
    match function.result.value {
        ValueType::String => DataType::Utf8,
        ValueType::Int => DataType::Int64,
        ValueType::Float => DataType::Float64,
        ValueType::Bool => DataType::Boolean,
    }
}

/// The function of each text, null of null.
pub(super) fn evaluate(function: &Function, texts: &StringArray) -> ArrayRef {
    match function.eval {
        Eval::Text(eval) => {
            let mut builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
            texts.iter().for_each(|text| builder.append_option(text.map(eval)));
            Arc::new(builder.finish())
        }
        Eval::TextOrNull(eval) => Arc::new(texts.iter().map(|text| text.and_then(eval)).collect::<StringArray>()),
        Eval::Count(eval) => Arc::new(texts.iter().map(|text| text.map(eval)).collect::<Int64Array>()),
        Eval::Ratio(eval) => Arc::new(texts.iter().map(|text| text.and_then(eval)).collect::<Float64Array>()),
    }
}

/// Whether the pattern is found in each text, null of null.
pub(super) fn matches(texts: &StringArray, pattern: &str) -> Result<ArrayRef> {
    let regex = compiled(pattern)?;
    Ok(Arc::new(texts.iter().map(|text| text.map(|text| regex.is_match(text))).collect::<BooleanArray>()))
}

/// A pattern is compiled once in a process, not once for each batch.
fn compiled(pattern: &str) -> Result<Regex> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    // A thread that panicked while it held the map left it whole: an insertion is the only change.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = compiled.get(pattern) {
        return Ok(regex.clone());
    }
    let regex = Regex::new(pattern).map_err(|_| exec_datafusion_err!("a pattern of the plan does not compile here"))?;
    compiled.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}
