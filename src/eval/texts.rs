//! What the metrics of generated texts share: whitespace and n-grams as the Python libraries have them.

use std::collections::HashMap;
use std::hash::Hash;

/// Whether Python's `str.split` and `str.strip` take a character for whitespace: Unicode's own, and the four separators
/// of ASCII.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// A text's parts between whitespace.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// How often each run of `size` neighbours occurs.
pub(super) fn ngrams<T: Eq + Hash>(items: &[T], size: usize) -> HashMap<&[T], u64> {
    let mut counts = HashMap::new();
    for gram in items.windows(size) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

/// How many of the n-grams of one text the other has too, each as often as both have it.
pub(super) fn in_common<T: Eq + Hash>(a: &HashMap<&[T], u64>, b: &HashMap<&[T], u64>) -> u64 {
    a.iter().map(|(gram, count)| b.get(gram).map_or(0, |other| *count.min(other))).sum()
}
