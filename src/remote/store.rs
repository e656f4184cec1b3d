//! The cache of remote files: what was fetched lies under its own hash, and beside it what each address was answered with.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Remote, RemoteError};
use crate::emit::{begin_file, remove_unfinished};

/// What an address was answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The address.
    pub(super) address: String,
    /// What the server calls this version of the file.
    pub(super) etag: Option<String>,
    /// When the server says that it was changed.
    pub(super) last_modified: Option<String>,
    /// BLAKE3 of the file.
    pub(super) blake3: String,
    /// Its size.
    pub(super) bytes: u64,
}

/// A file that a store holds as this machine sent it or fetched it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// BLAKE3 of the file.
    pub(super) blake3: String,
    /// Its size.
    pub(super) bytes: u64,
    /// What the store calls this version of it.
    pub(super) etag: Option<String>,
}

/// Files of a folder of a store, by their paths in it.
pub type Receipts = BTreeMap<String, Receipt>;

/// What was fetched of a folder of a store.
#[derive(Debug, Default)]
pub struct Brought {
    /// The files.
    pub receipts: Receipts,
    /// The folders that were left out, since a build publishes them now or was cut off while it did.
    pub half: Vec<String>,
}

impl From<Entry> for Receipt {
    fn from(entry: Entry) -> Self {
        Self { blake3: entry.blake3, bytes: entry.bytes, etag: entry.etag }
    }
}

impl Remote<'_> {
    /// What is known of an address, where the file is still there.
    pub(super) fn known(&self, address: &str) -> Option<Entry> {
        let entry: Entry = self.read_fact(address)?;
        let file = fs::metadata(self.blob(&entry.blake3)).ok()?;
        (entry.address == address && file.len() == entry.bytes).then_some(entry)
    }

    /// Where the file with a hash lies.
    pub(super) fn blob(&self, blake3: &str) -> PathBuf {
        self.cache.join("files").join(blake3)
    }

    /// Puts a fetched file under its hash, and remembers what it is the answer to.
    pub(super) fn keep(&self, file: tempfile::NamedTempFile, entry: &Entry) -> Result<PathBuf, RemoteError> {
        let path = self.blob(&entry.blake3);
        file.as_file().sync_all().map_err(at(&path))?;
        file.persist(&path).map_err(|error| RemoteError::Cache { path: path.clone(), error: error.error })?;
        self.write_fact(&entry.address, entry)?;
        Ok(path)
    }

    /// A file that is being fetched: in the same folder, so that it can take its place in one step.
    pub(super) fn partial(&self) -> Result<tempfile::NamedTempFile, RemoteError> {
        let folder = self.cache.join("files");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        remove_unfinished(&folder);
        begin_file(&folder).map_err(at(&folder))
    }

    /// Something that was learnt about an address.
    pub(super) fn read_fact<T: DeserializeOwned>(&self, address: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.fact(address)).ok()?).ok()
    }

    /// Remembers something about an address, in one step.
    pub(super) fn write_fact<T: Serialize>(&self, address: &str, fact: &T) -> Result<(), RemoteError> {
        let path = self.fact(address);
        let folder = self.cache.join("facts");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        remove_unfinished(&folder);
        let mut file = begin_file(&folder).map_err(at(&folder))?;
        let bytes = serde_json::to_vec(fact).expect("names and numbers are valid JSON");
        file.write_all(&bytes).map_err(at(&path))?;
        file.persist(&path).map_err(|error| RemoteError::Cache { path, error: error.error })?;
        Ok(())
    }

    fn fact(&self, address: &str) -> PathBuf {
        self.cache.join("facts").join(format!("{}.json", blake3::hash(address.as_bytes()).to_hex()))
    }
}

/// A failure of the cache at a path.
pub(super) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> RemoteError {
    let path = path.to_owned();
    move |error| RemoteError::Cache { path, error }
}
