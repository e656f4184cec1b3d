//! `alpha_words`: the share of words with a letter.

use super::{Constants, Eval, Example, Function, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "alpha_words",
    summary: "the share of words that hold a letter",
    docs: "\
The share of words that hold a letter, the marks between words counted among them, as Gopher's filter has it: a text of
numbers, code or tables is low. A sign of punctuation is a mark, and so is a run of points or of hyphens. Null for a text
without words and marks.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("Where is it", "1"),
        Example::of("Where is it?", "0.75"),
        Example::of("3 + 4 ...", "0"),
        Example::of(" ", "null"),
        Example::of("", "null"),
    ],
    version: 2,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    let pieces = of.pieces();
    let alphabetic = pieces.iter().filter(|piece| piece.is_word && piece.text.contains(char::is_alphabetic)).count();
    (!pieces.is_empty()).then(|| alphabetic as f64 / pieces.len() as f64)
}
