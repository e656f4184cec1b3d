//! Bytes that can be read at any place by several threads: a file as it lies, or a private file that holds what it was
//! unpacked or converted to.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
#[cfg(feature = "cluster")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::engine::EngineError;
#[cfg(feature = "cluster")]
use crate::engine::spool::Folder;

/// A place in a file. Clones read independently of each other.
#[derive(Debug, Clone)]
pub struct Cursor {
    file: Arc<Held>,
    at: u64,
    length: u64,
}

impl Cursor {
    /// At the beginning of a file of this length.
    pub fn new(file: File, length: u64) -> Self {
        let held = Held {
            file,
            #[cfg(feature = "cluster")]
            name: None,
        };
        Self { file: Arc::new(held), at: 0, length }
    }

    /// The number of bytes in all.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The name by which other processes find the file, where it is a private one that has a name.
    #[cfg(feature = "cluster")]
    pub fn name(&self) -> Option<&Path> {
        self.file.name.as_ref().map(|name| &*name.path)
    }
}

/// An open file, with its name where that goes with it.
#[derive(Debug)]
struct Held {
    file: File,
    #[cfg(feature = "cluster")]
    name: Option<Name>,
}

/// The name of a private file. It goes before the folder does.
#[cfg(feature = "cluster")]
#[derive(Debug)]
struct Name {
    path: tempfile::TempPath,
    _folder: Arc<Folder>,
}

/// Where private files are made.
#[derive(Debug)]
pub enum Scratch {
    /// In this folder, without names: each is gone with its last handle, however the process ends.
    Unnamed(PathBuf),
    /// In a folder of this process, under names by which its user's other processes read them.
    #[cfg(feature = "cluster")]
    Named(Arc<Folder>),
}

impl Scratch {
    /// An empty file.
    ///
    /// # Errors
    /// [`EngineError::Scratch`].
    pub fn create(&self) -> Result<PrivateFile, EngineError> {
        let held = match self {
            Self::Unnamed(folder) => std::fs::create_dir_all(folder).and_then(|()| {
                Ok(Held {
                    file: tempfile::tempfile_in(folder)?,
                    #[cfg(feature = "cluster")]
                    name: None,
                })
            }),
            #[cfg(feature = "cluster")]
            Self::Named(folder) => tempfile::NamedTempFile::new_in(folder.path()).map(|file| {
                let (file, path) = file.into_parts();
                Held { file, name: Some(Name { path, _folder: Arc::clone(folder) }) }
            }),
        };
        held.map(PrivateFile).map_err(|error| self.failed(error))
    }

    /// What it means that a file of this place cannot be written.
    pub fn failed(&self, error: io::Error) -> EngineError {
        let folder = match self {
            Self::Unnamed(folder) => folder.clone(),
            #[cfg(feature = "cluster")]
            Self::Named(folder) => folder.path().to_owned(),
        };
        EngineError::Scratch { folder, error }
    }
}

/// A private file that is being written.
#[derive(Debug)]
pub struct PrivateFile(Held);

impl PrivateFile {
    /// The beginning of what was written.
    ///
    /// # Errors
    /// Bytes that did not reach the file.
    pub fn finish(self) -> io::Result<Cursor> {
        // On a network file system other machines see what was written once it was synchronized, and not before.
        #[cfg(feature = "cluster")]
        if self.0.name.is_some() {
            self.0.file.sync_all()?;
        }
        let length = self.0.file.metadata()?.len();
        Ok(Cursor { file: Arc::new(self.0), at: 0, length })
    }
}

impl Write for PrivateFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.file.flush()
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = read_at(&self.file.file, &mut buffer[..most], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the first byte");
        self.at = place.ok_or_else(before)?;
        Ok(self.at)
    }
}

impl Length for Cursor {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Cursor {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(Cursor { at: start, ..self.clone() }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // A damaged footer may ask for more than there is.
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF("the file ends before its pages do".to_owned()));
        }
        let mut bytes = vec![0; length];
        Cursor { at: start, ..self.clone() }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}
