//! `lines`: how many lines.

use super::{Eval, Example, Function, TEXT, count};

pub(super) const FUNCTION: Function = Function {
    name: "lines",
    summary: "counts lines",
    docs: "\
The number of lines: a line ends at a line feed (after a carriage return or not) or at the end of the text. A line break
at the very end begins no further line, empty lines count, and the empty text has none.",
    parameter: TEXT,
    result: Eval::Count(eval).result(),
    examples: &[
        Example { input: "one", output: "1" },
        Example { input: "one\r\ntwo\n", output: "2" },
        Example { input: "one\n\nthree", output: "3" },
        Example { input: "", output: "0" },
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(text: &str) -> i64 {
    count(text.lines())
}
