//! `nfkc`: compatibility composition.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::{Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "nfkc",
    summary: "composes, and replaces look-alike forms by the plain character (Unicode NFKC)",
    docs: "\
Brings the text into Unicode's compatibility form, NFKC (UAX #15): besides what `nfc` does, ligatures, full-width
letters, circled and superscript digits, the no-break space and the like become the plain characters. This loses
information (`2\u{2075}` becomes `25`), so `nfc` is the safer choice where the text is to be written out again.",
    parameter: TEXT,
    result: Eval::Text(eval).result(),
    examples: &[
        Example { input: "\u{fb01}ne", output: "fine" },
        Example { input: "\u{ff21}\u{ff22}\u{ff23} \u{2460}", output: "ABC 1" },
        Example { input: "10\u{a0}km\u{b2}", output: "10 km2" },
        Example { input: "", output: "" },
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval(text: &str) -> Cow<'_, str> {
    match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfkc().collect()),
    }
}
