//! CoNLL: a token with its tags on each line, a sentence up to a blank line.

use std::borrow::Cow;

use super::cell::{Cell, RowError};
use super::shape::{RecordPlace, column_number};
use super::text::PlaceColumn;
use crate::eval::{TagReading, TaggedSpan, spans_of};
use crate::hir::SourceField;

/// Begins the line between two documents.
const DOCUMENT: &str = "-DOCSTART-";

/// What each field of a source is.
#[derive(Debug)]
pub struct ConllShape {
    columns: Vec<Column>,
    separator: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Column {
    /// The column of this number, from 0.
    Nth(usize),
    /// The last one.
    Last,
    /// The spans that the tags of the last one are of, in the tokens with spaces between them.
    Spans,
    /// The tokens with spaces between them, or the place.
    Place(PlaceColumn),
}

impl ConllShape {
    /// The shape of a source's sentences. Columns stand between separators; where none is named, between tabs in a line
    /// that has one, else between runs of spaces.
    pub fn new(fields: &[SourceField], separator: Option<u8>) -> Self {
        let column = |field: &SourceField| match (PlaceColumn::of(field), column_number(field)) {
            (Some(place), _) => Column::Place(place),
            (None, Some(number)) => Column::Nth(number),
            (None, None) if field.column == ["tags"] => Column::Last,
            (None, None) if field.column == ["spans"] => Column::Spans,
            (None, None) => Column::Nth(0),
        };
        Self { columns: fields.iter().map(column).collect(), separator }
    }

    /// The cells of one sentence.
    ///
    /// # Errors
    /// A line with another number of columns than the first one, or fewer than are read; a tag that is none.
    pub fn read<'a>(&self, text: &'a str, place: RecordPlace<'a>, cells: &mut Vec<Cell<'a>>) -> Result<(), RowError> {
        let lines: Vec<Vec<&str>> = self.token_lines(text);
        let width = lines.first().map_or(0, Vec::len);
        if let Some((at, line)) = lines.iter().enumerate().find(|(_, line)| line.len() != width) {
            return Err(format!("token {} has {} columns, the first one has {width}", at + 1, line.len()));
        }
        cells.clear();
        for column in &self.columns {
            let nth = match *column {
                Column::Nth(at) => at,
                Column::Last => width - 1,
                Column::Spans => {
                    cells.push(spans(&lines)?);
                    continue;
                }
                Column::Place(what) => {
                    let joined = match what {
                        PlaceColumn::Text => Cow::Owned(lines.iter().map(|line| line[0]).collect::<Vec<_>>().join(" ")),
                        PlaceColumn::Path | PlaceColumn::Line => Cow::Borrowed(""),
                    };
                    cells.push(what.cell(joined, place));
                    continue;
                }
            };
            if nth >= width {
                return Err(format!("there is no column {}: the tokens have {width}", nth + 1));
            }
            cells.push(Cell::List(lines.iter().map(|line| Cell::Text(Cow::Borrowed(line[nth]))).collect()));
        }
        Ok(())
    }

    /// The columns of each token. Lines before the first token that begin with `# ` are comments where they have another
    /// number of columns than the last line has: a token may be a `#`.
    fn token_lines<'a>(&self, text: &'a str) -> Vec<Vec<&'a str>> {
        let lines = text.lines().filter(|line| !is_blank(line) && !line.starts_with(DOCUMENT));
        let mut lines: Vec<(&str, Vec<&str>)> = lines.map(|line| (line, self.split(line))).collect();
        let width = lines.last().map_or(0, |(_, columns)| columns.len());
        let is_comment = |(line, columns): &(&str, Vec<&str>)| line.starts_with("# ") && columns.len() != width;
        let comments = lines.iter().take_while(|line| is_comment(line)).count();
        lines.drain(..comments);
        lines.into_iter().map(|(_, columns)| columns).collect()
    }

    fn split<'a>(&self, line: &'a str) -> Vec<&'a str> {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match self.separator {
            Some(separator) => line.split(char::from(separator)).collect(),
            None if line.contains('\t') => line.split('\t').collect(),
            None => line.split_ascii_whitespace().collect(),
        }
    }
}

/// The spans of a sentence's tags: IOB1, IOB2, IOE and IOBES as `conlleval` reads them, and BILOU, whose `L` is an `E` and
/// whose `U` an `S`. Offsets count characters of the tokens with spaces between them.
fn spans<'a>(lines: &[Vec<&'a str>]) -> Result<Cell<'a>, RowError> {
    let tag = |line: &Vec<&'a str>| {
        let tag = *line.last()?;
        Some(match tag.split_at_checked(1) {
            Some(("L", rest)) => Cow::Owned(format!("E{rest}")),
            Some(("U", rest)) => Cow::Owned(format!("S{rest}")),
            _ => Cow::Borrowed(tag),
        })
    };
    let tags: Vec<Cow<'a, str>> = lines.iter().filter_map(tag).collect();
    let found = spans_of(&tags, TagReading::Default)
        .map_err(|unknown| format!("the tag of token {} is none of a span", unknown.at + 1))?;
    let mut places = Vec::with_capacity(lines.len());
    let mut at = 0;
    for line in lines {
        let length = line[0].chars().count() as i64;
        places.push((at, at + length));
        at += length + 1;
    }
    let span = |span: TaggedSpan| {
        let (start, end) = (places[span.start].0, places[span.end - 1].1);
        Cell::Record(vec![Cell::Int(start), Cell::Int(end), Cell::Text(Cow::Owned(span.kind))])
    };
    Ok(Cell::List(found.into_iter().map(span).collect()))
}

fn is_blank(line: &str) -> bool {
    super::records::is_blank(line.as_bytes())
}

/// Whether a block has no token: it is blank, or begins a document.
pub(super) fn is_no_sentence(block: &[u8]) -> bool {
    block
        .split(|&byte| byte == b'\n')
        .all(|line| super::records::is_blank(line) || line.starts_with(DOCUMENT.as_bytes()))
}
