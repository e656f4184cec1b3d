//! What another process needs to know of a file that it reads where it lies.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Content, FileSurvey, InputFile};
use crate::engine::EngineError;
use crate::engine::cluster::ClusterError;
use crate::engine::read::rows;
use crate::hir::{Source, SourceId};

/// A [`FileSurvey`] without what its table's footer says, which is read again there.
#[derive(Serialize, Deserialize)]
pub struct Travelling {
    source: SourceId,
    file: InputFile,
    blake3: String,
    bytes: u64,
    extent: u64,
    header: Vec<String>,
    longest_row: u64,
    modified: Option<SystemTime>,
}

impl FileSurvey {
    /// The survey for a process that works in another folder: with its absolute path.
    ///
    /// # Errors
    /// [`ClusterError::Private`] where what the file holds is in a copy of this process alone.
    pub fn travelling(&self) -> Result<Travelling, EngineError> {
        let Content::AsItLies(modified) = &self.content else { return Err(private(self)) };
        if self.file.is_remote() {
            return Err(private(self));
        }
        let lies = |error| EngineError::Read { path: self.file.shown(), error };
        let location = std::path::absolute(&self.file.location).map_err(lies)?;
        Ok(Travelling {
            source: self.source,
            file: InputFile { location, name: self.file.name.clone() },
            blake3: self.blake3.to_hex().to_string(),
            bytes: self.bytes,
            extent: self.extent,
            header: self.header.clone(),
            longest_row: self.longest_row,
            modified: *modified,
        })
    }

    /// The same survey with the table that the file is, which did not travel.
    ///
    /// # Errors
    /// A file that cannot be read here, or is not the one that was surveyed.
    pub fn with_table(&self, source: &Source) -> Result<Self, EngineError> {
        // Whether it is the same file is settled before its footer is believed.
        self.open()?;
        let (scratch, cancel) = (std::env::temp_dir(), std::sync::atomic::AtomicBool::new(false));
        let opened = rows::open(source, &self.file, self.bytes, &scratch, &cancel)?;
        match opened.spool {
            None => Ok(Self { rows: Some(opened.table), ..self.clone() }),
            Some(_) => Err(private(self)),
        }
    }
}

impl Travelling {
    /// The survey as it is there; `None` for a hash that is none.
    pub fn arrived(self) -> Option<FileSurvey> {
        Some(FileSurvey {
            source: self.source,
            file: self.file,
            blake3: blake3::Hash::from_hex(self.blake3).ok()?,
            bytes: self.bytes,
            extent: self.extent,
            header: self.header,
            longest_row: self.longest_row,
            content: Content::AsItLies(self.modified),
            rows: None,
        })
    }
}

fn private(file: &FileSurvey) -> EngineError {
    ClusterError::Private { path: file.file.shown() }.into()
}
