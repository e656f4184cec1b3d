//! `alpha_ratio`: the share of letters.

use super::{Constants, Eval, Example, Function, Parts, TEXT, share};

pub(super) const FUNCTION: Function = Function {
    name: "alpha_ratio",
    summary: "the share of letters among the characters, whitespace aside",
    docs: "\
The share of letters (Unicode's `Alphabetic` property) among the characters that are not whitespace: plain prose is near 1
whatever the length of its words, a table of numbers near 0. Null for a text without such characters.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("Where is my card?", "0.9285714285714286"),
        Example::of("a1 b2", "0.5"),
        Example::of("\u{65e5}\u{672c}\u{8a9e}", "1"),
        Example::of("12:30", "0"),
        Example::of(" \n", "null"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    share(of.text(), |character| !character.is_whitespace(), char::is_alphabetic)
}
