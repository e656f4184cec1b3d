//! Objects that are fetched into the cache: those of a source, and the files of a build that is looked back at.

use std::io::Write;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use super::open::{runtime, store};
use super::publish::MARKER;
use super::{Listed, PIECE, Store, answer, failed, plain};
use crate::hir::SourceFormat;
use crate::remote::hub::choose;
use crate::remote::store::{Brought, Entry, at};
use crate::remote::{Fetched, Remote, RemoteError};

impl Store<'_> {
    /// Fetches the files below a path of the folder that are wanted, by their paths behind it, into a folder of this machine.
    /// What is half published is left out.
    ///
    /// # Errors
    /// What the network, the store or the disk did; what changed meanwhile is an error and no mixture.
    pub fn bring(&self, path: &str, wanted: impl Fn(&str) -> bool, to: &Path) -> Result<Brought, RemoteError> {
        self.runtime.block_on(async {
            let (listed, half) = self.whole(path, &wanted).await?;
            let mut brought = Brought { half, ..Brought::default() };
            let folder = self.folder.join(path);
            for (name, object) in &listed {
                let address = folder.join(name).to_string();
                let location = self.remote.held(self.objects.as_ref(), object, &address).await?;
                place(&location, &to.join(name))?;
                let entry = self.remote.known(&address);
                brought.receipts.extend(entry.map(|entry| (name.clone(), entry.into())));
            }
            // A build may have published another one since the list was made.
            if self.whole(path, &wanted).await?.0 != listed {
                return Err(answer(&folder.to_string(), "it changed while it was fetched".to_owned()));
            }
            Ok(brought)
        })
    }

    /// The wanted objects below a path, by their paths behind it, and the folders that are half published.
    async fn whole(
        &self,
        path: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(Vec<(String, Listed)>, Vec<String>), RemoteError> {
        let base = self.folder.join(path);
        let inside = |one: Listed| Some((base.path_of(&one.key)?.to_owned(), one));
        let mut all: Vec<_> = self.listed(path).await?.into_values().filter_map(inside).collect();
        let half: Vec<String> =
            all.iter().filter_map(|(name, _)| name.strip_suffix(MARKER).map(str::to_owned)).collect();
        all.retain(|(name, _)| {
            is_below(name) && wanted(name) && !half.iter().any(|begin| name.starts_with(begin.as_str()))
        });
        Ok((all, half))
    }
}

/// Whether a name of a store leads to a place below a folder of this machine.
fn is_below(name: &str) -> bool {
    use std::path::Component;
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Puts a file of the cache where it is read: by another name for it, or as a copy where the file system has no second names.
fn place(from: &Path, to: &Path) -> Result<(), RemoteError> {
    let folder = to.parent().unwrap_or(to);
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(drop)).map_err(at(to))
}

impl Remote<'_> {
    /// The objects that an address means: one, those that match a pattern, or those below a prefix that are of the format.
    pub(in crate::remote) fn cloud_files(
        &self,
        address: &str,
        format: SourceFormat,
    ) -> Result<Vec<Fetched>, RemoteError> {
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let runtime = runtime(address)?;
        let store = match self.offline {
            true => None,
            false => Some(store(scheme, bucket, self.patience).map_err(|error| failed(address, &error))?),
        };
        let fact = format!("{address} objects");
        let listed: Vec<Listed> = match &store {
            Some(store) => {
                let listed = runtime.block_on(self.heed(list(store.as_ref(), path), address))?;
                self.write_fact(&fact, &listed)?;
                listed
            }
            None => self.read_fact(&fact).ok_or_else(|| RemoteError::Offline { address: address.to_owned() })?,
        };
        let keys: Vec<String> = listed.iter().map(|object| object.key.clone()).collect();
        let mut files = Vec::new();
        for key in choose(&keys, path, format) {
            let object = listed.iter().find(|object| object.key == *key).expect("what is chosen was listed");
            let name = format!("{scheme}://{bucket}/{key}");
            let location = match (self.known(&name), &store) {
                (Some(known), None) => self.blob(&known.blake3),
                (_, Some(store)) => runtime.block_on(self.held(store.as_ref(), object, &name))?,
                (None, None) => return Err(RemoteError::Offline { address: name }),
            };
            files.push(Fetched { name, location });
        }
        if files.is_empty() {
            return Err(RemoteError::NoFile { address: address.to_owned() });
        }
        Ok(files)
    }

    /// Where an object lies in the cache; it is fetched where that is not the one that was listed.
    async fn held(&self, store: &dyn ObjectStore, object: &Listed, name: &str) -> Result<PathBuf, RemoteError> {
        match self.known(name) {
            Some(known) if known.etag.is_some() && known.etag == object.etag => Ok(self.blob(&known.blake3)),
            Some(_) | None => self.fetch_object(store, object, name).await,
        }
    }

    /// Fetches an object into the cache, piece by piece.
    async fn fetch_object(&self, store: &dyn ObjectStore, object: &Listed, name: &str) -> Result<PathBuf, RemoteError> {
        (self.tell)(name);
        let key = Key::parse(&object.key).map_err(|error| answer(name, error.to_string()))?;
        let (mut file, mut hasher, mut bytes) = (self.partial()?, blake3::Hasher::new(), 0);
        let (mut size, mut version) = (object.bytes, None);
        while bytes < size {
            let range = Some(GetRange::Bounded(bytes..size.min(bytes + PIECE)));
            let piece = self.heed(store.get_opts(&key, GetOptions { range, ..GetOptions::default() }), name).await?;
            size = piece.meta.size;
            if size > self.patience.most {
                return Err(RemoteError::TooLarge { address: name.to_owned(), bytes: size, most: self.patience.most });
            }
            let now = (size, piece.meta.last_modified, piece.meta.e_tag.clone());
            if *version.get_or_insert_with(|| now.clone()) != now {
                return Err(answer(name, "it changed while it was fetched".to_owned()));
            }
            let mut body = piece.into_stream();
            while let Some(part) = self.heed(body.try_next(), name).await? {
                file.write_all(&part).map_err(at(file.path()))?;
                hasher.update(&part);
                bytes += part.len() as u64;
            }
        }
        let blake3 = hasher.finalize().to_hex().to_string();
        let etag = version.map_or(object.etag.clone(), |(.., etag)| etag.map(plain));
        self.keep(file, &Entry { address: name.to_owned(), etag, last_modified: None, blake3, bytes })
    }
}

/// The objects that a path may mean, sorted by their keys: those below its last folder without a pattern.
async fn list(store: &dyn ObjectStore, path: &str) -> object_store::Result<Vec<Listed>> {
    let fixed = path.split(['*', '?', '[']).next().unwrap_or(path);
    let folder = if fixed == path {
        path.trim_end_matches('/')
    } else {
        fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
    };
    if fixed == path && !path.is_empty() && !path.ends_with('/') {
        match store.head(&Key::parse(path)?).await {
            Ok(meta) => return Ok(vec![Listed::of(meta)]),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let prefix = if folder.is_empty() { None } else { Some(Key::parse(folder)?) };
    let mut listed: Vec<Listed> = store.list(prefix.as_ref()).map_ok(Listed::of).try_collect().await?;
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listed)
}
