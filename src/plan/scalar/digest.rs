//! `digest` and `key`: BLAKE3-128 of values, by which records are compared without keeping their texts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryBuilder};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::{Result, internal_err};

use crate::engine::read::cell::write_tagged;

/// The digest of each row of the columns; null where all values are null and `null_of_null` asks for it.
pub(super) fn evaluate(columns: &[ArrayRef], rows: usize, null_of_null: bool) -> Result<ArrayRef> {
    let (mut builder, mut bytes) = (FixedSizeBinaryBuilder::with_capacity(rows, 16), Vec::new());
    for row in 0..rows {
        if null_of_null && columns.iter().all(|column| column.is_null(row)) {
            builder.append_null();
            continue;
        }
        bytes.clear();
        for column in columns {
            write_value(&mut bytes, column, row)?;
        }
        builder.append_value(&blake3::hash(&bytes).as_bytes()[..16])?;
    }
    Ok(Arc::new(builder.finish()))
}

/// A tag, a length where one is needed, and the value: no two rows of values look the same.
fn write_value(bytes: &mut Vec<u8>, column: &ArrayRef, row: usize) -> Result<()> {
    if column.is_null(row) {
        bytes.push(0);
        return Ok(());
    }
    match column.data_type() {
        DataType::Utf8 => {
            let text = column.as_string::<i32>().value(row);
            write_tagged(bytes, 1, &(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        DataType::Int64 => {
            write_tagged(bytes, 2, &column.as_primitive::<Int64Type>().value(row).to_le_bytes());
        }
        DataType::Float64 => {
            // Adding zero makes the negative zero the positive one.
            let value = column.as_primitive::<Float64Type>().value(row) + 0.0;
            write_tagged(bytes, 3, &value.to_bits().to_le_bytes());
        }
        DataType::Boolean => {
            write_tagged(bytes, 4, &[u8::from(column.as_boolean().value(row))]);
        }
        DataType::Date32 => {
            write_tagged(bytes, 5, &column.as_primitive::<Date32Type>().value(row).to_le_bytes());
        }
        DataType::Timestamp(..) => {
            write_tagged(bytes, 6, &column.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>().value(row);
            write_tagged(bytes, 7, &(values.len() as u64).to_le_bytes());
            (0..values.len()).try_for_each(|item| write_value(bytes, &values, item))?;
        }
        DataType::Struct(_) => {
            let columns = column.as_struct().columns();
            write_tagged(bytes, 8, &(columns.len() as u64).to_le_bytes());
            columns.iter().try_for_each(|column| write_value(bytes, column, row))?;
        }
        DataType::Null => {
            bytes.push(0);
        }
        other => return internal_err!("no column of the language has the type {other}"),
    }
    Ok(())
}
