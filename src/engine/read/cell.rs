//! One value of one record, with its type checked, and what a record's identity is made from.

use std::borrow::Cow;

use super::moment::{parse_date, parse_timestamp};
use crate::hir::{FieldType, Type};

/// A value as it was read; texts are borrowed from the file's bytes where nothing had to be unescaped.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Null, or not there.
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

    /// Adds the value to a hash: a tag, then a length where one is needed, so that no two values look the same.
    pub fn hash_into(&self, hasher: &mut blake3::Hasher) {
        match self {
            Cell::Null => hasher.update(&[0]),
            Cell::Text(text) => hash_text(hasher, text),
            Cell::Int(value) => hasher.update(&[2]).update(&value.to_le_bytes()),
            // Adding zero makes the negative zero the positive one.
            Cell::Float(value) => hasher.update(&[3]).update(&(value + 0.0).to_bits().to_le_bytes()),
            Cell::Bool(value) => hasher.update(&[4, u8::from(*value)]),
            Cell::Date(value) => hasher.update(&[5]).update(&value.to_le_bytes()),
            Cell::Timestamp(value) => hasher.update(&[6]).update(&value.to_le_bytes()),
            Cell::List(values) => hash_all(hasher, 7, values),
            Cell::Record(values) => hash_all(hasher, 8, values),
        };
    }
}

/// Adds a text with its tag and length.
pub fn hash_text<'h>(hasher: &'h mut blake3::Hasher, text: &str) -> &'h mut blake3::Hasher {
    hasher.update(&[1]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes())
}

fn hash_all<'h>(hasher: &'h mut blake3::Hasher, tag: u8, values: &[Cell<'_>]) -> &'h mut blake3::Hasher {
    hasher.update(&[tag]).update(&(values.len() as u64).to_le_bytes());
    values.iter().for_each(|value| value.hash_into(hasher));
    hasher
}

/// The first 16 bytes of a BLAKE3 hash: BLAKE3-128.
pub fn digest_128(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}
