//! `upper_ratio`: the share of capitals.

use super::{Eval, Example, Function, TEXT, share};

pub(super) const FUNCTION: Function = Function {
    name: "upper_ratio",
    summary: "the share of capitals among the letters",
    docs: "\
The share of capital letters among all letters: near 1 for a text that shouts. A script without capitals counts as small
letters. Null for a text without letters.",
    parameter: TEXT,
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example { input: "WHERE is my CARD", output: "0.6923076923076923" },
        Example { input: "Ab1!", output: "0.5" },
        Example { input: "\u{65e5}\u{672c}", output: "0" },
        Example { input: "123", output: "null" },
        Example { input: "", output: "null" },
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(text: &str) -> Option<f64> {
    share(text, char::is_alphabetic, char::is_uppercase)
}
