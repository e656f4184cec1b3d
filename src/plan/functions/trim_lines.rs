//! `trim_lines`: no whitespace around lines.

use std::borrow::Cow;

use super::line_wise::map_lines;
use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "trim_lines",
    summary: "removes whitespace at both ends of each line and around the text",
    docs: "\
Removes whitespace at both ends of each line, and blank lines at the start and the end of the text; those inside stay. The lines
are parted by a line feed afterwards, whatever parted them before (CR LF, or a line feed).",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("\n  Where is \r\n\n\tmy card? \n", "Where is\n\nmy card?"),
        Example::of("one\ntwo", "one\ntwo"),
        Example::of(" ", ""),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    map_lines(text.trim(), |line| Some(line.trim()))
}
