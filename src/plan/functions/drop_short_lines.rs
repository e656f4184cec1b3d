//! `drop_short_lines`: no lines of few words.

use std::borrow::Cow;

use super::Argument::Whole;
use super::line_wise::map_lines;
use super::{Constants, Eval, Example, Function, Parameter, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "drop_short_lines",
    summary: "takes out the lines with fewer words than so many",
    docs: "\
Takes out each line with fewer than `least` words. Words are what stands between whitespace here, as C4 counts them. The lines
are parted by a line feed afterwards; a line break at the end of the text stays.",
    parameters: &[TEXT, Parameter::whole("least", 1, 1_000_000)],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::with("Home\nContact us\nWhere is my card?", &[Whole(3)], "Where is my card?"),
        Example::with("one\n\ntwo", &[Whole(1)], "one\ntwo"),
        Example::with("one", &[Whole(1)], "one"),
        Example::with("", &[Whole(1)], ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, constants: &Constants) -> Cow<'t, str> {
    let last = constants.whole(0) - 1;
    map_lines(text, |line| line.split_whitespace().nth(last).map(|_| line))
}
