//! What the world can do to a build. No message holds a record's text.

use std::io;
use std::path::PathBuf;

use datafusion::error::DataFusionError;

use super::spool::SpoolError;

/// A failure of a build that is no mistake of the spec's author.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A source matched no file.
    #[error("source `{source_name}` has no file: nothing matches {}", looked_for.join(" or "))]
    NoFiles {
        /// The source's name.
        source_name: String,
        /// The patterns, as they were looked for.
        looked_for: Vec<String>,
    },
    /// A file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file has changed since its bytes were hashed.
    #[error("{} changed while it was read; build again when nothing writes to it", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The header of a CSV file cannot be used.
    #[error("the header of {} {what}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// What a file holds cannot be read to its end.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file is whole, and something else than its source says.
    #[error("{} {what}", path.display())]
    Misread {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
        /// How to say so in the source.
        help: &'static str,
    },
    /// A file does not have what its source reads.
    #[error("{} {what}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What it has instead.
        what: String,
    },
    /// What a file holds could not be unpacked into a private file.
    #[error("cannot unpack into {}: {error}", folder.display())]
    Scratch {
        /// The folder of private files.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A bad row in a source that says `on_bad_row fail`.
    #[error("{}:{line}: {error}", path.display())]
    BadRow {
        /// The file.
        path: PathBuf,
        /// The 1-based line.
        line: u64,
        /// What is wrong with the row.
        error: String,
    },
    /// A file that is evaluated on and cannot be taken apart.
    #[error("{}:{line}: cannot be read as text that is evaluated on", path.display())]
    Evaluated {
        /// The file.
        path: PathBuf,
        /// The 1-based line.
        line: usize,
    },
    /// A template that does not render a record.
    #[error("{file}:{line}: record {id}: {message}")]
    Render {
        /// The file of the record.
        file: String,
        /// The 1-based line of the record.
        line: u64,
        /// The record's id.
        id: String,
        /// What the template engine says.
        message: String,
    },
    /// An output could not be written.
    #[error("{0}")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The counts of a step do not add up. Nothing is written then.
    #[error(
        "the records of step `{rule}` do not add up: {records_in} in, {records_out} out, {dropped} dropped, {quarantined} quarantined"
    )]
    Sums {
        /// The step.
        rule: String,
        /// Records in.
        records_in: u64,
        /// Records out.
        records_out: u64,
        /// Records dropped.
        dropped: u64,
        /// Records quarantined.
        quarantined: u64,
    },
    /// What outgrew the memory could not be kept in a file.
    #[error(transparent)]
    Spill(SpoolError),
    /// More records than are numbered in memory.
    #[error("more than 4,294,967,295 records reach a split by several columns or by near-duplicates")]
    TooManyRecords,
    /// More files than a location can name.
    #[error("{0} files: a data set can have 1,048,575 at most")]
    TooManyFiles(usize),
    /// The query engine failed.
    #[error("the query engine failed: {0}")]
    Query(#[source] Box<DataFusionError>),
    /// The asynchronous runtime could not be started, or lost a task.
    #[error("the worker threads failed: {0}")]
    Workers(String),
    /// The cluster failed, or is not one of this release.
    #[cfg(feature = "cluster")]
    #[error(transparent)]
    Cluster(super::cluster::ClusterError),
    /// Somebody asked the build to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<DataFusionError> for EngineError {
    /// Takes an error of ours out of the query engine's wrapping.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<EngineError>() {
                Ok(own) => *own,
                Err(inner) => EngineError::Query(Box::new(DataFusionError::External(inner))),
            },
            DataFusionError::Context(_, inner) => EngineError::from(*inner),
            other => EngineError::Query(Box::new(other)),
        }
    }
}

impl From<EngineError> for DataFusionError {
    fn from(error: EngineError) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

impl From<SpoolError> for EngineError {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Interrupted => EngineError::Interrupted,
            SpoolError::File { .. } => EngineError::Spill(error),
        }
    }
}
