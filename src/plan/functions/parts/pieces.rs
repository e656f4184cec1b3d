//! A text cut into words and marks as the filters of web data cut it.
//!
//! The public implementations of these filters take spaCy's English tokenizer, and their thresholds were chosen with such
//! words: an address is one word, `well-known` is three pieces, `don't` is two. These are its rules, with the commonest of its
//! exceptions (abbreviations) and without the others (units, emoticons): what stands between whitespace loses marks at its start and end, one after the other; what is
//! left is an address, or is cut at marks between letters.

use std::sync::LazyLock;

use regex::Regex;

use crate::plan::functions::classes::{PUNCTUATION, SYMBOL};

/// A word, or a mark: a sign of punctuation, a symbol, an ellipsis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Piece<'t> {
    pub(in super::super) text: &'t str,
    /// Its code points.
    pub(in super::super) chars: usize,
    /// Whether it holds anything but punctuation.
    pub(in super::super) is_word: bool,
}

/// The words and marks of a text in order.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    // A word of English has less than five letters, and a space after it.
    let mut pieces = Vec::with_capacity(text.len() / 5 + 1);
    for chunk in text.split_whitespace() {
        if chunk.bytes().all(|byte| byte.is_ascii_alphanumeric()) && chunk != CANNOT {
            pieces.push(Piece { text: chunk, chars: chunk.len(), is_word: true });
        } else {
            cut(chunk, &mut pieces);
        }
    }
    pieces
}

fn piece(text: &str) -> Piece<'_> {
    let chars = if text.is_ascii() { text.len() } else { text.chars().count() };
    Piece { text, chars, is_word: !text.chars().all(is_punctuation) }
}

/// Punctuation, and the signs of ASCII that keyboards have beside it.
fn is_punctuation(character: char) -> bool {
    match character {
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => true,
        other => other.is_control() || PUNCTUATION.holds(other),
    }
}

/// Adds the pieces of what stands between whitespace.
fn cut<'t>(chunk: &'t str, pieces: &mut Vec<Piece<'t>>) {
    let mut core = chunk;
    let mut behind: Vec<&str> = Vec::new();
    loop {
        if is_whole(core) {
            pieces.push(piece(core));
            core = "";
            break;
        }
        let before = core.len();
        let prefix = prefix(core);
        if prefix > 0 {
            pieces.push(piece(&core[..prefix]));
            core = &core[prefix..];
            if is_whole(core) {
                continue;
            }
        }
        let suffix = suffix(core);
        if suffix > 0 {
            behind.push(&core[core.len() - suffix..]);
            core = &core[..core.len() - suffix];
        }
        if core.len() == before || core.is_empty() {
            break;
        }
    }
    if core == CANNOT {
        pieces.extend([piece("can"), piece("not")]);
    } else if is_address(core) {
        pieces.push(piece(core));
    } else {
        cut_inside(core, pieces);
    }
    pieces.extend(behind.into_iter().rev().map(piece));
}

/// One word of two.
const CANNOT: &str = "cannot";

/// Abbreviations, which keep their point, and one word with a slash.
const WHOLE: [&str; 33] = [
    "Apr.", "Aug.", "Co.", "Corp.", "Dec.", "Dr.", "E.g.", "Feb.", "I.e.", "Inc.", "Jan.", "Jr.", "Jul.", "Jun.",
    "Ltd.", "Mar.", "Mr.", "Mrs.", "Ms.", "Mt.", "Nov.", "Oct.", "Prof.", "Rev.", "Sep.", "Sept.", "Sr.", "St.",
    "and/or", "e.g.", "i.e.", "v.s.", "vs.",
];

/// Whether a word is one of the exceptions that stay as they are: an abbreviation, or a single letter with a point.
fn is_whole(word: &str) -> bool {
    match word.as_bytes() {
        [b'a'..=b'z', b'.'] => true,
        [_, _, _, ..] if word.len() <= 6 => WHOLE.binary_search(&word).is_ok(),
        _ => false,
    }
}

/// The length of the mark at the start of a word; 0 where there is none.
fn prefix(word: &str) -> usize {
    let mut characters = word.chars();
    let Some(first) = characters.next() else { return 0 };
    match first {
        '.' => Some(dots(word.bytes())).filter(|length| *length > 1).unwrap_or(0),
        '+' if characters.next().is_none_or(|next| !next.is_ascii_digit()) => 1,
        '\u{a7}' | '%' | '=' => first.len_utf8(),
        mark if is_affix(mark) || is_currency(mark) => mark.len_utf8(),
        _ => 0,
    }
}

/// The length of the mark at the end of a word; 0 where there is none.
fn suffix(word: &str) -> usize {
    let mut characters = word.chars().rev();
    let Some(last) = characters.next() else { return 0 };
    let before = characters.next();
    let after_digit = before.is_some_and(|before| before.is_ascii_digit());
    match last {
        's' | 'S' if matches!(before, Some('\'' | '\u{2019}')) => 1 + before.map_or(0, char::len_utf8),
        '.' => match dots(word.bytes().rev()) {
            1 => {
                let second = characters.next();
                let ends = before.is_some_and(ends_before_point)
                    || before.is_some_and(char::is_uppercase) && second.is_some_and(char::is_uppercase);
                usize::from(ends)
            }
            length => length,
        },
        '+' | '%' if after_digit => 1,
        mark if is_currency(mark) && after_digit => mark.len_utf8(),
        mark if is_affix(mark) => mark.len_utf8(),
        _ => 0,
    }
}

/// Whether a point behind a character ends a sentence; behind a capital it ends an abbreviation.
fn ends_before_point(character: char) -> bool {
    character.is_lowercase()
        || character.is_ascii_digit()
        || matches!(character, '%' | '\u{b2}' | '-' | '+')
        || is_affix(character)
}

fn dots(bytes: impl Iterator<Item = u8>) -> usize {
    bytes.take_while(|byte| *byte == b'.').count()
}

/// The marks that are parted from words wherever they begin or end one.
fn is_affix(character: char) -> bool {
    match character {
        ',' | ':' | ';' | '!' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '_' | '#' | '*' | '&' => true,
        '\'' | '"' | '`' | '\u{b4}' => true,
        ascii if ascii.is_ascii() => false,
        // Hyphens stay with their word; long dashes, quotes and brackets of all scripts do not.
        '\u{2010}' | '\u{2011}' => false,
        other => PUNCTUATION.holds(other) || SYMBOL.holds(other),
    }
}

fn is_currency(character: char) -> bool {
    matches!(character, '$' | '\u{a3}' | '\u{a5}' | '\u{20a0}'..='\u{20bf}' | '\u{e3f}' | '\u{fdfc}')
}

/// Whether a word is an address: with a scheme or without, a host in small letters and what follows it.
fn is_address(word: &str) -> bool {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(?:[\w+.-]{2,}://)?(?:\S+@)?(?:[\p{Ll}\p{Lo}0-9][\p{Ll}\p{Lo}0-9_-]*\.)+[\p{Ll}\p{Lo}]{2,}\.?(?::\d{2,5})?(?:[/?#]\S*)?$",
        )
        .expect("the pattern is a regex")
    });
    word.contains('.') && ADDRESS.is_match(word)
}

/// Adds the pieces of a word without marks around it: cut at marks between letters or digits.
fn cut_inside<'t>(word: &'t str, pieces: &mut Vec<Piece<'t>>) {
    let mut start = 0;
    let mut before: Option<char> = None;
    let mut at = 0;
    while let Some(character) = word[at..].chars().next() {
        let length = mark_inside(before, &word[at..]);
        if length > 0 && at > start {
            push_word(&word[start..at], pieces);
        }
        if length > 0 {
            pieces.push(piece(&word[at..at + length]));
            start = at + length;
        }
        let step = length.max(character.len_utf8());
        before = word[at..at + step].chars().next_back();
        at += step;
    }
    if start < word.len() {
        push_word(&word[start..], pieces);
    }
}

/// The length of the mark at the start of the rest of a word, which parts what stands before it from what follows.
fn mark_inside(before: Option<char>, rest: &str) -> usize {
    let mut characters = rest.chars();
    let Some(mark) = characters.next() else { return 0 };
    if mark.is_ascii_alphanumeric() {
        return 0;
    }
    let next = characters.next();
    let (Some(before), Some(after)) = (before, next) else { return usize::from(false) };
    let alphabetic = before.is_alphabetic();
    let word_before = alphabetic || before.is_ascii_digit();
    match mark {
        '.' => match dots(rest.bytes()) {
            1 => usize::from(is_lower_or_quote(before) && is_upper_or_quote(after)),
            length => length,
        },
        '\u{2026}' => mark.len_utf8(),
        ',' => usize::from(alphabetic && after.is_alphabetic()),
        '+' | '*' | '^' => usize::from(before.is_ascii_digit() && (after.is_ascii_digit() || after == '-')),
        ':' | '<' | '>' | '=' | '/' => usize::from(word_before && after.is_alphabetic()),
        '-' | '~' | '\u{2013}' | '\u{2014}' => {
            let run = rest.chars().take_while(|other| *other == mark).count().min(3);
            let follows = rest.chars().nth(run);
            let numbers = before.is_ascii_digit() && mark == '-' && after.is_ascii_digit();
            let words = word_before && follows.is_some_and(char::is_alphabetic);
            if numbers {
                1
            } else if words {
                run * mark.len_utf8()
            } else {
                0
            }
        }
        other if !other.is_ascii() && SYMBOL.holds(other) => other.len_utf8(),
        _ => 0,
    }
}

fn is_lower_or_quote(character: char) -> bool {
    character.is_lowercase() || matches!(character, '\'' | '"' | '\u{201d}' | '\u{2019}')
}

fn is_upper_or_quote(character: char) -> bool {
    character.is_uppercase() || matches!(character, '\'' | '"' | '\u{201c}' | '\u{2018}')
}

/// Adds a word; what English contracts is parted: `do` and `n't`, `I` and `'m`.
fn push_word<'t>(word: &'t str, pieces: &mut Vec<Piece<'t>>) {
    const ENDS: [&str; 12] = [
        "n't",
        "n\u{2019}t",
        "'m",
        "\u{2019}m",
        "'re",
        "\u{2019}re",
        "'ve",
        "\u{2019}ve",
        "'ll",
        "\u{2019}ll",
        "'d",
        "\u{2019}d",
    ];
    let may = word.len() < 16 && word.bytes().any(|byte| byte == b'\'' || byte == 0xe2);
    let end = ENDS.iter().filter(|_| may).find(|end| word.len() > end.len() && word.ends_with(**end));
    match end {
        Some(end) => pieces.extend([piece(&word[..word.len() - end.len()]), piece(&word[word.len() - end.len()..])]),
        None => pieces.push(piece(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_the_filters() {
        for (text, expected) in [
            ("I am Frank, I am.", "I am Frank , I am ."),
            ("'So do I,' said -- well ... don't!?", "' So do I , ' said -- well ... do n't ! ?"),
            ("a well-known #tag (3.5%) 2-3", "a well - known # tag ( 3.5 % ) 2 - 3"),
            (
                "see [#12](https://example.org/a-b/c), www.example.org.",
                "see [ # 12](https://example.org / a - b / c ) , www.example.org .",
            ),
            ("up/down end.Start U.S. I'm it's", "up / down end . Start U.S. I 'm it 's"),
            (
                "caf\u{e9}\u{201d} \u{2026} x\u{3000}\u{20ac}5 wait...",
                "caf\u{e9} \u{201d} \u{2026} x \u{20ac} 5 wait ...",
            ),
            ("(e.g. Dr. X, and/or b.) cannot go.", "( e.g. Dr. X , and/or b. ) can not go ."),
            ("", ""),
        ] {
            let found: Vec<&str> = pieces(text).iter().map(|piece| piece.text).collect();
            assert_eq!(found.join(" "), expected, "{text:?}");
        }
        assert!(WHOLE.is_sorted(), "for the binary search");
        let marks: Vec<bool> = pieces("+ ok -- \u{201c} 1 _ \u{1f600}").iter().map(|piece| piece.is_word).collect();
        assert_eq!(marks, [false, true, false, false, true, false, true]);
    }
}
