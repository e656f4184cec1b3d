//! Arrow columns as the values of rows: typed once for each batch, then read cell by cell.

use std::io::Write;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, GenericStringArray, Int64Array, ListArray, StringArray,
    StringViewArray,
};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Number, Value};

/// A column of a batch. Texts of dates and times are ISO 8601 and RFC 3339.
pub(crate) struct Column<'a> {
    array: &'a ArrayRef,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Text(&'a StringArray),
    LargeText(&'a GenericStringArray<i64>),
    TextView(&'a StringViewArray),
    Int(&'a Int64Array),
    Float(&'a Float64Array),
    Bool(&'a BooleanArray),
    Shown(ArrayFormatter<'a>),
    List(&'a ListArray, Box<Column<'a>>),
    Record(Vec<(&'a str, Column<'a>)>),
}

/// Why a cell cannot be written. It never holds the cell's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Readers pad missing keys with null, so a null of ours would be taken for one.
    Null,
    /// JSON has no infinity and no NaN.
    NotFinite,
    /// A moment outside the calendar.
    OutOfRange,
}

impl Refusal {
    /// The reason, for the column of this name.
    pub(crate) fn message(self, column: &str) -> String {
        match self {
            Refusal::Null => {
                format!(
                    "`{column}` is null, and a row of JSON holds none: give it a default with `??`, or drop the record"
                )
            }
            Refusal::NotFinite => format!("`{column}` is not a finite number, which JSON cannot say"),
            Refusal::OutOfRange => format!("`{column}` is outside the years that can be written"),
        }
    }
}

impl<'a> Column<'a> {
    /// Types the column; an error is the type that no column of the language has.
    pub(crate) fn new(array: &'a ArrayRef) -> Result<Self, String> {
        let cells = match array.data_type() {
            DataType::Utf8 => Cells::Text(array.as_string()),
            DataType::LargeUtf8 => Cells::LargeText(array.as_string()),
            DataType::Utf8View => Cells::TextView(array.as_string_view()),
            DataType::Int64 => Cells::Int(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Cells::Float(array.as_primitive::<Float64Type>()),
            DataType::Boolean => Cells::Bool(array.as_boolean()),
            DataType::Date32 | DataType::Timestamp(..) => {
                Cells::Shown(ArrayFormatter::try_new(array, &OPTIONS).map_err(|error| error.to_string())?)
            }
            DataType::List(_) => {
                let list = array.as_list();
                Cells::List(list, Box::new(Column::new(list.values())?))
            }
            DataType::Struct(fields) => {
                let record = array.as_struct();
                let members = fields.iter().zip(record.columns());
                let members = members.map(|(field, array)| Ok((field.name().as_str(), Column::new(array)?)));
                Cells::Record(members.collect::<Result<_, String>>()?)
            }
            other => return Err(other.to_string()),
        };
        Ok(Self { array, cells })
    }

    /// Whether the cell is null.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row)
    }

    /// The text of a text column's cell that is not null.
    pub(crate) fn text(&self, row: usize) -> Option<&'a str> {
        match &self.cells {
            _ if self.is_null(row) => None,
            Cells::Text(array) => Some(array.value(row)),
            Cells::LargeText(array) => Some(array.value(row)),
            Cells::TextView(array) => Some(array.value(row)),
            Cells::Int(_) | Cells::Float(_) | Cells::Bool(_) | Cells::Shown(_) | Cells::List(..) | Cells::Record(_) => {
                None
            }
        }
    }

    /// The column of the items of a list column, with the range of the cell's items in it.
    pub(crate) fn items(&self, row: usize) -> Option<(&Column<'a>, std::ops::Range<usize>)> {
        match &self.cells {
            Cells::List(list, items) if !list.is_null(row) => Some((items, list_range(list, row))),
            Cells::List(..)
            | Cells::Text(_)
            | Cells::LargeText(_)
            | Cells::TextView(_)
            | Cells::Int(_)
            | Cells::Float(_)
            | Cells::Bool(_)
            | Cells::Shown(_)
            | Cells::Record(_) => None,
        }
    }

    /// A member's column of a record column.
    pub(crate) fn member(&self, name: &str) -> Option<&Column<'a>> {
        match &self.cells {
            Cells::Record(members) => members.iter().find(|(own, _)| *own == name).map(|(_, column)| column),
            Cells::Text(_)
            | Cells::LargeText(_)
            | Cells::TextView(_)
            | Cells::Int(_)
            | Cells::Float(_)
            | Cells::Bool(_)
            | Cells::Shown(_)
            | Cells::List(..) => None,
        }
    }

    /// Writes the cell as JSON, in which no null stands.
    pub(crate) fn write_json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.is_null(row) {
            return Err(Refusal::Null);
        }
        match &self.cells {
            Cells::Text(array) => write_text(out, array.value(row)),
            Cells::LargeText(array) => write_text(out, array.value(row)),
            Cells::TextView(array) => write_text(out, array.value(row)),
            Cells::Int(array) => write!(out, "{}", array.value(row)).expect("memory takes every write"),
            Cells::Float(array) => {
                let number = Number::from_f64(array.value(row)).ok_or(Refusal::NotFinite)?;
                write!(out, "{number}").expect("memory takes every write");
            }
            Cells::Bool(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Shown(formatter) => write_text(out, &shown(formatter, row)?),
            Cells::List(list, items) => {
                out.push(b'[');
                for (at, row) in list_range(list, row).enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    items.write_json(row, out)?;
                }
                out.push(b']');
            }
            Cells::Record(members) => {
                out.push(b'{');
                for (at, (name, member)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    write_text(out, name);
                    out.push(b':');
                    member.write_json(row, out)?;
                }
                out.push(b'}');
            }
        }
        Ok(())
    }

    /// The cell as a value, for a template; null is null.
    pub(crate) fn value(&self, row: usize) -> Result<Value, Refusal> {
        if self.is_null(row) {
            return Ok(Value::Null);
        }
        Ok(match &self.cells {
            Cells::Text(array) => array.value(row).into(),
            Cells::LargeText(array) => array.value(row).into(),
            Cells::TextView(array) => array.value(row).into(),
            Cells::Int(array) => array.value(row).into(),
            Cells::Float(array) => Value::Number(Number::from_f64(array.value(row)).ok_or(Refusal::NotFinite)?),
            Cells::Bool(array) => array.value(row).into(),
            Cells::Shown(formatter) => shown(formatter, row)?.into(),
            Cells::List(list, items) => {
                Value::Array(list_range(list, row).map(|row| items.value(row)).collect::<Result<_, _>>()?)
            }
            Cells::Record(members) => Value::Object(
                members.iter().map(|(name, member)| Ok(((*name).to_owned(), member.value(row)?))).collect::<Result<
                    Map<_, _>,
                    _,
                >>(
                )?,
            ),
        })
    }
}

/// A cell of a column as a value; null is null.
///
/// # Errors
/// A type that the language does not have, or a value that JSON cannot say.
pub fn cell_value(array: &ArrayRef, row: usize) -> Result<Value, String> {
    let column = Column::new(array).map_err(|ty| format!("it has the type {ty}, which no format writes"))?;
    column.value(row).map_err(|refusal| refusal.message("it"))
}

/// Writes a text as JSON, with quotes.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is written to memory");
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new();

fn shown(formatter: &ArrayFormatter<'_>, row: usize) -> Result<String, Refusal> {
    let mut text = String::new();
    formatter.value(row).write(&mut text).map_err(|_| Refusal::OutOfRange)?;
    Ok(text)
}

fn list_range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}
