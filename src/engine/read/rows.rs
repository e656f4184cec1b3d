//! Files that are tables: which of their rows a chunk has, and the batches that it is read from.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};

use super::spool::{Cursor, Scratch};
use super::survey::{FileSurvey, InputFile};
use super::table_row::{TableShape, check};
use super::{avro, ipc, parquet, sqlite};
use crate::engine::EngineError;
use crate::hir::{Source, SourceFormat};

/// A file that is a table.
#[derive(Debug, Clone)]
pub struct RowTable {
    schema: SchemaRef,
    rows: u64,
    /// The bytes of all rows, unpacked where that is known.
    bytes: u64,
    store: Store,
}

/// How the rows lie.
#[derive(Debug, Clone)]
enum Store {
    /// As Parquet.
    Parquet(ArrowReaderMetadata),
    /// As an Arrow IPC file with batches of so many rows.
    Ipc(Arc<[u64]>),
}

/// A table that was opened.
pub struct Opened {
    /// The table.
    pub table: RowTable,
    /// The private file that it was converted into, where it cannot be read from any place.
    pub spool: Option<Cursor>,
}

/// Opens a file as a table. Streams and databases are converted once into a private file in `scratch`.
///
/// # Errors
/// A file that is damaged, or that lacks what the source reads.
pub fn open(
    source: &Source,
    file: &InputFile,
    bytes: u64,
    scratch: &Scratch,
    cancel: &AtomicBool,
) -> Result<Opened, EngineError> {
    let failed = |error| EngineError::Read { path: file.shown(), error };
    let input = std::fs::File::open(&file.location).map_err(failed)?;
    let cursor = Cursor::new(input, bytes);
    let work = Opening { source, file, scratch, cancel };
    match source.format {
        SourceFormat::Parquet => {
            let metadata = parquet::metadata(&cursor).map_err(|what| work.damaged(what))?;
            work.check(metadata.schema())?;
            Ok(Opened { table: RowTable::of_parquet(metadata), spool: None })
        }
        SourceFormat::Arrow if ipc::is_stream(&cursor) => ipc::convert_stream(cursor, &work),
        SourceFormat::Arrow => {
            let (schema, batches) = ipc::batches(&cursor, &work)?;
            Ok(Opened { table: RowTable::of_ipc(schema, batches, bytes), spool: None })
        }
        SourceFormat::Avro => avro::convert(cursor, &work),
        SourceFormat::Sqlite => sqlite::convert(&work),
        SourceFormat::Jsonl
        | SourceFormat::Json
        | SourceFormat::Csv
        | SourceFormat::Tsv
        | SourceFormat::Text
        | SourceFormat::Conll
        | SourceFormat::Markdown
        | SourceFormat::Html => unreachable!("texts are no tables"),
    }
}

/// Opens a table that another process has opened before, and whose batches have so many rows where it is an Arrow file.
///
/// # Errors
/// A file that is damaged.
#[cfg(feature = "cluster")]
pub(super) fn reopen(file: &InputFile, cursor: Cursor, batches: Option<&[u64]>) -> Result<RowTable, EngineError> {
    let damaged = |what| EngineError::Damaged { path: file.shown(), what };
    match batches {
        Some(batches) => {
            let bytes = cursor.length();
            Ok(RowTable::of_ipc(ipc::schema(cursor).map_err(damaged)?, batches.to_vec(), bytes))
        }
        None => parquet::metadata(&cursor).map(RowTable::of_parquet).map_err(damaged),
    }
}

/// The columns of a file, whatever a source would read of it.
///
/// # Errors
/// A file that is damaged.
pub(super) fn schema(
    source: &Source,
    file: &InputFile,
    bytes: u64,
    scratch: &Scratch,
    cancel: &AtomicBool,
) -> Result<SchemaRef, EngineError> {
    let failed = |error| EngineError::Read { path: file.shown(), error };
    let input = std::fs::File::open(&file.location).map_err(failed)?;
    let cursor = Cursor::new(input, bytes);
    let work = Opening { source, file, scratch, cancel };
    let found = match source.format {
        SourceFormat::Parquet => parquet::metadata(&cursor).map(|metadata| Arc::clone(metadata.schema())),
        SourceFormat::Avro => avro::schema(cursor),
        _ => ipc::schema(cursor),
    };
    found.map_err(|what| work.damaged(what))
}

/// What the opening of a table needs.
pub(super) struct Opening<'o> {
    pub(super) source: &'o Source,
    pub(super) file: &'o InputFile,
    pub(super) scratch: &'o Scratch,
    pub(super) cancel: &'o AtomicBool,
}

impl Opening<'_> {
    /// A file of which something cannot be read.
    pub(super) fn damaged(&self, what: impl std::fmt::Display) -> EngineError {
        EngineError::Damaged { path: self.file.shown(), what: what.to_string() }
    }

    /// Fails where a table of this schema lacks what the source reads.
    pub(super) fn check(&self, schema: &Schema) -> Result<(), EngineError> {
        check(&self.source.fields, schema, &self.source.name)
            .map_err(|what| EngineError::Schema { path: self.file.shown(), what })
    }
}

impl RowTable {
    fn of_parquet(metadata: ArrowReaderMetadata) -> Self {
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        // The numbers are the file's own: a sum of them may be beyond all measure.
        for group in metadata.metadata().row_groups() {
            rows = rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or(0));
            bytes = bytes.saturating_add(u64::try_from(group.total_byte_size()).unwrap_or(0));
        }
        Self { schema: Arc::clone(metadata.schema()), rows, bytes, store: Store::Parquet(metadata) }
    }

    pub(super) fn of_ipc(schema: SchemaRef, batches: Vec<u64>, bytes: u64) -> Self {
        Self { schema, rows: batches.iter().sum(), bytes, store: Store::Ipc(batches.into()) }
    }

    /// The rows of each batch of an Arrow file.
    #[cfg(feature = "cluster")]
    pub(super) fn batches(&self) -> Option<&[u64]> {
        match &self.store {
            Store::Parquet(_) => None,
            Store::Ipc(batches) => Some(batches),
        }
    }

    /// The columns.
    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows that have about this many bytes, one at least.
    pub(super) fn rows_in(&self, bytes: u64) -> u64 {
        let per_row = self.bytes / self.rows.max(1);
        (bytes / per_row.max(1)).max(1)
    }

    /// The batches of some rows, with the columns that a shape reads alone.
    pub(super) fn read(
        &self,
        file: &FileSurvey,
        rows: Range<u64>,
        shape: &TableShape,
        batch_rows: usize,
    ) -> Result<Rows, EngineError> {
        let cursor = file.open()?;
        let columns = shape.columns();
        let left = rows.end - rows.start;
        let batches: Batches = match &self.store {
            Store::Parquet(metadata) => parquet::read(cursor, metadata, rows, &columns, batch_rows),
            Store::Ipc(batches) => ipc::read(cursor, Arc::clone(batches), rows, columns),
        }
        .map_err(|what| damaged(file, what))?;
        Ok(Rows { batches, left })
    }
}

/// Batches as they come, or what cannot be read.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>> + Send>;

/// The rows of a chunk of a table.
pub(super) struct Rows {
    batches: Batches,
    left: u64,
}

impl Rows {
    /// The next batch, `None` after the last.
    pub(super) fn next_batch(&mut self, file: &FileSurvey) -> Result<Option<RecordBatch>, EngineError> {
        loop {
            match self.batches.next() {
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => {
                    let rows = batch.num_rows() as u64;
                    self.left =
                        self.left.checked_sub(rows).ok_or_else(|| damaged(file, "it has more rows than it says"))?;
                    return Ok(Some(batch));
                }
                Some(Err(what)) => return Err(damaged(file, what)),
                None if self.left > 0 => return Err(damaged(file, "it has fewer rows than it says")),
                None => return Ok(None),
            }
        }
    }
}

fn damaged(file: &FileSurvey, what: impl Into<String>) -> EngineError {
    EngineError::Damaged { path: file.file.shown(), what: what.into() }
}
