//! `mean_word_length`: how long words are.

use super::{Constants, Eval, Example, Function, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "mean_word_length",
    summary: "the mean number of characters of a word",
    docs: "\
The code points of all words by their number; words are those of `prose_words`. English prose is between 4 and 5, a list of
abbreviations below 3, a list of compounds or of file names above 10. Null for a text without words.",
    parameters: &[TEXT],
    result: Eval::Amount(eval).result(),
    examples: &[
        Example::of("I am here.", "2.3333333333333335"),
        Example::of("caf\u{e9}", "4"),
        Example::of("?!", "null"),
        Example::of("", "null"),
    ],
    version: 2,
    eval: Eval::Amount(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    let (mut words, mut chars) = (0_usize, 0_usize);
    for piece in of.pieces().iter().filter(|piece| piece.is_word) {
        words += 1;
        chars += piece.chars;
    }
    (words > 0).then(|| chars as f64 / words as f64)
}
