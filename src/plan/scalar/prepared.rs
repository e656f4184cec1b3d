//! Functions of a record's place and text that look up what was found of it before the plan was made.
//!
//! What they look up travels with the plan in this process; a plan that goes to another one must take it along.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::engine::read::file_and_offset;
use crate::plan::prepared::{Cuts, Evaluation};

/// A text without what is cut out of it; null of null.
pub(in crate::plan) fn cut(cuts: &Arc<Cuts>, location: Expr, text: Expr) -> Expr {
    Lookup::Cut(Arc::clone(cuts)).call(location, text)
}

/// Whether something is cut out of a text and nothing but white space is left of it.
pub(in crate::plan) fn emptied(cuts: &Arc<Cuts>, location: Expr, text: Expr) -> Expr {
    Lookup::Emptied(Arc::clone(cuts)).call(location, text)
}

/// Whether a text shares a run of words with what is evaluated on; false of null and of what is evaluated on itself.
pub(in crate::plan) fn touches(evaluation: &Arc<Evaluation>, location: Expr, text: Expr) -> Expr {
    Lookup::Touches(Arc::clone(evaluation)).call(location, text)
}

/// What is looked up.
#[derive(Debug, Clone)]
enum Lookup {
    Cut(Arc<Cuts>),
    Emptied(Arc<Cuts>),
    Touches(Arc<Evaluation>),
}

impl Lookup {
    fn call(self, location: Expr, text: Expr) -> Expr {
        let signature = Signature::any(2, Volatility::Immutable);
        ScalarUDF::from(Function { lookup: self, signature }).call(vec![location, text])
    }

    fn name(&self) -> &'static str {
        match self {
            Lookup::Cut(_) => "annotc.cut",
            Lookup::Emptied(_) => "annotc.emptied",
            Lookup::Touches(_) => "annotc.touches",
        }
    }

    /// What tells two lookups of one name apart.
    fn place(&self) -> usize {
        match self {
            Lookup::Cut(cuts) | Lookup::Emptied(cuts) => Arc::as_ptr(cuts) as usize,
            Lookup::Touches(evaluation) => Arc::as_ptr(evaluation) as usize,
        }
    }

    fn evaluate(&self, locations: &[u64], texts: &StringArray) -> ArrayRef {
        let rows = locations.iter().zip(texts);
        match self {
            Lookup::Cut(cuts) => {
                // Hardly any text is cut, and the others are not copied twice.
                let mut rest = arrow::array::StringBuilder::with_capacity(texts.len(), texts.values().len());
                for (location, text) in rows {
                    match text.and_then(|text| cuts.rest(*location, text)) {
                        Some(text) => rest.append_value(text),
                        None => rest.append_option(text),
                    }
                }
                Arc::new(rest.finish())
            }
            Lookup::Emptied(cuts) => Arc::new(BooleanArray::from_iter(rows.map(|(location, text)| {
                let rest = text.and_then(|text| cuts.rest(*location, text));
                Some(rest.is_some_and(|rest| rest.trim().is_empty()))
            }))),
            Lookup::Touches(evaluation) => Arc::new(BooleanArray::from_iter(rows.map(|(location, text)| {
                let (file, _) = file_and_offset(*location);
                let own = evaluation.own.get(file).copied().unwrap_or(false);
                Some(!own && text.is_some_and(|text| evaluation.contamination.touches(text)))
            }))),
        }
    }
}

/// A lookup as the query engine wants it.
#[derive(Debug)]
struct Function {
    lookup: Lookup,
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.lookup.name() == other.lookup.name() && self.lookup.place() == other.lookup.place()
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lookup.name().hash(state);
        self.lookup.place().hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.lookup.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.lookup {
            Lookup::Cut(_) => DataType::Utf8,
            Lookup::Emptied(_) | Lookup::Touches(_) => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let locations = arguments.args[0].to_array(arguments.number_rows)?;
        let texts = super::texts(&arguments.args[1].to_array(arguments.number_rows)?)?;
        let locations = locations.as_primitive::<UInt64Type>();
        Ok(ColumnarValue::Array(self.lookup.evaluate(locations.values(), &texts)))
    }
}
