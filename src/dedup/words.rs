//! The words of a text, by the language's `words`, with their hashes.

use unicode_segmentation::UnicodeSegmentation;

use super::hash;

/// Calls `each` with the hash of each word of `text` and the bytes that it takes, in order.
///
/// Words are those of UAX #29 that hold a letter or a digit; they are hashed in small letters. Text between spaces that
/// is ASCII is read by a few comparisons of bytes, which find what the general rules find: a property test says so.
pub(super) fn for_each_word(text: &str, mut each: impl FnMut(u64, std::ops::Range<usize>)) {
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        if is_space(bytes[start]) {
            start += 1;
            continue;
        }
        let mut end = start;
        let mut ascii = true;
        while end < bytes.len() && !is_space(bytes[end]) {
            ascii &= bytes[end].is_ascii();
            end += 1;
        }
        if ascii {
            ascii_words(bytes, start, end, &mut each);
        } else {
            // A mark at the beginning belongs to the space before it (WB4), and with that is a word where it is a letter.
            let from = start.saturating_sub(1);
            for (at, word) in text[from..end].unicode_word_indices() {
                each(word_hash(word), from + at..from + at + word.len());
            }
        }
        start = end;
    }
}

/// No word goes on behind one of these: what follows a space is no part of the word before it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
}

/// What the word boundaries know of an ASCII byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// `_`
    Joins,
    /// `'` and `.`
    Between,
    /// `:`
    BetweenLetters,
    /// `,` and `;`
    BetweenDigits,
    Other,
}

const CLASSES: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut at = 0;
    while at < 128 {
        classes[at] = match at as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Joins,
            b'\'' | b'.' => Class::Between,
            b':' => Class::BetweenLetters,
            b',' | b';' => Class::BetweenDigits,
            _ => Class::Other,
        };
        at += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte & 0x7f)]
}

/// The words of `bytes[start..end]`, which is ASCII: rules WB5 to WB13b.
fn ascii_words(bytes: &[u8], start: usize, end: usize, each: &mut impl FnMut(u64, std::ops::Range<usize>)) {
    let mut at = start;
    while at < end {
        let first = at;
        let (mut before, mut counts) = (Class::Other, false);
        while at < end {
            let class_here = class(bytes[at]);
            match class_here {
                Class::Letter | Class::Digit => counts = true,
                Class::Joins => {}
                Class::Between | Class::BetweenLetters | Class::BetweenDigits => {
                    let after = if at + 1 < end { class(bytes[at + 1]) } else { Class::Other };
                    let letters = before == Class::Letter && after == Class::Letter;
                    let digits = before == Class::Digit && after == Class::Digit;
                    let joined = match class_here {
                        Class::Between => letters || digits,
                        Class::BetweenLetters => letters,
                        _ => digits,
                    };
                    if !joined {
                        break;
                    }
                }
                Class::Other => break,
            }
            before = class_here;
            at += 1;
        }
        if counts {
            each(ascii_hash(bytes, first, at), first..at);
        }
        at = at.max(first + 1);
    }
}

/// Sets the bit that tells small letters from capitals. Of the bytes of ASCII words only `_` has a new value by it, one
/// that no other byte has.
const SMALL: u64 = 0x2020_2020_2020_2020;

/// The hash of `bytes[start..end]`, an ASCII word, in small letters. Most words are short, and most are not at the end of
/// the text: then eight bytes are read at once, and what does not belong to the word is cut off.
fn ascii_hash(bytes: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    match bytes.get(start..start + 8) {
        Some(eight) if length < 8 => {
            let eight = u64::from_le_bytes(eight.try_into().expect("eight bytes were taken"));
            hash::one(eight & ((1 << (8 * length)) - 1) | SMALL, length)
        }
        Some(_) | None => hash::bytes(&bytes[start..end], |eight| eight | SMALL),
    }
}

fn word_hash(word: &str) -> u64 {
    if word.is_ascii() {
        return ascii_hash(word.as_bytes(), 0, word.len());
    }
    let small = word.to_lowercase();
    // A letter beyond ASCII may have a small letter in it: the Kelvin sign is a `k`.
    if small.is_ascii() {
        ascii_hash(small.as_bytes(), 0, small.len())
    } else {
        hash::bytes(small.as_bytes(), |eight| eight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        for_each_word(text, |_, place| words.push(&text[place]));
        words
    }

    fn hashes(text: &str) -> Vec<u64> {
        let mut hashes = Vec::new();
        for_each_word(text, |hash, _| hashes.push(hash));
        hashes
    }

    proptest! {
        #[test]
        fn words_are_those_of_unicode(text in "[ -~\\n\\t\\r\\x0b\\x0c]{0,40}|[a-z.:,;'_0-9 ]{0,40}|\\PC{0,12}|[a. \\u{301}\\u{e9}\\u{200d}\\u{ad}]{0,9}") {
            prop_assert_eq!(words(&text), text.unicode_words().collect::<Vec<_>>());
        }

        #[test]
        fn case_counts_for_nothing(text in "[ -~]{0,40}|\\PC{0,12}") {
            // Some letters have no capital that leads back to them; where one does, the words are the same.
            let small = text.to_lowercase();
            if small.to_uppercase().to_lowercase() == small && words(&small).len() == words(&small.to_uppercase()).len() {
                prop_assert_eq!(hashes(&small), hashes(&small.to_uppercase()));
            }
        }

        #[test]
        fn a_word_has_one_hash_wherever_it_stands(word in "[a-z0-9_]{0,20}[a-z]", before in "[ -~]{0,9}", after in "[ -~]{0,9}") {
            prop_assert_eq!(hashes(&format!("{before} {word} {after}"))[hashes(&before).len()], hashes(&word)[0]);
        }
    }

    #[test]
    fn a_mark_that_is_a_letter_takes_the_space_before_it() {
        for text in [" \u{11d31}", "a \u{11d31}b c", "\u{11d31}", "\n\u{11d31}a"] {
            assert_eq!(words(text), text.unicode_words().collect::<Vec<_>>(), "{text:?}");
        }
    }

    #[test]
    fn different_words_have_different_hashes() {
        let all = "a b ab ba abc abcdefg abcdefgh abcdefghi hgfedcba a_b a.b 1,5 1.5 15 aa aaa \u{e9}t\u{e9} ete";
        let mut hashes = hashes(all);
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!((hashes.len(), count), (18, 18));
        assert_eq!(self::hashes("K"), self::hashes("\u{212a}"));
    }
}
