//! Sequences that may be longer than memory: what the first pass leaves of the records, and what is made of it.
//!
//! A [`Spool`] is appended to and read in order. A [`Sorter`] takes items in any order and gives them sorted, so that what
//! belongs together comes together. Both keep their items in memory while the [`Budget`] that they share has room, and in
//! files of a private temporary folder when it has none. What is read is the same either way. Nothing here knows what the
//! items mean.

mod budget;
mod error;
mod file;
mod folder;
mod item;
mod sequence;
mod sort;
#[cfg(test)]
mod tests;

pub use budget::{Budget, MemoryLimit};
pub use error::SpoolError;
pub use file::FileReader;
pub use folder::Folder;
pub(crate) use item::item;
pub use item::{Fixed, Item, OfRow, Sparse};
pub use sequence::{Cursor, Reader, Spool};
pub use sort::{Merge, Sorted, Sorter};
