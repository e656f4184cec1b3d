//! Words by Unicode's word boundaries.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// The number of segments by Unicode's word boundaries that hold a letter or a digit.
///
/// What stands between ASCII whitespace is segmented by itself: whitespace parts the words on both of its sides, so this
/// changes none of them, and only what is not ASCII is looked up in Unicode's tables.
pub fn count_words(text: &str) -> usize {
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
    let part = &bytes[part];
    if part.contains(&b'_') { count_segments(part) } else { count_plain(part) }
}

/// The words of ASCII in which each segment has a letter or a digit: as many as begin, less one for each sign that parts
/// nothing.
fn count_plain(bytes: &[u8]) -> usize {
    // Blocks are counted without branches and in bytes, which a processor does many at a time.
    const BLOCK: usize = 64;
    let first = usize::from(bytes.first().is_some_and(|byte| is_word(*byte)));
    let (mut at, mut words) = (1, first);
    while let Some(block) = bytes.get(at - 1..at + BLOCK + 1) {
        let (mut begun, mut joined) = (0_u8, 0_u8);
        for ((before, byte), after) in block.iter().zip(&block[1..]).zip(&block[2..]) {
            begun += u8::from(begins(*before, *byte));
            joined += u8::from(parts_nothing(*before, *byte, *after));
        }
        words = words + usize::from(begun) - usize::from(joined);
        at += BLOCK;
    }
    for at in at..bytes.len() {
        words += usize::from(begins(bytes[at - 1], bytes[at]));
        words -= usize::from(bytes.get(at + 1).is_some_and(|after| parts_nothing(bytes[at - 1], bytes[at], *after)));
    }
    words
}

fn begins(before: u8, byte: u8) -> bool {
    !is_word(before) & is_word(byte)
}

fn is_word(byte: u8) -> bool {
    is_letter(byte) | is_digit(byte)
}

/// The same where there are low lines, of which a segment may be nothing else.
fn count_segments(bytes: &[u8]) -> usize {
    let (mut at, mut words) = (0, 0);
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

/// Whether a sign between two bytes parts them not, by the rules WB6, WB7, WB11 and WB12 of UAX #29 for ASCII: an apostrophe or
/// a point parts neither letters nor digits, a colon no letters, a comma or semicolon no digits.
fn parts_nothing(before: u8, mark: u8, after: u8) -> bool {
    let letters = is_letter(before) & is_letter(after);
    let digits = is_digit(before) & is_digit(after);
    let either = (mark == b'\'') | (mark == b'.');
    (letters & (either | (mark == b':'))) | (digits & (either | (mark == b',') | (mark == b';')))
}

fn is_letter(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26
}

fn is_digit(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 10
}

/// Where the segment ends that begins with such a byte, by the rules WB5 to WB13 of UAX #29.
fn segment_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    loop {
        while bytes.get(end).is_some_and(|byte| joins(*byte)) {
            end += 1;
        }
        let [before, mark, after, ..] = bytes[end - 1..] else { return end };
        if !parts_nothing(before, mark, after) {
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
            text in "([a-zA-Z0-9.',:; ]{0,90}|[a-zA-Z0-9_.',:; \n\t]{0,4}(\u{e9}|\u{301}|\u{ad}|\u{200d}|\u{2019}|\u{5d0}|\u{30ab}|\u{4e00}|\u{1f1e9}|\u{1f600}|\u{a0})?){0,12}"
        ) {
            prop_assert_eq!(count_words(&text), text.unicode_words().count());
        }
    }
}
