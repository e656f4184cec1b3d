//! `lines`: how many lines.

use super::{Constants, Eval, Example, Function, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "lines",
    summary: "counts lines",
    docs: "\
The number of lines: a line ends at a line feed (after a carriage return or not) or at the end of the text. A line break
at the very end begins no further line, empty lines count, and the empty text has none.",
    parameters: &[TEXT],
    result: Eval::Count(eval).result(),
    examples: &[
        Example::of("one", "1"),
        Example::of("one\r\ntwo\n", "2"),
        Example::of("one\n\nthree", "3"),
        Example::of("", "0"),
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> i64 {
    whole(of.lines().count())
}
