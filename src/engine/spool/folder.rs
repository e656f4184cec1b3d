//! The private folder of one process for what outgrows its memory. It goes with the process; what a killed one left is
//! removed by the next.
//!
//! Each folder holds a file that its process keeps locked: a folder whose lock is free belongs to nobody. One more lock,
//! held for moments, keeps a folder from being taken for abandoned between its creation and its own lock.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{AtPath, SpoolError};

/// The folder of all of them below the cache.
const SPILLED: &str = "spilled";
/// The file in each that says whether its process lives.
const LOCK: &str = ".lock";

/// The folder of this process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: Option<File>,
}

impl Folder {
    /// Creates a folder that only this user may enter below `cache`.
    ///
    /// # Errors
    /// What the system says of the cache.
    pub fn create(cache: &Path) -> Result<Self, SpoolError> {
        let root = cache.join(SPILLED);
        fs::create_dir_all(&root).at("create", &root)?;
        let gate = open_lock(&root)?;
        // A file system that knows no locks must not keep anybody from building.
        let _held = gate.lock();
        let folder = private().prefix("build-").tempdir_in(&root).at("create a folder in", &root)?;
        // From here on it is removed by `Drop`, whatever happens.
        let mut folder = Self { path: folder.keep(), lock: None };
        let lock = open_lock(&folder.path)?;
        let _held = lock.try_lock();
        folder.lock = Some(lock);
        Ok(folder)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    /// What cannot be removed now goes at the next start.
    fn drop(&mut self) {
        self.lock = None;
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders below `cache` whose processes are gone. Whatever cannot be looked at or removed stays: it is in
/// nobody's way.
pub(super) fn remove_abandoned(cache: &Path) {
    let root = cache.join(SPILLED);
    if !root.is_dir() {
        return;
    }
    let Ok(gate) = open_lock(&root) else { return };
    let (Ok(()), Ok(entries)) = (gate.lock(), fs::read_dir(&root)) else { return };
    for folder in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let free = match open_lock(&folder).map(|lock| lock.try_lock()) {
            Ok(Ok(())) => true,
            Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) | Err(_) => false,
        };
        if free {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Makes folders that only this user may enter.
#[cfg(unix)]
fn private() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder.permissions(fs::Permissions::from_mode(0o700));
    builder
}

#[cfg(not(unix))]
fn private() -> tempfile::Builder<'static, 'static> {
    tempfile::Builder::new()
}

fn open_lock(folder: &Path) -> Result<File, SpoolError> {
    let path = folder.join(LOCK);
    File::options().create(true).truncate(false).write(true).open(&path).at("create", &path)
}

/// A new file in the folder, which only this user may read.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(cache: &Path) -> usize {
        let entries = fs::read_dir(cache.join(SPILLED)).expect("the folder");
        entries.flatten().filter(|entry| entry.path().is_dir()).count()
    }

    #[test]
    fn a_folder_goes_with_its_process_and_abandoned_ones_at_the_next_start() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        remove_abandoned(cache.path());
        let living = Folder::create(cache.path()).expect("created");
        let other = Folder::create(cache.path()).expect("created");
        fs::write(other.path().join("0"), "rows").expect("written");
        drop(other);
        assert_eq!(folders(cache.path()), 1);
        // As a killed process leaves it: the files are there, and nobody holds the lock.
        let left = cache.path().join(SPILLED).join("build-dead");
        fs::create_dir(&left).expect("a folder");
        fs::write(left.join(LOCK), "").expect("written");
        fs::write(left.join("7"), "rows").expect("written");
        remove_abandoned(cache.path());
        assert!(!left.exists() && living.path().exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(living.path()).expect("there").permissions().mode() & 0o777, 0o700);
        }
        drop(living);
        assert_eq!(folders(cache.path()), 0);
    }
}
