//! `drop_lines`: the lines without a pattern.

use std::borrow::Cow;

use super::Argument::Text;
use super::line_wise::map_lines;
use super::{Constants, Eval, Example, Function, Parameter, ParameterKind, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "drop_lines",
    summary: "takes out the lines in which a pattern is found",
    docs: "\
Takes out each line in which the pattern is found. `^` and `$` are the start and the end of the line. The lines are parted by
a line feed afterwards; a line break at the end of the text stays.",
    parameters: &[TEXT, Parameter::of("pattern", ParameterKind::Pattern)],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::with("Please enable JavaScript.\nWhere is my card?", &[Text("(?i)javascript")], "Where is my card?"),
        Example::with("one\n\ntwo\n", &[Text("^$")], "one\ntwo\n"),
        Example::with("one", &[Text("two")], "one"),
        Example::with("", &[Text("a")], ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, constants: &Constants) -> Cow<'t, str> {
    let pattern = constants.pattern(0);
    map_lines(text, |line| (!pattern.is_match(line)).then_some(line))
}
