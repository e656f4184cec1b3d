//! `lowercase`: small letters.

use std::borrow::Cow;

use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "lowercase",
    summary: "makes letters small",
    docs: "\
Maps each letter to its small form by Unicode's full, locale-independent mapping. A capital sigma at the end of a word
becomes the final form; a Turkish dotted capital I becomes `i` with a combining dot.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("Where is MY card?", "where is my card?"),
        Example::of("\u{c9}COLE \u{39f}\u{394}\u{39f}\u{3a3}", "\u{e9}cole \u{3bf}\u{3b4}\u{3bf}\u{3c2}"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    if text.is_ascii() {
        let changes = text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if changes { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) };
    }
    let unchanged = |character: char| {
        let mut lower = character.to_lowercase();
        lower.next() == Some(character) && lower.next().is_none()
    };
    if text.chars().all(unchanged) { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}
