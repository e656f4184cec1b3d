//! A folder that changes in one step: new files are written beside it, then the two folders trade places. Whatever
//! moment the process is killed at, the old folder or the new one is there whole; what it left is put right by the next
//! build. Data sets and trained models are published so.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{AtPath, EmitError};
use super::file::{sync_folder, sync_tree};
use super::manifest::{MANIFEST, Manifest};

const STAGING: &str = ".annotc-staging-";
const OLD: &str = ".annotc-old-";

/// The file that every trained model's folder holds, as every data set's holds a manifest.
pub const PROVENANCE: &str = "provenance.json";

/// The folder of a target, held by this process alone until it is dropped.
#[derive(Debug)]
pub(crate) struct Swap {
    out: PathBuf,
    name: String,
    _lock: File,
}

impl Swap {
    /// Takes the lock, puts right what killed builds left in `out`, and creates the staging folder.
    /// `name` is a file name under `out`.
    pub(crate) fn begin(out: &Path, name: &str) -> Result<Self, EmitError> {
        let lock = hold(out, name, name)?;
        let swap = Self { out: out.to_owned(), name: name.to_owned(), _lock: lock };
        recover(out, &swap.name)?;
        recover_others(out, &swap.name)?;
        refuse_foreign(&swap.target())?;
        let staging = swap.staging();
        fs::create_dir(&staging).at("create", &staging)?;
        Ok(swap)
    }

    /// Where the files stand once they are published.
    pub(crate) fn target(&self) -> PathBuf {
        self.out.join(&self.name)
    }

    /// Where they are written.
    pub(crate) fn staging(&self) -> PathBuf {
        self.out.join(format!("{STAGING}{}", self.name))
    }

    /// Publishes the staging folder and removes the one that stood there. The files were written through before.
    pub(crate) fn commit(self) -> Result<(), EmitError> {
        self.commit_with(exchange)
    }

    fn commit_with(self, exchange: impl Fn(&Path, &Path) -> io::Result<bool>) -> Result<(), EmitError> {
        let (staging, target) = (self.staging(), self.target());
        sync_tree(&staging)?;
        refuse_foreign(&target)?;
        let replaced = if !target.exists() {
            fs::rename(&staging, &target).at("move", &staging)?;
            None
        } else if exchange(&staging, &target).at("replace", &target)? {
            Some(staging)
        } else {
            let old = self.out.join(format!("{OLD}{}", self.name));
            fs::rename(&target, &old).at("move", &target)?;
            fs::rename(&staging, &target).at("move", &staging)?;
            Some(old)
        };
        sync_folder(&self.out)?;
        replaced.map_or(Ok(()), |folder| fs::remove_dir_all(&folder).at("remove", &folder))
    }
}

/// Without a commit nothing of the attempt stays; a staging folder that cannot be removed now goes at the next start.
impl Drop for Swap {
    fn drop(&mut self) {
        let staging = self.staging();
        if staging.exists() {
            let _ = fs::remove_dir_all(staging);
        }
    }
}

/// Puts right what killed builds left in `out`, except for targets that somebody is building now.
pub fn put_right(out: &Path) -> Result<(), EmitError> {
    if out.is_dir() { recover_others(out, "") } else { Ok(()) }
}

/// The lock of what `name` stands for in `out`, which is made where it is not there; `called` is what a message calls it.
pub(crate) fn hold(out: &Path, called: &str, name: &str) -> Result<File, EmitError> {
    fs::create_dir_all(out).at("create", out)?;
    let busy = || EmitError::Busy { target: called.to_owned(), out: out.to_owned() };
    acquire(out, name)?.ok_or_else(busy)
}

/// The lock of a target's folder; `None` when another process keeps it for longer than a clean-up takes.
fn acquire(out: &Path, name: &str) -> Result<Option<File>, EmitError> {
    for _ in 0..20 {
        if let Some(lock) = try_acquire(out, name)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    Ok(None)
}

fn try_acquire(out: &Path, name: &str) -> Result<Option<File>, EmitError> {
    let path = out.join(format!(".annotc-{name}.lock"));
    let file = File::options().create(true).truncate(false).write(true).open(&path).at("open", &path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // A file system that knows no locks must not keep anybody from building.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(Some(file)),
        Err(TryLockError::Error(error)) => Err(error).at("lock", &path),
    }
}

/// Puts right what a killed build of `name` left; the caller holds its lock.
fn recover(out: &Path, name: &str) -> Result<(), EmitError> {
    let (staging, old) = (out.join(format!("{STAGING}{name}")), out.join(format!("{OLD}{name}")));
    if old.exists() {
        // The kill came between the two renames of a system without an exchange, or before the old folder was removed.
        if out.join(name).exists() {
            fs::remove_dir_all(&old).at("remove", &old)?;
        } else {
            fs::rename(&old, out.join(name)).at("move", &old)?;
        }
    }
    if staging.exists() {
        fs::remove_dir_all(&staging).at("remove", &staging)?;
    }
    Ok(())
}

/// The same for targets that this build does not make, unless somebody is building them now.
fn recover_others(out: &Path, own: &str) -> Result<(), EmitError> {
    for entry in fs::read_dir(out).at("read", out)? {
        let file_name = entry.at("read", out)?.file_name();
        let Some(entry) = file_name.to_str() else { continue };
        let name = entry.strip_prefix(STAGING).or_else(|| entry.strip_prefix(OLD));
        if let Some(name) = name.filter(|name| *name != own)
            && let Some(_lock) = try_acquire(out, name)?
        {
            recover(out, name)?;
        }
    }
    Ok(())
}

/// Only a folder that a build wrote, or an empty one, may be replaced: whatever else stands there is somebody's work.
pub(crate) fn refuse_foreign(target: &Path) -> Result<(), EmitError> {
    let ours = match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(error).at("read", target),
        Ok(metadata) if !metadata.is_dir() => false,
        Ok(_) if target.join(MANIFEST).exists() => Manifest::read(target)?.is_some(),
        Ok(_) if target.join(PROVENANCE).exists() => true,
        Ok(_) => fs::read_dir(target).at("read", target)?.next().is_none(),
    };
    if ours { Ok(()) } else { Err(EmitError::Foreign { path: target.to_owned() }) }
}

/// Lets two folders trade places in one step; `false` where the system or the file system cannot.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(left: &Path, right: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, left, CWD, right, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a folder as a build would, with `content` as its data.
    fn fill(folder: &Path, content: &str) {
        fs::create_dir_all(folder).expect("a folder");
        fs::write(folder.join("data.jsonl"), content).expect("data");
        fs::write(folder.join(MANIFEST), Manifest::default().to_json()).expect("a manifest");
    }

    fn content(folder: &Path) -> String {
        fs::read_to_string(folder.join("data.jsonl")).expect("the data")
    }

    /// The names in `out` beside locks.
    fn names(out: &Path) -> Vec<String> {
        let entries = fs::read_dir(out).expect("the folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().expect("a plain name")).collect();
        names.retain(|name| !name.ends_with(".lock"));
        names.sort();
        names
    }

    fn check_swap(exchange: impl Fn(&Path, &Path) -> io::Result<bool>) {
        let out = tempfile::tempdir().expect("a temporary folder");
        let out = out.path();
        for content_now in ["first", "second", "third"] {
            let swap = Swap::begin(out, "bank").expect("begun");
            fill(&swap.staging(), content_now);
            swap.commit_with(&exchange).expect("committed");
            assert_eq!(content(&out.join("bank")), content_now);
            assert_eq!(names(out), ["bank"]);
        }
        let swap = Swap::begin(out, "bank").expect("begun");
        fill(&swap.staging(), "abandoned");
        drop(swap);
        assert_eq!((content(&out.join("bank")).as_str(), names(out).len()), ("third", 1));
    }

    #[test]
    fn folders_trade_places() {
        check_swap(exchange);
        check_swap(|_, _| Ok(false));
    }

    #[test]
    fn leftovers_of_every_moment_are_put_right() {
        // What lies in the folder when a kill came at this moment, and what must stand there after the next start.
        for (left, expected) in [
            (&[("bank", "old"), (".annotc-staging-bank", "half")][..], "old"),
            (&[(".annotc-old-bank", "old"), (".annotc-staging-bank", "new")], "old"),
            (&[(".annotc-old-bank", "old"), ("bank", "new")], "new"),
            (&[("bank", "new"), (".annotc-staging-bank", "old")], "new"),
        ] {
            for next in ["bank", "other"] {
                let out = tempfile::tempdir().expect("a temporary folder");
                for (name, text) in left {
                    fill(&out.path().join(name), text);
                }
                drop(Swap::begin(out.path(), next).expect("begun"));
                assert_eq!(names(out.path()), ["bank"], "{left:?} then {next}");
                assert_eq!(content(&out.path().join("bank")), expected, "{left:?} then {next}");
            }
        }
    }

    #[test]
    fn one_build_at_a_time_and_nothing_foreign_is_lost() {
        let out = tempfile::tempdir().expect("a temporary folder");
        let held = Swap::begin(out.path(), "bank").expect("begun");
        fill(&held.staging(), "in the making");
        assert!(matches!(Swap::begin(out.path(), "bank"), Err(EmitError::Busy { .. })));
        drop(Swap::begin(out.path(), "other").expect("another data set is free"));
        assert_eq!(content(&held.staging()), "in the making");
        drop(held);

        fs::create_dir(out.path().join("thesis")).expect("a folder");
        fs::write(out.path().join("thesis/chapter.txt"), "mine").expect("a file");
        assert!(matches!(Swap::begin(out.path(), "thesis"), Err(EmitError::Foreign { .. })));
        assert!(out.path().join("thesis/chapter.txt").exists());
    }
}
