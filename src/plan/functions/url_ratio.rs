//! `url_ratio`: how much of a text is addresses.

use super::urls::urls;
use super::{Constants, Eval, Example, Function, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "url_ratio",
    summary: "the share of the characters that belong to web addresses",
    docs: "\
The code points of web addresses as a share of the text's; `strip_urls` says what an address is. Null for the empty text.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("http://a.org", "1"),
        Example::of("see www.a.org, ok", "0.5294117647058824"),
        Example::of("a:b//c", "0"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    of.share_of_chars(urls(of.text()).map(|place| of.text()[place].chars().count()).sum())
}
