//! Near-duplicates: clusters of texts by the Jaccard similarity of their shingles.
//!
//! MinHash signatures in bands propose pairs, the exact similarity decides, a union-find makes the clusters. No pair is
//! joined without its true similarity reaching the threshold; a pair at the threshold is proposed with the probability
//! that [`Scheme::recall`] says. A cluster is a connected component: its ends may be less alike than the threshold.
//!
//! The work is in three parts. [`Scheme::sketch`] turns texts into [`Sketches`] and needs nothing but the texts, so that
//! it runs on all workers at once. [`Index::push`] takes sketches in, in order. [`Index::finish`] compares, on as many
//! threads as it is given; what it finds does not depend on their number.
//!
//! **Memory.** An index keeps 8 bytes for each shingle (about 1.4 bytes for each byte of English text) and, for each text,
//! 4 bytes for each band and about 30 beside: some 90 bytes a text at 0.85. A text with the same shingles as an earlier
//! one costs 4 bytes. Nothing of the texts themselves is kept. To finish takes 8 bytes more for each text and thread.

mod compare;
mod scheme;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;

pub use super::jaccard::Shingle;
use super::jaccard::{make_set, similarity};
pub use super::minhash::Bands;
pub use scheme::{PRESETS, Preset, Scheme, Threshold};

/// The clusters of `texts`, which are numbered in their order; each is represented by its first text.
pub fn clusters<'t>(texts: impl IntoIterator<Item = &'t str>, scheme: Scheme) -> Clusters {
    let mut index = Index::new(scheme);
    index.push(&scheme.sketch(texts));
    index.finish(NonZeroUsize::MIN, &[])
}

/// The exact Jaccard similarity of two texts.
pub fn text_similarity(a: &str, b: &str, shingle: Shingle) -> f64 {
    let set = |text: &str| {
        let (mut room, mut shingles) = (Vec::new(), Vec::new());
        shingle.shingle_into(text, &mut room, &mut shingles);
        make_set(&mut shingles);
        shingles
    };
    similarity(&set(a), &set(b))
}

/// Texts in clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// The kept text of each text's cluster.
    representatives: Vec<u32>,
    /// The texts that are not kept, in order, each with its similarity to the one that is.
    similarities: Vec<f32>,
}

/// A text that is not its cluster's representative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duplicate {
    /// The text.
    pub index: usize,
    /// The representative.
    pub of: usize,
    /// The Jaccard similarity of the two. It may lie below the threshold where others join them.
    pub similarity: f32,
}

impl Clusters {
    /// The number of texts.
    pub fn len(&self) -> usize {
        self.representatives.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.representatives.is_empty()
    }

    /// The representative of the cluster of text `index`: `index` itself for a text that represents others or is alone.
    /// Panics when there is no such text.
    pub fn representative(&self, index: usize) -> usize {
        self.representatives[index] as usize
    }

    /// The similarity of a text to its representative, by its position among those of [`Clusters::duplicates`]. Panics when
    /// there is no such text.
    pub fn similarity(&self, duplicate: usize) -> f32 {
        self.similarities[duplicate]
    }

    /// The texts that are not their clusters' representatives, in order.
    pub fn duplicates(&self) -> impl Iterator<Item = Duplicate> + '_ {
        let pairs = self.representatives.iter().enumerate().map(|(index, &of)| (index, of as usize));
        let others = pairs.filter(|(index, of)| index != of);
        others.zip(&self.similarities).map(|((index, of), &similarity)| Duplicate { index, of, similarity })
    }
}

/// What is kept of some texts to compare them with others: their shingles and the keys of their bands.
#[derive(Debug, Clone, Default)]
pub struct Sketches {
    /// The shingles of the texts one after another, and where those of each end.
    shingles: Vec<u64>,
    ends: Vec<usize>,
    /// For each text, the key of each band.
    keys: Vec<u32>,
}

impl Sketches {
    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn shingles(&self, text: u32) -> &[u64] {
        let text = text as usize;
        let start = if text == 0 { 0 } else { self.ends[text - 1] };
        &self.shingles[start..self.ends[text]]
    }
}

/// A growing set of texts and the near-duplicates among them.
#[derive(Debug)]
pub struct Index {
    scheme: Scheme,
    /// Those that repeat no earlier one's shingles.
    distinct: Sketches,
    /// For each text, its sketch among these.
    sketch_of: Vec<u32>,
    /// The latest of them with each hash of all shingles.
    equal: HashMap<u64, u32>,
}

impl Index {
    /// An index without a text.
    pub fn new(scheme: Scheme) -> Index {
        Index { scheme, distinct: Sketches::default(), sketch_of: Vec::new(), equal: HashMap::new() }
    }

    /// Adds texts, which are numbered on. At most 2^32 − 1 texts.
    pub fn push(&mut self, sketches: &Sketches) {
        let bands = self.scheme.bands.bands;
        for text in 0..sketches.len() {
            let own = sketches.shingles(text as u32);
            let next = u32::try_from(self.distinct.len()).expect("an index holds fewer than 2^32 texts");
            match self.equal.entry(super::hash::all(own)) {
                Entry::Occupied(earlier) if self.distinct.shingles(*earlier.get()) == own => {
                    self.sketch_of.push(*earlier.get());
                    continue;
                }
                // Two lists that differ and have one hash are rare beyond practice; the second is found by its bands.
                Entry::Occupied(mut earlier) => {
                    earlier.insert(next);
                }
                Entry::Vacant(first) => {
                    first.insert(next);
                }
            }
            self.sketch_of.push(next);
            self.distinct.shingles.extend_from_slice(own);
            self.distinct.ends.push(self.distinct.shingles.len());
            self.distinct.keys.extend_from_slice(&sketches.keys[text * bands..][..bands]);
        }
    }

    /// The clusters of all texts, found by `jobs` threads.
    ///
    /// Of each cluster the text with the highest score is kept, the earlier of two with one score; a text without a score
    /// comes after all that have one. Where `scores` is empty, the first text is kept.
    pub fn finish(self, jobs: NonZeroUsize, scores: &[Option<f64>]) -> Clusters {
        let Index { scheme, distinct, sketch_of, equal } = self;
        // Only a further text would need it, and it is large.
        drop(equal);
        let roots = compare::find_sets(&scheme, &distinct, jobs);
        // Sketches are numbered as their first texts are, so the smallest sketch has the first text.
        let mut first_text = vec![u32::MAX; distinct.len()];
        let representatives: Vec<u32> = (0..)
            .zip(&sketch_of)
            .map(|(text, &sketch)| {
                let first = &mut first_text[roots[sketch as usize] as usize];
                *first = (*first).min(text);
                *first
            })
            .collect();
        let representatives = super::keep::best_of(representatives, scores);
        let others = (0..).zip(&representatives).filter(|(text, of)| text != *of);
        let sketch = |text: u32| sketch_of[text as usize];
        let pairs: Vec<(u32, u32)> = others.map(|(text, &of)| (sketch(text), sketch(of))).collect();
        let similarities = compare::similarities(&distinct, &pairs, jobs);
        Clusters { representatives, similarities }
    }
}

#[cfg(test)]
mod tests;
