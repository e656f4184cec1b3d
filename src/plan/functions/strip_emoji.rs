//! `strip_emoji`: no emoji.

use std::borrow::Cow;

use super::emojis::emojis;
use super::{Constants, Eval, Example, Function, TEXT, without};

pub(super) const FUNCTION: Function = Function {
    name: "strip_emoji",
    summary: "removes emoji",
    docs: "\
Removes emoji: pictures with their skin tones, families and other joined pictures, flags and keycaps, each as a whole. Signs
that are text unless the emoji selector U+FE0F follows them (`\u{2665}`, `\u{a9}`, `\u{2122}`) stay without it. The spaces around them stay.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("nice \u{1f44d}\u{1f3fd}! \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "nice ! "),
        Example::of("I \u{2665} 1 \u{a9}", "I \u{2665} 1 \u{a9}"),
        Example::of("\u{2764}\u{fe0f}\u{200d}\u{1f525}\u{1f1e9}\u{1f1ea}1\u{fe0f}\u{20e3}", ""),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    without(text, emojis(text))
}
