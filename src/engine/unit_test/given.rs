//! The records of a test as columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use crate::hir::{Literal, TestUse, Type, Value};
use crate::plan::constant;
use crate::plan::types::arrow_type;

/// A column of the records that tests with the same columns give.
pub(super) fn column(uses: &[&TestUse], at: usize) -> Result<ArrayRef> {
    let values: Vec<&Value> = uses.iter().flat_map(|one| &one.cases).map(|case| &case.given[at]).collect();
    array(&uses[0].columns[at].ty.ty, &values)
}

/// Values of one type.
pub(super) fn array(ty: &Type, values: &[&Value]) -> Result<ArrayRef> {
    static NULL: Value = Value::NULL;
    if values.is_empty() {
        return Ok(new_empty_array(&arrow_type(ty)));
    }
    let present = || NullBuffer::from_iter(values.iter().map(|value| **value != NULL));
    match (ty, arrow_type(ty)) {
        (Type::List(of), DataType::List(field)) => {
            let lengths = OffsetBuffer::from_lengths(values.iter().map(|value| items(value).len()));
            let all: Vec<&Value> = values.iter().flat_map(|value| items(value)).collect();
            Ok(Arc::new(ListArray::try_new(field, lengths, array(&of.ty, &all)?, Some(present()))?))
        }
        (Type::Record(members), DataType::Struct(fields)) => {
            let mut arrays = Vec::with_capacity(members.len());
            for (at, (_, ty)) in members.iter().enumerate() {
                let column: Vec<&Value> = values.iter().map(|value| member(value, at).unwrap_or(&NULL)).collect();
                arrays.push(array(&ty.ty, &column)?);
            }
            let record = StructArray::try_new_with_length(fields, arrays, Some(present()), values.len())?;
            Ok(Arc::new(record))
        }
        _ => {
            let literals = values.iter().map(|value| match value {
                Value::Constant(literal) => constant(literal, ty),
                Value::List(_) | Value::Record(_) => constant(&Literal::Null, ty),
            });
            ScalarValue::iter_to_array(literals.collect::<Result<Vec<_>>>()?)
        }
    }
}

/// The items of a list; of null there are none.
fn items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        Value::Constant(_) | Value::Record(_) => &[],
    }
}

/// A member of a record; `None` of null.
fn member(value: &Value, at: usize) -> Option<&Value> {
    match value {
        Value::Record(row) => row.get(at),
        Value::Constant(_) | Value::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;
    use crate::emit::cell_value;
    use crate::hir::FieldType;

    #[test]
    fn nested_values_become_columns() {
        let turn = Type::Record(vec![
            ("role".to_owned(), FieldType::plain(Type::String)),
            ("weight".to_owned(), FieldType::or_null(Type::Int)),
        ]);
        let ty = Type::List(Box::new(FieldType::plain(turn)));
        let text = |text: &str| Value::Constant(Literal::String(text.to_owned()));
        let full = Value::List(vec![
            Value::Record(vec![text("user"), Value::NULL]),
            Value::Record(vec![text("assistant"), Value::Constant(Literal::Int(2))]),
        ]);
        let array = array(&ty, &[&full, &Value::NULL, &Value::List(Vec::new())]).unwrap();
        assert_eq!(array.len(), 3);
        let cells: Vec<_> = (0..3).map(|row| cell_value(&array, row).unwrap()).collect();
        let expected = serde_json::json!([
            [{"role": "user", "weight": null}, {"role": "assistant", "weight": 2}],
            null,
            [],
        ]);
        assert_eq!(serde_json::Value::Array(cells), expected);
    }
}
