//! How texts are compared: the threshold, the shingles, the bands, and the named sets of them that the field uses.

use super::{Bands, Shingle, Sketches};
use crate::dedup::minhash::Signatures;

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

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheme {
    /// The least similarity of near-duplicates.
    pub threshold: Threshold,
    /// What the texts are cut into.
    pub shingle: Shingle,
    /// How signatures are cut to propose pairs.
    pub bands: Bands,
}

/// Shingles and bands as a well-known tool has them by default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset {
    /// Its name in the language.
    pub name: &'static str,
    /// What it is called elsewhere, and where its figures come from.
    pub origin: &'static str,
    /// The similarity that the tool is for.
    pub similarity: f64,
    /// What texts are cut into.
    pub shingle: Shingle,
    /// How signatures are cut.
    pub bands: Bands,
}

const fn preset(
    name: &'static str,
    origin: &'static str,
    similarity: f64,
    shingle: Shingle,
    bands: usize,
    rows: usize,
) -> Preset {
    Preset { name, origin, similarity, shingle, bands: Bands { bands, rows } }
}

/// The named sets. Where a tool derives its bands from the number of permutations and the similarity, they stand here as
/// it derives them for its default.
pub const PRESETS: [Preset; 4] = [
    preset("data_juicer", "Data-Juicer: 256 permutations for 0.7", 0.7, Shingle::Words(5), 25, 10),
    preset("datatrove", "datatrove: 14 buckets of 8 hashes", 0.72, Shingle::Words(5), 14, 8),
    preset("nemo", "NeMo Curator: 20 bands of 13 hashes over 24 characters", 0.8, Shingle::Characters(24), 20, 13),
    preset("text_dedup", "text-dedup: 240 permutations for 0.7", 0.7, Shingle::Words(5), 24, 10),
];

impl Scheme {
    /// Word 5-grams, with bands derived from the threshold.
    pub fn new(threshold: Threshold) -> Scheme {
        Scheme { threshold, shingle: Shingle::DEFAULT, bands: Bands::for_threshold(threshold.0) }
    }

    /// Shingles of another kind.
    pub fn with_shingle(self, shingle: Shingle) -> Scheme {
        Scheme { shingle, ..self }
    }

    /// The shingles and bands of a named set, with a threshold of one's own.
    pub fn like(threshold: Threshold, preset: &Preset) -> Scheme {
        Scheme { threshold, shingle: preset.shingle, bands: preset.bands }
    }

    /// The probability with which a pair at the threshold is found.
    pub fn recall(&self) -> f64 {
        self.bands.candidate_probability(self.threshold.0)
    }

    /// What is kept of these texts to compare them.
    pub fn sketch<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Sketches {
        let signatures = Signatures::new(self.bands);
        let mut sketches = Sketches::default();
        let (mut room, mut bins) = (Vec::new(), Vec::new());
        for text in texts {
            let start = sketches.shingles.len();
            self.shingle.shingle_into(text, &mut room, &mut sketches.shingles);
            signatures.band_keys_into(&sketches.shingles[start..], &mut bins, &mut sketches.keys);
            sketches.ends.push(sketches.shingles.len());
        }
        sketches
    }
}

impl std::fmt::Display for Scheme {
    /// `5 words in a row, 126 permutations in 14 bands of 9 rows: 97.6% of the pairs at 0.85 are found, each verified`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Bands { bands, rows } = self.bands;
        let (permutations, recall, threshold) = (self.bands.permutations(), self.recall() * 100.0, self.threshold.0);
        // A share is rounded down, so that it is never said to be more than it is.
        let recall = (recall * 10.0).floor() / 10.0;
        write!(
            f,
            "{}, {permutations} permutations in {bands} × {rows} bands and rows: finds {recall:.1}% of the pairs at \
             {threshold}, and joins none whose own similarity is lower",
            self.shingle
        )
    }
}
