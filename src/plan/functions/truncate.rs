//! `truncate`: the start of a text.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use super::Argument::{Text, Whole};
use super::{Constants, Eval, Example, Function, Parameter, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "truncate",
    summary: "keeps the start of a text that is longer than so many characters",
    docs: "\
Cuts a text that has more than `most` code points, so that it has at most so many. By `word` it is cut between words and without
the whitespace before the cut, by `character` between what a reader sees as characters (an accented letter, a family of emoji). A
word longer than all that may stay is cut between characters. Nothing is put in the place of what is cut off.",
    parameters: &[
        TEXT,
        Parameter::whole("most", 1, 1_000_000_000),
        Parameter::word("bound", &["word", "character"], "word"),
    ],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::with("Where is my card?", &[Whole(10), Text("word")], "Where is"),
        Example::with("Where is my card?", &[Whole(10), Text("character")], "Where is m"),
        Example::with("cafe\u{301}s", &[Whole(4), Text("character")], "caf"),
        Example::with("incomprehensible", &[Whole(5), Text("word")], "incom"),
        Example::with("short", &[Whole(5), Text("word")], "short"),
        Example::with("", &[Whole(1), Text("word")], ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, constants: &Constants) -> Cow<'t, str> {
    let most = constants.whole(0);
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let Some((limit, _)) = text.char_indices().nth(most) else { return Cow::Borrowed(text) };
    let by_word = constants.text(1) == "word";
    let cut = if by_word { last_word_end(text, limit) } else { None };
    Cow::Borrowed(&text[..cut.unwrap_or_else(|| last_character_end(text, limit))])
}

/// Where the last word or mark ends that lies before `limit`; `None` where there is none.
fn last_word_end(text: &str, limit: usize) -> Option<usize> {
    let end = text
        .split_word_bound_indices()
        .map(|(start, word)| start + word.len())
        .take_while(|end| *end <= limit)
        .last()?;
    Some(text[..end].trim_end().len()).filter(|end| *end > 0)
}

/// Where the last character ends that lies before `limit`; the limit where the first one is longer.
fn last_character_end(text: &str, limit: usize) -> usize {
    let ends = text.grapheme_indices(true).map(|(start, character)| start + character.len());
    ends.take_while(|end| *end <= limit).last().unwrap_or(limit)
}
