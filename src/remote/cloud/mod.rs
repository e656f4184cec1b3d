//! Objects of a store: the credentials, the region and the endpoint are those of the environment, by the names that the
//! stores' own tools read.

#[cfg(feature = "cloud")]
mod fetch;
#[cfg(feature = "cloud")]
mod open;
mod publish;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::folder::StoreFolder;
use super::{Remote, RemoteError};

#[cfg(feature = "cloud")]
pub use publish::Pending;

/// The bytes of an object that are asked for or sent at once. A store is waited for and asked again for each request anew, so
/// that the size of an object and the speed of a line decide nothing.
const PIECE: u64 = 8 << 20;

/// A folder of a store that was opened: what a build leaves there and what is read back.
pub struct Store<'a> {
    remote: Remote<'a>,
    folder: StoreFolder,
    objects: Arc<dyn ObjectStore>,
    runtime: Runtime,
}

/// An object as it was listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    key: String,
    etag: Option<String>,
    bytes: u64,
}

impl Listed {
    fn of(meta: ObjectMeta) -> Self {
        Self { key: meta.location.to_string(), etag: meta.e_tag.map(plain), bytes: meta.size }
    }
}

impl Store<'_> {
    /// A small object at a path of the folder; `None` where there is none.
    ///
    /// # Errors
    /// What the network or the store did; no credentials are in it.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RemoteError> {
        self.runtime.block_on(self.object(path))
    }

    async fn object(&self, path: &str) -> Result<Option<Vec<u8>>, RemoteError> {
        let (name, key) = (self.folder.join(path).to_string(), self.key(path)?);
        let read = async {
            match self.objects.get(&key).await {
                Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.remote.heed(read, &name).await
    }

    /// The objects below a path of the folder, by their paths in it.
    async fn listed(&self, path: &str) -> Result<BTreeMap<String, Listed>, RemoteError> {
        let name = self.folder.join(path).to_string();
        let prefix = self.folder.key(path);
        let prefix = if prefix.is_empty() { None } else { Some(parsed(&prefix, &name)?) };
        let all: Vec<ObjectMeta> = self.remote.heed(self.objects.list(prefix.as_ref()).try_collect(), &name).await?;
        let listed = all.into_iter().map(Listed::of);
        Ok(listed.filter_map(|one| Some((self.folder.path_of(&one.key)?.to_owned(), one))).collect())
    }

    fn key(&self, path: &str) -> Result<Key, RemoteError> {
        parsed(&self.folder.key(path), &self.folder.join(path).to_string())
    }
}

impl Remote<'_> {
    /// What comes of something that is asked of a store, unless somebody asks to stop before.
    async fn heed<T>(
        &self,
        asked: impl Future<Output = object_store::Result<T>>,
        address: &str,
    ) -> Result<T, RemoteError> {
        let stopped = async {
            while !self.is_cancelled() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            biased;
            () = stopped => Err(RemoteError::Interrupted),
            answer = asked => answer.map_err(|error| failed(address, &error)),
        }
    }
}

/// The name of a version without the quotes that some answers give it and others do not.
fn plain(etag: String) -> String {
    etag.trim_start_matches("W/").trim_matches('"').to_owned()
}

fn parsed(key: &str, name: &str) -> Result<Key, RemoteError> {
    Key::parse(key).map_err(|error| answer(name, error.to_string()))
}

fn answer(address: &str, message: String) -> RemoteError {
    RemoteError::Answer { address: address.to_owned(), message }
}

/// A failure of a store.
fn failed(address: &str, error: &object_store::Error) -> RemoteError {
    use object_store::Error as Store;
    let status = |status| RemoteError::Status { address: address.to_owned(), status };
    match error {
        Store::NotFound { .. } => status(404),
        Store::PermissionDenied { .. } => status(403),
        Store::Unauthenticated { .. } => status(401),
        other => {
            let mut cause: &dyn Error = other;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            answer(address, without_secrets(&cause.to_string()))
        }
    }
}

/// What a store says, without what it repeats of the request: its addresses may be signed, and the body of an answer may hold
/// keys and tokens. Of a body in XML its code and its message stay.
fn without_secrets(told: &str) -> String {
    let (head, body) = told.split_once('<').unwrap_or((told, ""));
    let of = |name: &str| {
        let (_, inner) = body.split_once(&format!("<{name}>"))?;
        inner.split(['<', '\n']).next().map(str::trim)
    };
    let head: Vec<&str> = head.split_whitespace().map(|word| word.split('?').next().unwrap_or(word)).collect();
    let head = head.join(" ");
    let parts = [Some(head.trim_end_matches(':')), of("Code"), of("Message")];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}
