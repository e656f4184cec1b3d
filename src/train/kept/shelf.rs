//! The files of tokens that are there, and the removal of those that are used least.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{EXTENSION, HEAD, MAGIC};
use crate::emit::remove_unfinished;

/// The tokens of a table in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTokens {
    /// Their key.
    pub key: String,
    /// The file.
    pub path: PathBuf,
    /// The records, by what the file's head says; `None` where it has none.
    pub records: Option<u64>,
    /// Its size.
    pub bytes: u64,
    /// When it was used last.
    pub used: SystemTime,
}

/// The tokens in a folder, those used last first; none where there is no such folder.
pub fn stored_tokens(folder: &Path) -> Vec<StoredTokens> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut stored: Vec<StoredTokens> = entries.filter_map(|entry| look(&entry.path())).collect();
    stored.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.key.cmp(&b.key)));
    stored
}

fn look(path: &Path) -> Option<StoredTokens> {
    if path.extension()? != EXTENSION {
        return None;
    }
    // A file that another process has just removed is not there.
    let metadata = fs::metadata(path).ok()?;
    let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let key = path.file_stem()?.to_str()?.to_owned();
    Some(StoredTokens { key, path: path.to_owned(), records: records(path), bytes: metadata.len(), used })
}

fn records(path: &Path) -> Option<u64> {
    let mut head = [0; HEAD];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    let count = head.strip_prefix(MAGIC)?.first_chunk()?;
    Some(u64::from_le_bytes(*count))
}

/// Removes the tokens that `goes` says of, which is told how many bytes are left; those used least recently are asked first. Gives how
/// many went and their bytes, with those of what killed runs left, and the bytes that are left.
pub fn prune_tokens(folder: &Path, goes: impl Fn(&StoredTokens, u64) -> bool) -> (usize, u64, u64) {
    let (mut removed, mut bytes) = (0, remove_unfinished(folder));
    let mut stored = stored_tokens(folder);
    let mut left = stored.iter().map(|tokens| tokens.bytes).sum();
    while let Some(tokens) = stored.pop() {
        if goes(&tokens, left) && fs::remove_file(&tokens.path).is_ok() {
            removed += 1;
            bytes += tokens.bytes;
            left -= tokens.bytes;
        }
    }
    (removed, bytes, left)
}
