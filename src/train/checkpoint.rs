//! Checkpoints: the state of a run in one file, from which it goes on as if it had never stopped.
//!
//! ```text
//! "ANNOTCK1" · length of the header · header (JSON) · weights, slots, best weights (32-bit floats) · BLAKE3 of it all
//! ```
//!
//! All randomness of a run is keyed by seed, epoch and record id, so the step says what a generator's state would. The
//! file is written beside its place and renamed: there is a whole one or none. One that is damaged, of another run or of
//! another order of the data is none, and says why.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrainError;
use super::scale::LossScale;

const MAGIC: &[u8; 8] = b"ANNOTCK1";

/// The ending of a file that is being written, behind that of the checkpoint.
const PART: &str = "part";

/// Floats that are converted at a time.
const CHUNK: usize = 1 << 14;

/// What a checkpoint says beside its tensors. Numbers that must come back bit by bit are kept as their bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    /// What decides the weights.
    pub(super) fingerprint: String,
    /// Optimizer steps done.
    pub(super) step: u64,
    /// Whether the validation part was measured after the last of them.
    pub(super) validated: bool,
    /// BLAKE3 over the record ids in the order in which they were trained on.
    pub(super) order: String,
    /// Lines of `metrics.jsonl` so far.
    pub(super) metrics: String,
    /// The losses of the last steps.
    pub(super) recent: Vec<u64>,
    /// The steps of the best measurements, and their scores.
    pub(super) best: Vec<(u64, u64)>,
    /// Measurements so far, and that of the last gain.
    pub(super) measured: (u64, u64),
    /// By what the loss is multiplied, where it is.
    pub(super) scale: Option<LossScale>,
    /// The lengths of the tensors.
    pub(super) tensors: Vec<u64>,
}

/// Replaces the checkpoint at `path`.
pub(super) fn write_checkpoint<'a>(
    path: &Path,
    header: &Header,
    tensors: impl Iterator<Item = &'a [f32]>,
) -> Result<(), TrainError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
    }
    let part = path.with_added_extension(PART);
    let file = begin_part(&part).map_err(TrainError::io(&part))?;
    let write = || -> io::Result<()> {
        let mut file = Hashed { inner: BufWriter::new(file), hasher: blake3::Hasher::new() };
        let header = serde_json::to_vec(header)?;
        file.write_all(MAGIC)?;
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        let mut bytes = Vec::with_capacity(CHUNK * 4);
        for chunk in tensors.flat_map(|tensor| tensor.chunks(CHUNK)) {
            bytes.clear();
            bytes.extend(chunk.iter().flat_map(|value| value.to_le_bytes()));
            file.write_all(&bytes)?;
        }
        let Hashed { mut inner, hasher } = file;
        inner.write_all(hasher.finalize().as_bytes())?;
        inner.flush()?;
        inner.get_ref().sync_all()?;
        fs::rename(&part, path)
    };
    write().map_err(|error| {
        // What is half written helps nobody and may be what fills the disk. Where it cannot be removed, the next one replaces it.
        let _ = fs::remove_file(&part);
        TrainError::io(path)(error)
    })
}

/// The file that a checkpoint is written into, empty, and locked for as long as it is written: by its lock a file that a process is
/// writing is told from one that a killed process left.
fn begin_part(part: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(part)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(io::Error::other("another process is writing it")),
        // A file system that knows no locks must not keep anybody from keeping a state.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Whoever cleans up may have taken the file away between its creation and its lock; then the renaming fails, and the next try is
    // as good as the first.
    if file.metadata()?.len() > 0 {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Removes the half-written checkpoints in a folder whose processes are gone, whichever runs they are of. Whatever cannot be looked at or
/// removed stays: the next checkpoint of its run replaces it.
pub(super) fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let parts =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == PART));
    for part in parts {
        let Ok(file) = File::options().write(true).open(&part) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(&part);
        }
    }
}

/// Removes the checkpoint of a run that is done.
pub(super) fn remove_checkpoint(path: &Path) -> Result<(), TrainError> {
    // To remove what is not there is an error of its own kind in a folder that cannot be written.
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TrainError::io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Why a run does not go on from the checkpoint that is there.
#[derive(Debug)]
pub(super) enum Unusable {
    /// The file cannot be read.
    Unreadable(io::Error),
    /// It is not what was written.
    Damaged,
    /// It is whole, and of other settings, another order of records or another version.
    OfAnotherRun,
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Unreadable(error),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read ({error})"),
            Self::Damaged => f.write_str("is damaged"),
            Self::OfAnotherRun => {
                f.write_str("is of a run with other settings, records or model files, or of another version")
            }
        }
    }
}

/// What a checkpoint holds: what it says, and its tensors.
pub(super) type Stored = (Header, Vec<Vec<f32>>);

/// The checkpoint at `path`, where there is one that is whole and `is_wanted`.
pub(super) fn read_checkpoint(
    path: &Path,
    is_wanted: impl FnOnce(&Header) -> bool,
) -> Result<Option<Stored>, Unusable> {
    let file = match File::open(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        opened => opened?,
    };
    let size = file.metadata()?.len();
    let mut file = Hashed { inner: BufReader::new(file), hasher: blake3::Hasher::new() };
    let mut word = [0; 8];
    file.read_exact(&mut word)?;
    if word != *MAGIC {
        return Err(Unusable::Damaged);
    }
    file.read_exact(&mut word)?;
    let length = u64::from_le_bytes(word);
    let mut header = Vec::new();
    // A damaged length must not ask for more memory than there are bytes.
    file.by_ref().take(length.min(size)).read_to_end(&mut header)?;
    let length = header.len() as u64;
    let header: Header = serde_json::from_slice(&header).map_err(|_| Unusable::Damaged)?;
    let bytes = bytes_of(&header).ok_or(Unusable::Damaged)?;
    if bytes.checked_add(16 + length + blake3::OUT_LEN as u64) != Some(size) {
        return Err(Unusable::Damaged);
    }
    // That it is of another run is believed of a whole one alone.
    let is_wanted = is_wanted(&header);
    let tensors = if is_wanted {
        header.tensors.iter().map(|length| read_floats(&mut file, *length)).collect::<io::Result<Vec<_>>>()?
    } else {
        io::copy(&mut file.by_ref().take(bytes), &mut io::sink())?;
        Vec::new()
    };
    let Hashed { mut inner, hasher } = file;
    let mut hash = [0; blake3::OUT_LEN];
    inner.read_exact(&mut hash)?;
    match (*hasher.finalize().as_bytes() == hash, is_wanted) {
        (true, true) => Ok(Some((header, tensors))),
        (true, false) => Err(Unusable::OfAnotherRun),
        (false, _) => Err(Unusable::Damaged),
    }
}

/// The bytes of a header's tensors; `None` of a damaged one that says more than can be counted.
fn bytes_of(header: &Header) -> Option<u64> {
    header.tensors.iter().try_fold(0_u64, |sum, length| sum.checked_add(*length))?.checked_mul(4)
}

fn read_floats(file: &mut impl Read, length: u64) -> io::Result<Vec<f32>> {
    let length = usize::try_from(length).map_err(|_| io::ErrorKind::UnexpectedEof)?;
    let mut values = Vec::with_capacity(length);
    let mut bytes = vec![0; CHUNK * 4];
    while values.len() < length {
        let bytes = &mut bytes[..(length - values.len()).min(CHUNK) * 4];
        file.read_exact(bytes)?;
        values.extend(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)));
    }
    Ok(values)
}

/// A reader or a writer that hashes what goes through it.
struct Hashed<T> {
    inner: T,
    hasher: blake3::Hasher,
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::Precision;
    use super::*;

    #[test]
    fn what_was_written_comes_back_and_what_is_damaged_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("below/run.checkpoint");
        let tensors = [vec![1.5, f32::MIN_POSITIVE, -0.0], vec![], vec![0.1; CHUNK + 1]];
        let header = Header {
            fingerprint: "f".to_owned(),
            step: 3,
            validated: true,
            order: "o".to_owned(),
            metrics: "{}\n".to_owned(),
            recent: vec![0.1_f64.to_bits()],
            best: vec![(2, f64::NEG_INFINITY.to_bits())],
            measured: (2, 1),
            scale: LossScale::of(Precision::F16),
            tensors: tensors.iter().map(|tensor| tensor.len() as u64).collect(),
        };
        write_checkpoint(&path, &header, tensors.iter().map(Vec::as_slice)).expect("written");
        let (found, values) = read_checkpoint(&path, |_| true).expect("it is whole").expect("it is there");
        assert_eq!(found, header);
        let bits = |tensors: &[Vec<f32>]| tensors.concat().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values), bits(&tensors));
        let of_another = || read_checkpoint(&path, |header| header.fingerprint == "g");
        assert!(matches!(of_another(), Err(Unusable::OfAnotherRun)));
        let names = fs::read_dir(path.parent().expect("a folder")).expect("it is there").count();
        assert_eq!(names, 1, "nothing but the checkpoint is left");

        let whole = fs::read(&path).expect("read");
        for at in [0, 9, 30, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).expect("written");
            assert!(matches!(read_checkpoint(&path, |_| true), Err(Unusable::Damaged)), "byte {at}");
            assert!(matches!(of_another(), Err(Unusable::Damaged)), "byte {at}: of which run it is cannot be told");
        }
        for end in [0, 7, 40, whole.len() - 5] {
            fs::write(&path, &whole[..end]).expect("written");
            assert!(matches!(read_checkpoint(&path, |_| true), Err(Unusable::Damaged)), "{end} bytes");
        }
        assert!(matches!(read_checkpoint(&path.with_extension("none"), |_| true), Ok(None)));
        assert!(matches!(read_checkpoint(&path.join("below"), |_| true), Ok(None)), "below a file there is none");
        fs::write(&path, &whole).expect("written");
        let (ours, others) = (path.with_added_extension(PART), path.with_file_name("other.checkpoint.part"));
        fs::write(&others, "what a killed process left").expect("written");
        let held = begin_part(&ours).expect("nobody writes it");
        remove_abandoned(path.parent().expect("a folder"));
        assert!(ours.exists() && path.exists() && !others.exists(), "only what nobody writes is removed");
        let refused = write_checkpoint(&path, &header, tensors.iter().map(Vec::as_slice)).expect_err("it is written");
        assert!(refused.to_string().contains("another process is writing it"), "{refused}");
        assert!(ours.exists(), "what another process writes is left to it");
        drop(held);
        write_checkpoint(&path, &header, tensors.iter().map(Vec::as_slice)).expect("it is free");
        assert_eq!(fs::read(&path).expect("read"), whole);
        #[cfg(target_os = "linux")]
        {
            // A device on which there is never room for a byte.
            let part = path.with_added_extension("part");
            std::os::unix::fs::symlink("/dev/full", &part).expect("linked");
            let error = write_checkpoint(&path, &header, tensors.iter().map(Vec::as_slice)).expect_err("it is full");
            assert!(error.to_string().contains("No space left"), "{error}");
            assert_eq!(fs::read(&path).expect("read"), whole, "the older one stays");
            assert!(fs::symlink_metadata(&part).is_err(), "nothing half-written is left");
        }
    }
}
