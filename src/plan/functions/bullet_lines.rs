//! `bullet_lines`: the share of lines of a list.

use super::{Constants, Eval, Example, Function, Parts, TEXT, share_of};

pub(super) const FUNCTION: Function = Function {
    name: "bullet_lines",
    summary: "the share of lines that begin with a bullet",
    docs: "\
The share of lines whose first character, whitespace aside, is a bullet `\u{2022}` or a hyphen. Lines are those of `lines`: empty ones
count. Null for a text without lines.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("To buy:\n- milk\n \u{2022} bread\n- eggs", "0.75"),
        Example::of("One line - with a hyphen", "0"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    share_of(of.lines(), |line| line.trim_start().starts_with(['\u{2022}', '-']))
}
