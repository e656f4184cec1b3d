//! Types of fields and expressions.

use super::LabelId;

/// A type that may be null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct FieldType {
    /// The type.
    pub ty: Type,
    /// Whether null is a value.
    pub nullable: bool,
}

impl FieldType {
    /// A type without null.
    pub fn plain(ty: Type) -> Self {
        Self { ty, nullable: false }
    }

    /// The same type with null.
    pub fn or_null(ty: Type) -> Self {
        Self { ty, nullable: true }
    }
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub enum Type {
    /// UTF-8 text.
    String,
    /// 64-bit signed.
    Int,
    /// 64-bit.
    Float,
    /// `true` or `false`.
    Bool,
    /// A day, ISO 8601.
    Date,
    /// A moment, RFC 3339.
    Timestamp,
    /// Values in order.
    List(Box<FieldType>),
    /// Named values.
    Record(Vec<(String, FieldType)>),
    /// A value of a label schema; its column holds the value's name.
    Label(LabelId),
}
