//! Objects of a store: the credentials, the region and the endpoint are those of the environment, by the names that the
//! stores' own tools read.

use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path as Key;
use object_store::{
    BackoffConfig, ClientConfigKey, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig,
};
use serde::{Deserialize, Serialize};

use super::hub::choose;
use super::store::{Entry, at};
use super::{Fetched, Patience, Remote, RemoteError};
use crate::hir::SourceFormat;

/// The bytes of an object that are asked for at once. A store is waited for and asked again for each request anew, so that the
/// size of an object and the speed of a line decide nothing.
const PIECE: u64 = 8 << 20;

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
        let runtime = runtime.map_err(|error| answer(address, error.to_string()))?;
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

    /// Fetches an object into the cache, piece by piece.
    async fn object(&self, store: &dyn ObjectStore, object: &Listed, name: &str) -> Result<PathBuf, RemoteError> {
        use std::io::Write;
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
            answer = asked => answer.map_err(|error| failed(address, &error)),
            () = stopped => Err(RemoteError::Interrupted),
        }
    }
}

fn store(scheme: &str, bucket: &str, patience: Patience) -> object_store::Result<Arc<dyn ObjectStore>> {
    let backoff = BackoffConfig { init_backoff: patience.pause, max_backoff: patience.silence, base: 2.0 };
    let retry_timeout = patience.silence * patience.tries;
    let retry = RetryConfig { backoff, max_retries: patience.tries as usize - 1, retry_timeout };
    let (limit, silence) = (ClientConfigKey::Timeout, format!("{}ms", patience.silence.as_millis()));
    Ok(match scheme.to_ascii_lowercase().as_str() {
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retry);
            Arc::new(builder.with_config(GoogleConfigKey::Client(limit), silence).build()?)
        }
        "az" => {
            let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket).with_retry(retry);
            Arc::new(builder.with_config(AzureConfigKey::Client(limit), silence).build()?)
        }
        _ => {
            let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
            Arc::new(builder.with_config(AmazonS3ConfigKey::Client(limit), silence).build()?)
        }
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
    let of =
        |meta: ObjectMeta| Listed { key: meta.location.to_string(), etag: meta.e_tag.map(plain), bytes: meta.size };
    if fixed == path && !path.is_empty() && !path.ends_with('/') {
        match store.head(&Key::parse(path)?).await {
            Ok(meta) => return Ok(vec![of(meta)]),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let prefix = if folder.is_empty() { None } else { Some(Key::parse(folder)?) };
    let mut listed: Vec<Listed> = store.list(prefix.as_ref()).map_ok(of).try_collect().await?;
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listed)
}

/// The name of a version without the quotes that some answers give it and others do not.
fn plain(etag: String) -> String {
    etag.trim_start_matches("W/").trim_matches('"').to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_says_is_told_without_keys_and_tokens() {
        for (told, expected) in [
            (
                "Server returned non-2xx status code: 400 Bad Request: <?xml version=\"1.0\"?>\n<Error><Code>ExpiredToken</Code>\
                 <Message>The provided token has expired.</Message><Token-0>s3cret</Token-0></Error>",
                "Server returned non-2xx status code: 400 Bad Request: ExpiredToken: The provided token has expired.",
            ),
            ("error for http://h/b?X-Amz-Signature=s3cret after a while", "error for http://h/b after a while"),
            (
                "Server returned non-2xx status code: 500: <html>s3cret</html>",
                "Server returned non-2xx status code: 500",
            ),
            ("connection closed", "connection closed"),
        ] {
            assert_eq!(without_secrets(told), expected);
        }
    }
}
