//! The rows of a table as JSON objects, for those who ask what a file holds before anybody has declared its fields.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::datatypes::{DataType, Schema};
use arrow::temporal_conversions::{date32_to_datetime, timestamp_us_to_datetime};
use serde_json::{Map, Value};

use super::cell::Cell;
use super::rows::Opening;
use super::spool::Scratch;
use super::survey::{InputFile, Survey, Surveying};
use super::table_value::natural;
use super::{Sizes, rows, sqlite};
use crate::engine::EngineError;
use crate::hir::{FieldType, OnBadRow, ReadOptions, Source, SourceField, SourceFormat, SourceId, Type};
use crate::source::{FileId, Span};

/// What a table holds that no field can be declared for: its column, and the column's type in words.
pub type LeftOutColumn = (String, String);

/// Gives each row of a file that is a table, up to the first `limit` ones, as the text of a JSON object, and the columns
/// that have no type of the language. Whether there are more rows is given too.
///
/// # Errors
/// A file that cannot be read as what its format says.
pub fn each_object(
    path: &Path,
    format: SourceFormat,
    table: Option<&str>,
    limit: u64,
    scratch: &Path,
    each: &mut dyn FnMut(&str),
) -> Result<(Vec<LeftOutColumn>, bool), EngineError> {
    let (scratch, cancel) = (&Scratch::Unnamed(scratch.to_owned()), AtomicBool::new(false));
    let mut source = undeclared(format);
    source.options.table = table.map(str::to_owned);
    let file = InputFile { location: path.to_owned(), name: path.to_string_lossy().into_owned() };
    if format == SourceFormat::Sqlite {
        let mut rows = 0;
        let work = Opening { source: &source, file: &file, scratch, cancel: &cancel };
        let stopped = sqlite::json_rows(&work, &mut |object| {
            if rows == limit {
                return Err(EngineError::Interrupted);
            }
            rows += 1;
            each(&object);
            Ok(())
        });
        return match stopped {
            Ok(()) => Ok((Vec::new(), false)),
            Err(EngineError::Interrupted) => Ok((Vec::new(), true)),
            Err(error) => Err(error),
        };
    }
    let bytes = path.metadata().map_err(|error| EngineError::Read { path: path.to_owned(), error })?.len();
    let schema = rows::schema(&source, &file, bytes, scratch, &cancel)?;
    let (fields, left_out) = declared(&schema);
    source.fields = fields;
    let (sizes, progress) = (Sizes::default(), &mut |_| {});
    let mut work = Surveying { sizes, scratch, cancel: &cancel, progress };
    let survey = Survey::of(vec![(SourceId(0), &source, file)], &mut work)?;
    let more = give(&survey, &source, limit, each)?;
    Ok((left_out, more))
}

/// Gives the rows of a surveyed table; whether there are more than were asked for.
fn give(survey: &Survey, source: &Source, limit: u64, each: &mut dyn FnMut(&str)) -> Result<bool, EngineError> {
    let file = &survey.files[0];
    let table = file.rows().expect("a table was surveyed");
    let shape = Arc::new(super::shape::RowShape::new(source, &[])).table(table.schema());
    let mut rows = table.read(file, 0..table.rows(), &shape, survey.sizes.batch_rows)?;
    let (shape, mut given) = (shape.projected(), 0);
    while let Some(batch) = rows.next_batch(file)? {
        for row in 0..batch.num_rows() {
            if given == limit {
                return Ok(true);
            }
            given += 1;
            let read = shape.read(&batch, row);
            let members = source.fields.iter().zip(&read.cells);
            let members = members.map(|(field, cell)| (field.name.clone(), json(cell, &field.ty.ty)));
            each(&Value::Object(members.collect()).to_string());
        }
    }
    Ok(false)
}

/// A source that declares nothing yet.
fn undeclared(format: SourceFormat) -> Source {
    let span = Span::new(FileId(0), 0, 0);
    Source {
        name: String::new(),
        doc: None,
        paths: Vec::new(),
        folder: String::new(),
        format,
        options: ReadOptions::of(format),
        longest_row: None,
        fields: Vec::new(),
        license: None,
        origin: None,
        consent: None,
        on_bad_row: OnBadRow::Quarantine,
        span,
        path_span: span,
    }
}

/// A field for each column that has a type of the language, and the others.
fn declared(schema: &Schema) -> (Vec<SourceField>, Vec<LeftOutColumn>) {
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for column in schema.fields() {
        match natural(column.data_type()) {
            Some(ty) => fields.push(SourceField {
                name: column.name().clone(),
                doc: None,
                column: vec![column.name().clone()],
                ty: FieldType::or_null(ty),
                personal: None,
                key: false,
                group: false,
                span: Span::new(FileId(0), 0, 0),
            }),
            None => left_out.push((column.name().clone(), type_in_words(column.data_type()))),
        }
    }
    (fields, left_out)
}

fn type_in_words(ty: &DataType) -> String {
    format!("its type is {ty}, which no field can have")
}

/// A cell as JSON, by which its type can be told again.
fn json(cell: &Cell<'_>, ty: &Type) -> Value {
    match (cell, ty) {
        (Cell::Absent | Cell::Null, _) => Value::Null,
        (Cell::Text(text), _) => text.as_ref().into(),
        (Cell::Int(value), _) => (*value).into(),
        (Cell::Float(value), _) => (*value).into(),
        (Cell::Bool(value), _) => (*value).into(),
        (Cell::Date(days), _) => {
            date32_to_datetime(*days).map_or(Value::Null, |at| at.format("%Y-%m-%d").to_string().into())
        }
        (Cell::Timestamp(micros), _) => timestamp_us_to_datetime(*micros)
            .map_or(Value::Null, |at| at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into()),
        (Cell::List(values), Type::List(item)) => values.iter().map(|value| json(value, &item.ty)).collect(),
        (Cell::Record(values), Type::Record(members)) => {
            let named = members.iter().zip(values);
            named.map(|((name, ty), value)| (name.clone(), json(value, &ty.ty))).collect::<Map<_, _>>().into()
        }
        (Cell::List(_) | Cell::Record(_), _) => Value::Null,
    }
}
