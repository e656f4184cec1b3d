//! `emoji`: how many emoji.

use super::emojis::emojis;
use super::{Constants, Eval, Example, Function, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "emoji",
    summary: "counts emoji",
    docs: "\
The number of emoji as a reader sees them: a family joined of several people, a flag, a hand with a skin tone and a keycap are
one each. A sign that is text unless it is asked to be a picture (`\u{2665}`, `\u{a9}`, `\u{2122}`) counts where the emoji selector U+FE0F
follows it. A digit by itself is none. `strip_emoji` takes them out.",
    parameters: &[TEXT],
    result: Eval::Count(eval).result(),
    examples: &[
        Example::of("nice \u{1f44d}\u{1f3fd} \u{1f469}\u{200d}\u{1f4bb}\u{1f1e9}\u{1f1ea}", "3"),
        Example::of("\u{2665} \u{2665}\u{fe0f} 1\u{fe0f}\u{20e3} 1 \u{a9}", "2"),
        Example::of(":-)", "0"),
        Example::of("", "0"),
    ],
    version: 1,
    eval: Eval::Count(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> i64 {
    whole(emojis(of.text()).count())
}
