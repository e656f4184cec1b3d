//! The scalar functions of plans: the language's own and the operators that the query engine lacks or that behave
//! otherwise there. What a function needs beside its columns stands in constant arguments, so that a plan that travels to
//! another process finds every function by its name in the [`registry`] there.

mod arithmetic;
mod choices;
mod digest;
mod element;
mod measures;
mod member;
pub mod pieces;
pub(super) mod prepared;
pub mod redact;
pub mod spans;
mod text;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

pub(super) use arithmetic::Arithmetic;

use super::functions::{self, Argument, Function};
use crate::dedup::pieces::Pieces;
use crate::hir::{Choices, Spans};
use crate::pii::Detector;

/// Every scalar function of plans, by the names that plans call them.
pub fn registry() -> Vec<ScalarUDF> {
    let own = functions::all().iter().map(Operation::Function);
    let arithmetic = Arithmetic::ALL.into_iter().map(Operation::Arithmetic);
    let others = [
        Operation::Matches,
        Operation::Measures,
        Operation::Redact,
        Operation::Member,
        Operation::Element,
        Operation::Digest,
        Operation::Key,
        Operation::Choices,
        Operation::Spans,
        Operation::CarriedSpans,
        Operation::Pieces,
    ];
    own.chain(arithmetic).chain(others).map(Operation::udf).collect()
}

/// Calls a function of the language.
pub(super) fn call(function: &'static Function, arguments: Vec<Expr>) -> Expr {
    Operation::Function(function).udf().call(arguments)
}

/// Several measures of a text as one record, in which [`measured`] names the member of each.
pub(super) fn measures(text: Expr, calls: &[(&'static Function, Vec<Argument<'_>>)]) -> Expr {
    Operation::Measures.udf().call(vec![text, lit(measures::written(calls))])
}

/// The member of a record of measures with the one at this place.
pub(super) fn measured(place: usize) -> String {
    measures::member(place)
}

/// Whether a pattern is found anywhere in a text.
pub(super) fn matches(text: Expr, pattern: &str) -> Expr {
    Operation::Matches.udf().call(vec![text, lit(pattern)])
}

/// The record `{ text, found }`: a text without what the detectors find, and how often each of them found something.
pub(super) fn redact(text: Expr, detectors: &[&'static Detector]) -> Expr {
    let names: Vec<&str> = detectors.iter().map(|detector| detector.name).collect();
    Operation::Redact.udf().call(vec![text, lit(names.join(","))])
}

/// A field of a record.
pub(super) fn member(record: Expr, name: &str) -> Expr {
    Operation::Member.udf().call(vec![record, lit(name)])
}

/// A value of a list by its place, from 0, or from the end where it is negative; null where there is none.
pub(super) fn element(list: Expr, place: i64) -> Expr {
    Operation::Element.udf().call(vec![list, lit(place.to_string())])
}

/// What is kept of a list of a label's values.
pub(super) fn choices(list: Expr, choices: &Choices) -> Expr {
    Operation::Choices.udf().call(vec![list, lit(choices::written(choices))])
}

/// The record `{ spans, kept }`: spans over a text as it was read, in the text as it is now.
pub(super) fn spans(given: Expr, read: Expr, now: Expr, spans: &Spans) -> Expr {
    Operation::Spans.udf().call(vec![given, read, now, lit(spans::written(spans))])
}

/// The same record, of which the detectors change the text.
pub(super) fn carried_spans(state: Expr, before: Expr, detectors: &[&'static Detector]) -> Expr {
    let names: Vec<&str> = detectors.iter().map(|detector| detector.name).collect();
    Operation::CarriedSpans.udf().call(vec![state, before, lit(names.join(","))])
}

/// The digests and places of the pieces of a text, in the form that [`pieces::occurrences`] reads; null of null.
pub(super) fn pieces(text: Expr, pieces: Pieces) -> Expr {
    Operation::Pieces.udf().call(vec![text, lit(pieces::written(pieces))])
}

/// 16 bytes that are equal where all of the values are equal; null is a value of its own.
pub(super) fn digest(values: Vec<Expr>) -> Expr {
    Operation::Digest.udf().call(values)
}

/// 16 bytes that are equal where the value is equal; null of null.
pub(super) fn key(value: Expr) -> Expr {
    Operation::Key.udf().call(vec![value])
}

/// Arithmetic that cannot fail: null where a whole number grows beyond 64 bits or is divided by zero.
pub(super) fn arithmetic(operation: Arithmetic, left: Expr, right: Expr) -> Expr {
    Operation::Arithmetic(operation).udf().call(vec![left, right])
}

/// What a scalar function does.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Function(&'static Function),
    Arithmetic(Arithmetic),
    Matches,
    Measures,
    Redact,
    Member,
    Element,
    Digest,
    Key,
    Choices,
    Spans,
    CarriedSpans,
    Pieces,
}

impl Operation {
    fn udf(self) -> ScalarUDF {
        let signature = match self {
            Operation::Function(function) => Signature::any(function.parameters.len(), Volatility::Immutable),
            Operation::Key => Signature::any(1, Volatility::Immutable),
            Operation::Arithmetic(_)
            | Operation::Matches
            | Operation::Measures
            | Operation::Redact
            | Operation::Member
            | Operation::Element
            | Operation::Choices
            | Operation::Pieces => Signature::any(2, Volatility::Immutable),
            Operation::CarriedSpans => Signature::any(3, Volatility::Immutable),
            Operation::Spans => Signature::any(4, Volatility::Immutable),
            Operation::Digest => Signature::variadic_any(Volatility::Immutable),
        };
        ScalarUDF::from(Scalar { name: self.name(), operation: self, signature })
    }

    fn name(self) -> String {
        let name = match self {
            Operation::Function(function) => function.name,
            Operation::Arithmetic(operation) => operation.name(),
            Operation::Matches => "matches",
            Operation::Measures => "measures",
            Operation::Redact => "redact",
            Operation::Member => "member",
            Operation::Element => "element",
            Operation::Digest => "digest",
            Operation::Key => "key",
            Operation::Choices => "choices",
            Operation::Spans => "spans",
            Operation::CarriedSpans => "carried_spans",
            Operation::Pieces => "pieces",
        };
        format!("annotc.{name}")
    }
}

/// An operation as the query engine wants it.
#[derive(Debug)]
struct Scalar {
    name: String,
    operation: Operation,
    signature: Signature,
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scalar {}

impl std::hash::Hash for Scalar {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match self.operation {
            Operation::Function(function) => Ok(text::result_type(function)),
            Operation::Arithmetic(operation) => Ok(operation.result_type(arguments)),
            Operation::Matches => Ok(DataType::Boolean),
            Operation::Redact => Ok(redact::result_type()),
            Operation::Digest | Operation::Key => Ok(DataType::FixedSizeBinary(16)),
            Operation::Choices => Ok(DataType::Utf8),
            Operation::Pieces => Ok(DataType::LargeBinary),
            Operation::Spans | Operation::CarriedSpans => Ok(spans::result_type()),
            Operation::Element => element::result_type(&arguments[0]),
            Operation::Member | Operation::Measures => {
                Err(internal_datafusion_err!("the type of the result depends on a constant"))
            }
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let ty = match self.operation {
            Operation::Member => {
                let name = arguments.scalar_arguments.get(1).copied().flatten();
                member::result_type(&types[0], constant(name)?)?
            }
            Operation::Measures => {
                let calls = arguments.scalar_arguments.get(1).copied().flatten();
                measures::result_type(constant(calls)?)?
            }
            _ => self.return_type(&types)?,
        };
        Ok(Arc::new(arrow::datatypes::Field::new(&self.name, ty, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let column = |at: usize| arguments.args[at].to_array(rows);
        let array: ArrayRef = match self.operation {
            Operation::Function(function) => {
                let constants = text::constants(function, &arguments.args[1..])?;
                text::evaluate(function, &texts(&column(0)?)?, &constants)?
            }
            Operation::Matches => text::matches(&texts(&column(0)?)?, constant_of(&arguments.args[1])?)?,
            Operation::Measures => measures::evaluate(&texts(&column(0)?)?, constant_of(&arguments.args[1])?)?,
            Operation::Redact => redact::evaluate(&texts(&column(0)?)?, constant_of(&arguments.args[1])?)?,
            Operation::Member => member::evaluate(&column(0)?, constant_of(&arguments.args[1])?)?,
            Operation::Element => element::evaluate(&column(0)?, constant_of(&arguments.args[1])?)?,
            Operation::Choices => choices::evaluate(&column(0)?, constant_of(&arguments.args[1])?)?,
            Operation::Spans => {
                let (read, now) = (texts(&column(1)?)?, texts(&column(2)?)?);
                spans::evaluate(&column(0)?, &read, &now, constant_of(&arguments.args[3])?)?
            }
            Operation::CarriedSpans => {
                spans::carry(&column(0)?, &texts(&column(1)?)?, constant_of(&arguments.args[2])?)?
            }
            Operation::Pieces => pieces::evaluate(&texts(&column(0)?)?, constant_of(&arguments.args[1])?)?,
            Operation::Arithmetic(operation) => operation.evaluate(&column(0)?, &column(1)?)?,
            Operation::Digest => {
                let columns = (0..arguments.args.len()).map(column).collect::<Result<Vec<_>>>()?;
                digest::evaluate(&columns, rows, false)?
            }
            Operation::Key => digest::evaluate(&[column(0)?], rows, true)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// A column as texts; a column of nulls without a type too.
fn texts(array: &ArrayRef) -> Result<StringArray> {
    match array.data_type() {
        DataType::Utf8 => Ok(array.as_string::<i32>().clone()),
        _ => Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone()),
    }
}

/// A constant text argument.
fn constant_of(argument: &ColumnarValue) -> Result<&str> {
    match argument {
        ColumnarValue::Scalar(value) => constant(Some(value)),
        ColumnarValue::Array(_) => constant(None),
    }
}

fn constant(value: Option<&ScalarValue>) -> Result<&str> {
    value
        .and_then(|value| value.try_as_str().flatten())
        .ok_or_else(|| internal_datafusion_err!("the second argument of this function is a constant text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn another_process_finds_every_function_by_its_name() {
        let names: BTreeSet<String> = registry().iter().map(|udf| udf.name().to_owned()).collect();
        assert_eq!(names.len(), registry().len(), "each name once");
        let used = functions::all().iter().map(|function| call(function, vec![lit("x"); function.parameters.len()]));
        let operators = [matches(lit("x"), "x"), redact(lit("x"), &[]), digest(vec![lit(1)]), key(lit(1))];
        for expression in used.chain(operators) {
            let Expr::ScalarFunction(function) = expression else { panic!("a call") };
            let rebuilt = registry().into_iter().find(|udf| udf.name() == function.func.name());
            assert_eq!(rebuilt.as_ref(), Some(function.func.as_ref()));
        }
    }
}
