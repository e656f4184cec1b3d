//! `strip_html`: the text of a piece of HTML.

use std::borrow::Cow;

use super::html::{Break, Event, break_around, isolate, text_of_bytes, visit_events};
use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "strip_html",
    summary: "removes HTML tags, comments, scripts and styles, and decodes character references",
    docs: "\
Leaves the text of a piece of HTML. Tags and comments go, `script` and `style` with all they hold; a block element (`p`,
`div`, `li`, `br` …) leaves a line break between texts, a table cell a space, any other tag nothing. Character
references that end in `;` are decoded (`&amp;`, `&eacute;`, `&#8217;`); `&copy=1` in an address stays as it is. Where
markup was found, CR LF becomes LF.

What is not clearly HTML is text and stays: `a < b`, `x<y`, `List<String>`, `<name>`, an unclosed `<b`, a `<script>`
that no `</script>` closes loses the tag alone. A tag is an element's name that HTML knows, attributes that have a value
or are known flags, and a `>`.

Applied twice it may remove more than once: `&lt;b&gt;` is the text `<b>`, which is a tag to the second call.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("<p>Where is <b>my</b> card?</p><p>Help</p>", "Where is my card?\nHelp"),
        Example::of("a < b &amp; c > d", "a < b & c > d"),
        Example::of("if a <b and c> d then List<String> x<y", "if a <b and c> d then List<String> x<y"),
        Example::of(
            "caf&eacute; &#8217;&#x2713; &unknown; R&D ?a=1&copy=2",
            "caf\u{e9} \u{2019}\u{2713} &unknown; R&D ?a=1&copy=2",
        ),
        Example::of("one<!-- a > b -->two<script>if (a<b) {}</script>three<STYLE>p{}</STYLE >", "onetwothree"),
        Example::of("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        Example::of("<a href=\"x>y\" title='a'>link</a><br/>next <img src=a.png alt=b>", "link\nnext "),
        Example::of("put it into a <script> tag", "put it into a  tag"),
        Example::of("an unclosed <b or <a href=\"", "an unclosed <b or <a href=\""),
        Example::of("<!DOCTYPE html><?xml version=\"1.0\"?><![CDATA[a <b>c</b>]]>", "a c"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    match isolate(text) {
        None => Cow::Borrowed(text),
        Some(html) => Cow::Owned(text_of(&html)),
    }
}

/// The text of `html`, in which every `<` opens a tag.
fn text_of(html: &str) -> String {
    let mut bytes = Vec::with_capacity(html.len());
    let mut pending = Break::None;
    visit_events(html, |event| match event {
        Event::Start(name) | Event::End(name) => pending = pending.max(break_around(name)),
        Event::Text(value) => {
            push_break(&mut bytes, std::mem::replace(&mut pending, Break::None));
            bytes.extend_from_slice(value);
        }
    });
    text_of_bytes(bytes)
}

/// Puts `pending` between the text before and the text to come, where there is not already such a break.
fn push_break(bytes: &mut Vec<u8>, pending: Break) {
    let Some(&last) = bytes.last() else { return };
    match pending {
        Break::None => {}
        Break::Space if last.is_ascii_whitespace() => {}
        Break::Space => bytes.push(b' '),
        Break::Line if last == b'\n' => {}
        Break::Line => bytes.push(b'\n'),
    }
}
