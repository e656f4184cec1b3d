//! Arithmetic of the language: nothing overflows silently, nothing divides by zero.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::Result;

/// The four operations on two numbers of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Of floats or ints; the result is a float, and null by zero.
    Divide,
}

impl Arithmetic {
    pub(super) const ALL: [Arithmetic; 4] =
        [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide];

    pub(super) fn name(self) -> &'static str {
        match self {
            Arithmetic::Add => "add",
            Arithmetic::Subtract => "subtract",
            Arithmetic::Multiply => "multiply",
            Arithmetic::Divide => "divide",
        }
    }

    pub(super) fn result_type(self, arguments: &[DataType]) -> DataType {
        let float = self == Arithmetic::Divide || arguments.contains(&DataType::Float64);
        if float { DataType::Float64 } else { DataType::Int64 }
    }

    /// The operation on each pair; null with a null operand, and where there is no finite result.
    pub(super) fn evaluate(self, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
        let ty = self.result_type(&[left.data_type().clone(), right.data_type().clone()]);
        let (left, right) = (cast(left, &ty)?, cast(right, &ty)?);
        if ty == DataType::Int64 {
            let pairs = left.as_primitive::<Int64Type>().iter().zip(right.as_primitive::<Int64Type>());
            let values = pairs.map(|(a, b)| self.of_ints(a?, b?));
            return Ok(Arc::new(values.collect::<Int64Array>()));
        }
        let pairs = left.as_primitive::<Float64Type>().iter().zip(right.as_primitive::<Float64Type>());
        let values = pairs.map(|(a, b)| Some(self.of_floats(a?, b?)).filter(|value| value.is_finite()));
        Ok(Arc::new(values.collect::<Float64Array>()))
    }

    fn of_ints(self, a: i64, b: i64) -> Option<i64> {
        match self {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            Arithmetic::Multiply => a.checked_mul(b),
            Arithmetic::Divide => a.checked_div(b),
        }
    }

    fn of_floats(self, a: f64, b: f64) -> f64 {
        match self {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide => a / b,
        }
    }
}
