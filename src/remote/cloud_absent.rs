//! Object stores of an annotc that was compiled without them: none can be opened, so that nothing is ever done with one.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::path::Path;

use super::store::{Brought, Receipts};
use super::{Fetched, Remote, RemoteError, StoreFolder};
use crate::hir::SourceFormat;

/// A folder of a store that was opened, of which there is none.
pub struct Store<'a> {
    never: Infallible,
    _remote: PhantomData<Remote<'a>>,
}

/// What has to happen until a store holds a target.
pub struct Pending {
    never: Infallible,
}

impl<'a> Remote<'a> {
    /// Says what is missing.
    pub(super) fn cloud_files(&self, address: &str, _: SourceFormat) -> Result<Vec<Fetched>, RemoteError> {
        Err(RemoteError::NoCloud { address: address.to_owned() })
    }

    /// Says what is missing.
    pub fn open_store(&self, folder: &StoreFolder) -> Result<Store<'a>, RemoteError> {
        Err(RemoteError::NoCloud { address: folder.to_string() })
    }
}

impl Store<'_> {
    /// A small object at a path of the folder.
    pub fn read(&self, _: &str) -> Result<Option<Vec<u8>>, RemoteError> {
        match self.never {}
    }

    /// The wanted files below a path of the folder.
    pub fn bring(&self, _: &str, _: impl Fn(&str) -> bool, _: &Path) -> Result<Brought, RemoteError> {
        match self.never {}
    }

    /// Fails where something would be lost that no build made.
    pub fn refuse_foreign(&self, _: &str) -> Result<(), RemoteError> {
        match self.never {}
    }

    /// What the store has otherwise than a target's folder.
    pub fn pending(&self, _: &str, _: &Path, _: &Path) -> Result<Option<Pending>, RemoteError> {
        match self.never {}
    }

    /// Brings everything there.
    pub fn publish(&self, _: &Pending) -> Result<(), RemoteError> {
        match self.never {}
    }

    /// Remembers what the store holds of a target.
    pub fn remember(&self, _: &Path, _: &Receipts) -> Result<(), RemoteError> {
        match self.never {}
    }
}

impl Pending {
    /// How many files are sent, and their size.
    pub fn counted(&self) -> (usize, u64) {
        match self.never {}
    }
}
