//! Objects of a store: the credentials, the region and the endpoint are those of the environment, by the names that the
//! stores' own tools read.

use std::path::PathBuf;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use super::hub::choose;
use super::store::{Entry, at};
use super::{Fetched, Remote, RemoteError};
use crate::hir::SourceFormat;

/// An object as it was listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Listed {
    key: String,
    etag: Option<String>,
    bytes: u64,
}

impl Remote<'_> {
    /// The objects that an address means: one, those that match a pattern, or those below a prefix that are of the format.
    pub(super) fn cloud_files(&self, address: &str, format: SourceFormat) -> Result<Vec<Fetched>, RemoteError> {
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(address, &error))?;
        let store =
            if self.offline { None } else { Some(store(scheme, bucket).map_err(|error| failed(address, &error))?) };
        let fact = format!("{address} objects");
        let listed: Vec<Listed> = match &store {
            Some(store) => {
                let listed = runtime.block_on(list(store.as_ref(), path)).map_err(|error| failed(address, &error))?;
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
                (Some(known), _) if self.offline || known.etag.is_some() && known.etag == object.etag => {
                    self.blob(&known.blake3)
                }
                (_, Some(store)) => runtime.block_on(self.object(store.as_ref(), object, &name))?,
                (_, None) => return Err(RemoteError::Offline { address: name }),
            };
            files.push(Fetched { name, location });
        }
        if files.is_empty() {
            return Err(RemoteError::NoFile { address: address.to_owned() });
        }
        Ok(files)
    }

    /// Fetches an object into the cache.
    async fn object(&self, store: &dyn ObjectStore, object: &Listed, name: &str) -> Result<PathBuf, RemoteError> {
        use std::io::Write;
        if object.bytes > self.patience.most {
            let (bytes, most) = (object.bytes, self.patience.most);
            return Err(RemoteError::TooLarge { address: name.to_owned(), bytes, most });
        }
        (self.tell)(name);
        let answer = store.get(&Key::from(object.key.as_str())).await.map_err(|error| failed(name, &error))?;
        let etag = answer.meta.e_tag.clone();
        let (mut file, mut hasher, mut bytes) = (self.partial()?, blake3::Hasher::new(), 0);
        let mut body = answer.into_stream();
        while let Some(piece) = body.try_next().await.map_err(|error| failed(name, &error))? {
            if self.is_cancelled() {
                return Err(RemoteError::Interrupted);
            }
            file.write_all(&piece).map_err(at(file.path()))?;
            hasher.update(&piece);
            bytes += piece.len() as u64;
        }
        let blake3 = hasher.finalize().to_hex().to_string();
        self.keep(file, &Entry { address: name.to_owned(), etag, last_modified: None, blake3, bytes })
    }
}

fn store(scheme: &str, bucket: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
    Ok(match scheme.to_ascii_lowercase().as_str() {
        "gs" => Arc::new(GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).build()?),
        "az" => Arc::new(MicrosoftAzureBuilder::from_env().with_container_name(bucket).build()?),
        _ => Arc::new(AmazonS3Builder::from_env().with_bucket_name(bucket).build()?),
    })
}

/// The objects that a path may mean, sorted by their keys: those below its last folder without a pattern.
async fn list(store: &dyn ObjectStore, path: &str) -> object_store::Result<Vec<Listed>> {
    let fixed = path.split(['*', '?', '[']).next().unwrap_or(path);
    let folder = if fixed == path {
        path.trim_end_matches('/')
    } else {
        fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
    };
    let of = |meta: ObjectMeta| Listed { key: meta.location.to_string(), etag: meta.e_tag, bytes: meta.size };
    if fixed == path && !path.is_empty() && !path.ends_with('/') {
        match store.head(&Key::from(path)).await {
            Ok(meta) => return Ok(vec![of(meta)]),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let prefix = Some(Key::from(folder)).filter(|_| !folder.is_empty());
    let mut listed: Vec<Listed> = store.list(prefix.as_ref()).map_ok(of).try_collect().await?;
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listed)
}

/// A failure of a store. Its message may quote the address that was asked, which can be signed: of that one all behind the
/// `?` is left out.
fn failed(address: &str, error: &dyn std::error::Error) -> RemoteError {
    let told = error.to_string();
    let words: Vec<&str> = told.split_whitespace().map(|word| word.split("?").next().unwrap_or(word)).collect();
    RemoteError::Answer { address: address.to_owned(), message: words.join(" ") }
}
