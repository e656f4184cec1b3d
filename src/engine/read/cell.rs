//! One value of one record, with its type checked, and what a record's identity is made from.

use std::borrow::Cow;

use super::moment::{parse_date, parse_timestamp};
use crate::hir::{FieldType, Type};

/// A value as it was read; texts are borrowed from the file's bytes where nothing had to be unescaped.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Not there; a row that was read has none such.
    Absent,
    /// Null.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Values in order.
    List(Vec<Cell<'a>>),
    /// The values of a record type's fields, in the type's order.
    Record(Vec<Cell<'a>>),
}

/// What is wrong with a row: a sentence's end that never holds data.
pub type RowError = String;

/// How a type is called in an error.
pub fn expected(ty: &Type) -> &'static str {
    match ty {
        Type::String | Type::Label(_) => "a string",
        Type::Int => "a whole number",
        Type::Float => "a number",
        Type::Bool => "true or false",
        Type::Date => "a date such as 2024-05-01",
        Type::Timestamp => "a timestamp such as 2024-05-01T12:00:00Z",
        Type::List(_) => "a list",
        Type::Record(_) => "an object",
    }
}

impl<'a> Cell<'a> {
    /// A text as a value of `ty`: as it stands for a text, read for a date or timestamp; `None` where it is none.
    pub fn from_text(text: Cow<'a, str>, ty: &Type) -> Option<Cell<'a>> {
        match ty {
            Type::String | Type::Label(_) => Some(Cell::Text(text)),
            Type::Date => parse_date(&text).map(Cell::Date),
            Type::Timestamp => parse_timestamp(&text).map(Cell::Timestamp),
            Type::Int | Type::Float | Type::Bool | Type::List(_) | Type::Record(_) => None,
        }
    }

    /// A CSV field as a value of a type; nothing at all is null where null is allowed.
    pub fn from_csv(text: Cow<'a, str>, quoted: bool, ty: &FieldType) -> Option<Cell<'a>> {
        if text.is_empty() && !quoted && ty.nullable {
            return Some(Cell::Null);
        }
        match &ty.ty {
            Type::Int => text.parse().ok().map(Cell::Int),
            // The words for infinity and "not a number" that Rust reads are no numbers of a data set.
            Type::Float => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Cell::Float),
            Type::Bool => match text.as_ref() {
                "true" | "True" | "TRUE" => Some(Cell::Bool(true)),
                "false" | "False" | "FALSE" => Some(Cell::Bool(false)),
                _ => None,
            },
            Type::String | Type::Label(_) | Type::Date | Type::Timestamp => Cell::from_text(text, &ty.ty),
            Type::List(_) | Type::Record(_) => None,
        }
    }

    /// Adds the value to what is hashed: a tag, then a length where one is needed, so that no two values look the same.
    pub fn write_into(&self, bytes: &mut Vec<u8>) {
        match self {
            Cell::Absent | Cell::Null => bytes.push(0),
            Cell::Text(text) => write_text(bytes, text),
            Cell::Int(value) => write_tagged(bytes, 2, &value.to_le_bytes()),
            // Adding zero makes the negative zero the positive one.
            Cell::Float(value) => write_tagged(bytes, 3, &(value + 0.0).to_bits().to_le_bytes()),
            Cell::Bool(value) => write_tagged(bytes, 4, &[u8::from(*value)]),
            Cell::Date(value) => write_tagged(bytes, 5, &value.to_le_bytes()),
            Cell::Timestamp(value) => write_tagged(bytes, 6, &value.to_le_bytes()),
            Cell::List(values) => write_all(bytes, 7, values),
            Cell::Record(values) => write_all(bytes, 8, values),
        }
    }

    /// The bytes that its texts and numbers take.
    pub fn size(&self) -> u64 {
        match self {
            Cell::Absent | Cell::Null => 0,
            Cell::Text(text) => text.len() as u64,
            Cell::Bool(_) => 1,
            Cell::Date(_) => 4,
            Cell::Int(_) | Cell::Float(_) | Cell::Timestamp(_) => 8,
            Cell::List(values) | Cell::Record(values) => values.iter().map(Cell::size).sum(),
        }
    }

    /// The same value with texts of its own.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Absent => Cell::Absent,
            Cell::Null => Cell::Null,
            Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Cell::Int(value) => Cell::Int(value),
            Cell::Float(value) => Cell::Float(value),
            Cell::Bool(value) => Cell::Bool(value),
            Cell::Date(value) => Cell::Date(value),
            Cell::Timestamp(value) => Cell::Timestamp(value),
            Cell::List(values) => Cell::List(values.into_iter().map(Cell::into_owned).collect()),
            Cell::Record(values) => Cell::Record(values.into_iter().map(Cell::into_owned).collect()),
        }
    }
}

/// Adds the bytes of a value behind a tag that tells its type.
pub fn write_tagged(bytes: &mut Vec<u8>, tag: u8, value: &[u8]) {
    bytes.push(tag);
    bytes.extend_from_slice(value);
}

/// Adds a text with its tag and length.
pub fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_tagged(bytes, 1, &(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn write_all(bytes: &mut Vec<u8>, tag: u8, values: &[Cell<'_>]) {
    write_tagged(bytes, tag, &(values.len() as u64).to_le_bytes());
    values.iter().for_each(|value| value.write_into(bytes));
}

/// The first 16 bytes of a BLAKE3 hash: BLAKE3-128.
pub fn digest_128(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}
