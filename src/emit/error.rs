//! What can go wrong while files are written or read back.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the world, or data that a file format cannot hold. No text of a record is ever part of a message.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// The file system refused something.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// A verb phrase: `create`, `move`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds the lock of this target.
    #[error("another build is writing `{target}` into `{}`: wait until it has ended, or choose another `--out`", out.display())]
    Busy {
        /// The target's folder.
        target: String,
        /// The folder that both write into.
        out: PathBuf,
    },
    /// The target's place is taken by something that a build did not make.
    #[error("`{}` was not made by annotc and would be lost: move it away, or choose another `--out`", path.display())]
    Foreign {
        /// The file or folder in the way.
        path: PathBuf,
    },
    /// A Parquet file could not be written or read.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Parquet {
        /// `write` or `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: parquet::errors::ParquetError,
    },
    /// A template does not have the parts that a format needs.
    #[error("`write {output}` cannot use this template: {reason}")]
    Unfit {
        /// The output's name.
        output: String,
        /// What is missing or too much.
        reason: String,
    },
    /// A file that a build wrote does not have the shape it had.
    #[error("cannot read `{}`: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of an evaluation is not what the evaluation left.
    #[error("`{}` {what}; build again, which evaluates anew", path.display())]
    Edited {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Records would have vanished or appeared: nothing is published.
    #[error("the sums do not agree: {0}")]
    Sums(String),
}

/// Ties an input or output error to its path.
pub(crate) trait AtPath<T> {
    /// `action` is a verb phrase that reads well after "cannot".
    fn at(self, action: &'static str, path: &Path) -> Result<T, EmitError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, EmitError> {
        self.map_err(|source| EmitError::File { action, path: path.to_owned(), source })
    }
}

impl<T> AtPath<T> for Result<T, parquet::errors::ParquetError> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, EmitError> {
        self.map_err(|source| EmitError::Parquet { action, path: path.to_owned(), source })
    }
}
