//! `stopwords`: how many of the commonest words of English a text has.

use super::{Constants, Eval, Example, Function, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "stopwords",
    summary: "counts which of eight common English words occur",
    docs: "\
How many of the eight words `the`, `be`, `to`, `of`, `and`, `that`, `have` and `with` occur in the text, each counted once, written in
small letters: Gopher's sign of running English text. A list of names or of products has none; so has a text in another
language, for which this is no measure.",
    parameters: &[TEXT],
    result: Eval::Count(eval).result(),
    examples: &[
        Example::of("It has to be said that the card has to go.", "4"),
        Example::of("red shoes, size 42", "0"),
        Example::of("THE END", "0"),
        Example::of("", "0"),
    ],
    version: 2,
    eval: Eval::Count(eval),
};

/// The list of Gopher (Rae et al. 2021, A1.1).
const WORDS: [&str; 8] = ["the", "be", "to", "of", "and", "that", "have", "with"];

fn eval(of: &Parts<'_>, _: &Constants) -> i64 {
    let mut found = [false; WORDS.len()];
    for piece in of.pieces().iter().filter(|piece| (2..=4).contains(&piece.text.len())) {
        if let Some(at) = WORDS.iter().position(|word| *word == piece.text) {
            found[at] = true;
        }
    }
    whole(found.into_iter().filter(|found| *found).count())
}
