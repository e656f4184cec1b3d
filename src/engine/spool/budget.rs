//! How much may be kept in memory, and where the rest goes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::SpoolError;
use super::file::SpillFile;
use super::folder::{Folder, remove_abandoned};

/// How much the engine keeps in memory between its passes, and where the rest goes.
#[derive(Debug, Clone)]
pub struct MemoryLimit {
    /// Bytes.
    pub bytes: u64,
    /// annotc's cache folder; what does not fit lies below it while a build runs.
    pub cache: PathBuf,
}

impl MemoryLimit {
    /// The bytes that are kept where nobody says otherwise. The files behind them are written in order and usually never
    /// leave the system's own cache, so that more is hardly faster.
    pub const DEFAULT: u64 = 32 << 20;

    /// Removes what killed processes left below the cache.
    pub fn put_right(&self) {
        remove_abandoned(&self.cache);
    }
}

/// The memory that all sequences of a build share.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// Where files go; `None` where the limit cannot be reached.
    cache: Option<PathBuf>,
    folder: Mutex<Option<Arc<Folder>>>,
    files: AtomicU64,
    cancel: Arc<AtomicBool>,
}

/// What memory is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To keep items: five eighths of the limit at most, since without memory for sorting sorted runs would be tiny.
    Keeping,
    /// To sort them: what is kept counts as well, and three [`Budget::run`]s are left.
    Sorting,
}

impl Budget {
    /// A budget; removes what killed processes left below the cache. `cancel` is set from elsewhere to stop.
    pub fn new(limit: &MemoryLimit, cancel: Arc<AtomicBool>) -> Arc<Self> {
        limit.put_right();
        let bytes = usize::try_from(limit.bytes).unwrap_or(usize::MAX);
        Arc::new(Self::with(bytes, Some(limit.cache.clone()), cancel))
    }

    /// Without a limit, for what is known to be small.
    pub fn unlimited() -> Arc<Self> {
        Arc::new(Self::with(usize::MAX, None, Arc::default()))
    }

    fn with(limit: usize, cache: Option<PathBuf>, cancel: Arc<AtomicBool>) -> Self {
        Self { limit, used: AtomicUsize::new(0), cache, folder: Mutex::default(), files: AtomicU64::new(0), cancel }
    }

    /// The bytes by which sequences grow, and of the buffers of their files: small beside the limit, since each sequence
    /// has one that is not counted.
    pub(super) fn block(&self) -> usize {
        (self.limit / 512).clamp(256, 128 << 10)
    }

    /// The bytes of a run that is sorted even where the budget has no room. There are four of them at a time at most, and
    /// one has what [`Use::Sorting`] has more than [`Use::Keeping`].
    pub(super) fn run(&self) -> usize {
        (self.limit / 16).max(self.block())
    }

    /// Whether there is room for so many bytes more, which are taken then.
    pub(super) fn reserve(&self, bytes: usize, wanted: Use) -> bool {
        let limit = match wanted {
            Use::Keeping => self.limit / 8 * 5,
            Use::Sorting => self.limit / 16 * 13,
        };
        let grown = |used: usize| used.checked_add(bytes).filter(|&used| used <= limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
    }

    /// Gives bytes back.
    pub(super) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A new file for what does not fit.
    pub(super) fn create_file(&self) -> Result<SpillFile, SpoolError> {
        let cache = self.cache.as_deref().expect("a budget without a limit is never exceeded");
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &*folder {
            Some(folder) => Arc::clone(folder),
            None => Arc::clone(folder.insert(Arc::new(Folder::create(cache)?))),
        };
        SpillFile::create(folder, self.files.fetch_add(1, Ordering::Relaxed))
    }

    /// Asked whenever a file is written to or read from, so that a stop is heeded within long sweeps.
    pub(super) fn check_cancelled(&self) -> Result<(), SpoolError> {
        if self.cancel.load(Ordering::Relaxed) { Err(SpoolError::Interrupted) } else { Ok(()) }
    }
}
