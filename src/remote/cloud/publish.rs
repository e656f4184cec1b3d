//! Publishing: a target's files go from a folder of this machine to one of a store, which has no step that lets two folders
//! trade places. The file that a reader looks for first, the manifest of a data set or the provenance of a model, is the
//! seal: it is taken away before the first file changes and comes back behind the last, so that what has a seal is what the
//! seal names and nothing else. Large files travel before that, as parts that nobody sees.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};

use super::{Listed, PIECE, Store, answer};
use crate::emit::{MANIFEST, Manifest, PROVENANCE};
use crate::remote::RemoteError;
use crate::remote::store::{Receipt, Receipts, at};

/// The object that stands in a folder while it is published, so that everybody knows whose the files without a seal are.
pub(super) const MARKER: &str = ".annotc-publishing";

/// The files that are seals.
const SEALS: [&str; 2] = [MANIFEST, PROVENANCE];

/// Parts of a file that travel at the same time: each must be there before the patience with its request ends.
const AT_ONCE: usize = 2;

/// The most parts of a file that every store takes.
const PARTS: u64 = 10_000;

/// How long the wish to forget parts may take that were sent in vain.
const FORGET: Duration = Duration::from_secs(5);

/// A file here.
#[derive(Debug)]
struct Local {
    /// Its path in the target's folder, with `/`.
    name: String,
    path: PathBuf,
    blake3: String,
    bytes: u64,
}

/// What has to happen until a store holds a target as it lies here.
#[derive(Debug)]
pub struct Pending {
    target: String,
    /// The seal.
    seal: Local,
    files: Vec<Local>,
    /// For each file whether the store has another one, or none.
    changed: Vec<bool>,
    /// What stands there, by its path in the target's folder.
    there: BTreeMap<String, Listed>,
    /// Where this machine remembers what it sent.
    kept: PathBuf,
}

impl Pending {
    /// How many files are sent, the seal among them, and their size.
    pub fn counted(&self) -> (usize, u64) {
        let changed = self.files.iter().zip(&self.changed).filter(|(_, changed)| **changed);
        changed.fold((1, self.seal.bytes), |(files, bytes), (file, _)| (files + 1, bytes + file.bytes))
    }

    /// What stands there and not here.
    fn stale(&self) -> impl Iterator<Item = &String> {
        let here = |name: &str| name == self.seal.name || self.files.iter().any(|file| file.name == name);
        self.there.keys().filter(move |name| !here(name) && !SEALS.contains(&name.as_str()) && *name != MARKER)
    }
}

impl Store<'_> {
    /// Fails where something would be lost that no build made, or where the store does not answer.
    ///
    /// # Errors
    /// [`RemoteError::Foreign`]; what the network or the store did.
    pub fn refuse_foreign(&self, target: &str) -> Result<(), RemoteError> {
        self.runtime.block_on(async {
            let there = self.below(target).await?;
            self.check_ours(target, &there).await
        })
    }

    /// Holds a target's folder against what the store has; `None` where nothing is to be done. `kept` is the file in which this
    /// machine remembers what it sent.
    ///
    /// # Errors
    /// As [`Self::refuse_foreign`], and what the disk did.
    pub fn pending(&self, target: &str, folder: &Path, kept: &Path) -> Result<Option<Pending>, RemoteError> {
        let mut files = Vec::new();
        collect(folder, "", &mut files)?;
        let at = files.iter().position(|file| SEALS.contains(&file.name.as_str()));
        let seal = files.remove(at.expect("a target that was built has its manifest or its provenance"));
        let there = self.runtime.block_on(async {
            let there = self.below(target).await?;
            self.check_ours(target, &there).await?;
            Ok::<_, RemoteError>(there)
        })?;
        let receipts = read_receipts(kept);
        let held = |file: &Local| match (receipts.get(&file.name), there.get(&file.name)) {
            (Some(sent), Some(found)) => {
                sent.blake3 == file.blake3
                    && found.bytes == file.bytes
                    && sent.etag.is_some()
                    && sent.etag == found.etag
            }
            (None, _) | (_, None) => false,
        };
        let changed: Vec<bool> = files.iter().map(|file| !held(file)).collect();
        let nothing = held(&seal) && !changed.contains(&true) && there.len() == files.len() + 1;
        let (target, kept) = (target.to_owned(), kept.to_owned());
        Ok((!nothing).then_some(Pending { target, seal, files, changed, there, kept }))
    }

    /// Brings everything there.
    ///
    /// # Errors
    /// What the network, the store or the disk did. The store then has the old files with their seal, or no seal.
    pub fn publish(&self, pending: &Pending) -> Result<(), RemoteError> {
        self.runtime.block_on(async {
            let mut sent = BTreeMap::new();
            let result = self.replace(pending, &mut sent).await;
            for upload in sent.values_mut() {
                // Parts that cannot be forgotten now are removed by the store, or by its owner's rule for them.
                let _ = tokio::time::timeout(FORGET, upload.abort()).await;
            }
            result
        })
    }

    /// Remembers what the store holds of a target, in a file of this machine.
    ///
    /// # Errors
    /// What the disk did.
    pub fn remember(&self, kept: &Path, receipts: &Receipts) -> Result<(), RemoteError> {
        let text = serde_json::to_vec(receipts).expect("names and numbers are valid JSON");
        std::fs::write(kept, text).map_err(at(kept))
    }

    /// `sent` are the files whose parts are there and which no reader sees yet.
    async fn replace<'p>(
        &self,
        pending: &'p Pending,
        sent: &mut BTreeMap<&'p str, Box<dyn MultipartUpload>>,
    ) -> Result<(), RemoteError> {
        let Pending { target, seal, files, changed, there, kept } = pending;
        let changed = || files.iter().zip(changed).filter(|(_, changed)| **changed).map(|(file, _)| file);
        for file in changed().filter(|file| file.bytes > PIECE) {
            self.send_parts(target, file, sent).await?;
        }
        // From here on until the seal is back nobody takes the folder for a whole one.
        self.put(&path_in(target, MARKER), Bytes::new()).await?;
        for seal in SEALS.iter().filter(|seal| there.contains_key(**seal)) {
            self.delete(&path_in(target, seal)).await?;
        }
        for file in changed() {
            match sent.get_mut(file.name.as_str()) {
                Some(upload) => {
                    let address = self.folder.join(&path_in(target, &file.name)).to_string();
                    self.remote.heed(upload.complete(), &address).await?;
                    sent.remove(file.name.as_str());
                }
                None => self.put_file(target, file).await?,
            }
        }
        for name in pending.stale() {
            self.delete(&path_in(target, name)).await?;
        }
        let mut receipts = self.check_arrived(pending).await?;
        self.put_file(target, seal).await?;
        // Versions are remembered as lists call them, since it is a list that they will be held against.
        let etag = self.below(target).await?.remove(&seal.name).and_then(|seal| seal.etag);
        receipts.insert(seal.name.clone(), Receipt { blake3: seal.blake3.clone(), bytes: seal.bytes, etag });
        self.remember(kept, &receipts)?;
        self.delete(&path_in(target, MARKER)).await
    }

    /// What stands below a target, by its path in the target's folder.
    async fn below(&self, target: &str) -> Result<BTreeMap<String, Listed>, RemoteError> {
        let of =
            |(path, listed): (String, Listed)| Some((path.strip_prefix(target)?.strip_prefix('/')?.to_owned(), listed));
        Ok(self.listed(target).await?.into_iter().filter_map(of).collect())
    }

    /// Only a folder that a build published, or began to, may be replaced: whatever else stands there is somebody's work.
    async fn check_ours(&self, target: &str, there: &BTreeMap<String, Listed>) -> Result<(), RemoteError> {
        let is_ours = if there.is_empty() || there.contains_key(MARKER) || there.contains_key(PROVENANCE) {
            true
        } else if there.contains_key(MANIFEST) {
            let manifest = self.object(&path_in(target, MANIFEST)).await?;
            manifest.is_some_and(|text| matches!(Manifest::parse(&text), Ok(Some(_))))
        } else {
            false
        };
        let address = || self.folder.join(target).to_string();
        if is_ours { Ok(()) } else { Err(RemoteError::Foreign { address: address() }) }
    }

    /// That all files but the seal are there as they were sent, and nothing else but the marker.
    async fn check_arrived(&self, pending: &Pending) -> Result<Receipts, RemoteError> {
        let mut there = self.below(&pending.target).await?;
        let mut is_alone = there.remove(MARKER).is_some();
        let mut receipts = Receipts::new();
        for Local { name, blake3, bytes, .. } in &pending.files {
            match there.remove(name) {
                Some(found) if found.bytes == *bytes => {
                    let receipt = Receipt { blake3: blake3.clone(), bytes: *bytes, etag: found.etag };
                    receipts.insert(name.clone(), receipt);
                }
                Some(_) | None => is_alone = false,
            }
        }
        if is_alone && there.is_empty() {
            return Ok(receipts);
        }
        let message = "what stands there is not what was sent: does another build publish there now?".to_owned();
        Err(answer(&self.folder.join(&pending.target).to_string(), message))
    }

    async fn put_file(&self, target: &str, file: &Local) -> Result<(), RemoteError> {
        let bytes = std::fs::read(&file.path).map_err(at(&file.path))?;
        self.put(&path_in(target, &file.name), bytes.into()).await
    }

    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), RemoteError> {
        let address = self.folder.join(path).to_string();
        self.remote.heed(self.objects.put(&self.key(path)?, PutPayload::from(bytes)), &address).await.map(drop)
    }

    async fn delete(&self, path: &str) -> Result<(), RemoteError> {
        let address = self.folder.join(path).to_string();
        self.remote.heed(self.objects.delete(&self.key(path)?), &address).await
    }

    /// Sends a large file in parts. What is begun stands in `sent`, also where this fails.
    async fn send_parts<'p>(
        &self,
        target: &str,
        file: &'p Local,
        sent: &mut BTreeMap<&'p str, Box<dyn MultipartUpload>>,
    ) -> Result<(), RemoteError> {
        let path = path_in(target, &file.name);
        let address = self.folder.join(&path).to_string();
        let upload = self.remote.heed(self.objects.put_multipart(&self.key(&path)?), &address).await?;
        let upload = sent.entry(&file.name).or_insert(upload);
        let size = PIECE.max(file.bytes.div_ceil(PARTS));
        let mut reader = File::open(&file.path).map_err(at(&file.path))?;
        let (mut rest, mut travelling) = (file.bytes, FuturesUnordered::new());
        while rest > 0 || !travelling.is_empty() {
            while rest > 0 && travelling.len() < AT_ONCE {
                let mut part = vec![0; size.min(rest) as usize];
                reader.read_exact(&mut part).map_err(at(&file.path))?;
                rest -= part.len() as u64;
                travelling.push(upload.put_part(part.into()));
            }
            self.remote.heed(travelling.try_next(), &address).await?;
        }
        Ok(())
    }
}

/// The path of a file of a target in the folder of all targets.
fn path_in(target: &str, name: &str) -> String {
    format!("{target}/{name}")
}

/// All files of a folder with their hashes, sorted by their paths in it.
fn collect(folder: &Path, below: &str, files: &mut Vec<Local>) -> Result<(), RemoteError> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(at(folder))?;
    for entry in entries {
        let path = entry.path();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(at(&path))?.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
            continue;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(&path).map_err(at(&path))?).map_err(at(&path))?;
        files.push(Local { name, path, blake3: hasher.finalize().to_hex().to_string(), bytes: hasher.count() });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

/// What this machine remembers; nothing where that cannot be read.
fn read_receipts(kept: &Path) -> Receipts {
    let text = std::fs::read(kept).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}
