//! What can go wrong between memory and files.

use std::io;
use std::path::{Path, PathBuf};

/// Why a sequence could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A file for what outgrew the memory could not be made, written or read.
    #[error("cannot {action} `{}`, which holds what outgrew the memory: {error}", path.display())]
    File {
        /// A verb: `create`, `write`, `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Somebody asked the build to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Ties an input or output error to its path.
pub(super) trait AtPath<T> {
    /// `action` is a verb that reads well after "cannot".
    fn at(self, action: &'static str, path: &Path) -> Result<T, SpoolError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, SpoolError> {
        self.map_err(|error| SpoolError::File { action, path: path.to_owned(), error })
    }
}
