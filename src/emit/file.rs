//! Files that are hashed while they are written, and names that are safe as a file's name.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{AtPath, EmitError};
use super::unfinished::{begin_file, remove_unfinished};

/// What a file holds, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// BLAKE3, 64 hexadecimal digits.
    pub blake3: String,
    /// Length in bytes.
    pub bytes: u64,
}

impl Digest {
    /// The digest of a text or a file's content in memory.
    pub fn of(content: &[u8]) -> Self {
        Self { blake3: blake3::hash(content).to_hex().to_string(), bytes: content.len() as u64 }
    }

    /// The digest of a file on disk, read in pieces.
    pub fn of_file(path: &Path) -> Result<Self, EmitError> {
        let file = File::open(path).at("open", path)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(file).at("read", path)?;
        Ok(Self { blake3: hasher.finalize().to_hex().to_string(), bytes: hasher.count() })
    }
}

/// A new file whose digest is known when its last byte is written.
pub(crate) struct HashedFile {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
}

impl HashedFile {
    /// Creates the file and the folders above it.
    pub(crate) fn create(path: &Path) -> Result<Self, EmitError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).at("create", folder)?;
        }
        let file = File::create(path).at("create", path)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::with_capacity(1 << 16, file), hasher: blake3::Hasher::new() })
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is buffered through to the disk.
    pub(crate) fn finish(mut self) -> Result<Digest, EmitError> {
        self.file.flush().at("write", &self.path)?;
        self.file.get_ref().sync_all().at("write", &self.path)?;
        Ok(Digest { blake3: self.hasher.finalize().to_hex().to_string(), bytes: self.hasher.count() })
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a small file whole and through to the disk.
pub(crate) fn write_synced(path: &Path, content: &[u8]) -> Result<Digest, EmitError> {
    let mut file = HashedFile::create(path)?;
    file.write_all(content).at("write", path)?;
    file.finish()
}

/// Replaces a file in one step: readers see the old content or the new, never a part.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), EmitError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    remove_unfinished(folder);
    let mut file = begin_file(folder).at("write", path)?;
    file.write_all(content).at("write", path)?;
    file.as_file().sync_all().at("write", path)?;
    share_as_usual(file.as_file(), path)?;
    file.persist(path).map_err(|error| error.error).at("replace", path)?;
    sync_folder(folder)
}

/// Gives a temporary file, which only its owner may read, the rights of the file that it replaces, or those that new
/// files usually have.
#[cfg(unix)]
fn share_as_usual(file: &File, replaced: &Path) -> Result<(), EmitError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(replaced).map_or(0o644, |metadata| metadata.permissions().mode());
    file.set_permissions(fs::Permissions::from_mode(mode)).at("set the rights of", replaced)
}

#[cfg(not(unix))]
fn share_as_usual(_: &File, _: &Path) -> Result<(), EmitError> {
    Ok(())
}

/// Makes the entries of a folder durable; a system whose folders cannot be opened keeps them so by itself.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), EmitError> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).at("write", folder)?;
    }
    Ok(())
}

/// Makes the entries of a folder and of all folders in it durable.
pub(crate) fn sync_tree(folder: &Path) -> Result<(), EmitError> {
    for entry in fs::read_dir(folder).at("read", folder)? {
        let entry = entry.at("read", folder)?;
        if entry.file_type().at("read", folder)?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// A name of the program as the name of a file or folder: the same name where it is safe, which all plain names are;
/// else with `%` and two hexadecimal digits for each byte that a path or a pattern gives a meaning to.
pub fn file_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (at, character) in name.char_indices() {
        let plain = character.is_alphanumeric() || matches!(character, '_' | '-' | ' ') || character == '.' && at > 0;
        if plain && !(character == ' ' && (at == 0 || at + 1 == name.len())) {
            safe.push(character);
        } else {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                safe.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    if safe.is_empty() { "%".to_owned() } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no folder").join("shop.annot.lock");
        let error = write_atomically(&path, b"text").unwrap_err().to_string();
        assert!(error.contains("cannot write") && error.contains("shop.annot.lock"), "{error}");
    }

    #[test]
    fn names_stay_inside_their_folder() {
        for (name, expected) in [
            ("banking", "banking"),
            ("../etc", "%2E.%2Fetc"),
            ("a/b\\c", "a%2Fb%5Cc"),
            ("gültig?", "gültig%3F"),
            (" x ", "%20x%20"),
            ("a*b[1]", "a%2Ab%5B1%5D"),
            ("", "%"),
        ] {
            assert_eq!(file_name(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_digest_is_the_same_written_and_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b.txt");
        let written = write_synced(&path, "naïve\n".as_bytes()).expect("written");
        assert_eq!(written, Digest::of_file(&path).expect("read"));
        assert_eq!(written, Digest::of("naïve\n".as_bytes()));
        assert_eq!(written.bytes, 7);
        write_atomically(&path, b"new").expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"new");
    }
}
