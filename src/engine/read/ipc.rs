//! Arrow IPC: files, whose batches can be read from any place, and streams, which are converted.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, FileReaderBuilder, StreamReader};

use super::OFFSET_BITS;
use super::converted::Converter;
use super::guard::guarded;
use super::ipc_check::{check_file, check_stream};
use super::rows::{Batches, Opened, Opening};
use super::spool::Cursor;
use crate::engine::EngineError;

/// The bytes that a file begins with.
const MAGIC: &[u8] = b"ARROW1";

/// Whether it is a stream, which has no magic.
pub(super) fn is_stream(cursor: &Cursor) -> bool {
    let mut begin = [0; MAGIC.len()];
    cursor.clone().read_exact(&mut begin).is_err() || begin != MAGIC
}

/// The columns of a file or a stream.
pub(super) fn schema(cursor: Cursor) -> Result<SchemaRef, String> {
    if is_stream(&cursor) {
        return open_stream(cursor).map(|reader| reader.schema());
    }
    check_file(&cursor)?;
    guarded(|| open(cursor, None)).map(|reader| reader.schema())
}

/// The schema of a file and the number of rows of each of its batches, all of which are decoded once.
pub(super) fn batches(cursor: &Cursor, work: &Opening<'_>) -> Result<(SchemaRef, Vec<u64>), EngineError> {
    let mut reader =
        check_file(cursor).and_then(|()| guarded(|| open(cursor.clone(), None))).map_err(|what| work.damaged(what))?;
    work.check(&reader.schema())?;
    let mut rows = Vec::new();
    while let Some(batch) = next(&mut reader, work)? {
        rows.push(batch.num_rows() as u64);
    }
    if rows.iter().sum::<u64>() >= 1 << OFFSET_BITS {
        return Err(work.damaged("its batches have impossible numbers of rows"));
    }
    Ok((reader.schema(), rows))
}

fn open(cursor: Cursor, columns: Option<Vec<usize>>) -> Result<FileReader<BufReader<Cursor>>, String> {
    let builder = FileReaderBuilder::new();
    let builder = match columns {
        Some(columns) => builder.with_projection(columns),
        None => builder,
    };
    builder.build(BufReader::with_capacity(1 << 16, cursor)).map_err(|error| error.to_string())
}

/// The batches of some rows with some columns.
pub(super) fn read(
    cursor: Cursor,
    batches: Arc<[u64]>,
    rows: Range<u64>,
    columns: Vec<usize>,
) -> Result<Batches, String> {
    let mut reader = guarded(|| open(cursor, Some(columns)))?;
    let (mut number, mut at) = (0, 0);
    Ok(Box::new(std::iter::from_fn(move || {
        // Skip to the first batch that has one of the rows.
        while batches.get(number).is_some_and(|count| at + count <= rows.start) {
            at += batches[number];
            number += 1;
        }
        let count = *batches.get(number).filter(|_| at < rows.end)?;
        let (from, to) = (rows.start.max(at) - at, rows.end.min(at + count) - at);
        let batch = guarded(|| {
            reader.set_index(number).map_err(|error| error.to_string())?;
            reader.next().transpose().map_err(|error| error.to_string())
        });
        (number, at) = (number + 1, at + count);
        match batch {
            Ok(Some(batch)) if batch.num_rows() as u64 == count => {
                Some(Ok(batch.slice(from as usize, (to - from) as usize)))
            }
            Ok(_) => Some(Err("a batch has not the rows that it had".to_owned())),
            Err(what) => Some(Err(what)),
        }
    })))
}

/// The next batch of a decoder, unless somebody stops the build.
pub(super) fn next(
    batches: &mut impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    work: &Opening<'_>,
) -> Result<Option<RecordBatch>, EngineError> {
    if work.cancel.load(Ordering::Relaxed) {
        return Err(EngineError::Interrupted);
    }
    guarded(|| batches.next().transpose().map_err(|error| error.to_string())).map_err(|what| work.damaged(what))
}

fn open_stream(cursor: Cursor) -> Result<StreamReader<BufReader<Cursor>>, String> {
    check_stream(&cursor)?;
    guarded(|| StreamReader::try_new_buffered(cursor, None).map_err(|error| error.to_string()))
}

/// Converts a stream.
pub(super) fn convert_stream(cursor: Cursor, work: &Opening<'_>) -> Result<Opened, EngineError> {
    let mut reader = open_stream(cursor).map_err(|what| work.damaged(what))?;
    work.check(&reader.schema())?;
    let mut converter = Converter::new(work)?;
    while let Some(batch) = next(&mut reader, work)? {
        converter.take(&batch)?;
    }
    converter.finish()
}
