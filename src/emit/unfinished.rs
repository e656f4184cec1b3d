//! Files that have another name until they are whole. Each is locked by the process that writes it: one whose lock is free
//! was left by a process that was killed, and is removed by whoever writes there next.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// How the names of such files begin.
const UNFINISHED: &str = ".annotc-unfinished-";

/// A new file in a folder, for its owner's eyes until it takes its place.
///
/// # Errors
/// What the file system says.
pub(crate) fn begin_file(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        // A file system that knows no locks must not keep anybody from writing.
        let _ = file.as_file().lock();
        // Before it was locked, somebody may have taken it for one that was left.
        if file.path().exists() {
            return Ok(file);
        }
    }
}

/// Removes what killed processes left in a folder, and gives its size. Whatever cannot be looked at or removed stays: it is
/// in nobody's way.
pub(crate) fn remove_unfinished(folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        let Ok(file) = File::options().write(true).open(entry.path()) else { continue };
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if file.try_lock().is_ok() && fs::remove_file(entry.path()).is_ok() {
            bytes += size;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_being_written_stays_and_what_was_left_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let names = || {
            let entries = fs::read_dir(folder.path()).expect("the folder").flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let mut living = begin_file(folder.path()).expect("begun");
        living.write_all(b"living").expect("written");
        assert_eq!((remove_unfinished(folder.path()), names().len()), (0, 1));
        // The lock goes with the process, the file does not.
        let (left, path) = begin_file(folder.path()).expect("begun").keep().expect("kept");
        fs::write(&path, b"left").expect("written");
        drop(left);
        assert_eq!((remove_unfinished(folder.path()), names().len()), (4, 1));
        living.persist(folder.path().join("whole")).expect("it takes its place");
        assert_eq!((remove_unfinished(folder.path()), names()), (0, vec!["whole".to_owned()]));
    }
}
