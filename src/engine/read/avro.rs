//! Avro object container files, which are converted: their blocks can be read from front to back alone.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use arrow::datatypes::SchemaRef;
use arrow_avro::reader::{Reader, ReaderBuilder};

use super::converted::Converter;
use super::guard::guarded;
use super::ipc::next;
use super::rows::{Opened, Opening};
use super::spool::Cursor;
use crate::engine::EngineError;

/// Records that are decoded at once.
const RECORDS: usize = 256;
/// What a file begins with.
const MAGIC: &[u8] = b"Obj\x01";
/// The length of the mark behind each block.
const MARK: usize = 16;

fn open(cursor: Cursor) -> Result<Reader<BufReader<Cursor>>, String> {
    guarded(|| {
        let builder = ReaderBuilder::new().with_batch_size(RECORDS);
        builder.build(BufReader::with_capacity(1 << 16, cursor)).map_err(|error| error.to_string())
    })
}

/// The columns of a file.
pub(super) fn schema(cursor: Cursor) -> Result<SchemaRef, String> {
    count(cursor.clone())?;
    open(cursor).map(|reader| reader.schema())
}

/// Converts a file.
pub(super) fn convert(cursor: Cursor, work: &Opening<'_>) -> Result<Opened, EngineError> {
    let records = count(cursor.clone()).map_err(|what| work.damaged(what))?;
    let mut reader = open(cursor).map_err(|what| work.damaged(what))?;
    work.check(&reader.schema())?;
    let mut converter = Converter::new(work)?;
    let mut read = 0;
    while let Some(batch) = next(&mut reader, work)? {
        read += batch.num_rows() as u64;
        converter.take(&batch)?;
    }
    if read != records {
        return Err(work.damaged(format_args!("its blocks say that they have {records} records, {read} can be read")));
    }
    converter.finish()
}

/// The records that the blocks say they have, after a walk from block to block: the decoder takes a file that ends inside
/// a block for one that ends before it.
fn count(cursor: Cursor) -> Result<u64, String> {
    let length = cursor.length();
    let mut input = BufReader::with_capacity(1 << 16, cursor);
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).map_err(|_| too_short())?;
    if magic != MAGIC {
        return Err("it does not begin as an Avro file".to_owned());
    }
    skip_metadata(&mut input, length)?;
    let mark = take_mark(&mut input)?;
    let mut records: u64 = 0;
    while !input.fill_buf().map_err(|error| error.to_string())?.is_empty() {
        let count = u64::try_from(number(&mut input)?).map_err(|_| "a block says that it has less than no record")?;
        records = records.checked_add(count).ok_or_else(too_short)?;
        let bytes = number(&mut input)?;
        skip(&mut input, bytes, length)?;
        if take_mark(&mut input)? != mark {
            return Err("a block does not end with the mark of the file".to_owned());
        }
    }
    Ok(records)
}

/// Skips the map in the head: blocks of keys and values, up to an empty one.
fn skip_metadata(input: &mut BufReader<Cursor>, length: u64) -> Result<(), String> {
    loop {
        let entries = number(input)?;
        if entries == 0 {
            return Ok(());
        }
        // A negative number is followed by the bytes of the block.
        if entries < 0 {
            number(input)?;
        }
        for _ in 0..entries.unsigned_abs() {
            for _ in ["key", "value"] {
                let bytes = number(input)?;
                skip(input, bytes, length)?;
            }
        }
    }
}

fn take_mark(input: &mut BufReader<Cursor>) -> Result<[u8; MARK], String> {
    let mut mark = [0; MARK];
    input.read_exact(&mut mark).map_err(|_| too_short())?;
    Ok(mark)
}

fn skip(input: &mut BufReader<Cursor>, bytes: i64, length: u64) -> Result<(), String> {
    let at = input.stream_position().map_err(|error| error.to_string())?;
    let end = u64::try_from(bytes).ok().and_then(|bytes| at.checked_add(bytes)).filter(|end| *end <= length);
    let end = end.ok_or_else(too_short)?;
    input
        .seek_relative((end - at) as i64)
        .or_else(|_| input.seek(SeekFrom::Start(end)).map(|_| ()))
        .map_err(|error| error.to_string())
}

/// A number in seven bits for each byte, the lowest first, with its sign in the lowest bit.
fn number(input: &mut BufReader<Cursor>) -> Result<i64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        input.read_exact(&mut byte).map_err(|_| too_short())?;
        value |= u64::from(byte[0] & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte[0] & 0x80 == 0 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err("a number in it has no end".to_owned())
}

fn too_short() -> String {
    "it is shorter than it says".to_owned()
}
