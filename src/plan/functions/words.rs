//! `words`: how many words, by Unicode's word boundaries.

use unicode_segmentation::UnicodeSegmentation;

use super::{Eval, Example, Function, TEXT, count};

pub(super) const FUNCTION: Function = Function {
    name: "words",
    summary: "counts words, by Unicode's word boundaries",
    docs: "\
The number of words by Unicode's default word boundaries (UAX #29): the segments that hold a letter or a digit.
Punctuation is no word, an apostrophe or a point inside a word or a number does not split it, a hyphen does. The counts
of tools that split at whitespace differ: `well-known` is two words here and one there, a dash between spaces none here
and one there. Chinese and Japanese are written without spaces: each ideograph and each hiragana counts as a word, a run
of katakana as one. Near-duplicate detection uses the same words.",
    parameter: TEXT,
    result: Eval::Count(eval).result(),
    examples: &[
        Example { input: "Where is my card?", output: "4" },
        Example { input: "don't", output: "1" },
        Example { input: "a well-known fact \u{2013} 3.5 %", output: "5" },
        Example { input: "\u{65e5}\u{672c}\u{8a9e}", output: "3" },
        Example { input: "?! \u{2026}", output: "0" },
        Example { input: "", output: "0" },
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(text: &str) -> i64 {
    count(text.unicode_words())
}
