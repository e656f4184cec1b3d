//! `nfc`: canonical composition.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "nfc",
    summary: "composes letters and their accents (Unicode NFC)",
    docs: "\
Brings the text into Unicode's canonical composed form, NFC (UAX #15): a letter followed by a combining accent becomes
the one accented letter where there is one. What a reader sees does not change; two texts that look alike for this
reason become equal, which duplicate detection, tokenizers and label look-up need.",
    parameter: TEXT,
    result: Eval::Text(eval).result(),
    examples: &[
        Example { input: "cafe\u{301}", output: "caf\u{e9}" },
        Example { input: "\u{212b}", output: "\u{c5}" },
        Example { input: "\u{fb01}n", output: "\u{fb01}n" },
        Example { input: "", output: "" },
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}
