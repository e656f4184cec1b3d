//! `chars`: how many code points.

use super::{Eval, Example, Function, TEXT, count};

pub(super) const FUNCTION: Function = Function {
    name: "chars",
    summary: "counts Unicode code points",
    docs: "\
The number of Unicode code points (scalar values), not of bytes and not of what a reader sees as one character: a letter
with a combining accent counts 2, a family emoji up to 7. Composing with `nfc` first brings the number nearer to what is
seen.",
    parameter: TEXT,
    result: Eval::Count(eval).result(),
    examples: &[
        Example { input: "caf\u{e9}", output: "4" },
        Example { input: "cafe\u{301}", output: "5" },
        Example { input: "\u{65e5}\u{672c}\u{8a9e}", output: "3" },
        Example { input: "", output: "0" },
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(text: &str) -> i64 {
    count(text.chars())
}
