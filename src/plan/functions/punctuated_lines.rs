//! `punctuated_lines`: the share of lines that end a sentence.

use super::classes::TERMINAL;
use super::{Constants, Eval, Example, Function, Parts, TEXT, share_of};

pub(super) const FUNCTION: Function = Function {
    name: "punctuated_lines",
    summary: "the share of lines that end in a full stop, or what ends a sentence in other scripts",
    docs: "\
The share of lines whose last character ends a sentence in its script (Unicode's `Sentence_Terminal`: `.`, `!`, `?`, `\u{3002}`, `\u{964}` \u{2026})
among those that are not blank: prose is high, menus and tables are low. A quote, a bracket or a space after the full stop
hides it. Null for a text without such lines.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("Menu\n\nWhere is my card?\r\nIt is here.", "0.6666666666666666"),
        Example::of("\u{53ef}\u{4ee5}\u{3002}", "1"),
        Example::of("\"So it is.\"", "0"),
        Example::of("\n", "null"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    let class = &*TERMINAL;
    share_of(of.full_lines(), |line| line.chars().next_back().is_some_and(|last| class.holds(last)))
}
