//! Files that lie elsewhere: fetched once into a cache that is addressed by what it holds, and asked for again only where
//! they have changed; and builds that are published there. The only door to the network for data.

mod address;
// Publishing is tried without a network and without the feature.
#[cfg(any(feature = "cloud", test))]
mod cloud;
#[cfg(not(feature = "cloud"))]
mod cloud_absent;
mod error;
mod folder;
mod http;
mod hub;
mod store;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use address::{Address, HubAddress, Scheme, has_secret};
#[cfg(feature = "cloud")]
pub use cloud::{Pending, Store};
#[cfg(not(feature = "cloud"))]
pub use cloud_absent::{Pending, Store};
pub use error::RemoteError;
pub use folder::StoreFolder;
pub use store::{Brought, Receipt, Receipts};

use crate::hir::SourceFormat;

/// How remote files are fetched.
#[derive(Clone)]
pub struct Remote<'a> {
    /// Where what was fetched is kept.
    cache: PathBuf,
    /// Whether nothing may be fetched.
    offline: bool,
    /// Whether commits are looked up anew.
    refresh: bool,
    cancel: Arc<AtomicBool>,
    /// The commits that the lock has for the addresses of repositories.
    pins: BTreeMap<String, String>,
    /// The commits that were read.
    used: RefCell<BTreeMap<String, String>>,
    patience: Patience,
    /// The Hub's address without a slash behind it.
    endpoint: String,
    token: Option<String>,
    tell: Rc<dyn Fn(&str) + 'a>,
}

/// How long a server is waited for, and how often it is asked again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The most tries in a row that bring nothing.
    pub(crate) tries: u32,
    /// The pause behind the first of them; each further one doubles it.
    pub(crate) pause: Duration,
    /// The longest silence of a server.
    pub(crate) silence: Duration,
    /// The largest file in bytes.
    pub(crate) most: u64,
}

impl Patience {
    const USUAL: Self = Self {
        tries: 5,
        pause: Duration::from_millis(500),
        silence: Duration::from_secs(60),
        // What a location can name.
        most: 1 << 44,
    };
}

/// What the lock and the command line say of remote files.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// Whether commits are looked up anew.
    pub refresh: bool,
    /// The commits that the lock has for the addresses of repositories.
    pub pins: BTreeMap<String, String>,
}

/// A file that lies in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its address, with the commit where it is one of a repository.
    pub name: String,
    /// Where it lies.
    pub location: PathBuf,
}

impl<'a> Remote<'a> {
    /// Fetches into a folder of the cache. `tell` is given what is fetched.
    pub fn new(cache: &Path, terms: Terms, cancel: Arc<AtomicBool>, tell: Rc<dyn Fn(&str) + 'a>) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| hub::ENDPOINT.to_owned());
        Self {
            cache: cache.join("remote"),
            offline: terms.offline,
            refresh: terms.refresh,
            cancel,
            pins: terms.pins,
            used: RefCell::new(BTreeMap::new()),
            patience: Patience::USUAL,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token: variable("HF_TOKEN").map(|token| token.trim().to_owned()),
            tell,
        }
    }

    /// The files at an address, sorted by name. Of a folder or a pattern those that have an ending of the format.
    ///
    /// # Errors
    /// What the network or the server did; no credentials are in it.
    pub fn files(&self, address: &Address, format: SourceFormat) -> Result<Vec<Fetched>, RemoteError> {
        match address {
            Address::Http(url) => Ok(vec![self.fetch(url, url, None)?]),
            Address::Hub(address) => self.hub_files(address, format),
            Address::Cloud(address) => self.cloud_files(address, format),
        }
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// The commits that were read, by the addresses of their repositories.
    pub fn used(&self) -> BTreeMap<String, String> {
        self.used.borrow().clone()
    }
}
