//! Writers: data files, manifest, audit, quarantine, data card, lockfile; and what reads them back: `trace`, the check
//! that nothing changed.
//!
//! A build renders each chunk with [`Renderer`] (pure, on any thread), hands the rows in order to [`Staging`], ends it
//! with [`Staging::finish`] and publishes all files in one step with [`Finished::commit`].

mod audit;
mod card;
mod error;
mod file;
pub mod formats;
pub mod lock;
pub mod manifest;
mod named;
mod render;
pub mod report;
pub mod runs;
pub mod snapshot;
mod staging;
pub mod statistics;
mod summary;
mod swap;
mod table;
#[cfg(test)]
mod tests;
pub mod trace;
mod unfinished;
mod why;

pub use crate::plan::normal::fingerprint;
pub use card::card;
pub(crate) use card::count;
pub use error::EmitError;
pub(crate) use file::write_atomically;
pub use file::{Digest, file_name};
pub use manifest::{MANIFEST, Manifest, verify_outputs};
pub use named::Named;
pub use render::{RenderError, Rendered, Renderer, SlotRenderer, TrainingRenderer, cell_value, objects};
pub use staging::{AUDIT, CARD, Finished, MISSING, QUARANTINE, REPORT, Staging, Stamp};
pub use statistics::{STATISTICS, Statistics};
pub use summary::{Style, summary};
pub use swap::{PROVENANCE, put_right};
pub(crate) use swap::{Swap, hold, refuse_foreign};
pub(crate) use unfinished::{begin_file, remove_unfinished};
pub use why::why_made_again;
