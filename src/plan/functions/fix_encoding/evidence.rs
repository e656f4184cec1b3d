//! Which sequences of characters are one misread character, and which only could be.

use std::ops::Range;

use super::sloppy;

/// Characters whose bytes are the valid UTF-8 of one other character.
pub(super) struct Sequence {
    /// The bytes of the text that it covers.
    pub(super) range: Range<usize>,
    /// The character that the bytes mean.
    pub(super) decoded: String,
    /// How sure it is that the characters are not meant as they stand.
    strength: Strength,
}

/// How sure it is that a sequence is misread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// No text would have these characters in this place.
    Clear,
    /// A good text can have them.
    Possible,
}

/// The sequences of `text` from left to right; none overlaps another.
pub(super) fn sequences(text: &str) -> Vec<Sequence> {
    let mut found: Vec<Sequence> = Vec::new();
    let mut at = 0;
    while let Some(offset) = text.as_bytes()[at..].iter().position(|byte| !byte.is_ascii()) {
        let start = at + offset;
        let Some(read) = Reading::at(&text[start..]) else {
            at = start + text[start..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let (before, end) = (text[..start].chars().next_back(), start + read.length);
        let strength =
            if read.is_clear(before, text[end..].chars().next()) { Strength::Clear } else { Strength::Possible };
        let chained = found.last().is_some_and(|last| last.range.end == start);
        found.push(Sequence { range: start..end, decoded: read.decoded, strength });
        if chained {
            // Lead, continuation, lead, continuation: no text alternates like this by chance.
            for sequence in found.iter_mut().rev().take(2) {
                sequence.strength = Strength::Clear;
            }
        }
        at = end;
    }
    found
}

/// The sequences to repair: the clear ones; and where these and the possible ones are all that `text` has beyond ASCII,
/// all, and the no-break spaces that became spaces with them.
pub(super) fn decide<'s>(text: &str, found: &'s [Sequence]) -> Vec<&'s Sequence> {
    let clear = |sequence: &&Sequence| sequence.strength == Strength::Clear;
    if !found.iter().any(|sequence| clear(&sequence)) {
        return Vec::new();
    }
    let beyond_ascii = |text: &str| text.bytes().filter(|byte| !byte.is_ascii()).count();
    let covered: usize = found.iter().map(|sequence| beyond_ascii(&text[sequence.range.clone()])).sum();
    if covered == beyond_ascii(text) { found.iter().collect() } else { found.iter().filter(clear).collect() }
}

/// One sequence as it was read.
struct Reading {
    /// The characters of the sequence: a lead and its continuations.
    characters: Vec<char>,
    /// Their bytes in the misread encoding.
    bytes: Vec<u8>,
    /// Their length in the text, in bytes.
    length: usize,
    /// What they mean.
    decoded: String,
}

impl Reading {
    /// The sequence at the start of `text`.
    fn at(text: &str) -> Option<Reading> {
        let lead = text.chars().next().and_then(sloppy::byte)?;
        let expected = match lead {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return None,
        };
        let characters: Vec<char> = text.chars().take(expected).collect();
        let length = characters.iter().map(|character| character.len_utf8()).sum();
        if let ['\u{c3}' | '\u{c2}', ' '] = characters[..] {
            return Reading::with_lost_no_break_space(text, characters);
        }
        let bytes: Vec<u8> = characters.iter().filter_map(|&character| sloppy::byte(character)).collect();
        if bytes.len() < expected {
            return None;
        }
        let decoded = std::str::from_utf8(&bytes).ok()?.to_owned();
        Some(Reading { characters, bytes, length, decoded })
    }

    /// `Ã` or `Â` before a space that was a no-break space, the second byte of `à` or of the no-break space itself.
    fn with_lost_no_break_space(text: &str, characters: Vec<char>) -> Option<Reading> {
        // "Ã  la" had both spaces; where whitespace was collapsed as well, the one that is left separates the words.
        let doubled = text[characters[0].len_utf8()..].starts_with("  ");
        let (length, decoded) = match (characters[0], doubled) {
            ('\u{c3}', true) => (3, "\u{e0}"),
            ('\u{c3}', false) => (2, "\u{e0}"),
            _ => (2, ""),
        };
        Some(Reading { characters, bytes: Vec::new(), length, decoded: decoded.to_owned() })
    }

    /// Whether no text means these characters in this place, between `before` and `after`.
    fn is_clear(&self, before: Option<char>, after: Option<char>) -> bool {
        let continuations = self.characters.get(1..).unwrap_or_default();
        let all_punctuation = continuations.iter().all(|&character| is_punctuation(character));
        // Between two letters stand an apostrophe, a dash or a space, no quote, sign or symbol.
        let joins = continuations.iter().any(|&character| may_join(character));
        let follows_small = before.is_some_and(char::is_lowercase);
        let precedes_small = after.is_some_and(char::is_lowercase);
        let precedes_letter = after.is_some_and(char::is_alphabetic);
        match self.bytes[..] {
            // Â and Ã: Latin-1's symbols and accented letters. Before punctuation they may end a word in capitals or
            // be the letter that a quotation speaks of.
            [0xc2 | 0xc3, 0x92] => follows_small,
            [0xc2 | 0xc3, _] => {
                let ends_capitals = before.is_some_and(|c| c.is_uppercase() || opens(c));
                let inside = precedes_letter && (!joins || (continuations == ['\u{b4}'] && precedes_small));
                !all_punctuation || !ends_capitals || inside
            }
            // Ä and Å: the Latin letters of Central Europe and Turkey. A capital does not follow a small letter, and
            // no sign stands between it and one.
            [0xc4 | 0xc5, _] => follows_small || (precedes_small && !joins),
            // × and ß stand after digits and small letters; the other leads are capitals.
            [0xd7 | 0xdf, _] => false,
            [_, _] => follows_small,
            // Vietnamese letters, between others.
            [0xe1, 0xba | 0xbb, _] => follows_small && precedes_small,
            // â before the general punctuation, currency signs, arrows and symbols; ï before the byte order mark, the
            // full-width forms and the replacement character.
            [0xe2, 0x99, _] => true,
            [0xe2, 0x80..=0x9f, _] | [0xef, 0xbb..=0xbd | 0xbf, _] => !all_punctuation,
            // Small accented letters end words: nothing that may follow a word makes it clear.
            [_, second, _] => {
                let may_follow = |&c: &char| is_punctuation(c) || c.is_alphabetic();
                second != 0xa0 && !continuations.iter().any(may_follow)
            }
            // ð before the planes of emoji and old scripts.
            [0xf0, 0x90..=0x9f, _, _] => true,
            // Ã or Â before a space inside a text: no capital ends a word in small letters.
            [] => follows_small,
            _ => false,
        }
    }
}

/// Punctuation that can stand between two letters.
fn may_join(character: char) -> bool {
    matches!(character, '\u{a0}' | '\u{b4}' | '\u{b7}' | '\u{2013}' | '\u{2014}' | '\u{2019}' | '\u{2026}')
}

/// Characters that stand directly after a word.
fn is_punctuation(character: char) -> bool {
    matches!(
        character,
        '\u{a0}'
            | '\u{a9}'
            | '\u{ab}'
            | '\u{ae}'
            | '\u{b0}'
            | '\u{b2}'
            | '\u{b3}'
            | '\u{b4}'
            | '\u{b7}'
            | '\u{b9}'
            | '\u{bb}'
            | '\u{2013}'
            | '\u{2014}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{201c}'
            | '\u{201d}'
            | '\u{2026}'
            | '\u{203a}'
            | '\u{2122}'
    )
}

/// Characters that open a quotation.
fn opens(character: char) -> bool {
    matches!(
        character,
        '"' | '\'' | '(' | '[' | '\u{ab}' | '\u{2018}' | '\u{201a}' | '\u{201c}' | '\u{201e}' | '\u{2039}'
    )
}
