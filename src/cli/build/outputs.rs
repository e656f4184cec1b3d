//! Where a build's outputs go: a folder, or a folder of an object store, into which they are published from one of the cache.

use std::fs::{DirBuilder, File};
use std::path::{Path, PathBuf};

use super::{Session, cancelled};
use crate::cli::Failure;
use crate::cli::cache::units;
use crate::cli::check::counted;
use crate::cli::out::{Out, named};
use crate::cli::terminal::{Paint, Terminal};
use crate::emit::{EmitError, Swap, hold};
use crate::remote::{Pending, Remote, RemoteError, Store, StoreFolder};

/// The name of the lock of a whole folder, which no target can have.
const WHOLE: &str = ".address";

/// Where outputs go.
pub struct Outputs<'a> {
    /// The folder of this machine that they are written into.
    pub folder: PathBuf,
    published: Option<Published<'a>>,
}

/// The folder of a store that outputs are published into.
struct Published<'a> {
    address: StoreFolder,
    store: Store<'a>,
    /// Held as long as the build runs: two at a time would publish a mixture.
    _lock: File,
}

/// The folder of the cache in which outputs for an address are built. They stay there until they are published, and behind
/// that for the next build.
pub fn mirror(cache: &Path, address: &StoreFolder) -> PathBuf {
    let hash = blake3::hash(address.to_string().as_bytes()).to_hex();
    cache.join("outputs").join(&hash[..16])
}

impl<'a> Outputs<'a> {
    /// Takes a folder, or opens the store of an address. Nobody is asked anything yet.
    pub fn open(
        out: Out,
        cache: &Path,
        (remote, offline): (&Remote<'a>, bool),
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let address = match out {
            Out::Folder(folder) => return Ok(Self { folder, published: None }),
            Out::Store(address) => address,
        };
        if offline {
            let help = "leave out one of the two, or build into a folder with `--out DIR`";
            terminal.error(format_args!("`--offline` keeps a build from `{address}`"), Some(help));
            return Err(Failure::Usage);
        }
        let folder = mirror(cache, &address);
        let store = remote.open_store(&address).map_err(|error| fail(&error, terminal))?;
        let busy = |error: EmitError| {
            terminal.error(error, None);
            Failure::World
        };
        create_private(&folder).map_err(|error| fail(&RemoteError::Cache { path: folder.clone(), error }, terminal))?;
        let lock = hold(&folder, &address.to_string(), WHOLE).map_err(busy)?;
        Ok(Self { folder, published: Some(Published { address, store, _lock: lock }) })
    }

    /// What a path in the folder is called where the file will lie in the end.
    pub fn named(&self, path: &Path) -> PathBuf {
        match &self.published {
            Some(published) => named(&published.address, &self.folder, path),
            None => path.to_path_buf(),
        }
    }

    /// Fails before anything is read where the store cannot be reached, or where something would be lost that no build made.
    pub fn check(&self, targets: impl Iterator<Item = String>, terminal: &Terminal) -> Result<(), Failure> {
        let Some(Published { store, .. }) = &self.published else { return Ok(()) };
        for target in targets {
            store.refuse_foreign(&target).map_err(|error| fail(&error, terminal))?;
        }
        Ok(())
    }

    /// Takes over what another machine has published of a target, where its seal says that it is what would be made. Gives
    /// whether it was.
    pub fn adopt(
        &self,
        target: &str,
        seal: &str,
        is_wanted: impl Fn(&[u8]) -> bool,
        terminal: &Terminal,
    ) -> Result<bool, Failure> {
        let Some(Published { store, .. }) = &self.published else { return Ok(false) };
        let world = |error: RemoteError| fail(&error, terminal);
        let found = store.read(&format!("{target}/{seal}")).map_err(world)?;
        if !found.is_some_and(|seal| is_wanted(&seal)) {
            return Ok(false);
        }
        let emit = |error: EmitError| {
            terminal.error(error, None);
            Failure::World
        };
        let swap = Swap::begin(&self.folder, target).map_err(emit)?;
        let brought = store.bring(target, |_| true, &swap.staging()).map_err(world)?;
        if !brought.half.is_empty() {
            return Ok(false);
        }
        swap.commit().map_err(emit)?;
        store.remember(&self.kept(target), &brought.receipts).map_err(world)?;
        Ok(true)
    }

    /// Publishes a target that was built or is unchanged; nothing is sent of what the store has.
    pub fn publish(&self, target: &str, terminal: &Terminal) -> Result<(), Failure> {
        let Some(Published { address, store, .. }) = &self.published else { return Ok(()) };
        let folder = self.folder.join(target);
        let sent = store.pending(target, &folder, &self.kept(target)).and_then(|pending| {
            let Some(pending) = pending else { return Ok(None) };
            let bar = terminal.progress("Publishing", 1, "{prefix:.green.bold} {msg}");
            bar.set_message(told(target, &pending));
            let result = store.publish(&pending);
            bar.finish_and_clear();
            result.map(|()| Some(pending))
        });
        match sent {
            Ok(Some(pending)) => {
                let about = format_args!("{} to {}", told(target, &pending), address.join(target)).to_string();
                terminal.status(Paint::Green, "Published", about);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => {
                let failure = fail(&error, terminal);
                let stays = "and the next build publishes it without computing it again";
                terminal.note(format_args!("{target} lies whole in {}, {stays}", folder.display()));
                Err(failure)
            }
        }
    }

    /// Where this machine remembers what it sent of a target.
    fn kept(&self, target: &str) -> PathBuf {
        self.folder.join(format!(".annotc-published-{target}.json"))
    }
}

impl Session<'_> {
    /// Publishes a target.
    pub fn publish(&self, target: &str) -> Result<(), Failure> {
        self.out.publish(target, self.terminal)
    }
}

/// Makes a folder that only this user may enter: in a cache nobody looks for data.
fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// `helpdesk: 12 files, 3.4 MiB`
fn told(target: &str, pending: &Pending) -> String {
    let (files, bytes) = pending.counted();
    format!("{target}: {}, {}", counted(files, "file"), units::size(bytes))
}

fn fail(error: &RemoteError, terminal: &Terminal) -> Failure {
    if matches!(error, RemoteError::Interrupted) {
        return cancelled(terminal);
    }
    terminal.error(error, error.help_to_publish());
    Failure::World
}
