//! SQLite: the rows of one table or view, converted. The database is opened as what cannot change, and the only statements
//! that are run are those here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Map, Value};

use super::cell::{Cell, RowError, expected};
use super::converted::Converter;
use super::json::require;
use super::rows::{Opened, Opening};
use crate::engine::EngineError;
use crate::hir::{SourceField, Type};

/// A table or view of an opened database.
struct Table {
    connection: Connection,
    name: String,
    columns: Vec<String>,
    /// Whether its rows have the order of their numbers.
    numbered: bool,
}

/// Converts the table that the source names.
pub(super) fn convert(work: &Opening<'_>) -> Result<Opened, EngineError> {
    let table = open(&work.file.location, work.source.options.table.as_deref()).map_err(|wrong| wrong.of(work))?;
    let fields = &work.source.fields;
    check(fields, &table, &work.source.name).map_err(|what| EngineError::Schema { path: work.file.shown(), what })?;
    let mut converter = Converter::new(work)?;
    let names: Vec<Option<String>> =
        fields.iter().map(|field| Some(field.column.join(".")).filter(|name| table.columns.contains(name))).collect();
    let mut cells_of = |row: &Row<'_>| {
        let (mut error, mut cells, mut at) = (None, Vec::with_capacity(fields.len()), 0);
        for (field, name) in fields.iter().zip(&names) {
            let mut cell = Cell::Absent;
            if name.is_some() {
                let value = row.get_ref(at).map_err(|error| error.to_string());
                at += 1;
                cell = read(value, field).unwrap_or_else(|wrong| {
                    error.get_or_insert(wrong);
                    Cell::Null
                });
            }
            if error.is_none() {
                error = require(&mut cell, &field.name, field.ty.nullable).err();
            }
            cells.push(cell);
        }
        converter.push(&cells, error.as_ref())
    };
    let columns: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
    table.rows(&columns, work.cancel, &mut cells_of).map_err(|failed| failed.of(work))?;
    converter.finish()
}

/// Each row of a table as a JSON object of all of its columns, for those who ask what a file holds; binary data become
/// null.
pub(super) fn json_rows(
    work: &Opening<'_>,
    each: &mut dyn FnMut(String) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let table = open(&work.file.location, work.source.options.table.as_deref()).map_err(|wrong| wrong.of(work))?;
    let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let mut object = |row: &Row<'_>| {
        let mut members = Map::new();
        for (at, name) in columns.iter().enumerate() {
            let value = match row.get_ref(at) {
                Ok(ValueRef::Integer(value)) => value.into(),
                Ok(ValueRef::Real(value)) => value.into(),
                Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned().into(),
                Ok(ValueRef::Null | ValueRef::Blob(_)) | Err(_) => Value::Null,
            };
            members.insert((*name).to_owned(), value);
        }
        each(Value::Object(members).to_string())
    };
    table.rows(&columns, work.cancel, &mut object).map_err(|failed| failed.of(work))
}

/// Why no table could be opened, and a way out.
struct Wrong {
    what: String,
    help: &'static str,
}

impl Wrong {
    fn new(what: impl Into<String>, help: &'static str) -> Self {
        Self { what: what.into(), help }
    }

    fn of(self, work: &Opening<'_>) -> EngineError {
        EngineError::Misread { path: work.file.shown(), what: self.what, help: self.help }
    }
}

/// Why the rows of a table could not be gone through.
enum Failed {
    Query(rusqlite::Error),
    Engine(EngineError),
}

impl Failed {
    fn of(self, work: &Opening<'_>) -> EngineError {
        match self {
            Self::Engine(error) => error,
            Self::Query(_) if work.cancel.load(Ordering::Relaxed) => EngineError::Interrupted,
            Self::Query(error) => work.damaged(error),
        }
    }
}

/// Opens a database, and in it the table or view of a name, or the only one that there is.
fn open(path: &std::path::Path, table: Option<&str>) -> Result<Table, Wrong> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        let help = "close the program that writes to it, or run `PRAGMA wal_checkpoint(TRUNCATE)`";
        return Err(Wrong::new("has changes in a write-ahead log beside it", help));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(address(path), flags).map_err(no_database)?;
    // The schema of a stranger's file may call no function that has an effect.
    connection.pragma_update(None, "trusted_schema", false).map_err(no_database)?;
    connection.pragma_update(None, "cell_size_check", true).map_err(no_database)?;
    let mut tables: Vec<(String, String)> = Vec::new();
    let list = "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' \
                ESCAPE '\\' ORDER BY name";
    let mut statement = connection.prepare(list).map_err(no_database)?;
    let mut rows = statement.query([]).map_err(no_database)?;
    while let Some(row) = rows.next().map_err(no_database)? {
        tables.push((row.get(0).map_err(no_database)?, row.get(1).map_err(no_database)?));
    }
    drop(rows);
    drop(statement);
    let names = || tables.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (name, kind) = match (table, tables.as_slice()) {
        (_, []) => return Err(Wrong::new("has no table", "is it the database that was meant?")),
        (None, [only]) => only.clone(),
        (None, _) => {
            let help = "say which one is read: `format sqlite { table \"…\" }`";
            return Err(Wrong::new(format!("has several tables: {}", names()), help));
        }
        (Some(wanted), _) => match tables.iter().find(|(name, _)| name == wanted) {
            Some(found) => found.clone(),
            None => {
                let what = format!("has no table `{wanted}`; there are {}", names());
                return Err(Wrong::new(what, "name one of them in `format sqlite { table \"…\" }`"));
            }
        },
    };
    let columns = {
        let none = connection.prepare(&format!("SELECT * FROM {} LIMIT 0", quoted(&name))).map_err(no_database)?;
        none.column_names().map(str::to_owned).collect()
    };
    let numbered =
        kind == "table" && connection.prepare(&format!("SELECT _rowid_ FROM {} LIMIT 0", quoted(&name))).is_ok();
    Ok(Table { connection, name, columns, numbered })
}

fn no_database(error: rusqlite::Error) -> Wrong {
    Wrong::new(format!("is no SQLite database that can be read: {error}"), "fetch or make the file again")
}

/// The address under which SQLite takes a file for one that nobody changes.
fn address(path: &std::path::Path) -> String {
    let mut address = "file:".to_owned();
    for character in path.to_string_lossy().replace('\\', "/").chars() {
        match character {
            '%' | '?' | '#' => address.push_str(&format!("%{:02x}", u32::from(character))),
            _ => address.push(character),
        }
    }
    address + "?immutable=1"
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether the rows of a table can have the fields of a source.
fn check(fields: &[SourceField], table: &Table, source: &str) -> Result<(), String> {
    for field in fields {
        let name = field.column.join(".");
        if !field.ty.nullable && !table.columns.contains(&name) {
            return Err(format!("has no column `{name}` in `{}`, which source `{source}` reads", table.name));
        }
        if matches!(field.ty.ty, Type::List(_) | Type::Record(_)) {
            return Err(format!("has neither lists nor objects, and source `{source}` reads `{}` as one", field.name));
        }
    }
    Ok(())
}

impl Table {
    /// Goes through the rows of a table with these columns. A query that does not come to an end is stopped when the build
    /// is.
    fn rows(
        &self,
        columns: &[&str],
        cancel: &AtomicBool,
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), EngineError>,
    ) -> Result<(), Failed> {
        let listed: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let listed = if listed.is_empty() { "1".to_owned() } else { listed.join(", ") };
        let order = if self.numbered { " ORDER BY _rowid_" } else { "" };
        let query = format!("SELECT {listed} FROM {}{order}", quoted(&self.name));
        let (handle, done) = (self.connection.get_interrupt_handle(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if cancel.load(Ordering::Relaxed) {
                        handle.interrupt();
                    }
                    std::thread::park_timeout(Duration::from_millis(100));
                }
            });
            let gone = self.go(&query, each);
            done.store(true, Ordering::Relaxed);
            watcher.thread().unpark();
            gone
        })
    }

    fn go(&self, query: &str, each: &mut dyn FnMut(&Row<'_>) -> Result<(), EngineError>) -> Result<(), Failed> {
        let mut statement = self.connection.prepare(query).map_err(Failed::Query)?;
        let mut rows = statement.query([]).map_err(Failed::Query)?;
        while let Some(row) = rows.next().map_err(Failed::Query)? {
            each(row).map_err(Failed::Engine)?;
        }
        Ok(())
    }
}

/// A value as a cell of its field's type. SQLite has no truth values: 0 and 1 are taken for them.
fn read<'a>(value: Result<ValueRef<'a>, String>, field: &SourceField) -> Result<Cell<'a>, RowError> {
    let ty = &field.ty.ty;
    let (cell, what) = match value {
        Ok(ValueRef::Null) => (Some(Cell::Null), "null"),
        Ok(ValueRef::Integer(value)) => match ty {
            Type::Int => (Some(Cell::Int(value)), "a number"),
            Type::Float => (Some(Cell::Float(value as f64)), "a number"),
            Type::Bool => {
                (Some(value).filter(|value| matches!(value, 0 | 1)).map(|value| Cell::Bool(value == 1)), "a number")
            }
            _ => (None, "a number"),
        },
        Ok(ValueRef::Real(value)) => match ty {
            Type::Float => (Some(value).filter(|value| value.is_finite()).map(Cell::Float), "infinite"),
            Type::Int => (None, "a number with a fraction"),
            _ => (None, "a number"),
        },
        Ok(ValueRef::Text(text)) => match std::str::from_utf8(text) {
            Ok(text) => (Cell::from_text(text.into(), ty), "a string"),
            Err(_) => (None, "not UTF-8"),
        },
        Ok(ValueRef::Blob(_)) => (None, "binary data"),
        Err(_) => (None, "unreadable"),
    };
    cell.ok_or_else(|| format!("field `{}` is {what}, expected {}", field.name, expected(ty)))
}
