//! The tokenizers that measures count with, by what a plan calls them. They are files, which a pure function cannot read: who
//! runs a plan provides them first, under the hash of their content, so that the same plan means the same everywhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::train::tokenizer::Tokenizer;

static PROVIDED: Mutex<BTreeMap<String, Arc<Tokenizer>>> = Mutex::new(BTreeMap::new());

/// Makes a tokenizer known by a name: the hash of its content.
pub fn provide_tokenizer(name: &str, tokenizer: Arc<Tokenizer>) {
    PROVIDED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), tokenizer);
}

/// The tokenizer of a name.
pub(super) fn provided(name: &str) -> Option<Arc<Tokenizer>> {
    PROVIDED.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
}
