//! How the rows of one source are read and identified.

use super::cell::{Cell, RowError, digest_128, expected, hash_text};
use super::csv;
use super::json::JsonShape;
use crate::hir::{Column, Source, SourceFormat};

/// How the rows of one source become rows of the table.
#[derive(Debug)]
pub struct RowShape {
    pub(super) source: Source,
    json: JsonShape,
    /// Indices into the source's fields in order of name: the order in which they are hashed.
    by_name: Vec<usize>,
    key: Option<usize>,
    /// For each declared column of the table, the source's field.
    pub(super) fields: Vec<Option<usize>>,
}

impl RowShape {
    /// The shape of a source's rows in a table with these columns.
    pub fn new(source: &Source, columns: &[Column]) -> Self {
        let mut by_name: Vec<usize> = (0..source.fields.len()).collect();
        by_name.sort_by(|&a, &b| source.fields[a].name.cmp(&source.fields[b].name));
        let fields = columns.iter().filter(|column| column.label.is_none());
        Self {
            json: JsonShape::new(&source.fields),
            by_name,
            key: source.fields.iter().position(|field| field.key),
            fields: fields.map(|column| source.fields.iter().position(|field| field.name == column.name)).collect(),
            source: source.clone(),
        }
    }

    /// Where the source's fields stand in a file, whose header names these columns.
    pub(super) fn header(&self, columns: &[String]) -> Header {
        match self.source.format {
            SourceFormat::Jsonl => Header::None,
            SourceFormat::Csv => self.csv_shape(columns).map_or_else(Header::Bad, Header::Csv),
        }
    }

    fn csv_shape(&self, header: &[String]) -> Result<CsvShape, RowError> {
        let mut positions = Vec::new();
        for field in &self.source.fields {
            let name = field.column.join(".");
            let mut found = header.iter().enumerate().filter(|(_, column)| **column == name).map(|(at, _)| at);
            positions.push(found.next());
            if found.next().is_some() {
                return Err(format!("column `{name}` stands twice in the header"));
            }
        }
        Ok(CsvShape { positions, width: header.len() })
    }

    /// The identity of a readable row.
    pub(super) fn digest(&self, cells: &[Cell<'_>]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        hash_text(&mut hasher, &self.source.name);
        match self.key {
            Some(key) => cells[key].hash_into(&mut hasher),
            None => {
                for &field in &self.by_name {
                    hash_text(&mut hasher, &self.source.fields[field].name);
                    cells[field].hash_into(&mut hasher);
                }
            }
        }
        digest_128(&hasher)
    }

    /// The hash that a row which cannot be read is identified by, up to its bytes.
    pub(super) fn raw_hasher(&self) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new();
        hash_text(&mut hasher, &self.source.name);
        hasher
    }
}

/// Where the declared fields of a source stand in one file.
pub(super) enum Header {
    /// The format has no header.
    None,
    /// In these columns.
    Csv(CsvShape),
    /// The header is of no use, which is wrong with each of the file's rows.
    Bad(RowError),
}

/// Where the declared fields stand in a CSV record.
pub(super) struct CsvShape {
    positions: Vec<Option<usize>>,
    width: usize,
}

impl RowShape {
    /// The cells of one record without its line end, in the order of the source's fields.
    pub(super) fn read<'a>(&self, header: &Header, record: &'a [u8]) -> Result<Vec<Cell<'a>>, RowError> {
        let text = record_text(record)?;
        match header {
            Header::None => self.json.read(text),
            Header::Csv(csv) => read_csv(&self.source, csv, text),
            Header::Bad(error) => Err(error.clone()),
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

/// The complaint about a record that is longer than the cap.
pub(super) fn overlong(length: u64, cap: u64) -> RowError {
    format!("row of {length} bytes, longer than the cap of {cap} bytes")
}

/// The fields of a CSV record, as many as the header has.
///
/// # Errors
/// An open quote, or another number of fields.
pub fn csv_fields(text: &str, width: usize) -> Result<Vec<csv::Field<'_>>, RowError> {
    let fields = csv::split(text).map_err(|error| format!("the row {error}"))?;
    if fields.len() == width { Ok(fields) } else { Err(format!("{} fields, the header has {width}", fields.len())) }
}

fn read_csv<'a>(source: &Source, shape: &CsvShape, text: &'a str) -> Result<Vec<Cell<'a>>, RowError> {
    let fields = csv_fields(text, shape.width)?;
    let mut cells = Vec::with_capacity(source.fields.len());
    for (field, position) in source.fields.iter().zip(&shape.positions) {
        let Some(position) = *position else {
            if field.ty.nullable {
                cells.push(Cell::Null);
                continue;
            }
            return Err(format!("missing field `{}`", field.name));
        };
        let quoted = fields[position].quoted;
        let text = fields[position].text.clone();
        let cell = Cell::from_csv(text, quoted, &field.ty);
        cells.push(cell.ok_or_else(|| format!("field `{}` is not {}", field.name, expected(&field.ty.ty)))?);
    }
    Ok(cells)
}
