//! `alpha_ratio`: the share of letters.

use super::{Eval, Example, Function, TEXT, share};

pub(super) const FUNCTION: Function = Function {
    name: "alpha_ratio",
    summary: "the share of letters among the characters, whitespace aside",
    docs: "\
The share of letters (Unicode's `Alphabetic` property) among the characters that are not whitespace: plain prose is near 1
whatever the length of its words, a table of numbers near 0. Null for a text without such characters.",
    parameter: TEXT,
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example { input: "Where is my card?", output: "0.9285714285714286" },
        Example { input: "a1 b2", output: "0.5" },
        Example { input: "\u{65e5}\u{672c}\u{8a9e}", output: "1" },
        Example { input: "12:30", output: "0" },
        Example { input: " \n", output: "null" },
        Example { input: "", output: "null" },
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(text: &str) -> Option<f64> {
    share(text, |character| !character.is_whitespace(), char::is_alphabetic)
}
