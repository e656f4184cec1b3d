//! Shingles and their exact similarity.

use super::hash::{bytes, mix};
use super::words::for_each_word;

/// What texts are cut into to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shingle {
    /// So many words in a row: those of the language's `words`, in small letters, so that punctuation, spacing and case
    /// count for nothing.
    Words(usize),
    /// So many characters in a row, in small letters; a run of white space counts as one space.
    Characters(usize),
}

impl Shingle {
    /// The shingles of a near-duplicate search that names none.
    pub const DEFAULT: Shingle = Shingle::Words(5);

    /// The shingles of `text` as 64-bit hashes, in order and with repeats, put behind those in `shingles`; at least one.
    ///
    /// A text that is shorter than a shingle is one shingle of all its words or characters; one without a word is its
    /// own shingle.
    pub(super) fn shingle_into(self, text: &str, room: &mut Vec<u64>, shingles: &mut Vec<u64>) {
        room.clear();
        let length = match self {
            Shingle::Words(length) => {
                for_each_word(text, |word, _| room.push(word));
                length
            }
            Shingle::Characters(length) => {
                characters_into(text, room);
                length
            }
        };
        if room.is_empty() {
            shingles.push(mix(bytes(text.as_bytes(), |eight| eight)));
        } else if room.len() < length {
            // The number of units keeps a short text apart from a longer one that ends in hashes of no weight.
            let hash = room.iter().fold(0, |hash: u64, unit| hash.wrapping_mul(BASE).wrapping_add(*unit));
            shingles.push(mix(hash ^ room.len() as u64));
        } else {
            roll_into(room, length, shingles);
        }
    }
}

impl std::fmt::Display for Shingle {
    /// `5 words in a row`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Shingle::Words(1) => write!(f, "single words"),
            Shingle::Characters(1) => write!(f, "single characters"),
            Shingle::Words(length) => write!(f, "{length} words in a row"),
            Shingle::Characters(length) => write!(f, "{length} characters in a row"),
        }
    }
}

const BASE: u64 = 0xd6e8_feb8_6659_fd93;

/// The hash of each `length` units in a row: a polynomial of the units that is carried on from one place to the next
/// (Karp and Rabin 1987), modulo 2^64, then mixed.
fn roll_into(units: &[u64], length: usize, shingles: &mut Vec<u64>) {
    let highest = (1..length).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let (first, rest) = units.split_at(length);
    let mut hash = first.iter().fold(0, |hash: u64, unit| hash.wrapping_mul(BASE).wrapping_add(*unit));
    shingles.reserve(rest.len() + 1);
    shingles.push(mix(hash));
    for (gone, come) in units.iter().zip(rest) {
        hash = hash.wrapping_sub(gone.wrapping_mul(highest)).wrapping_mul(BASE).wrapping_add(*come);
        shingles.push(mix(hash));
    }
}

fn characters_into(text: &str, units: &mut Vec<u64>) {
    let mut space = false;
    for character in text.trim().chars() {
        if character.is_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            units.push(mix(u64::from(b' ')));
        }
        units.extend(character.to_lowercase().map(|small| mix(u64::from(small))));
    }
}

/// Makes a set of shingles: sorted, without repeats.
pub(super) fn make_set(shingles: &mut Vec<u64>) {
    shingles.sort_unstable();
    shingles.dedup();
}

/// The Jaccard similarity of two sets, |A ∩ B| / |A ∪ B|, both sorted without repeats and not both empty.
pub(super) fn similarity(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        common += usize::from(a[i] == b[j]);
        let (left, right) = (a[i], b[j]);
        i += usize::from(left <= right);
        j += usize::from(right <= left);
    }
    common as f64 / (a.len() + b.len() - common) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(shingle: Shingle, text: &str) -> Vec<u64> {
        let (mut room, mut shingles) = (Vec::new(), Vec::new());
        shingle.shingle_into(text, &mut room, &mut shingles);
        make_set(&mut shingles);
        shingles
    }

    #[test]
    fn similarity_counts_word_5_grams() {
        for (a, b, expected) in [
            ("one two three four five six", "one two three four five six", 1.0),
            ("One, two three FOUR five six!", "one two three four five six", 1.0),
            ("one two three four five six", "one two three four five seven", 1.0 / 3.0),
            ("one two three four five", "five four three two one", 0.0),
            ("card", "Card?", 1.0),
            ("my card", "card my", 0.0),
            ("my card", "my card is not here", 0.0),
            ("\u{c9}T\u{c9}", "\u{e9}t\u{e9}", 1.0),
            ("", "", 1.0),
            ("?!", "", 0.0),
            ("?!", "?!", 1.0),
        ] {
            let (left, right) = (set(Shingle::DEFAULT, a), set(Shingle::DEFAULT, b));
            assert_eq!(similarity(&left, &right), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn shingles_may_be_characters_and_single_words() {
        for (shingle, a, b, expected) in [
            (Shingle::Characters(3), "abcd", "abce", 1.0 / 3.0),
            (Shingle::Characters(3), " A \n b ", "a b", 1.0),
            (Shingle::Characters(3), "ab", "ab", 1.0),
            (Shingle::Characters(3), "ab", "ba", 0.0),
            (Shingle::Characters(3), "a b", "ab", 0.0),
            (Shingle::Words(1), "a b c", "c a b d", 3.0 / 4.0),
        ] {
            assert_eq!(similarity(&set(shingle, a), &set(shingle, b)), expected, "{shingle} {a:?} {b:?}");
        }
    }
}
