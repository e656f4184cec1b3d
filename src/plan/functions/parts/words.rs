//! Words by Unicode's word boundaries.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// The number of segments by Unicode's word boundaries that hold a letter or a digit.
///
/// What stands between ASCII whitespace is segmented by itself: whitespace parts the words on both of its sides, so this
/// changes none of them, and only what is not ASCII is looked up in Unicode's tables.
pub(super) fn count_words(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut words) = (0, 0);
    while at < bytes.len() {
        let plain = bytes[at..].iter().position(|byte| !byte.is_ascii()).map_or(bytes.len(), |length| at + length);
        let mut cut = plain;
        if plain < bytes.len() {
            cut = bytes[at..plain].iter().rposition(|byte| is_space(*byte)).map_or(at, |last| at + last + 1);
        }
        words += count_ascii(bytes, at..cut);
        let end = bytes[plain..].iter().position(|byte| is_space(*byte)).map_or(bytes.len(), |length| plain + length);
        words += text[cut..end].unicode_words().count();
        at = end;
    }
    words
}

/// The words of a part that is ASCII.
fn count_ascii(bytes: &[u8], part: Range<usize>) -> usize {
    let bytes = &bytes[..part.end];
    let (mut at, mut words) = (part.start, 0);
    while at < bytes.len() {
        if joins(bytes[at]) {
            let end = segment_end(bytes, at);
            words += usize::from(bytes[at..end].iter().any(u8::is_ascii_alphanumeric));
            at = end;
        } else {
            at += 1;
        }
    }
    words
}

/// What Unicode's word boundaries never part from its like: letters, digits and the low line.
fn joins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the segment ends that begins with such a byte, by the rules WB5 to WB13 of UAX #29 for ASCII: an apostrophe or a point
/// parts neither letters nor digits, a colon no letters, a comma or semicolon no digits.
fn segment_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    loop {
        while bytes.get(end).is_some_and(|byte| joins(*byte)) {
            end += 1;
        }
        let [before, mark, after, ..] = bytes[end - 1..] else { return end };
        let letters = before.is_ascii_alphabetic() && after.is_ascii_alphabetic();
        let digits = before.is_ascii_digit() && after.is_ascii_digit();
        let inside = match mark {
            b'\'' | b'.' => letters || digits,
            b':' => letters,
            b',' | b';' => digits,
            _ => false,
        };
        if !inside {
            return end;
        }
        end += 2;
    }
}

/// ASCII whitespace, the vertical tab among it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_those_of_the_whole_text(
            text in "([a-zA-Z0-9_.',:; \n\t]{0,4}(\u{e9}|\u{301}|\u{ad}|\u{200d}|\u{2019}|\u{5d0}|\u{30ab}|\u{4e00}|\u{1f1e9}|\u{1f600}|\u{a0})?){0,12}"
        ) {
            prop_assert_eq!(count_words(&text), text.unicode_words().count());
        }
    }
}
