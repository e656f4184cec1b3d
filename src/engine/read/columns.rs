//! Arrow columns built from cells.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, ListArray, NullBufferBuilder, StringBuilder,
    StructArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields};

use super::cell::Cell;
use crate::hir::Type;
use crate::plan::types::{UTC, arrow_type};

/// A column that grows by one cell at a time.
pub enum ColumnBuilder {
    /// Texts and labels.
    Text(StringBuilder),
    /// Whole numbers.
    Int(Int64Builder),
    /// Numbers.
    Float(Float64Builder),
    /// Truth values.
    Bool(BooleanBuilder),
    /// Days.
    Date(Date32Builder),
    /// Moments.
    Timestamp(TimestampMicrosecondBuilder),
    /// Lists.
    List {
        /// The field of an item.
        field: Arc<Field>,
        /// Lengths of the lists so far.
        lengths: Vec<usize>,
        /// Which lists are there.
        nulls: NullBufferBuilder,
        /// The items.
        items: Box<ColumnBuilder>,
    },
    /// Records.
    Record {
        /// The fields.
        fields: Fields,
        /// Which records are there.
        nulls: NullBufferBuilder,
        /// A column for each field.
        columns: Vec<ColumnBuilder>,
    },
}

impl ColumnBuilder {
    /// An empty column for values of a type.
    pub fn new(ty: &Type) -> Self {
        match ty {
            Type::String | Type::Label(_) => Self::Text(StringBuilder::new()),
            Type::Int => Self::Int(Int64Builder::new()),
            Type::Float => Self::Float(Float64Builder::new()),
            Type::Bool => Self::Bool(BooleanBuilder::new()),
            Type::Date => Self::Date(Date32Builder::new()),
            Type::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone(UTC)),
            Type::List(item) => Self::List {
                field: Arc::new(Field::new("item", arrow_type(&item.ty), true)),
                lengths: Vec::new(),
                nulls: NullBufferBuilder::new(0),
                items: Box::new(Self::new(&item.ty)),
            },
            Type::Record(fields) => Self::Record {
                fields: fields.iter().map(|(name, ty)| Field::new(name, arrow_type(&ty.ty), true)).collect(),
                nulls: NullBufferBuilder::new(0),
                columns: fields.iter().map(|(_, ty)| Self::new(&ty.ty)).collect(),
            },
        }
    }

    /// Appends a cell of the column's type, or null.
    pub fn append(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(value)) => builder.append_value(value),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Int(builder), Cell::Int(value)) => builder.append_value(*value),
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Float(builder), Cell::Float(value)) => builder.append_value(*value),
            (Self::Float(builder), _) => builder.append_null(),
            (Self::Bool(builder), Cell::Bool(value)) => builder.append_value(*value),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Date(builder), Cell::Date(value)) => builder.append_value(*value),
            (Self::Date(builder), _) => builder.append_null(),
            (Self::Timestamp(builder), Cell::Timestamp(value)) => builder.append_value(*value),
            (Self::Timestamp(builder), _) => builder.append_null(),
            (Self::List { lengths, nulls, items, .. }, cell) => {
                let values = if let Cell::List(values) = cell { values.as_slice() } else { &[] };
                nulls.append(matches!(cell, Cell::List(_)));
                lengths.push(values.len());
                values.iter().for_each(|value| items.append(value));
            }
            (Self::Record { nulls, columns, .. }, cell) => {
                let values = if let Cell::Record(values) = cell { values.as_slice() } else { &[] };
                nulls.append(matches!(cell, Cell::Record(_)));
                for (at, column) in columns.iter_mut().enumerate() {
                    column.append(values.get(at).unwrap_or(&Cell::Null));
                }
            }
        }
    }

    /// The column; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
            Self::List { field, lengths, nulls, items } => {
                let offsets = OffsetBuffer::from_lengths(lengths.drain(..));
                Arc::new(ListArray::new(Arc::clone(field), offsets, items.finish(), nulls.finish()))
            }
            Self::Record { fields, nulls, columns } => {
                let length = nulls.len();
                let columns = columns.iter_mut().map(Self::finish).collect();
                let array = StructArray::try_new_with_length(fields.clone(), columns, nulls.finish(), length);
                Arc::new(array.expect("every column of a record has grown by one cell for each record"))
            }
        }
    }
}
