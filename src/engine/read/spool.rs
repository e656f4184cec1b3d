//! Bytes that can be read at any place by several threads: a file as it lies, or a private file that holds what it was
//! unpacked or converted to.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// A place in a file. Clones read independently of each other.
#[derive(Debug, Clone)]
pub struct Cursor {
    file: Arc<File>,
    at: u64,
    length: u64,
}

impl Cursor {
    /// At the beginning of a file of this length.
    pub fn new(file: Arc<File>, length: u64) -> Self {
        Self { file, at: 0, length }
    }

    /// The number of bytes in all.
    pub fn length(&self) -> u64 {
        self.length
    }
}

/// A file without a name in `folder`: it is gone with its last handle, however the process ends.
pub fn private_file(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    tempfile::tempfile_in(folder)
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = read_at(&self.file, &mut buffer[..most], self.at)?;
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
