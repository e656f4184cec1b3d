//! `sentences`: how many sentences, by Unicode's sentence boundaries.

use unicode_segmentation::UnicodeSegmentation;

use super::{Eval, Example, Function, TEXT, count};

pub(super) const FUNCTION: Function = Function {
    name: "sentences",
    summary: "counts sentences, by Unicode's sentence boundaries",
    docs: "\
The number of sentences by Unicode's default sentence boundaries (UAX #29): the segments that hold a letter or a digit.
A line break ends a sentence. The rule knows no abbreviations, so a capital after `Dr.` begins a sentence; a number such
as `3.5` and a small letter after a point do not.",
    parameter: TEXT,
    result: Eval::Count(eval).result(),
    examples: &[
        Example { input: "Where is my card? I need it.", output: "2" },
        Example { input: "It costs 3.5 pounds", output: "1" },
        Example { input: "One\nTwo", output: "2" },
        Example { input: "Ask Dr. Who", output: "2" },
        Example { input: "\u{2026} !", output: "0" },
        Example { input: "", output: "0" },
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(text: &str) -> i64 {
    count(text.unicode_sentences())
}
