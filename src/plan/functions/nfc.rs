//! `nfc`: canonical composition.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "nfc",
    summary: "composes letters and their accents (Unicode NFC)",
    docs: "\
Brings the text into Unicode's canonical composed form, NFC (UAX #15): a letter followed by a combining accent becomes
the one accented letter where there is one. What a reader sees does not change; two texts that look alike for this
reason become equal, which duplicate detection, tokenizers and label look-up need.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("cafe\u{301}", "caf\u{e9}"),
        Example::of("\u{212b}", "\u{c5}"),
        Example::of("\u{fb01}n", "\u{fb01}n"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    // ASCII is composed by itself, and to see that it is ASCII is far cheaper than to look its characters up.
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}
