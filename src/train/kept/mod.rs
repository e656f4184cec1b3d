//! Tokens of tables, kept from one run to the next.
//!
//! ```text
//! <cache>/tokens/3/<key>.tokens     "annotc tokens 3\n" · records · BLAKE3 of key, records and what follows · the records
//! ```
//!
//! The key is the digest of everything that decides them: the table's bytes, the task, the model's files that tokenizer, template and
//! ends are read from, the limit, and this program's version. So nothing here is ever out of date. A table that is refused leaves
//! nothing, and is looked at again. Tokens are texts: the folder and its files are their owner's alone, and a caller whose texts may be
//! somebody's names no folder.
//!
//! What cannot be written is not kept and what is damaged is made again: both are told, and neither ends a run.

mod codec;
mod shelf;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

pub use shelf::{StoredTokens, prune_tokens, stored_tokens};

use super::TrainError;
use super::example::{Encoded, LengthLimit};
use super::run::Task;
use super::tokenizer::TOKENIZER_FILES;
use crate::emit::begin_file;

/// The first bytes of a file.
const MAGIC: &[u8; 16] = b"annotc tokens 3\n";
/// Raised whenever what stands in a file changes its form or its meaning.
const FORMAT: u32 = 3;
/// The bytes before the records.
const HEAD: usize = MAGIC.len() + size_of::<u64>() + blake3::OUT_LEN;

/// The folder of a cache that tokens are kept in.
#[must_use]
pub fn tokens_folder(cache: &Path) -> PathBuf {
    cache.join("tokens").join(FORMAT.to_string())
}

/// What decides the tokens of a table.
pub(super) struct Origin<'a> {
    pub(super) table: &'a Path,
    pub(super) task: &'a Task,
    /// The label's values in the model's order.
    pub(super) values: &'a [String],
    /// The model's folder.
    pub(super) model: &'a Path,
    pub(super) limit: LengthLimit,
}

impl Origin<'_> {
    fn key(&self) -> io::Result<String> {
        let hash = |path: &Path| -> io::Result<String> {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(File::open(path)?)?;
            Ok(hasher.finalize().to_hex().to_string())
        };
        let mut files = Vec::new();
        for name in TOKENIZER_FILES.iter().chain(&["config.json"]) {
            let path = self.model.join(name);
            if path.is_file() {
                files.push((*name, hash(&path)?));
            }
        }
        // As it is printed, a task tells all that stands in it.
        let (task, limit) = (format!("{:?}", self.task), format!("{:?}", self.limit));
        let of = json!([FORMAT, env!("CARGO_PKG_VERSION"), hash(self.table)?, task, self.values, files, limit]);
        Ok(blake3::hash(of.to_string().as_bytes()).to_hex()[..32].to_owned())
    }
}

/// The tokens of a table, and whether they were kept: from `folder`, where there is one that has them, else by `encode`, whose are then
/// kept there. What is wrong with the folder or with what is kept becomes one of the `notes`.
pub(super) fn kept_or_encoded(
    folder: Option<&Path>,
    origin: &Origin<'_>,
    notes: &mut Vec<String>,
    encode: impl FnOnce() -> Result<Encoded, TrainError>,
) -> Result<(Encoded, bool), TrainError> {
    let Some((folder, key)) = folder.and_then(|folder| Some((folder, origin.key().ok()?))) else {
        return Ok((encode()?, false));
    };
    let path = folder.join(format!("{key}.{EXTENSION}"));
    match read(&path, &key) {
        Ok(Some(encoded)) => {
            note_use(&path);
            return Ok((encoded, true));
        }
        Ok(None) => {}
        Err(Damaged) => notes.push(format!("the tokens in `{}` were damaged and made again", path.display())),
    }
    let encoded = encode()?;
    if let Err(error) = write(folder, &path, &key, &encoded) {
        let note = format!("tokens could not be kept in `{}`: {error}", folder.display());
        // What keeps one table's from being written keeps the other's too.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    Ok((encoded, false))
}

const EXTENSION: &str = "tokens";

/// Makes a file the one that was used last; where that fails it is removed the sooner.
fn note_use(path: &Path) {
    let noted = File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = noted {
        tracing::debug!(path = %path.display(), %error, "the use of tokens is not noted");
    }
}

/// What is in a file is not what was written.
#[derive(Debug, PartialEq, Eq)]
struct Damaged;

/// The tokens in a file, where there is one that can be read. It must be whole, and of this key.
fn read(path: &Path, key: &str) -> Result<Option<Encoded>, Damaged> {
    let Ok(bytes) = fs::read(path) else { return Ok(None) };
    decode(&bytes, key).map(Some).ok_or(Damaged)
}

fn decode(bytes: &[u8], key: &str) -> Option<Encoded> {
    let (head, records) = bytes.split_at_checked(HEAD)?;
    let (count, hash) = head.strip_prefix(MAGIC)?.split_at_checked(size_of::<u64>())?;
    let encoded = (digest(key, count, records).as_bytes() == hash).then(|| codec::read(records)).flatten()?;
    (count_of(&encoded).to_le_bytes() == count).then_some(encoded)
}

fn write(folder: &Path, path: &Path, key: &str, encoded: &Encoded) -> io::Result<()> {
    make_private(folder)?;
    let (count, records) = (count_of(encoded).to_le_bytes(), codec::write(encoded));
    let mut file = begin_file(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&count)?;
    file.write_all(digest(key, &count, &records).as_bytes())?;
    file.write_all(&records)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn count_of(encoded: &Encoded) -> u64 {
    encoded.examples.len() as u64
}

fn digest(key: &str, count: &[u8], records: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key.as_bytes()).update(count).update(records).finalize()
}

/// Makes a folder that its owner alone can look into.
#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// As the system makes folders of a user's profile, which others cannot look into.
#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
