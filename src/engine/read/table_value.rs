//! One value of an Arrow array as a cell of a type. The table of types in the reference says the same.

use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::downcast_dictionary_array;

use super::cell::{Cell, expected};
use super::moment::{writable_day, writable_moment};
use super::table_row::text;
use crate::hir::{FieldType, Type};

/// Why a value is none of its field's type. No data is in it.
pub(super) struct Wrong {
    /// What it is.
    pub(super) what: &'static str,
    /// What it should be.
    pub(super) expected: &'static str,
    /// Where below its field it stands: `[]`, `.name`.
    below: String,
}

impl Wrong {
    fn new(what: &'static str, ty: &Type) -> Self {
        Self { what, expected: expected(ty), below: String::new() }
    }

    fn under(mut self, step: &str) -> Self {
        self.below.insert_str(0, step);
        self
    }

    /// The field's name with the place below it.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{name}{}", self.below)
    }
}

/// Whether a column of an Arrow type can be read as a type: what it has else, in words.
pub(super) fn fits(found: &DataType, ty: &Type) -> Result<(), String> {
    if let DataType::Dictionary(_, values) = found {
        return fits(values, ty);
    }
    let fit = match ty {
        _ if *found == DataType::Null => true,
        Type::String | Type::Label(_) => is_text(found),
        Type::Int => found.is_integer() || is_decimal(found),
        Type::Float => found.is_numeric() && !matches!(found, DataType::Decimal32(..) | DataType::Decimal64(..)),
        Type::Bool => *found == DataType::Boolean,
        Type::Date => matches!(found, DataType::Date32 | DataType::Date64) || is_text(found),
        Type::Timestamp => matches!(found, DataType::Timestamp(..)) || is_text(found),
        Type::List(item) => match found {
            DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
                return fits(field.data_type(), &item.ty);
            }
            _ => false,
        },
        Type::Record(members) => match found {
            DataType::Struct(fields) => {
                for (name, member) in members {
                    match fields.find(name) {
                        Some((_, field)) => fits(field.data_type(), &member.ty)?,
                        None if member.nullable => {}
                        None => return Err(format!("a struct without `{name}`")),
                    }
                }
                true
            }
            _ => false,
        },
    };
    if fit { Ok(()) } else { Err(format!("values of the type {found}")) }
}

fn is_text(found: &DataType) -> bool {
    matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_decimal(found: &DataType) -> bool {
    matches!(found, DataType::Decimal128(..) | DataType::Decimal256(..))
}

/// The type of the language that a column of an Arrow type is read as by itself; `None` where there is none.
pub(super) fn natural(found: &DataType) -> Option<Type> {
    Some(match found {
        DataType::Dictionary(_, values) => natural(values)?,
        DataType::Boolean => Type::Bool,
        DataType::Date32 | DataType::Date64 => Type::Date,
        DataType::Timestamp(..) => Type::Timestamp,
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) if *scale > 0 => Type::Float,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Type::List(Box::new(FieldType::or_null(natural(field.data_type())?)))
        }
        DataType::Struct(fields) => {
            let member = |name: &String, found| Some((name.clone(), FieldType::or_null(natural(found)?)));
            Type::Record(fields.iter().map(|field| member(field.name(), field.data_type())).collect::<Option<_>>()?)
        }
        found if is_text(found) || *found == DataType::Null => Type::String,
        found if fits(found, &Type::Int).is_ok() => Type::Int,
        found if fits(found, &Type::Float).is_ok() => Type::Float,
        _ => return None,
    })
}

/// The value of a row as a cell of a type.
pub(super) fn value<'a>(array: &'a dyn Array, row: usize, ty: &Type) -> Result<Cell<'a>, Wrong> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok(Cell::Null);
    }
    if let DataType::Dictionary(..) = array.data_type() {
        let (values, key) = dictionary(array, row).ok_or_else(|| Wrong::new("no entry of its dictionary", ty))?;
        return value(values, key, ty);
    }
    match ty {
        Type::String | Type::Label(_) | Type::Date | Type::Timestamp if is_text(array.data_type()) => {
            let cell = text(array, row).and_then(|text| Cell::from_text(text, ty));
            cell.ok_or_else(|| Wrong::new("a string", ty))
        }
        Type::Int => int(array, row),
        Type::Float => float(array, row),
        Type::Bool => Ok(Cell::Bool(array.as_boolean().value(row))),
        Type::Date => day(array, row).map(Cell::Date).ok_or_else(|| Wrong::new("a date out of range", ty)),
        Type::Timestamp => {
            moment(array, row).map(Cell::Timestamp).ok_or_else(|| Wrong::new("a moment out of range", ty))
        }
        Type::List(item) => list(array, row, ty, item),
        Type::Record(members) => record(array, row, members),
        Type::String | Type::Label(_) => Err(Wrong::new("no text", ty)),
    }
}

/// The values of a dictionary, and which of them a row has.
fn dictionary(array: &dyn Array, row: usize) -> Option<(&dyn Array, usize)> {
    let key = downcast_dictionary_array!(array => array.key(row), _ => None)?;
    let values = array.as_any_dictionary().values().as_ref();
    (key < values.len()).then_some((values, key))
}

fn int<'a>(array: &dyn Array, row: usize) -> Result<Cell<'a>, Wrong> {
    let wide = "a number beyond 64 bits";
    let found = match array.data_type() {
        DataType::Int8 => i64::from(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => i64::from(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => i64::from(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row),
        DataType::UInt8 => i64::from(array.as_primitive::<UInt8Type>().value(row)),
        DataType::UInt16 => i64::from(array.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt32 => i64::from(array.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt64 => {
            let value = array.as_primitive::<UInt64Type>().value(row);
            i64::try_from(value).map_err(|_| Wrong::new(wide, &Type::Int))?
        }
        _ => {
            let written = decimal(array, row).ok_or_else(|| Wrong::new("no number", &Type::Int))?;
            let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
            if fraction.bytes().any(|digit| digit != b'0') {
                return Err(Wrong::new("a number with a fraction", &Type::Int));
            }
            whole.parse().map_err(|_| Wrong::new(wide, &Type::Int))?
        }
    };
    Ok(Cell::Int(found))
}

/// The digits of a decimal number.
fn decimal(array: &dyn Array, row: usize) -> Option<String> {
    match array.data_type() {
        DataType::Decimal128(..) => Some(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Decimal256(..) => Some(array.as_primitive::<Decimal256Type>().value_as_string(row)),
        _ => None,
    }
}

fn float<'a>(array: &dyn Array, row: usize) -> Result<Cell<'a>, Wrong> {
    let found = match array.data_type() {
        DataType::Float16 => array.as_primitive::<Float16Type>().value(row).to_f64(),
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row) as f64,
        DataType::Decimal128(..) | DataType::Decimal256(..) => {
            let number = decimal(array, row).and_then(|written| written.parse().ok());
            number.ok_or_else(|| Wrong::new("no number", &Type::Float))?
        }
        _ => match int(array, row)? {
            Cell::Int(value) => value as f64,
            _ => return Err(Wrong::new("no number", &Type::Float)),
        },
    };
    // Neither JSON nor CSV has these, and no rule could compare them.
    if found.is_finite() { Ok(Cell::Float(found)) } else { Err(Wrong::new("infinite or not a number", &Type::Float)) }
}

/// Days since 1970-01-01, in the years that can be written.
fn day(array: &dyn Array, row: usize) -> Option<i32> {
    let day = match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row),
        DataType::Date64 => i32::try_from(array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000)).ok()?,
        _ => return None,
    };
    writable_day(day)
}

/// Microseconds since 1970-01-01T00:00:00Z, rounded down, in the years that can be written. One without a zone is taken as
/// UTC.
fn moment(array: &dyn Array, row: usize) -> Option<i64> {
    let DataType::Timestamp(unit, _) = array.data_type() else { return None };
    let micros = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row).checked_mul(1_000_000)?,
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row).checked_mul(1_000)?,
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000),
    };
    writable_moment(micros)
}

fn list<'a>(array: &'a dyn Array, row: usize, ty: &Type, item: &FieldType) -> Result<Cell<'a>, Wrong> {
    let (items, range): (&dyn Array, Range<usize>) = match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets();
            (list.values().as_ref(), offsets[row] as usize..offsets[row + 1] as usize)
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.value_offsets();
            (list.values().as_ref(), offsets[row] as usize..offsets[row + 1] as usize)
        }
        DataType::FixedSizeList(..) => {
            let list = array.as_fixed_size_list();
            let length = list.value_length() as usize;
            (list.values().as_ref(), list.value_offset(row) as usize..list.value_offset(row) as usize + length)
        }
        _ => return Err(Wrong::new("no list", ty)),
    };
    let mut cells = Vec::with_capacity(range.len());
    for at in range {
        let cell = value(items, at, &item.ty).map_err(|wrong| wrong.under("[]"))?;
        if cell == Cell::Null && !item.nullable {
            return Err(Wrong::new("null", &item.ty).under("[]"));
        }
        cells.push(cell);
    }
    Ok(Cell::List(cells))
}

fn record<'a>(array: &'a dyn Array, row: usize, members: &[(String, FieldType)]) -> Result<Cell<'a>, Wrong> {
    let Some(record) = array.as_struct_opt() else {
        return Err(Wrong::new("no struct", &Type::Record(Vec::new())));
    };
    let mut cells = Vec::with_capacity(members.len());
    for (name, ty) in members {
        let cell = match record.column_by_name(name) {
            Some(column) => value(column.as_ref(), row, &ty.ty).map_err(|wrong| wrong.under(&format!(".{name}")))?,
            None => Cell::Null,
        };
        if cell == Cell::Null && !ty.nullable {
            return Err(Wrong::new("null", &ty.ty).under(&format!(".{name}")));
        }
        cells.push(cell);
    }
    Ok(Cell::Record(cells))
}
