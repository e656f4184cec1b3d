//! `digit_ratio`: the share of digits.

use super::{Eval, Example, Function, TEXT, share};

pub(super) const FUNCTION: Function = Function {
    name: "digit_ratio",
    summary: "the share of digits among the characters, whitespace aside",
    docs: "\
The share of decimal and other digits (Unicode's category N) among the characters that are not whitespace. Null for a text
without such characters.",
    parameter: TEXT,
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example { input: "a1 b2", output: "0.5" },
        Example { input: "2024", output: "1" },
        Example { input: "no digits", output: "0" },
        Example { input: "", output: "null" },
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(text: &str) -> Option<f64> {
    share(text, |character| !character.is_whitespace(), char::is_numeric)
}
