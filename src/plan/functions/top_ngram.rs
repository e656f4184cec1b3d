//! `top_ngram`: how much of a text its most frequent run of words makes up.

use super::Argument::Whole;
use super::{Constants, Eval, Example, Function, Parameter, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "top_ngram",
    summary: "the share of the characters that the most frequent run of n words makes up",
    docs: "\
The characters of the most frequent run of `n` words, a space between two of them, times how often it occurs, as a share of the
text's characters: Gopher's measure of a text that says the same over and over. Marks between words count as words, upper and
lower case differ, and of several runs that occur equally often the first counts. Runs overlap, so a text of one word may be above
1. Null for a text with fewer words.",
    parameters: &[TEXT, Parameter::whole("n", 1, 100)],
    result: Eval::Amount(eval).result(),
    examples: &[
        Example::with("I am Frank, I am Frank, I am Frank", &[Whole(2)], "0.35294117647058826"),
        Example::with("I am Frank", &[Whole(3)], "1"),
        Example::with("a a a a", &[Whole(2)], "1.2857142857142858"),
        Example::with("I am", &[Whole(3)], "null"),
        Example::with("", &[Whole(2)], "null"),
    ],
    version: 2,
    eval: Eval::Amount(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Option<f64> {
    let (count, chars) = of.top_run(constants.whole(0))?;
    of.share_of_chars(count * chars)
}
