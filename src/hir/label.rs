//! Label schemas.

use super::{ColumnId, FieldType, SourceId, Type};
use crate::source::Span;

/// A label schema.
#[derive(Debug, Clone)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// What its `///` lines say.
    pub doc: Option<String>,
    /// What values it has.
    pub schema: LabelSchema,
    /// The declaration.
    pub span: Span,
}

/// The schemas that are lowered so far; `semantic` refuses to use the others by name.
#[derive(Debug, Clone)]
pub enum LabelSchema {
    /// One of several values.
    Choice(LabelValues),
    /// Some of several values.
    Choices(Choices),
    /// A number or a truth value, which has a type of its own.
    Scalar(ScalarSchema),
    /// Stretches of a text, each with a kind.
    Spans(Spans),
    /// A schema that is checked and that no data set may use.
    Declared(DeclaredSchema),
}

/// Some of several values.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    /// The values, in order.
    pub values: Vec<LabelValue>,
    /// The least number of values that a record has.
    pub least: usize,
    /// The greatest.
    pub most: usize,
}

/// Stretches of a text, each with a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Spans {
    /// The kinds, in order.
    pub values: Vec<LabelValue>,
    /// Whether two of them may have a character in common.
    pub may_overlap: bool,
}

/// What a label makes of the raw value that a record gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelForm {
    /// A text; it must be a value's name, else the record is quarantined.
    One,
    /// A list of names of values.
    Several(Choices),
    /// A number or a truth value; one that the schema does not have, or a constraint does not let the record have, is quarantined.
    Scalar(ScalarSchema),
    /// A list of records `{ start, end, label }`.
    Spans {
        /// The column with the text that they are of, as it was read.
        over: ColumnId,
        /// What they may be.
        spans: Spans,
    },
}

impl LabelForm {
    /// The column with the text of spans.
    pub fn over(&self) -> Option<ColumnId> {
        match self {
            Self::Spans { over, .. } => Some(*over),
            Self::One | Self::Several(_) | Self::Scalar(_) => None,
        }
    }
}

impl LabelSchema {
    /// The values that are written out, or read from a file, in order; `None` where the data say them or there are none.
    pub fn listed(&self) -> Option<&[LabelValue]> {
        match self {
            Self::Choice(LabelValues::Listed(values)) | Self::Choices(Choices { values, .. }) => Some(values),
            Self::Spans(Spans { values, .. }) => Some(values),
            Self::Choice(LabelValues::Found { .. }) | Self::Scalar(_) | Self::Declared(_) => None,
        }
    }

    /// The word of the language for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Choice(_) => "choice",
            Self::Choices(_) => "choices",
            Self::Scalar(schema) => schema.word(),
            Self::Spans(_) => "spans",
            Self::Declared(schema) => schema.word(),
        }
    }
}

/// The schemas whose values are no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarSchema {
    /// A whole number between both, ends included.
    Scale {
        /// The lowest.
        low: i64,
        /// The highest.
        high: i64,
    },
    /// A finite number.
    Number,
    /// Yes or no.
    Flag,
}

impl ScalarSchema {
    /// The word of the language for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scale { .. } => "scale",
            Self::Number => "number",
            Self::Flag => "flag",
        }
    }

    /// The type of its values.
    pub fn ty(self) -> Type {
        match self {
            Self::Scale { .. } => Type::Int,
            Self::Number => Type::Float,
            Self::Flag => Type::Bool,
        }
    }
}

/// The schemas that are checked and not lowered.
#[derive(Debug, Clone, PartialEq)]
pub enum DeclaredSchema {
    /// One of several values, where something is wrong with them.
    Choice,
    /// One leaf of a tree; the values in the order written, inner ones before those below them.
    Tree(Vec<LabelValue>),
    /// Some of several values, where they are a tree, are found in the data, or something is wrong with them.
    Choices(Option<LabelValues>),
    /// Stretches of a text, where their kinds are a tree, are found in the data, or something is wrong with them.
    Spans(Option<LabelValues>),
    /// A free text.
    Text,
    /// An order of candidates.
    Rank,
    /// The better one of two.
    Preference,
    /// Named values.
    Json(Vec<(String, FieldType)>),
}

impl DeclaredSchema {
    /// The word of the language for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Tree(_) => "choice tree",
            Self::Choices(_) => "choices",
            Self::Spans(_) => "spans",
            Self::Text => "text",
            Self::Rank => "rank",
            Self::Preference => "preference",
            Self::Json(_) => "json",
        }
    }
}

/// Where the values of a label come from.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelValues {
    /// Written out, or read from a file, in order.
    Listed(Vec<LabelValue>),
    /// The distinct values that a source's field has as it is read, in byte order; recorded in the lock.
    Found {
        /// The source.
        source: SourceId,
        /// The index of the field in the source.
        field: usize,
    },
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelValue {
    /// What the data says.
    pub name: String,
    /// What people read; the name when none was given.
    pub title: String,
    /// What people label by.
    pub guideline: Option<String>,
}
