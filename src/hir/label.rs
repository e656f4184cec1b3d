//! Label schemas.

use super::SourceId;
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
    /// A schema that is checked and that no data set may use: its name as written, `spans`, `scale` …
    Declared(String),
}

/// Where the values of a label come from.
#[derive(Debug, Clone)]
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
