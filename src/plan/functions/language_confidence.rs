//! `language_confidence`: how sure the detector is.

use super::{Constants, Eval, Example, Function, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "language_confidence",
    summary: "how sure it is of the language, from 0 to 1",
    docs: "\
The detector's confidence in the language that it holds for the likeliest, whether or not it is enough for `language` to name it
(that takes more than 0.8 in the Latin script and more than 0.4 in others). Short texts are low in every language. Null
for a text without letters of a script that it knows.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("\u{3b4}\u{3b5}\u{3bd}", "1"),
        Example::of("12:30 ?!", "null"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    of.language().map(|info| info.confidence().clamp(0.0, 1.0))
}
