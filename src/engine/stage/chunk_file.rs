//! The file of a chunk's measures: a head with the length and the BLAKE3 of what follows, then an Arrow stream in zstd.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};

use crate::emit::begin_file;

/// The first bytes of a file.
const MAGIC: &[u8; 16] = b"annotc measures\n";
/// The bytes before the stream.
const HEAD: usize = MAGIC.len() + 8 + 32;

/// What is in the place of a chunk's file.
pub(super) enum Found {
    /// Nothing.
    Absent,
    /// Something that is no whole file of these columns.
    Damaged,
    /// Its batches.
    Whole(Vec<RecordBatch>),
}

/// The name of a chunk's file.
pub(super) fn name(chunk: &str) -> String {
    format!("{chunk}.arrow")
}

/// Reads a chunk's file for these columns; it may hold others too.
pub(super) fn read(path: &Path, schema: &Schema) -> Found {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Absent,
        Err(_) => return Found::Damaged,
    };
    let batches = stream(&bytes).and_then(|stream| decode(stream, schema).ok());
    batches.map_or(Found::Damaged, Found::Whole)
}

/// Whether a file is whole, whatever its columns.
pub(super) fn is_whole(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| stream(&bytes).is_some())
}

/// The stream of a file whose head fits it.
fn stream(bytes: &[u8]) -> Option<&[u8]> {
    let (head, stream) = bytes.split_at_checked(HEAD)?;
    let head = head.strip_prefix(MAGIC)?;
    let (length, hash) = head.split_at(8);
    let fits = length == (stream.len() as u64).to_le_bytes() && hash == blake3::hash(stream).as_bytes();
    fits.then_some(stream)
}

fn decode(stream: &[u8], schema: &Schema) -> Result<Vec<RecordBatch>, ArrowError> {
    let reader = StreamReader::try_new(stream, None)?;
    let stored = reader.schema();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let column = stored.index_of(field.name())?;
        if stored.field(column).data_type() != field.data_type() {
            return Err(ArrowError::SchemaError(format!("column {} has another type", field.name())));
        }
        columns.push(column);
    }
    reader.map(|batch| batch?.project(&columns)).collect()
}

/// Writes a chunk's file whole or not at all.
///
/// # Errors
/// What the file system or the encoder says.
pub(super) fn write(path: &Path, schema: &Schema, batches: &[RecordBatch]) -> io::Result<()> {
    let stream = encode(schema, batches).map_err(io::Error::other)?;
    let folder = path.parent().ok_or_else(|| io::Error::other("a chunk lies in its stage's folder"))?;
    let mut file = begin_file(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&(stream.len() as u64).to_le_bytes())?;
    file.write_all(blake3::hash(&stream).as_bytes())?;
    file.write_all(&stream)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn encode(schema: &Schema, batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), schema, options)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.into_inner()
}
