//! Duplicate detection: pure functions over text, no I/O.
//!
//! [`exact`] gives a text's key, by which equal texts meet. [`near`] clusters texts whose word 5-grams overlap.

pub mod exact;
mod hash;
mod jaccard;
pub mod keep;
mod minhash;
pub mod near;
mod union_find;
mod words;

pub use near::{Scheme, Threshold};
