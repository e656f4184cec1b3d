//! The reader: files are surveyed once, cut into chunks at record ends, and each chunk is a partition of a table.
//! A row that cannot be read is a row of the table too, with its error and without values.

mod avro;
pub mod cell;
pub mod chunk;
pub mod columns;
mod conll;
mod converted;
pub mod csv;
mod cut;
mod document;
pub mod encoding;
mod guard;
mod html;
mod ipc;
mod ipc_check;
pub mod json;
mod json_list;
pub mod moment;
mod objects;
mod parquet;
pub mod raw;
pub mod records;
mod rows;
pub mod scan;
pub mod shape;
mod spool;
mod sqlite;
pub mod survey;
pub mod table;
mod table_row;
mod table_value;
mod text;
pub(super) mod unpack;

pub use objects::{LeftOutColumn, each_object};
pub use raw::{RawRecord, RawRecords};
pub use scan::{ChunkTable, Keep};
pub use spool::Scratch;
pub use survey::{Chunk, ChunkKind, FileSurvey, Survey, Surveying};

/// The number of low bits of a location that hold the byte offset; the others hold the number of the file.
pub const OFFSET_BITS: u32 = 44;

/// The place of a record: `file << 44 | byte offset`.
pub fn location(file: usize, offset: u64) -> u64 {
    ((file as u64) << OFFSET_BITS) | offset
}

/// The number of the file and the byte offset of a location.
pub fn file_and_offset(location: u64) -> (usize, u64) {
    ((location >> OFFSET_BITS) as usize, location & ((1 << OFFSET_BITS) - 1))
}

/// How files are cut. The cuts depend on the data and these sizes alone, never on the number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct Sizes {
    /// A chunk ends at the first record end at which it has this many bytes.
    pub chunk: u64,
    /// The longest row in bytes, without its line end; a longer one is quarantined unread.
    pub row: u64,
    /// The most rows of a batch.
    pub batch_rows: usize,
    /// A batch ends once its rows have this many bytes.
    pub batch_bytes: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { chunk: 4 << 20, row: 8 << 20, batch_rows: 4096, batch_bytes: 1 << 20 }
    }
}
