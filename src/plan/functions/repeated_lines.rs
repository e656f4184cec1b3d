//! `repeated_lines`: the share of lines that stood there before.

use super::Argument::Text;
use super::parts::{Repeats, between_breaks};
use super::{Constants, Eval, Example, Function, Parameter, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "repeated_lines",
    summary: "the share of lines that stood in the text before, or of their characters",
    docs: "\
The share of lines that are the same as one before. By `count`, each line counts as one: what stands between line breaks, several
of which part as one does; an empty line at the start or the end counts too. By `chars`, the characters of the repeated lines are taken as a share
of the text's. Both are the definitions of the public implementations of Gopher's filter. By `line_chars` blank lines are left
out and line breaks do not count among the text's characters, which is FineWeb's definition. Null for the empty text.",
    parameters: &[TEXT, Parameter::word("by", &["count", "chars", "line_chars"], "count")],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::with("one\ntwo\none\none", &[Text("count")], "0.5"),
        Example::with("one\n\n\ntwo", &[Text("count")], "0"),
        Example::with("ab\nab", &[Text("chars")], "0.4"),
        Example::with("ab\nab", &[Text("line_chars")], "0.5"),
        Example::with("\n", &[Text("line_chars")], "null"),
        Example::with("", &[Text("count")], "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Option<f64> {
    if of.text().is_empty() {
        return None;
    }
    let repeats = || Repeats::among(between_breaks(of.text(), 1));
    match constants.text(0) {
        "chars" => of.share_of_chars(repeats().repeated_chars),
        "line_chars" => {
            let chars = of.chars() - memchr::memchr_iter(b'\n', of.text().as_bytes()).count();
            (chars > 0).then(|| Repeats::among(of.full_lines()).repeated_chars as f64 / chars as f64)
        }
        _ => repeats().share(),
    }
}
