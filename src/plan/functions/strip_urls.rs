//! `strip_urls`: no web addresses.

use std::borrow::Cow;

use super::urls::urls;
use super::{Constants, Eval, Example, Function, TEXT, without};

pub(super) const FUNCTION: Function = Function {
    name: "strip_urls",
    summary: "removes web addresses",
    docs: "\
Removes web addresses: `http://`, `https://` or `ftp://`, or a host that begins with `www.`, and what follows up to whitespace, a quote or
an angle bracket. A point, comma or other sign that ends the sentence stays, and so does a closing bracket that was opened before the
address. A host alone (`example.org`) is no address here: too much else looks so. The spaces around it stay; `collapse_whitespace`
makes them one.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("see https://example.org/a?b=1, or call", "see , or call"),
        Example::of("(www.example.org/x_(y)) or <http://a.b>", "() or <>"),
        Example::of("file://x, example.org and 1://2", "file://x, example.org and 1://2"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    without(text, urls(text))
}
