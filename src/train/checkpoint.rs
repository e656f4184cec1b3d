//! Checkpoints: the state of a run in one file, from which it goes on as if it had never stopped.
//!
//! ```text
//! "ANNOTCK1" · length of the header · header (JSON) · weights, slots, best weights (32-bit floats) · BLAKE3 of it all
//! ```
//!
//! All randomness of a run is keyed by seed, epoch and record id, so the step says what a generator's state would. The
//! file is written beside its place and renamed: there is a whole one or none. One that is damaged, of another run or of
//! another order of the data is none.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrainError;
use super::scale::LossScale;

const MAGIC: &[u8; 8] = b"ANNOTCK1";

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
    let part = path.with_added_extension("part");
    let write = || -> io::Result<()> {
        let mut file = Hashed { inner: BufWriter::new(File::create(&part)?), hasher: blake3::Hasher::new() };
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
    write().map_err(TrainError::io(path))
}

/// Removes the checkpoint of a run that is done.
pub(super) fn remove_checkpoint(path: &Path) -> Result<(), TrainError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TrainError::io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The checkpoint at `path`, if it is whole and `is_wanted`.
pub(super) fn read_checkpoint(path: &Path, is_wanted: impl FnOnce(&Header) -> bool) -> Option<(Header, Vec<Vec<f32>>)> {
    let size = fs::metadata(path).ok()?.len();
    let file = BufReader::new(File::open(path).ok()?);
    let mut file = Hashed { inner: file, hasher: blake3::Hasher::new() };
    let mut word = [0; 8];
    file.read_exact(&mut word).ok()?;
    if word != *MAGIC {
        return None;
    }
    file.read_exact(&mut word).ok()?;
    let length = u64::from_le_bytes(word);
    let mut header = Vec::new();
    // A damaged length must not ask for more memory than there are bytes.
    file.by_ref().take(length.min(size)).read_to_end(&mut header).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    let floats = header.tensors.iter().try_fold(0_u64, |sum, length| sum.checked_add(*length))?;
    let expected = floats.checked_mul(4)?.checked_add(16 + length + blake3::OUT_LEN as u64)?;
    if expected != size || !is_wanted(&header) {
        return None;
    }
    let tensors = header.tensors.iter().map(|length| read_floats(&mut file, *length)).collect::<Option<Vec<_>>>()?;
    let Hashed { mut inner, hasher } = file;
    let mut hash = [0; blake3::OUT_LEN];
    inner.read_exact(&mut hash).ok()?;
    (*hasher.finalize().as_bytes() == hash).then_some((header, tensors))
}

fn read_floats(file: &mut impl Read, length: u64) -> Option<Vec<f32>> {
    let length = usize::try_from(length).ok()?;
    let mut values = Vec::with_capacity(length);
    let mut bytes = vec![0; CHUNK * 4];
    while values.len() < length {
        let bytes = &mut bytes[..(length - values.len()).min(CHUNK) * 4];
        file.read_exact(bytes).ok()?;
        values.extend(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)));
    }
    Some(values)
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
        let (found, values) = read_checkpoint(&path, |_| true).expect("it is whole");
        assert_eq!(found, header);
        let bits = |tensors: &[Vec<f32>]| tensors.concat().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values), bits(&tensors));
        assert!(read_checkpoint(&path, |header| header.fingerprint == "g").is_none());
        let names = fs::read_dir(path.parent().expect("a folder")).expect("it is there").count();
        assert_eq!(names, 1, "nothing but the checkpoint is left");

        let whole = fs::read(&path).expect("read");
        for at in [0, 9, 30, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).expect("written");
            assert!(read_checkpoint(&path, |_| true).is_none(), "byte {at}");
        }
        fs::write(&path, &whole[..whole.len() - 5]).expect("written");
        assert!(read_checkpoint(&path, |_| true).is_none());
        assert!(read_checkpoint(&path.with_extension("none"), |_| true).is_none());
    }
}
