//! `nfkc`: compatibility composition.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "nfkc",
    summary: "composes, and replaces look-alike forms by the plain character (Unicode NFKC)",
    docs: "\
Brings the text into Unicode's compatibility form, NFKC (UAX #15): besides what `nfc` does, ligatures, full-width
letters, circled and superscript digits, the no-break space and the like become the plain characters. This loses
information (`2\u{2075}` becomes `25`), so `nfc` is the safer choice where the text is to be written out again.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("\u{fb01}ne", "fine"),
        Example::of("\u{ff21}\u{ff22}\u{ff23} \u{2460}", "ABC 1"),
        Example::of("10\u{a0}km\u{b2}", "10 km2"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfkc().collect()),
    }
}
