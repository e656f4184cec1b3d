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
    if is_collapsed(text) {
        return Cow::Borrowed(text);
    }
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    Cow::Owned(collapsed)
}

/// Whether each whitespace character is a single space between two others.
fn is_collapsed(text: &str) -> bool {
    let mut after_space = true;
    let mut ascii = true;
    for byte in text.bytes() {
        if byte == b' ' && after_space || matches!(byte, b'\t'..=b'\r') {
            return false;
        }
        after_space = byte == b' ';
        ascii &= byte.is_ascii();
    }
    // Beyond ASCII no whitespace is a space.
    (text.is_empty() || !after_space) && (ascii || !text.chars().any(|one| !one.is_ascii() && one.is_whitespace()))
}
