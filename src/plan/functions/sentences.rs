//! `sentences`: how many sentences, by Unicode's sentence boundaries.

use unicode_segmentation::UnicodeSegmentation;

use super::{Constants, Eval, Example, Function, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "sentences",
    summary: "counts sentences, by Unicode's sentence boundaries",
    docs: "\
The number of sentences by Unicode's default sentence boundaries (UAX #29): the segments that hold a letter or a digit.
A line break ends a sentence. The rule knows no abbreviations, so a capital after `Dr.` begins a sentence; a number such
as `3.5` and a small letter after a point do not.",
    parameters: &[TEXT],
    result: Eval::Count(eval).result(),
    examples: &[
        Example::of("Where is my card? I need it.", "2"),
        Example::of("It costs 3.5 pounds", "1"),
        Example::of("One\nTwo", "2"),
        Example::of("Ask Dr. Who", "2"),
        Example::of("\u{2026} !", "0"),
        Example::of("", "0"),
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> i64 {
    whole(of.text().unicode_sentences().count())
}
