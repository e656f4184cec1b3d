//! `replace`: another text for each match of a pattern.

use std::borrow::Cow;

use super::Argument::Text;
use super::{Constants, Eval, Example, Function, Parameter, ParameterKind, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "replace",
    summary: "replaces each match of a pattern",
    docs: "\
Replaces each match of the regex, from left to right, by a text. In it `$1` and `${name}` are what the groups matched, and `$$` is
a dollar sign; a group that does not exist is empty.",
    parameters: &[TEXT, Parameter::of("pattern", ParameterKind::Pattern), Parameter::of("with", ParameterKind::Literal)],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::with("call 0800 1234", &[Text(r"\d"), Text("#")], "call #### ####"),
        Example::with("2024-05-01", &[Text(r"(\d+)-(\d+)-(\d+)"), Text("$3.$2.$1")], "01.05.2024"),
        Example::with("a fact [12].", &[Text(r" \[\d*\]"), Text("")], "a fact."),
        Example::with("", &[Text("x"), Text("y")], ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, constants: &Constants) -> Cow<'t, str> {
    constants.pattern(0).replace_all(text, constants.text(1))
}
