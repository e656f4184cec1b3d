//! `digit_ratio`: the share of digits.

use super::{Constants, Eval, Example, Function, Parts, TEXT, share};

pub(super) const FUNCTION: Function = Function {
    name: "digit_ratio",
    summary: "the share of digits among the characters, whitespace aside",
    docs: "\
The share of decimal and other digits (Unicode's category N) among the characters that are not whitespace. Null for a text
without such characters.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("a1 b2", "0.5"),
        Example::of("2024", "1"),
        Example::of("no digits", "0"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    share(of.text(), |character| !character.is_whitespace(), char::is_numeric)
}
