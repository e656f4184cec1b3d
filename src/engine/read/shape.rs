//! How the rows of one source are read and identified.

use super::cell::{Cell, RowError, expected, write_text};
use super::conll::ConllShape;
use super::document::DocumentShape;
use super::json::JsonShape;
use super::records::is_blank;
use super::text::TextShape;
use super::{csv, table_row::TableShape};
use crate::hir::{Column, Dialect, Source, SourceField, SourceFormat};

/// How the rows of one source become rows of the table.
#[derive(Debug)]
pub struct RowShape {
    pub(super) source: Source,
    texts: Texts,
    /// Indices into the source's fields in order of name: the order in which they are hashed.
    by_name: Vec<usize>,
    key: Option<usize>,
    /// For each declared column of the table, the source's field.
    pub(super) fields: Vec<Option<usize>>,
}

/// How a record's text becomes cells.
#[derive(Debug)]
enum Texts {
    Json(JsonShape),
    /// As the file's header says.
    Values,
    Plain(TextShape),
    Conll(ConllShape),
    Document(DocumentShape),
    /// The format has no texts.
    None,
}

/// The place of a record, which some formats have fields for.
#[derive(Debug, Clone, Copy)]
pub struct RecordPlace<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The 1-based line.
    pub line: u64,
}

impl RowShape {
    /// The shape of a source's rows in a table with these columns.
    pub fn new(source: &Source, columns: &[Column]) -> Self {
        let mut by_name: Vec<usize> = (0..source.fields.len()).collect();
        by_name.sort_by(|&a, &b| source.fields[a].name.cmp(&source.fields[b].name));
        let fields = columns.iter().filter(|column| column.label.is_none());
        let texts = match source.format {
            SourceFormat::Jsonl => Texts::Json(JsonShape::new(&source.fields, "line")),
            SourceFormat::Json => Texts::Json(JsonShape::new(&source.fields, "element")),
            SourceFormat::Csv | SourceFormat::Tsv => Texts::Values,
            SourceFormat::Text => Texts::Plain(TextShape::new(&source.fields)),
            SourceFormat::Conll => Texts::Conll(ConllShape::new(&source.fields, source.options.separator)),
            SourceFormat::Markdown | SourceFormat::Html => Texts::Document(DocumentShape::new(source)),
            SourceFormat::Parquet | SourceFormat::Arrow | SourceFormat::Avro | SourceFormat::Sqlite => Texts::None,
        };
        Self {
            texts,
            by_name,
            key: source.fields.iter().position(|field| field.key),
            fields: fields.map(|column| source.fields.iter().position(|field| field.name == column.name)).collect(),
            source: source.clone(),
        }
    }

    /// Where the source's fields stand in a file, whose header names these columns.
    pub(super) fn header(&self, columns: &[String]) -> Header {
        match self.texts {
            Texts::Values if self.source.options.dialect.header => Header::Values(self.named_columns(columns)),
            Texts::Values => Header::Values(self.numbered_columns()),
            Texts::Json(_) | Texts::Plain(_) | Texts::Conll(_) | Texts::Document(_) | Texts::None => Header::None,
        }
    }

    fn named_columns(&self, header: &[String]) -> ValueShape {
        let place = |field: &SourceField| {
            let name = field.column.join(".");
            header.iter().position(|column| *column == name)
        };
        let positions = self.source.fields.iter().map(place).collect();
        ValueShape { positions, width: Width::Header(header.len()), dialect: self.source.options.dialect }
    }

    /// Without a header a field is known by its number, or by its place among the fields.
    fn numbered_columns(&self) -> ValueShape {
        let numbers: Vec<Option<usize>> = self.source.fields.iter().map(column_number).collect();
        let positions: Vec<usize> = numbers.iter().enumerate().map(|(at, number)| number.unwrap_or(at)).collect();
        let width = match numbers.iter().any(Option::is_some) {
            true => Width::AtLeast(positions.iter().max().map_or(0, |last| last + 1)),
            false => Width::Fields(positions.len()),
        };
        let positions = positions.into_iter().map(Some).collect();
        ValueShape { positions, width, dialect: self.source.options.dialect }
    }

    /// The identity of a readable row. `bytes` is overwritten, so that its room serves the next row.
    pub(super) fn digest(&self, cells: &[Cell<'_>], bytes: &mut Vec<u8>) -> [u8; 16] {
        bytes.clear();
        write_text(bytes, &self.source.name);
        match self.key {
            Some(key) => cells[key].write_into(bytes),
            None => {
                for &field in &self.by_name {
                    write_text(bytes, &self.source.fields[field].name);
                    cells[field].write_into(bytes);
                }
            }
        }
        first_16(&blake3::hash(bytes))
    }

    /// The hash that a row which cannot be read is identified by, up to its bytes.
    pub(super) fn raw_hasher(&self) -> blake3::Hasher {
        let (mut hasher, mut name) = (blake3::Hasher::new(), Vec::new());
        write_text(&mut name, &self.source.name);
        hasher.update(&name);
        hasher
    }

    /// Whether a record is none: it is blank, or says something of the file alone.
    pub(super) fn is_no_record(&self, record: &[u8]) -> bool {
        is_blank(record) || matches!(&self.texts, Texts::Conll(_) if super::conll::is_no_sentence(record))
    }

    /// How the rows of a table become cells.
    pub(super) fn table(&self, schema: &arrow::datatypes::Schema) -> TableShape {
        TableShape::new(&self.source.fields, schema)
    }
}

/// The 16 bytes of a BLAKE3 hash that stand for all of it.
pub(in crate::engine) fn first_16(hash: &blake3::Hash) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&hash.as_bytes()[..16]);
    first
}

/// The number of the column that a field of a source without a header names, from 0.
pub fn column_number(field: &SourceField) -> Option<usize> {
    match field.column.as_slice() {
        [number] => number.parse::<usize>().ok()?.checked_sub(1),
        _ => None,
    }
}

/// Where the declared fields of a source stand in one file.
pub(super) enum Header {
    /// The format has no header.
    None,
    /// In these columns.
    Values(ValueShape),
}

/// Where the declared fields stand in a row of values.
pub(super) struct ValueShape {
    positions: Vec<Option<usize>>,
    width: Width,
    dialect: Dialect,
}

/// How many values a row has.
#[derive(Debug, Clone, Copy)]
pub enum Width {
    /// As many as the header.
    Header(usize),
    /// As many as the source has fields.
    Fields(usize),
    /// As many as it takes to have the last one that is read.
    AtLeast(usize),
}

impl RowShape {
    /// Reads the cells of one record without its line end, in the order of the source's fields.
    pub(super) fn read<'a>(
        &self,
        header: &Header,
        record: &'a [u8],
        place: RecordPlace<'a>,
        cells: &mut Vec<Cell<'a>>,
    ) -> Result<(), RowError> {
        let text = match self.source.options.encoding {
            None => record_text(record)?,
            Some(encoding) => decoded_text(record, encoding)?,
        };
        match (&self.texts, header) {
            (Texts::Json(json), _) => json.read(text, cells),
            (Texts::Values, Header::Values(shape)) => read_values(&self.source, shape, text, cells),
            (Texts::Plain(plain), _) => {
                plain.read(text, place, cells);
                Ok(())
            }
            (Texts::Conll(conll), _) => conll.read(text, place, cells),
            (Texts::Document(document), _) => document.read(text, place, cells),
            (Texts::Values | Texts::None, _) => unreachable!("rows of values have a header's shape, tables no texts"),
        }
    }
}

/// A record's bytes as text.
///
/// # Errors
/// Bytes that are no UTF-8, by their place.
pub(super) fn record_text(record: &[u8]) -> Result<&str, RowError> {
    std::str::from_utf8(record).map_err(|error| format!("invalid UTF-8 at byte {} of the row", error.valid_up_to() + 1))
}

/// The bytes of a record that was decoded as text.
pub(super) fn decoded_text<'a>(record: &'a [u8], encoding: &str) -> Result<&'a str, RowError> {
    std::str::from_utf8(record).map_err(|error| {
        let before = String::from_utf8_lossy(&record[..error.valid_up_to()]).chars().count();
        format!("bytes that are no {encoding} behind {before} characters of the row")
    })
}

/// The complaint about a record that is longer than the cap.
pub(super) fn overlong(length: u64, cap: u64) -> RowError {
    format!("row of {length} bytes, longer than the cap of {cap} bytes")
}

/// The values of a row, as many as it has to have.
///
/// # Errors
/// An open quote, or another number of values.
pub fn row_values(text: &str, dialect: Dialect, width: Width) -> Result<Vec<csv::Field<'_>>, RowError> {
    let values = csv::split(text, dialect).map_err(|error| format!("the row {error}"))?;
    let found = values.len();
    match width {
        Width::Header(width) if found != width => Err(format!("{found} fields, the header has {width}")),
        Width::Fields(width) if found != width => Err(format!("{found} values, the source has {width} fields")),
        Width::AtLeast(width) if found < width => Err(format!("{found} values, column {width} is read")),
        Width::Header(_) | Width::Fields(_) | Width::AtLeast(_) => Ok(values),
    }
}

fn read_values<'a>(
    source: &Source,
    shape: &ValueShape,
    text: &'a str,
    cells: &mut Vec<Cell<'a>>,
) -> Result<(), RowError> {
    let mut values = row_values(text, shape.dialect, shape.width)?;
    cells.clear();
    for (at, (field, position)) in source.fields.iter().zip(&shape.positions).enumerate() {
        let Some(position) = *position else {
            if field.ty.nullable {
                cells.push(Cell::Null);
                continue;
            }
            return Err(format!("missing field `{}`", field.name));
        };
        let quoted = values[position].quoted;
        // Two fields may look at one column; the last one may take its text.
        let again = shape.positions[at + 1..].contains(&Some(position));
        let text = if again { values[position].text.clone() } else { std::mem::take(&mut values[position].text) };
        let cell = Cell::from_csv(text, quoted, &field.ty);
        cells.push(cell.ok_or_else(|| format!("field `{}` is not {}", field.name, expected(&field.ty.ty)))?);
    }
    Ok(())
}
