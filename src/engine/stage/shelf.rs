//! The stages that are there, and the removal of those that are used least.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::record::{NAME, Record};
use crate::emit::remove_unfinished;

/// A stage in the cache.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its name.
    pub key: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// Its record; `None` where that is damaged or gone.
    pub record: Option<Record>,
    /// The chunks that are there.
    pub chunks: usize,
    /// The size of all its files.
    pub bytes: u64,
    /// When it was used last.
    pub used: SystemTime,
}

/// What is to be removed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prune {
    /// All that was not used for so long.
    pub older_than: Option<Duration>,
    /// What was used least recently, until no more bytes than these are left.
    pub max_bytes: Option<u64>,
    /// Everything.
    pub all: bool,
    /// Nothing that was used since then.
    pub spare_since: Option<SystemTime>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The stages.
    pub stages: usize,
    /// Their size, with that of what killed builds left.
    pub bytes: u64,
    /// The size of what is left.
    pub left: u64,
}

/// How the names of folders begin that are being removed.
const REMOVED: &str = ".removed-";

/// The stages below `root`, the one used last first; none where there is no such folder.
pub fn stored(root: &Path) -> Vec<Stored> {
    let mut stages: Vec<Stored> = folders(root).into_iter().filter_map(|folder| look(&folder)).collect();
    stages.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.key.cmp(&b.key)));
    stages
}

/// Removes stages. What cannot be removed is left and not counted.
pub fn prune(root: &Path, what: Prune) -> Pruned {
    let mut pruned = Pruned { bytes: sweep(root), ..Pruned::default() };
    let mut stages = stored(root);
    pruned.left = stages.iter().map(|stage| stage.bytes).sum();
    let now = SystemTime::now();
    // The ones that were used least recently go first.
    while let Some(stage) = stages.pop() {
        let spared = what.spare_since.is_some_and(|since| stage.used >= since);
        let old = |limit| now.duration_since(stage.used).is_ok_and(|age| age > limit);
        let goes =
            what.all || what.older_than.is_some_and(old) || what.max_bytes.is_some_and(|most| pruned.left > most);
        if goes && !spared && remove(root, &stage.folder, &stage.key) {
            pruned.stages += 1;
            pruned.bytes += stage.bytes;
            pruned.left -= stage.bytes;
        }
    }
    pruned
}

/// The folders below `root`.
pub(super) fn folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// A stage's folder; one of another name is none.
fn look(folder: &Path) -> Option<Stored> {
    let key = folder.file_name()?.to_str()?.to_owned();
    if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (mut chunks, mut bytes, mut used) = (0, 0, None);
    for entry in fs::read_dir(folder).ok()?.flatten() {
        // A file that another process has just removed is not there.
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += metadata.len();
        let name = entry.file_name();
        chunks += usize::from(name.to_string_lossy().ends_with(".arrow"));
        if name == NAME {
            used = metadata.modified().ok();
        }
    }
    let used = used.unwrap_or(SystemTime::UNIX_EPOCH);
    Some(Stored { key, record: Record::read(folder), folder: folder.to_owned(), chunks, bytes, used })
}

/// Removes a folder; a build that reads from it finds its chunks gone and measures them again.
fn remove(root: &Path, folder: &Path, key: &str) -> bool {
    let aside = root.join(format!("{REMOVED}{key}-{}", std::process::id()));
    fs::rename(folder, &aside).is_ok() && fs::remove_dir_all(&aside).is_ok()
}

/// Removes what killed builds and prunings left, and gives its size.
fn sweep(root: &Path) -> u64 {
    let mut bytes = 0;
    for folder in folders(root) {
        bytes += remove_unfinished(&folder);
        if !folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(REMOVED)) {
            continue;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            if fs::remove_file(entry.path()).is_ok() {
                bytes += size;
            }
        }
        // Another process may be removing it too.
        let _ = fs::remove_dir(&folder);
    }
    bytes
}
