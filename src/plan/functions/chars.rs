//! `chars`: how many code points.

use super::{Constants, Eval, Example, Function, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "chars",
    summary: "counts Unicode code points",
    docs: "\
The number of Unicode code points (scalar values), not of bytes and not of what a reader sees as one character: a letter
with a combining accent counts 2, a family emoji up to 7. Composing with `nfc` first brings the number nearer to what is
seen.",
    parameters: &[TEXT],
    result: Eval::Count(eval).result(),
    examples: &[
        Example::of("caf\u{e9}", "4"),
        Example::of("cafe\u{301}", "5"),
        Example::of("\u{65e5}\u{672c}\u{8a9e}", "3"),
        Example::of("", "0"),
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> i64 {
    whole(of.chars())
}
