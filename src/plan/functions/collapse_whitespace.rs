//! `collapse_whitespace`: one space for each run of whitespace.

use std::borrow::Cow;

use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "collapse_whitespace",
    summary: "makes each run of whitespace one space and trims the ends",
    docs: "\
Replaces each run of whitespace by one space and removes it at both ends. Whitespace is what Unicode's `White_Space`
property says: spaces, tabs, line breaks, the no-break space (U+00A0), the ideographic space (U+3000) and the rest.
Lines are joined by it, so measure `lines` before. Zero-width characters are no whitespace and stay.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("Where  is my card?", "Where is my card?"),
        Example::of(" \t one\r\n\n two\u{a0}\u{3000}three ", "one two three"),
        Example::of(" \n ", ""),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    let text = text.trim();
    let (mut collapsed, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(next) = next_suspect(text.as_bytes(), at) {
        let rest = &text[next..];
        let behind = rest.trim_start();
        if behind.len() == rest.len() {
            at = next + rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        // A single space before what is no single space belongs to the same run.
        let start = text[..next].trim_end().len();
        at = text.len() - behind.len();
        collapsed.push_str(&text[copied..start]);
        collapsed.push(' ');
        copied = at;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    collapsed.push_str(&text[copied..]);
    Cow::Owned(collapsed)
}

/// The next place from `from` on where whitespace may begin that is no single space.
fn next_suspect(bytes: &[u8], from: usize) -> Option<usize> {
    // Blocks are looked at without branches, which a processor does many bytes at a time.
    const BLOCK: usize = 32;
    let mut at = from;
    while let (Some(block), Some(next)) = (bytes.get(at..at + BLOCK), bytes.get(at + 1..at + 1 + BLOCK)) {
        if block.iter().zip(next).fold(false, |found, (byte, next)| found | is_suspect(*byte, *next)) {
            break;
        }
        at += BLOCK;
    }
    let next = |at: usize| bytes.get(at + 1).copied().unwrap_or_default();
    (at..bytes.len()).find(|&at| is_suspect(bytes[at], next(at)))
}

/// Whether a byte may begin whitespace that is no single space: beyond ASCII, whitespace has one of four first bytes.
fn is_suspect(byte: u8, next: u8) -> bool {
    (byte.wrapping_sub(b'\t') < 5) | ((byte == b' ') & (next == b' ')) | (byte == 0xc2) | (byte.wrapping_sub(0xe1) < 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the standard library does word by word.
    fn word_by_word(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_whitespace_character_is_known() {
        // The last one of Unicode's is the ideographic space, U+3000.
        for one in (0..0x3100).filter_map(char::from_u32) {
            let text = format!("{:40}a{one}b {one}c{one} d", "x");
            assert_eq!(eval(&text, &Constants::default()), word_by_word(&text), "{one:?}");
        }
    }

    proptest! {
        #[test]
        fn words_are_joined_by_one_space(text in "([a-c]{1,12}|[ \t\n]|[\u{85}\u{a0}\u{3000}\u{2003}]|[éあ。🙂\u{200b}]){0,60}") {
            prop_assert_eq!(eval(&text, &Constants::default()), word_by_word(&text));
        }
    }
}
