//! `measures`: several measures of a text as one record, so that they share what they find in it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Builder, Int64Builder, StringArray, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_datafusion_err};
use serde_json::{Value, json};

use super::text::result_type as type_of;
use crate::eval::CausalModelError;
use crate::plan::functions::{self, Argument, Constants, Eval, Function, Parts};

/// The calls as the constant that a plan carries: `[["words"],["top_ngram",2]]`.
pub(super) fn written(calls: &[(&'static Function, Vec<Argument<'_>>)]) -> String {
    let call = |(function, arguments): &(&'static Function, Vec<Argument<'_>>)| {
        let arguments = arguments.iter().map(|argument| match argument {
            Argument::Whole(number) => json!(number),
            Argument::Text(text) => json!(text),
        });
        Value::Array(std::iter::once(json!(function.name)).chain(arguments).collect())
    };
    Value::Array(calls.iter().map(call).collect()).to_string()
}

fn calls(written: &str) -> Result<Vec<(&'static Function, Constants)>> {
    let wrong = || exec_datafusion_err!("the measures of the plan cannot be read here");
    let calls: Vec<Vec<Value>> = serde_json::from_str(written).map_err(|_| wrong())?;
    let call = |call: &Vec<Value>| {
        let (name, arguments) = call.split_first().ok_or_else(wrong)?;
        let function = name.as_str().and_then(functions::lookup).ok_or_else(wrong)?;
        let arguments = arguments.iter().map(|value| argument(value).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
        let constants = Constants::prepare(function, &arguments).map_err(|error| exec_datafusion_err!("{error}"))?;
        Ok((function, constants))
    };
    calls.iter().map(call).collect()
}

fn argument(value: &Value) -> Option<Argument<'_>> {
    value.as_str().map(Argument::Text).or_else(|| value.as_i64().map(Argument::Whole))
}

/// The name of the record's member with the measure at a place.
pub(super) fn member(place: usize) -> String {
    format!("m{place}")
}

fn fields<'f>(functions: impl Iterator<Item = &'f Function>) -> Fields {
    functions.enumerate().map(|(place, function)| Field::new(member(place), type_of(function), true)).collect()
}

pub(super) fn result_type(written: &str) -> Result<DataType> {
    Ok(DataType::Struct(fields(calls(written)?.iter().map(|(function, _)| *function))))
}

/// Where the values of one measure are gathered.
enum Column {
    Texts(StringBuilder, fn(&Parts<'_>, &Constants) -> Option<String>),
    Counts(Int64Builder, fn(&Parts<'_>, &Constants) -> i64),
    CountsOrNulls(Int64Builder, fn(&Parts<'_>, &Constants) -> Option<i64>),
    Numbers(Float64Builder, fn(&Parts<'_>, &Constants) -> Option<f64>),
    Judged(Float64Builder, fn(&Parts<'_>, &Constants) -> std::result::Result<Option<f64>, CausalModelError>),
}

impl Column {
    fn of(function: &Function, rows: usize) -> Result<Self> {
        match function.eval {
            Eval::TextOrNull(eval) => Ok(Self::Texts(StringBuilder::with_capacity(rows, rows * 2), eval)),
            Eval::Count(eval) => Ok(Self::Counts(Int64Builder::with_capacity(rows), eval)),
            Eval::CountOrNull(eval) => Ok(Self::CountsOrNulls(Int64Builder::with_capacity(rows), eval)),
            Eval::Ratio(eval) | Eval::Amount(eval) => Ok(Self::Numbers(Float64Builder::with_capacity(rows), eval)),
            Eval::Judged(eval) => Ok(Self::Judged(Float64Builder::with_capacity(rows), eval)),
            Eval::Text(_) => Err(exec_datafusion_err!("`{}` is no measure", function.name)),
        }
    }

    fn push(&mut self, text: Option<&Parts<'_>>, constants: &Constants) -> Result<()> {
        match self {
            Self::Texts(builder, eval) => builder.append_option(text.and_then(|text| eval(text, constants))),
            Self::Counts(builder, eval) => builder.append_option(text.map(|text| eval(text, constants))),
            Self::CountsOrNulls(builder, eval) => builder.append_option(text.and_then(|text| eval(text, constants))),
            Self::Numbers(builder, eval) => builder.append_option(text.and_then(|text| eval(text, constants))),
            Self::Judged(builder, eval) => {
                let judged = text.map_or(Ok(None), |text| eval(text, constants));
                builder.append_option(judged.map_err(|error| exec_datafusion_err!("{error}"))?);
            }
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Texts(mut builder, _) => Arc::new(builder.finish()),
            Self::Counts(mut builder, _) => Arc::new(builder.finish()),
            Self::CountsOrNulls(mut builder, _) => Arc::new(builder.finish()),
            Self::Numbers(mut builder, _) => Arc::new(builder.finish()),
            Self::Judged(mut builder, _) => Arc::new(builder.finish()),
        }
    }
}

/// The measures of each text, row by row; of null each is null.
pub(super) fn evaluate(texts: &StringArray, written: &str) -> Result<ArrayRef> {
    let calls = calls(written)?;
    let rows = texts.len();
    let mut columns = calls.iter().map(|(function, _)| Column::of(function, rows)).collect::<Result<Vec<Column>>>()?;
    for text in texts.iter() {
        let parts = text.map(Parts::of);
        for (column, (_, constants)) in columns.iter_mut().zip(&calls) {
            column.push(parts.as_ref(), constants)?;
        }
    }
    let arrays = columns.into_iter().map(Column::finish).collect();
    Ok(Arc::new(StructArray::try_new(fields(calls.iter().map(|(function, _)| *function)), arrays, None)?))
}
