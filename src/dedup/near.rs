//! Near-duplicates: clusters of texts by the Jaccard similarity of their word 5-grams.
//!
//! MinHash signatures in bands propose pairs, the exact similarity decides, a union-find makes the clusters. No pair is
//! joined without its true similarity reaching the threshold; a pair at the threshold is proposed with a probability of
//! at least [`Bands::RECALL`]. A cluster is a connected component: its ends may be less alike than the threshold.
//!
//! **Memory.** An index keeps 8 bytes for each distinct shingle (about 1.4 bytes for each byte of English text) and, for
//! each text and band, 4 bytes and an entry of a hash map (20 to 40): 350 to 600 bytes a text at 0.85. A text with the
//! same shingles as an earlier one costs 4 bytes. Nothing of the texts themselves is kept.

use std::collections::HashMap;

pub use super::jaccard::SHINGLE_WORDS;
use super::jaccard::{shingle_into, similarity};
pub use super::minhash::Bands;
use super::minhash::Hashes;
use super::union_find::UnionFind;

/// A similarity from which on texts are near-duplicates: greater than 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Threshold(f64);

impl Threshold {
    /// `None` unless 0 < `similarity` ≤ 1.
    pub fn new(similarity: f64) -> Option<Threshold> {
        (similarity > 0.0 && similarity <= 1.0).then_some(Threshold(similarity))
    }

    /// The similarity.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// The clusters of `texts`, which are numbered in their order.
pub fn clusters<'t>(texts: impl IntoIterator<Item = &'t str>, threshold: Threshold) -> Clusters {
    let mut index = Index::new(threshold);
    for text in texts {
        index.push(text);
    }
    index.finish()
}

/// The exact Jaccard similarity of the word 5-grams of two texts.
pub fn text_similarity(a: &str, b: &str) -> f64 {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    shingle_into(a, &mut left);
    shingle_into(b, &mut right);
    similarity(&left, &right)
}

/// Texts in clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    representatives: Vec<u32>,
    examined: u64,
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

    /// The representative of the cluster of text `index`: its smallest index, `index` itself for a text that is first or
    /// alone. Panics when there is no such text.
    pub fn representative(&self, index: usize) -> usize {
        self.representatives[index] as usize
    }

    /// Each text that is not its cluster's representative, with the representative, in the order of the texts.
    pub fn duplicates(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let pairs = self.representatives.iter().enumerate().map(|(index, &of)| (index, of as usize));
        pairs.filter(|(index, of)| index != of)
    }

    /// The number of pairs whose exact similarity was computed.
    pub fn examined(&self) -> u64 {
        self.examined
    }
}

/// How many texts of a bucket a new text is compared with. A bucket overflows where very many texts differ from each
/// other a little; then each joins the cluster through one of the first of them or through another band.
const BUCKET: usize = 32;

/// A growing set of texts and the near-duplicates among them.
#[derive(Debug)]
pub struct Index {
    threshold: Threshold,
    hashes: Hashes,
    sets: UnionFind,
    /// The distinct sets of shingles one after another; the end of each; the first text that had it.
    shingles: Vec<u64>,
    ends: Vec<usize>,
    first_text: Vec<u32>,
    /// The sets by the hash of all their shingles.
    equal: Buckets,
    /// For each band, the sets by its key.
    bands: Vec<Buckets>,
    examined: u64,
    /// Room that each text uses anew.
    own: Vec<u64>,
    keys: Vec<u64>,
}

impl Index {
    /// An index without a text.
    pub fn new(threshold: Threshold) -> Index {
        let cut = Bands::for_threshold(threshold.0);
        Index {
            threshold,
            hashes: Hashes::new(cut),
            sets: UnionFind::default(),
            shingles: Vec::new(),
            ends: Vec::new(),
            first_text: Vec::new(),
            equal: Buckets::default(),
            bands: vec![Buckets::default(); cut.bands],
            examined: 0,
            own: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Adds a text and returns its number; the first is 0. At most 2^32 − 1 texts.
    pub fn push(&mut self, text: &str) -> usize {
        let index = self.sets.push();
        let mut own = std::mem::take(&mut self.own);
        shingle_into(text, &mut own);
        match self.equal_set(&own) {
            Some(set) => self.sets.union(self.first_text[set as usize], index),
            None => self.insert(&own, index),
        }
        self.own = own;
        index as usize
    }

    /// The clusters of all texts.
    pub fn finish(self) -> Clusters {
        Clusters { representatives: self.sets.into_roots(), examined: self.examined }
    }

    /// The set with exactly these shingles.
    fn equal_set(&self, own: &[u64]) -> Option<u32> {
        self.equal.members(set_hash(own)).find(|&set| self.set(set) == own)
    }

    /// Joins `index` with the texts like it and keeps its shingles.
    fn insert(&mut self, own: &[u64], index: u32) {
        let mut keys = std::mem::take(&mut self.keys);
        self.hashes.band_keys_into(own, &mut keys);
        for (band, &key) in keys.iter().enumerate() {
            let mut next = self.bands[band].last(key);
            while let Some(other) = next {
                self.join_if_near(own, index, other);
                next = self.bands[band].before(other);
            }
            self.bands[band].push(key);
        }
        self.keys = keys;
        self.equal.push(set_hash(own));
        self.shingles.extend_from_slice(own);
        self.ends.push(self.shingles.len());
        self.first_text.push(index);
    }

    /// Joins `index`, which has the shingles `own`, with the set `other` if they are near and not joined yet.
    fn join_if_near(&mut self, own: &[u64], index: u32, other: u32) {
        let text = self.first_text[other as usize];
        if self.sets.root(text) == self.sets.root(index) {
            return;
        }
        let there = self.set(other);
        let (fewer, more) = (own.len().min(there.len()), own.len().max(there.len()));
        // The similarity is at most the quotient of the sizes, in floating point too: division rounds monotonically.
        if (fewer as f64) / (more as f64) < self.threshold.0 {
            return;
        }
        self.examined += 1;
        if similarity(own, self.set(other)) >= self.threshold.0 {
            self.sets.union(text, index);
        }
    }

    fn set(&self, set: u32) -> &[u64] {
        let set = set as usize;
        let start = if set == 0 { 0 } else { self.ends[set - 1] };
        &self.shingles[start..self.ends[set]]
    }
}

/// Sets of shingles by a key. The sets are numbered in the order of [`Buckets::push`], one call for each.
///
/// Those of one key are a list in `before`, so that a set takes one entry at most of the map and four bytes beside it.
#[derive(Debug, Clone, Default)]
struct Buckets {
    last: HashMap<u64, u32>,
    before: Vec<u32>,
}

impl Buckets {
    /// Marks the end of a list, and a set that is in none.
    const NONE: u32 = u32::MAX;

    /// The latest set with the key.
    fn last(&self, key: u64) -> Option<u32> {
        self.last.get(&key).copied()
    }

    /// The set with the same key before `set`.
    fn before(&self, set: u32) -> Option<u32> {
        let before = self.before[set as usize];
        (before != Buckets::NONE).then_some(before)
    }

    /// The sets with the key, the latest first.
    fn members(&self, key: u64) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.last(key), |&set| self.before(set))
    }

    /// Numbers the next set and puts it under the key, unless [`BUCKET`] others are there.
    fn push(&mut self, key: u64) {
        let set = u32::try_from(self.before.len()).expect("there are no more sets than texts");
        let full = self.members(key).count() >= BUCKET;
        let before = if full { None } else { self.last.insert(key, set) };
        self.before.push(before.unwrap_or(Buckets::NONE));
    }
}

fn set_hash(shingles: &[u64]) -> u64 {
    shingles.iter().fold(shingles.len() as u64, |hash, &shingle| super::jaccard::mix(hash ^ shingle))
}

#[cfg(test)]
mod tests;
