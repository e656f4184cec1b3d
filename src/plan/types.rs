//! Types of the language as Arrow types. Every column is nullable in Arrow: a row that cannot be read has no values.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::hir::Type;

/// The time zone of every moment.
pub const UTC: &str = "+00:00";

/// The Arrow type of a type; a label's column holds the value's name.
pub fn arrow_type(ty: &Type) -> DataType {
    match ty {
        Type::String | Type::Label(_) => DataType::Utf8,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Bool => DataType::Boolean,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        Type::List(item) => DataType::List(Arc::new(Field::new("item", arrow_type(&item.ty), true))),
        Type::Record(fields) => {
            DataType::Struct(fields.iter().map(|(name, ty)| Field::new(name, arrow_type(&ty.ty), true)).collect())
        }
    }
}
