//! `strip_html`: the text of a piece of HTML.
//!
//! Two steps. [`markup::isolate`] decides what is markup and escapes every other `<` and `&`, so that prose and code
//! survive; a WHATWG tokenizer (html5gum) then reads tags and character references as a browser does.

mod elements;
mod markup;

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use self::elements::{Break, break_around};
use super::{Eval, Example, Function, TEXT};

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
    parameter: TEXT,
    result: Eval::Text(eval).result(),
    examples: &[
        Example { input: "<p>Where is <b>my</b> card?</p><p>Help</p>", output: "Where is my card?\nHelp" },
        Example { input: "a < b &amp; c > d", output: "a < b & c > d" },
        Example { input: "if a <b and c> d then List<String> x<y", output: "if a <b and c> d then List<String> x<y" },
        Example {
            input: "caf&eacute; &#8217;&#x2713; &unknown; R&D ?a=1&copy=2",
            output: "caf\u{e9} \u{2019}\u{2713} &unknown; R&D ?a=1&copy=2",
        },
        Example {
            input: "one<!-- a > b -->two<script>if (a<b) {}</script>three<STYLE>p{}</STYLE >",
            output: "onetwothree",
        },
        Example { input: "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", output: "1 2\n3" },
        Example { input: "<a href=\"x>y\" title='a'>link</a><br/>next <img src=a.png alt=b>", output: "link\nnext " },
        Example { input: "put it into a <script> tag", output: "put it into a  tag" },
        Example { input: "an unclosed <b or <a href=\"", output: "an unclosed <b or <a href=\"" },
        Example { input: "<!DOCTYPE html><?xml version=\"1.0\"?><![CDATA[a <b>c</b>]]>", output: "a c" },
        Example { input: "", output: "" },
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval(text: &str) -> Cow<'_, str> {
    match markup::isolate(text) {
        None => Cow::Borrowed(text),
        Some(html) => Cow::Owned(text_of(&html)),
    }
}

/// The text of `html`, in which every `<` opens a tag.
fn text_of(html: &str) -> String {
    let mut bytes = Vec::with_capacity(html.len());
    let mut pending = Break::None;
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<()> {
        match event {
            CallbackEvent::OpenStartTag { name } | CallbackEvent::EndTag { name } => {
                pending = pending.max(break_around(name));
            }
            CallbackEvent::String { value } => {
                push_break(&mut bytes, std::mem::replace(&mut pending, Break::None));
                bytes.extend_from_slice(value);
            }
            CallbackEvent::AttributeName { .. }
            | CallbackEvent::AttributeValue { .. }
            | CallbackEvent::CloseStartTag { .. }
            | CallbackEvent::Comment { .. }
            | CallbackEvent::Doctype { .. }
            | CallbackEvent::Error(_) => {}
        }
        None
    });
    let mut tokenizer = Tokenizer::new_with_emitter(html, emitter);
    // The callback yields nothing, so this drives the tokenizer to the end of the text.
    while tokenizer.next().is_some() {}
    drop(tokenizer);
    // The tokenizer cuts UTF-8 at ASCII characters alone; a lossy conversion of valid UTF-8 changes nothing.
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
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
