//! Duplicate detection: pure functions over text, no I/O.
//!
//! [`exact`] gives a text's key, by which equal texts meet. [`near`] clusters texts whose shingles overlap. [`keep`] says
//! which of them stays. [`pieces`] finds lines, sentences and passages that occurred before. [`contamination`] finds texts
//! that share a run of words with what is evaluated on.

pub mod contamination;
pub mod exact;
mod hash;
mod jaccard;
pub mod keep;
mod minhash;
pub mod near;
pub mod pieces;
mod union_find;
mod words;

pub use near::{Scheme, Threshold};
