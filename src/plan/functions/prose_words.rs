//! `prose_words`: how many words, as filters of web data cut a text.

use super::{Constants, Eval, Example, Function, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "prose_words",
    summary: "counts words as the filters of web data cut a text",
    docs: "\
The number of words as the public implementations of Gopher's and FineWeb's filters count them, by the rules of spaCy's English
tokenizer with the commonest of its abbreviations, without its units and emoticons: what stands between whitespace is a word, marks at its start and end are
taken off, and it is cut at hyphens, slashes and the like between letters. An address is one word, `well-known` are two, and so are
`don't` and `it's`. Marks are no words; `alpha_words`, `symbol_ratio`, `newline_ratio` and the n-grams count them too. `words` is
Unicode's count, which fits every script.",
    parameters: &[TEXT],
    result: Eval::Count(eval).result(),
    examples: &[
        Example::of("Where is my card?", "4"),
        Example::of("I don't know https://example.org/a/b, well-known -- or not", "9"),
        Example::of("?! \u{2026}", "0"),
        Example::of("", "0"),
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> i64 {
    whole(of.pieces().iter().filter(|piece| piece.is_word).count())
}
