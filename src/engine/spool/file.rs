//! One file of items: written from front to back, read from any byte on.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::budget::Budget;
use super::error::{AtPath, SpoolError};
use super::folder::{Folder, create_file};

/// A file of the private folder; it is removed with this value.
#[derive(Debug)]
pub(super) struct SpillFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    _folder: Arc<Folder>,
}

impl SpillFile {
    /// An empty file.
    pub(super) fn create(folder: Arc<Folder>, number: u64) -> Result<Self, SpoolError> {
        let path = folder.path().join(number.to_string());
        let file = create_file(&path).at("create", &path)?;
        Ok(Self { path, file, bytes: 0, _folder: folder })
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.file.write_all(bytes).at("write", &self.path)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Its length.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A reader of some of its bytes.
    pub(super) fn reader(&self, range: Range<u64>, budget: &Arc<Budget>) -> Result<FileReader, SpoolError> {
        let mut file = File::open(&self.path).at("read", &self.path)?;
        file.seek(SeekFrom::Start(range.start)).at("read", &self.path)?;
        let left = range.end - range.start;
        let buffer = vec![0; budget.block().min(64 << 10).min(left as usize)];
        let (path, budget) = (self.path.clone(), Arc::clone(budget));
        Ok(FileReader { file, path, buffer, at: 0, end: 0, left, budget })
    }
}

impl Drop for SpillFile {
    /// What cannot be removed now goes with the folder.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Reads bytes in order through a buffer.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes that are not in the buffer yet.
    left: u64,
    budget: Arc<Budget>,
}

impl FileReader {
    /// Whether all was read.
    pub(super) fn is_done(&self) -> bool {
        self.at == self.end && self.left == 0
    }

    /// The next `N` bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], SpoolError> {
        if let Some(bytes) = self.buffer[self.at..self.end].first_chunk::<N>() {
            self.at += N;
            return Ok(*bytes);
        }
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills a slice with the next bytes.
    pub(super) fn fill(&mut self, mut into: &mut [u8]) -> Result<(), SpoolError> {
        while !into.is_empty() {
            if self.at == self.end {
                self.refill()?;
            }
            let taken = into.len().min(self.end - self.at);
            let (now, later) = into.split_at_mut(taken);
            now.copy_from_slice(&self.buffer[self.at..self.at + taken]);
            self.at += taken;
            into = later;
        }
        Ok(())
    }

    /// Passes over bytes.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), SpoolError> {
        let buffered = (self.end - self.at) as u64;
        if bytes <= buffered {
            self.at += bytes as usize;
            return Ok(());
        }
        let beyond = bytes - buffered;
        self.file.seek(SeekFrom::Current(beyond as i64)).at("read", &self.path)?;
        (self.at, self.end) = (0, 0);
        self.left -= beyond;
        Ok(())
    }

    fn refill(&mut self) -> Result<(), SpoolError> {
        self.budget.check_cancelled()?;
        let wanted = self.buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)).at("read", &self.path);
        }
        self.file.read_exact(&mut self.buffer[..wanted]).at("read", &self.path)?;
        (self.at, self.end) = (0, wanted);
        self.left -= wanted as u64;
        Ok(())
    }
}
