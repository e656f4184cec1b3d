//! The language's functions, and `matches`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, internal_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use crate::plan::functions::{self, Argument, Constants, Eval, Function, Parts, ValueType};

/// The Arrow type of what a function returns.
pub(super) fn result_type(function: &Function) -> DataType {
    match function.result.value {
        ValueType::String => DataType::Utf8,
        ValueType::Int => DataType::Int64,
        ValueType::Float => DataType::Float64,
        ValueType::Bool => DataType::Boolean,
    }
}

/// The constants of a call as the plan carries them.
///
/// # Errors
/// One that is no constant, or that the function does not take.
pub(super) fn constants(function: &'static Function, arguments: &[ColumnarValue]) -> Result<Constants> {
    let argument = |value| match value {
        &ColumnarValue::Scalar(ScalarValue::Int64(Some(number))) => Ok(Argument::Whole(number)),
        ColumnarValue::Scalar(value) => value
            .try_as_str()
            .flatten()
            .map(Argument::Text)
            .ok_or_else(|| internal_datafusion_err!("a constant of a function is a number or a text")),
        ColumnarValue::Array(_) => Err(internal_datafusion_err!("what a function takes beside its text is constant")),
    };
    let arguments = arguments.iter().map(argument).collect::<Result<Vec<_>>>()?;
    Constants::prepare(function, &arguments).map_err(|error| exec_datafusion_err!("{error}"))
}

/// The function of each text, null of null.
///
/// # Errors
/// A model that fails.
pub(super) fn evaluate(function: &Function, texts: &StringArray, constants: &Constants) -> Result<ArrayRef> {
    Ok(match function.eval {
        Eval::Text(eval) => {
            let mut builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
            texts.iter().for_each(|text| builder.append_option(text.map(|text| eval(text, constants))));
            Arc::new(builder.finish())
        }
        Eval::TextOrNull(eval) => {
            let value = |text: Option<&str>| eval(&Parts::of(text?), constants);
            Arc::new(texts.iter().map(value).collect::<StringArray>())
        }
        Eval::Count(eval) => {
            let value = |text: Option<&str>| Some(eval(&Parts::of(text?), constants));
            Arc::new(texts.iter().map(value).collect::<Int64Array>())
        }
        Eval::CountOrNull(eval) => {
            let value = |text: Option<&str>| eval(&Parts::of(text?), constants);
            Arc::new(texts.iter().map(value).collect::<Int64Array>())
        }
        Eval::Ratio(eval) | Eval::Amount(eval) => {
            let value = |text: Option<&str>| eval(&Parts::of(text?), constants);
            Arc::new(texts.iter().map(value).collect::<Float64Array>())
        }
        Eval::Judged(eval) => {
            let value = |text: Option<&str>| match text {
                Some(text) => eval(&Parts::of(text), constants).map_err(|error| exec_datafusion_err!("{error}")),
                None => Ok(None),
            };
            Arc::new(texts.iter().map(value).collect::<Result<Float64Array>>()?)
        }
    })
}

/// Whether the pattern is found in each text, null of null.
pub(super) fn matches(texts: &StringArray, pattern: &str) -> Result<ArrayRef> {
    let regex = functions::compiled(pattern)
        .ok_or_else(|| exec_datafusion_err!("a pattern of the plan does not compile here"))?;
    Ok(Arc::new(texts.iter().map(|text| text.map(|text| regex.is_match(text))).collect::<BooleanArray>()))
}
