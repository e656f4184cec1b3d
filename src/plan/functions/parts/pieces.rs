//! A text cut into words, by Unicode's word boundaries, and the marks between them.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// A word, or a mark between words: a sign of punctuation, a symbol, an emoji, a run of points or of hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Piece<'t> {
    pub(in super::super) text: &'t str,
    /// Its code points.
    pub(in super::super) chars: usize,
    /// Whether it holds a letter or a digit.
    pub(in super::super) is_word: bool,
}

/// The words and marks of a text in order.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    // A word of English has less than five letters, and a space after it.
    let mut pieces = Vec::with_capacity(text.len() / 5 + 1);
    visit_pieces(text, &mut |piece| pieces.push(piece));
    pieces
}

/// Calls `visit` with each word and each mark.
///
/// What stands between ASCII whitespace is segmented by itself: whitespace parts the words on both of its sides, so this
/// changes none of them, and only what is not ASCII is looked up in Unicode's tables.
fn visit_pieces<'t>(text: &'t str, visit: &mut impl FnMut(Piece<'t>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let plain = bytes[at..].iter().position(|byte| !byte.is_ascii()).map_or(bytes.len(), |length| at + length);
        let mut cut = plain;
        if plain < bytes.len() {
            cut = bytes[at..plain].iter().rposition(|byte| is_space(*byte)).map_or(at, |last| at + last + 1);
        }
        visit_ascii(text, at..cut, visit);
        let end = bytes[plain..].iter().position(|byte| is_space(*byte)).map_or(bytes.len(), |length| plain + length);
        visit_any(text, cut..end, visit);
        at = end;
    }
}

/// The pieces of a part without ASCII whitespace.
fn visit_any<'t>(text: &'t str, part: Range<usize>, visit: &mut impl FnMut(Piece<'t>)) {
    let mut end = part.start;
    for (offset, word) in text[part.clone()].unicode_word_indices() {
        let at = part.start + offset;
        visit_marks(text, end..at, visit);
        visit(Piece { text: word, chars: word.chars().count(), is_word: true });
        end = at + word.len();
    }
    visit_marks(text, end..part.end, visit);
}

/// The marks of a part without words.
fn visit_marks<'t>(text: &'t str, part: Range<usize>, visit: &mut impl FnMut(Piece<'t>)) {
    if text.as_bytes()[part.clone()].is_ascii() {
        return visit_ascii(text, part, visit);
    }
    for mark in text[part].graphemes(true).filter(|mark| !mark.trim().is_empty()) {
        visit(Piece { text: mark, chars: mark.chars().count(), is_word: false });
    }
}

/// The pieces of a part that is ASCII.
fn visit_ascii<'t>(text: &'t str, part: Range<usize>, visit: &mut impl FnMut(Piece<'t>)) {
    let bytes = &text.as_bytes()[..part.end];
    let mut at = part.start;
    while at < bytes.len() {
        let (end, is_word) = match bytes[at] {
            byte if is_space(byte) => {
                at += 1;
                continue;
            }
            byte if joins(byte) => {
                let end = segment_end(bytes, at);
                (end, bytes[at..end].iter().any(u8::is_ascii_alphanumeric))
            }
            byte @ (b'.' | b'-') => (at + bytes[at..].iter().take_while(|&&other| other == byte).count(), false),
            _ => (at + 1, false),
        };
        visit(Piece { text: &text[at..end], chars: end - at, is_word });
        at = end;
    }
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

    #[test]
    fn marks_stand_between_words() {
        for (text, expected) in [
            ("I am Frank, I am.", "I am Frank , I am ."),
            ("'So do I,' said -- well ... don't!?", "' So do I , ' said -- well ... don't ! ?"),
            ("a well-known #tag (3.5%)", "a well - known # tag ( 3.5 % )"),
            (
                "caf\u{e9}\u{201d} \u{2026} \u{1f469}\u{200d}\u{1f4bb}\u{3000}x",
                "caf\u{e9} \u{201d} \u{2026} \u{1f469}\u{200d}\u{1f4bb} x",
            ),
            ("", ""),
        ] {
            let found: Vec<&str> = pieces(text).iter().map(|piece| piece.text).collect();
            assert_eq!(found.join(" "), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_whole_text(
            text in "([a-zA-Z0-9_.',:; \n\t]{0,4}(\u{e9}|\u{301}|\u{ad}|\u{200d}|\u{2019}|\u{5d0}|\u{30ab}|\u{4e00}|\u{1f1e9}|\u{1f600}|\u{a0})?){0,12}"
        ) {
            let pieces = pieces(&text);
            let found: Vec<&str> = pieces.iter().filter(|piece| piece.is_word).map(|piece| piece.text).collect();
            prop_assert_eq!(found, text.unicode_words().collect::<Vec<_>>());
        }
    }
}
