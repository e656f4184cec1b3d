//! `repeated_ngrams`: how much of a text repeats runs of words.

use super::Argument::Whole;
use super::{Constants, Eval, Example, Function, Parameter, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "repeated_ngrams",
    summary: "the share of the characters in runs of n words that stood in the text before",
    docs: "\
Reads the text from its start; where a run of `n` words stood in it before, its characters (spaces between the words left out) are
added up and reading goes on behind it, so that no word is counted twice. The sum as a share of the text's characters is Gopher's
measure of duplicate n-grams. Marks between words count as words, upper and lower case differ. 0 for a text with fewer words,
null for the empty one.",
    parameters: &[TEXT, Parameter::whole("n", 1, 100)],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::with("to be or not to be", &[Whole(2)], "0.2222222222222222"),
        Example::with("to be or not to be", &[Whole(3)], "0"),
        Example::with("one", &[Whole(5)], "0"),
        Example::with("", &[Whole(5)], "null"),
    ],
    version: 2,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Option<f64> {
    of.share_of_chars(of.repeated_runs(constants.whole(0)))
}
