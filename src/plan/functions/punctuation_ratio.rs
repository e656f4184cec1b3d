//! `punctuation_ratio`: the share of punctuation.

use super::classes::PUNCTUATION;
use super::{Constants, Eval, Example, Function, Parts, TEXT, share};

pub(super) const FUNCTION: Function = Function {
    name: "punctuation_ratio",
    summary: "the share of punctuation among the characters, whitespace aside",
    docs: "\
The share of punctuation (Unicode's category P: points, commas, quotes, dashes, brackets, `#`, `@`, `%`, `&`) among the characters
that are not whitespace. Symbols such as `+`, `$` and `<` (category S) are none. Null for a text without such characters.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("No.", "0.3333333333333333"),
        Example::of("\u{201c}a\u{201d} \u{2013}", "0.75"),
        Example::of("1 + 1 = 2", "0"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    let class = &*PUNCTUATION;
    share(of.text(), |character| !character.is_whitespace(), |character| class.holds(character))
}
