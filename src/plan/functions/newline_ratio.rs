//! `newline_ratio`: line breaks for each word.

use super::{Constants, Eval, Example, Function, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "newline_ratio",
    summary: "how many line feeds there are for each word",
    docs: "\
The number of line feeds for each word, the marks between words counted among them: FineWeb's sign of a list. It may be above 1;
null for a text without words and marks.",
    parameters: &[TEXT],
    result: Eval::Amount(eval).result(),
    examples: &[
        Example::of("red\ngreen\nblue\n", "1"),
        Example::of("Where is it?\n", "0.25"),
        Example::of("\n\n", "null"),
        Example::of("", "null"),
    ],
    version: 2,
    eval: Eval::Amount(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    let pieces = of.pieces().len();
    let breaks = memchr::memchr_iter(b'\n', of.text().as_bytes()).count();
    (pieces > 0).then(|| breaks as f64 / pieces as f64)
}
