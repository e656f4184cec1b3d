//! `ellipsis_lines`: the share of lines that are cut off.

use super::{Constants, Eval, Example, Function, Parts, TEXT, share_of};

pub(super) const FUNCTION: Function = Function {
    name: "ellipsis_lines",
    summary: "the share of lines that end in an ellipsis",
    docs: "\
The share of lines that end, whitespace aside, in `...` or `\u{2026}`: teasers and search results are cut off so. Lines are those
of `lines`: empty ones count. Null for a text without lines.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("The bank has said...\nRead more\u{2026} \nThe end.", "0.6666666666666666"),
        Example::of("and ... so on", "0"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    share_of(of.lines(), |line| {
        let line = line.trim_end();
        line.ends_with("...") || line.ends_with('\u{2026}')
    })
}
