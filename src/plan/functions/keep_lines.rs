//! `keep_lines`: the lines with a pattern.

use std::borrow::Cow;

use super::Argument::Text;
use super::line_wise::map_lines;
use super::{Constants, Eval, Example, Function, Parameter, ParameterKind, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "keep_lines",
    summary: "keeps the lines in which a pattern is found",
    docs: "\
Takes out each line in which the pattern is not found. `^` and `$` are the start and the end of the line. The lines are parted by
a line feed afterwards; a line break at the end of the text stays.",
    parameters: &[TEXT, Parameter::of("pattern", ParameterKind::Pattern)],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::with("Menu\nWhere is my card?\nIt is here.", &[Text("[.?!]$")], "Where is my card?\nIt is here."),
        Example::with("a\r\nb\r\n", &[Text("b")], "b\n"),
        Example::with("a\n", &[Text("b")], ""),
        Example::with("", &[Text("b")], ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, constants: &Constants) -> Cow<'t, str> {
    let pattern = constants.pattern(0);
    map_lines(text, |line| pattern.is_match(line).then_some(line))
}
