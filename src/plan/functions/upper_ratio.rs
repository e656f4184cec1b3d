//! `upper_ratio`: the share of capitals.

use super::{Constants, Eval, Example, Function, Parts, TEXT, share};

pub(super) const FUNCTION: Function = Function {
    name: "upper_ratio",
    summary: "the share of capitals among the letters",
    docs: "\
The share of capital letters among all letters: near 1 for a text that shouts. A script without capitals counts as small
letters. Null for a text without letters.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("WHERE is my CARD", "0.6923076923076923"),
        Example::of("Ab1!", "0.5"),
        Example::of("\u{65e5}\u{672c}", "0"),
        Example::of("123", "null"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    share(of.text(), char::is_alphabetic, char::is_uppercase)
}
