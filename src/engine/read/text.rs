//! Plain text: a record is a line, a paragraph or a file, with its place where a field asks for it.

use std::borrow::Cow;

use super::cell::Cell;
use super::shape::RecordPlace;
use crate::hir::SourceField;

/// What each field of a source is.
#[derive(Debug)]
pub struct TextShape(Vec<PlaceColumn>);

/// A column that a text format makes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceColumn {
    /// The text.
    Text,
    /// The file's name.
    Path,
    /// The 1-based line that the record begins on.
    Line,
}

impl PlaceColumn {
    /// The column of this name.
    pub(super) fn of(field: &SourceField) -> Option<Self> {
        match field.column.as_slice() {
            [name] => match name.as_str() {
                "text" => Some(Self::Text),
                "path" => Some(Self::Path),
                "line" => Some(Self::Line),
                _ => None,
            },
            _ => None,
        }
    }

    /// Its cell of a record.
    pub(super) fn cell<'a>(self, text: impl Into<Cow<'a, str>>, place: RecordPlace<'a>) -> Cell<'a> {
        match self {
            Self::Text => Cell::Text(text.into()),
            Self::Path => Cell::Text(Cow::Borrowed(place.file)),
            Self::Line => Cell::Int(i64::try_from(place.line).unwrap_or(i64::MAX)),
        }
    }
}

impl TextShape {
    /// The shape of a source's texts.
    pub fn new(fields: &[SourceField]) -> Self {
        let column = |field| PlaceColumn::of(field).expect("a checked source of texts has no other columns");
        Self(fields.iter().map(column).collect())
    }

    /// The cells of one record. Blank lines behind it are no part of it, whatever white space they hold.
    pub fn read<'a>(&self, text: &'a str, place: RecordPlace<'a>, cells: &mut Vec<Cell<'a>>) {
        let text = without_blank_end(text);
        cells.clear();
        cells.extend(self.0.iter().map(|column| column.cell(text, place)));
    }
}

/// A text without the blank lines at its end. The white space at the end of its last line stays.
fn without_blank_end(text: &str) -> &str {
    let inked = text.trim_end_matches(|character: char| character.is_ascii_whitespace());
    let line_end = text[inked.len()..].find('\n').map_or(text.len(), |at| inked.len() + at);
    text[..line_end].trim_end_matches('\r')
}
