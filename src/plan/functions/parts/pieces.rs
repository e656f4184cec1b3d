//! A text cut into words, by Unicode's word boundaries, and the marks between them.

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
    let mut end = 0;
    visit_words(text, |at, word| {
        push_marks(&text[end..at], &mut pieces);
        pieces.push(Piece { text: word, chars: count_chars(word), is_word: true });
        end = at + word.len();
    });
    push_marks(&text[end..], &mut pieces);
    pieces
}

fn count_chars(text: &str) -> usize {
    // Most words are short and ASCII, for which the general count takes longer to set up than to run.
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// Calls `visit` with each segment by Unicode's word boundaries that holds a letter or a digit, and with its place.
///
/// What stands between ASCII whitespace is segmented by itself: whitespace parts the words on both of its sides, so this
/// changes none of them, and only what is not ASCII takes the slow way.
pub(in super::super) fn visit_words<'t>(text: &'t str, mut visit: impl FnMut(usize, &'t str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let plain = bytes[at..].iter().position(|byte| !byte.is_ascii()).map_or(bytes.len(), |length| at + length);
        let mut cut = plain;
        if plain < bytes.len() {
            cut = bytes[at..plain].iter().rposition(|byte| is_space(*byte)).map_or(at, |last| at + last + 1);
        }
        text[at..cut].unicode_word_indices().for_each(|(offset, word)| visit(at + offset, word));
        let end = bytes[plain..].iter().position(|byte| is_space(*byte)).map_or(bytes.len(), |length| plain + length);
        text[cut..end].unicode_word_indices().for_each(|(offset, word)| visit(cut + offset, word));
        at = end;
    }
}

/// ASCII whitespace, the vertical tab among it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Adds the marks of a text without words.
fn push_marks<'t>(text: &'t str, pieces: &mut Vec<Piece<'t>>) {
    let bytes = text.as_bytes();
    if let [byte] = bytes {
        if !is_space(*byte) {
            pieces.push(Piece { text, chars: 1, is_word: false });
        }
        return;
    }
    if !text.is_ascii() {
        let marks = text.graphemes(true).filter(|mark| !mark.trim().is_empty());
        pieces.extend(marks.map(|text| Piece { text, chars: count_chars(text), is_word: false }));
        return;
    }
    let mut at = 0;
    while at < bytes.len() {
        let run = match bytes[at] {
            byte @ (b'.' | b'-') => bytes[at..].iter().take_while(|&&other| other == byte).count(),
            _ => 1,
        };
        if !is_space(bytes[at]) {
            pieces.push(Piece { text: &text[at..at + run], chars: run, is_word: false });
        }
        at += run;
    }
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
            let mut found = Vec::new();
            visit_words(&text, |at, word| {
                assert_eq!(&text[at..at + word.len()], word);
                found.push(word);
            });
            prop_assert_eq!(found, text.unicode_words().collect::<Vec<_>>());
        }
    }
}
