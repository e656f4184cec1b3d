//! Stores by their addresses, with what the environment says of them.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::{Store, answer, failed};
use crate::remote::{Patience, Remote, RemoteError, StoreFolder};

impl<'a> Remote<'a> {
    /// Opens the store of an address. Nobody is asked anything yet.
    ///
    /// # Errors
    /// What the environment says wrongly; no credentials are in it.
    pub fn open_store(&self, folder: &StoreFolder) -> Result<Store<'a>, RemoteError> {
        let address = folder.to_string();
        let objects =
            store(folder.scheme(), folder.bucket(), self.patience).map_err(|error| failed(&address, &error))?;
        let runtime = runtime(&address)?;
        Ok(Store { remote: self.clone(), folder: folder.clone(), objects, runtime })
    }
}

/// What waits for the answers of stores.
pub(super) fn runtime(address: &str) -> Result<tokio::runtime::Runtime, RemoteError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| answer(address, error.to_string()))
}

/// The store of a bucket.
pub(super) fn store(scheme: &str, bucket: &str, patience: Patience) -> object_store::Result<Arc<dyn ObjectStore>> {
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
