//! What another process needs to know of a file to read what it holds: in the file itself, or in this build's copy.

use std::fs::File;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Content, FileSurvey, InputFile};
use crate::engine::EngineError;
use crate::engine::cluster::ClusterError;
use crate::engine::read::rows;
use crate::engine::read::spool::Cursor;
use crate::hir::SourceId;

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
    content: Elsewhere,
}

/// What a file holds, for a process that has not surveyed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Elsewhere {
    place: Place,
    bytes: u64,
    /// The rows of each batch of an Arrow file, which its footer does not tell.
    batches: Option<Vec<u64>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Place {
    /// In the file itself, which was changed then.
    AsItLies(Option<SystemTime>),
    /// In a copy that was fetched, unpacked or converted, and that nobody changes.
    Copy(PathBuf),
}

impl Elsewhere {
    /// Opens the file or its copy, after a check that it still is what was surveyed.
    pub(super) fn open(&self, file: &InputFile) -> Result<Cursor, EngineError> {
        let (location, written) = match &self.place {
            Place::AsItLies(modified) => (&file.location, *modified),
            Place::Copy(location) => (location, None),
        };
        let failed = |error: std::io::Error| match &self.place {
            Place::AsItLies(_) => EngineError::Read { path: file.shown(), error },
            Place::Copy(copy) => {
                ClusterError::Copy { path: file.shown(), copy: copy.clone(), reason: error.to_string() }.into()
            }
        };
        let opened = File::open(location).map_err(failed)?;
        let metadata = opened.metadata().map_err(failed)?;
        if metadata.len() != self.bytes || (written.is_some() && metadata.modified().ok() != written) {
            return Err(EngineError::Changed { path: file.shown() });
        }
        Ok(Cursor::new(opened, self.bytes))
    }
}

impl FileSurvey {
    /// The survey for a process that works in another folder: with absolute paths.
    ///
    /// # Errors
    /// No folder to work in, of which a path would be part.
    pub fn travelling(&self) -> Result<Travelling, EngineError> {
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
            content: self.elsewhere()?,
        })
    }

    fn elsewhere(&self) -> Result<Elsewhere, EngineError> {
        let copy = |location| match std::path::absolute(location) {
            Ok(location) => Ok(Place::Copy(location)),
            Err(error) => Err(EngineError::Read { path: self.file.shown(), error }),
        };
        let (place, bytes) = match &self.content {
            Content::AsItLies(_) if self.file.is_remote() => (copy(self.file.location.as_path())?, self.bytes),
            Content::AsItLies(modified) => (Place::AsItLies(*modified), self.bytes),
            Content::Spooled(cursor) => {
                let name = cursor.name().expect("a build on a cluster gives the files that it unpacks into names");
                (copy(name)?, cursor.length())
            }
            Content::Elsewhere(known) => return Ok(known.clone()),
        };
        let batches = self.rows.as_ref().and_then(rows::RowTable::batches).map(<[u64]>::to_vec);
        Ok(Elsewhere { place, bytes, batches })
    }

    /// The same survey with the table that the file is, which did not travel.
    ///
    /// # Errors
    /// A file that cannot be read here, or is not the one that was surveyed.
    pub fn with_table(&self) -> Result<Self, EngineError> {
        // Whether it is the same file is settled before its footer is believed.
        let cursor = self.open()?;
        let batches = match &self.content {
            Content::Elsewhere(known) => known.batches.as_deref(),
            Content::AsItLies(_) | Content::Spooled(_) => None,
        };
        let table = rows::reopen(&self.file, cursor, batches)?;
        Ok(Self { rows: Some(table), ..self.clone() })
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
            content: Content::Elsewhere(self.content),
            rows: None,
        })
    }
}
