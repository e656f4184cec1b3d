//! `choices`: what is kept of a list of values, see [`crate::label::kept`].

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::common::{Result, exec_datafusion_err, internal_datafusion_err};

use super::texts;
use crate::hir::Choices;
use crate::label::kept::{keep_choices, names_of};

/// The schema as the constant that a plan carries: `[names, least, most]`.
pub(super) fn written(choices: &Choices) -> String {
    serde_json::json!([names_of(&choices.values), choices.least, choices.most]).to_string()
}

/// What is kept of each list; null of null.
pub(super) fn evaluate(lists: &ArrayRef, written: &str) -> Result<ArrayRef> {
    let wrong = |_| exec_datafusion_err!("the label of the plan cannot be read here");
    let (values, least, most): (Vec<String>, usize, usize) = serde_json::from_str(written).map_err(wrong)?;
    let lists = lists.as_list_opt::<i32>().ok_or_else(|| internal_datafusion_err!("choices of no list"))?;
    let mut kept = StringBuilder::new();
    for row in 0..lists.len() {
        if lists.is_null(row) {
            kept.append_null();
            continue;
        }
        let given = texts(&lists.value(row))?;
        let given: Vec<Option<&str>> = given.iter().collect();
        kept.append_value(keep_choices(&given, &values, least, most));
    }
    Ok(Arc::new(kept.finish()))
}
