//! `digest` and `key`: BLAKE3-128 of values, by which records are compared without keeping their texts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryBuilder};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::{Result, internal_err};

/// The digest of each row of the columns; null where all values are null and `null_of_null` asks for it.
pub(super) fn evaluate(columns: &[ArrayRef], rows: usize, null_of_null: bool) -> Result<ArrayRef> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(rows, 16);
    for row in 0..rows {
        if null_of_null && columns.iter().all(|column| column.is_null(row)) {
            builder.append_null();
            continue;
        }
        let mut hasher = blake3::Hasher::new();
        for column in columns {
            hash_value(&mut hasher, column, row)?;
        }
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        builder.append_value(digest)?;
    }
    Ok(Arc::new(builder.finish()))
}

/// A tag, a length where one is needed, and the value: no two rows of values look the same.
fn hash_value(hasher: &mut blake3::Hasher, column: &ArrayRef, row: usize) -> Result<()> {
    if column.is_null(row) {
        hasher.update(&[0]);
        return Ok(());
    }
    match column.data_type() {
        DataType::Utf8 => {
            let text = column.as_string::<i32>().value(row);
            hasher.update(&[1]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        DataType::Int64 => {
            hasher.update(&[2]).update(&column.as_primitive::<Int64Type>().value(row).to_le_bytes());
        }
        DataType::Float64 => {
            // Adding zero makes the negative zero the positive one.
            let value = column.as_primitive::<Float64Type>().value(row) + 0.0;
            hasher.update(&[3]).update(&value.to_bits().to_le_bytes());
        }
        DataType::Boolean => {
            hasher.update(&[4, u8::from(column.as_boolean().value(row))]);
        }
        DataType::Date32 => {
            hasher.update(&[5]).update(&column.as_primitive::<Date32Type>().value(row).to_le_bytes());
        }
        DataType::Timestamp(..) => {
            hasher.update(&[6]).update(&column.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>().value(row);
            hasher.update(&[7]).update(&(values.len() as u64).to_le_bytes());
            (0..values.len()).try_for_each(|item| hash_value(hasher, &values, item))?;
        }
        DataType::Struct(_) => {
            let columns = column.as_struct().columns();
            hasher.update(&[8]).update(&(columns.len() as u64).to_le_bytes());
            columns.iter().try_for_each(|column| hash_value(hasher, column, row))?;
        }
        DataType::Null => {
            hasher.update(&[0]);
        }
        other => return internal_err!("no column of the language has the type {other}"),
    }
    Ok(())
}
