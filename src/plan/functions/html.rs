//! HTML in texts: what of a text is markup, and what its tags mean.
//!
//! Two steps. [`isolate`] decides what is markup and escapes every other `<` and `&`, so that prose and code survive; a WHATWG
//! tokenizer (html5gum) then reads tags and character references as a browser does.

mod elements;
mod markup;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

pub(super) use elements::{Break, break_around};
pub(super) use markup::isolate;

/// What a piece of HTML consists of.
pub(super) enum Event<'h> {
    /// A start tag, by the element's name in small letters.
    Start(&'h [u8]),
    /// An end tag.
    End(&'h [u8]),
    /// Text, its character references decoded; UTF-8, cut at ASCII characters alone.
    Text(&'h [u8]),
}

/// Calls `visit` with what `html` consists of, in which every `<` opens a tag.
pub(super) fn visit_events(html: &str, mut visit: impl FnMut(Event<'_>)) {
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<()> {
        match event {
            CallbackEvent::OpenStartTag { name } => visit(Event::Start(name)),
            CallbackEvent::EndTag { name } => visit(Event::End(name)),
            CallbackEvent::String { value } => visit(Event::Text(value)),
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
}

/// The text of bytes that the tokenizer has cut; a lossy conversion of valid UTF-8 changes nothing.
pub(super) fn text_of_bytes(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
