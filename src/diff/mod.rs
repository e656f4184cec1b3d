//! What differs between two specifications, by meaning, and between two builds, record by record: pure, over syntax trees
//! and what [`crate::emit::snapshot`] read.

mod dataset;
mod declarations;
mod entries;
mod print;
mod records;
mod runs;
#[cfg(test)]
mod tests;
pub mod words;

pub use declarations::{Change, DeclChange, EntryChange, compare_declarations};
pub use records::{Count, RecordDiff, Rewritten, compare_records};
