//! `drop_long_word_lines`: no lines of what cannot be words.

use std::borrow::Cow;

use super::Argument::Whole;
use super::line_wise::map_lines;
use super::{Constants, Eval, Example, Function, Parameter, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "drop_long_word_lines",
    summary: "takes out the lines that hold a word of more characters than so many",
    docs: "\
Takes out each line with a word of more than `most` code points: encoded data, minified code. Words are what stands between
whitespace here, as C4 counts them; a language that writes without spaces has lines that are one word. The lines are parted by a
line feed afterwards; a line break at the end of the text stays.",
    parameters: &[TEXT, Parameter::whole("most", 1, 1_000_000)],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::with("R0lGODlhAQABAIAAAAUEBA== is a picture\nWhere is it?", &[Whole(20)], "Where is it?"),
        Example::with("caf\u{e9}", &[Whole(4)], "caf\u{e9}"),
        Example::with("", &[Whole(4)], ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, constants: &Constants) -> Cow<'t, str> {
    let most = constants.whole(0);
    let is_long = |word: &str| word.len() > most && word.chars().nth(most).is_some();
    map_lines(text, |line| (line.len() <= most || !line.split_whitespace().any(is_long)).then_some(line))
}
