//! `words`: how many words, by Unicode's word boundaries.

use super::{Constants, Eval, Example, Function, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "words",
    summary: "counts words, by Unicode's word boundaries",
    docs: "\
The number of words by Unicode's default word boundaries (UAX #29): the segments that hold a letter or a digit.
Punctuation is no word, an apostrophe or a point inside a word or a number does not split it, a hyphen does. The counts
of tools that split at whitespace differ: `well-known` is two words here and one there, a dash between spaces none here
and one there. Chinese and Japanese are written without spaces: each ideograph and each hiragana counts as a word, a run
of katakana as one. Near-duplicate detection uses the same words.",
    parameters: &[TEXT],
    result: Eval::Count(eval).result(),
    examples: &[
        Example::of("Where is my card?", "4"),
        Example::of("don't", "1"),
        Example::of("a well-known fact \u{2013} 3.5 %", "5"),
        Example::of("\u{65e5}\u{672c}\u{8a9e}", "3"),
        Example::of("?! \u{2026}", "0"),
        Example::of("", "0"),
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> i64 {
    whole(of.words())
}
