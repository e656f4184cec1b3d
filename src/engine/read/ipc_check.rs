//! What is looked at in an Arrow IPC file or stream before the decoder sees it: the decoder makes room for as many bytes as
//! the file says, and a damaged file may say anything.

use std::io::{Read, Seek, SeekFrom};

use arrow::ipc::{Block, Message, root_as_footer, root_as_message};

use super::spool::Cursor;

/// The bytes behind a footer: its length and the magic.
const TRAILER: u64 = 10;
/// Begins every message that is no remnant of the oldest versions.
const CONTINUES: [u8; 4] = [0xff; 4];
/// The most bytes that one buffer of a message may be unpacked to.
const MOST_UNPACKED: i64 = 1 << 31;

/// Whether all blocks of a file lie inside of it.
pub(super) fn check_file(cursor: &Cursor) -> Result<(), String> {
    let length = cursor.length();
    let trailer = bytes(cursor, length.checked_sub(TRAILER).ok_or_else(too_short)?, TRAILER)?;
    let footer_length = i32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
    let footer_length = u64::try_from(footer_length).map_err(|_| senseless("its footer"))?;
    let begin = (length - TRAILER).checked_sub(footer_length).ok_or_else(too_short)?;
    let footer = bytes(cursor, begin, footer_length)?;
    let footer = root_as_footer(&footer).map_err(|_| senseless("its footer"))?;
    if footer.schema().is_none() {
        return Err(senseless("its footer"));
    }
    let blocks = footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten());
    blocks.into_iter().try_for_each(|block| check_block(cursor, block))
}

fn check_block(cursor: &Cursor, block: &Block) -> Result<(), String> {
    let place = u64::try_from(block.offset()).map_err(|_| senseless("a block"))?;
    let head = u64::try_from(block.metaDataLength()).map_err(|_| senseless("a block"))?;
    let mut head = bytes(cursor, place, head)?;
    let skipped = if head.starts_with(&CONTINUES) { 8 } else { 4 };
    if head.len() < skipped {
        return Err(senseless("a block"));
    }
    let body_at = place + head.len() as u64;
    let message = head.split_off(skipped);
    let message = root_as_message(&message).map_err(|_| senseless("a message"))?;
    if message.bodyLength() != block.bodyLength() {
        return Err(senseless("a message"));
    }
    check_message(cursor, &message, body_at).map(|_| ())
}

/// Whether all messages of a stream lie inside of it, and it ends with the mark that ends a stream.
pub(super) fn check_stream(cursor: &Cursor) -> Result<(), String> {
    let mut at = 0;
    loop {
        let mut head = bytes(cursor, at, 4).map_err(|_| "it ends before its stream does".to_owned())?;
        at += 4;
        if head == CONTINUES {
            head = bytes(cursor, at, 4)?;
            at += 4;
        }
        let length = i32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let length = u64::try_from(length).map_err(|_| senseless("a message"))?;
        if length == 0 {
            return Ok(());
        }
        let message = bytes(cursor, at, length)?;
        let message = root_as_message(&message).map_err(|_| senseless("a message"))?;
        at += length;
        at += check_message(cursor, &message, at)?;
    }
}

/// Whether the body of a message lies inside the file and is unpacked to a size that can be; its length.
fn check_message(cursor: &Cursor, message: &Message<'_>, body_at: u64) -> Result<u64, String> {
    let length = u64::try_from(message.bodyLength()).map_err(|_| senseless("a message"))?;
    if body_at.checked_add(length).is_none_or(|end| end > cursor.length()) {
        return Err(too_short());
    }
    let batch = match message.header_as_dictionary_batch() {
        Some(dictionary) => dictionary.data(),
        None => message.header_as_record_batch(),
    };
    let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else { return Ok(length) };
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, packed) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length()));
        let (Ok(offset), Ok(packed)) = (offset, packed) else { return Err(senseless("a buffer")) };
        if offset.checked_add(packed).is_none_or(|end| end > length) {
            return Err(senseless("a buffer"));
        }
        if packed >= 8 {
            let unpacked = bytes(cursor, body_at + offset, 8)?;
            let unpacked = i64::from_le_bytes(unpacked.try_into().map_err(|_| too_short())?);
            if !(-1..=MOST_UNPACKED).contains(&unpacked) {
                return Err("a buffer says that it is unpacked to more bytes than can be".to_owned());
            }
        }
    }
    Ok(length)
}

/// Some bytes of a file, which must all be there.
fn bytes(cursor: &Cursor, at: u64, length: u64) -> Result<Vec<u8>, String> {
    if at.checked_add(length).is_none_or(|end| end > cursor.length()) {
        return Err(too_short());
    }
    let mut cursor = cursor.clone();
    let mut bytes = vec![0; length as usize];
    let read = cursor.seek(SeekFrom::Start(at)).and_then(|_| cursor.read_exact(&mut bytes));
    read.map(|()| bytes).map_err(|error| error.to_string())
}

fn too_short() -> String {
    "it is shorter than it says".to_owned()
}

fn senseless(what: &str) -> String {
    format!("{what} makes no sense")
}
