//! Shingles and their exact similarity.

use unicode_segmentation::UnicodeSegmentation;

/// Words in a shingle.
pub const SHINGLE_WORDS: usize = 5;

/// The distinct word 5-grams of `text` as sorted 64-bit hashes, put into `shingles` in place of what is there.
///
/// Words are those of the language's `words` (UAX #29), in small letters, so punctuation, spacing and case count for
/// nothing. A text of fewer than five words is one shingle of all its words; one without a word is its own shingle.
pub(super) fn shingle_into(text: &str, shingles: &mut Vec<u64>) {
    shingles.clear();
    let mut window = [0_u64; SHINGLE_WORDS];
    let mut words = 0;
    for word in text.unicode_words() {
        window.rotate_left(1);
        window[SHINGLE_WORDS - 1] = word_hash(word);
        words += 1;
        if words >= SHINGLE_WORDS {
            shingles.push(combine(&window));
        }
    }
    if words == 0 {
        shingles.push(mix(bytes_hash(text.bytes())));
    } else if words < SHINGLE_WORDS {
        shingles.push(combine(&window[SHINGLE_WORDS - words..]));
    }
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

fn word_hash(word: &str) -> u64 {
    if word.is_ascii() {
        mix(bytes_hash(word.bytes().map(|byte| byte.to_ascii_lowercase())))
    } else {
        mix(bytes_hash(word.to_lowercase().bytes()))
    }
}

/// A hash of a sequence of words that depends on their order and number.
fn combine(words: &[u64]) -> u64 {
    words.iter().fold(words.len() as u64, |hash, &word| mix(hash ^ word))
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo; parameters of RFC 9923).
fn bytes_hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection in which each bit of the input reaches all of
/// the output.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let (mut left, mut right) = (Vec::new(), vec![7]);
            shingle_into(a, &mut left);
            shingle_into(b, &mut right);
            assert_eq!(similarity(&left, &right), expected, "{a:?} {b:?}");
        }
    }
}
