//! The tokenizers and the language models that measures work with, by what a plan calls them. They are files, which a pure
//! function cannot read: who runs a plan provides them first, under the hash of their content, so that the same plan means the
//! same everywhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::eval::CausalModel;
use crate::train::tokenizer::Tokenizer;

/// What was provided, by name.
struct Provided<T>(Mutex<BTreeMap<String, Arc<T>>>);

static TOKENIZERS: Provided<Tokenizer> = Provided::nothing();
static LANGUAGE_MODELS: Provided<CausalModel> = Provided::nothing();

impl<T> Provided<T> {
    const fn nothing() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn add(&self, name: &str, one: Arc<T>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), one);
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn get(&self, name: &str) -> Option<Arc<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// Makes a tokenizer known by a name: the hash of its content.
pub fn provide_tokenizer(name: &str, tokenizer: Arc<Tokenizer>) {
    TOKENIZERS.add(name, tokenizer);
}

/// Makes a language model known by a name: the hash of all that decides its figures.
pub fn provide_language_model(name: &str, model: Arc<CausalModel>) {
    LANGUAGE_MODELS.add(name, model);
}

/// Lets go of all language models, which are large, when no plan needs them any more.
pub fn forget_language_models() {
    LANGUAGE_MODELS.clear();
}

/// The tokenizer of a name.
pub(super) fn tokenizer(name: &str) -> Option<Arc<Tokenizer>> {
    TOKENIZERS.get(name)
}

/// The language model of a name.
pub(super) fn language_model(name: &str) -> Option<Arc<CausalModel>> {
    LANGUAGE_MODELS.get(name)
}
