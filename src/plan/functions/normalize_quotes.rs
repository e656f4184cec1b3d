//! `normalize_quotes`: straight quotes.

use std::borrow::Cow;

use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "normalize_quotes",
    summary: "makes curly and angle quotes and apostrophes straight",
    docs: "\
Makes the double quotes `\u{201c} \u{201d} \u{201e} \u{201f} \u{ab} \u{bb} \u{301d} \u{301e} \u{301f} \u{ff02}` a `\"` and the single ones `\u{2018} \u{2019} \u{201a} \u{201b} \u{2039} \u{203a} \u{2bc} \u{ff07}` and the acute accent that stands for one (`\u{b4}`) a `'`, so
that texts that differ in them alone become equal. A backtick is code and the prime marks of feet and minutes are measures:
they stay, and so do the corner brackets of Chinese and Japanese.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("\u{201c}It\u{2019}s here,\u{201d} she said.", "\"It's here,\" she said."),
        Example::of("\u{ab}Ja\u{bb} \u{201e}Nein\u{201c}", "\"Ja\" \"Nein\""),
        Example::of("`code` 5\u{2032} \u{300c}x\u{300d}", "`code` 5\u{2032} \u{300c}x\u{300d}"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    if text.is_ascii() || !text.chars().any(|character| straight(character) != character) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(straight).collect())
}

fn straight(character: char) -> char {
    match character {
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{301d}'..='\u{301f}' | '\u{ff02}' => '"',
        '\u{2018}'..='\u{201b}' | '\u{2039}' | '\u{203a}' | '\u{2bc}' | '\u{ff07}' | '\u{b4}' => '\'',
        other => other,
    }
}
