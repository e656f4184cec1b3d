//! What in a text is markup: a prescan that turns everything else into text that no HTML tokenizer can mistake.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::elements::{is_element, is_flag};

/// `text` with every `<` and `&` escaped that opens neither a tag nor a character reference, and without comments,
/// declarations, scripts and styles. `None` where there is no markup at all.
pub(in super::super) fn isolate(text: &str) -> Option<String> {
    memchr2(b'<', b'&', text.as_bytes())?;
    let mut isolated = String::with_capacity(text.len() + 16);
    copy(text, &mut isolated).then_some(isolated)
}

/// Appends the isolated form of `text`; whether it held markup.
fn copy(text: &str, isolated: &mut String) -> bool {
    let mut found = false;
    let mut at = 0;
    let mut closers = Closers::default();
    while let Some(offset) = memchr2(b'<', b'&', &text.as_bytes()[at..]) {
        let start = at + offset;
        isolated.push_str(&text[at..start]);
        let rest = &text[start..];
        let markup = if rest.starts_with('&') { reference(rest) } else { closers.tag_like(rest) };
        at = start + markup.as_ref().map_or(1, Markup::len);
        found |= markup.is_some();
        match markup {
            Some(Markup::Keep(length)) => isolated.push_str(&rest[..length]),
            Some(Markup::Drop(_)) => {}
            Some(Markup::Unwrap { inner, .. }) => {
                // The inside of a CDATA section ends at the first `]]>`, so it holds no whole section of its own and
                // this goes one level deep.
                copy(&rest[inner], isolated);
            }
            None if rest.starts_with('&') => isolated.push_str("&amp;"),
            None => isolated.push_str("&lt;"),
        }
    }
    isolated.push_str(&text[at..]);
    found
}

/// A piece of markup at the start of a text, by what becomes of its bytes.
enum Markup {
    /// A tag or a character reference of this many bytes, left to the tokenizer.
    Keep(usize),
    /// This many bytes that hold no text.
    Drop(usize),
    /// `length` bytes, of which `inner` are read on.
    Unwrap { inner: Range<usize>, length: usize },
}

impl Markup {
    fn len(&self) -> usize {
        match self {
            Markup::Keep(length) | Markup::Drop(length) | Markup::Unwrap { length, .. } => *length,
        }
    }
}

/// The character reference at the start of `text`, which begins with `&`.
fn reference(text: &str) -> Option<Markup> {
    /// The longest name of the standard, `CounterClockwiseContourIntegral;`, has 32 characters.
    const LONGEST: usize = 34;
    let bytes = &text.as_bytes()[1..text.len().min(LONGEST)];
    let end = memchr(b';', bytes)?;
    let name = &bytes[..end];
    let well_formed = match name {
        [b'#', b'x' | b'X', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit),
        [b'#', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        [first, ..] => first.is_ascii_alphabetic() && name.iter().all(u8::is_ascii_alphanumeric),
        [] => false,
    };
    well_formed.then_some(Markup::Keep(end + 2))
}

/// Searches for what closes a piece of markup. A closer that a text lacks is searched for once and not again from each
/// of its openers, so that a long text of unclosed openers takes linear time.
#[derive(Default)]
struct Closers {
    absent: [bool; Closer::COUNT],
}

/// What closes a comment, a CDATA section, and so on.
#[derive(Clone, Copy)]
enum Closer {
    Comment,
    Section,
    Instruction,
    Angle,
    DoubleQuote,
    SingleQuote,
    Script,
    Style,
}

impl Closer {
    const COUNT: usize = Closer::Style as usize + 1;

    /// The end of the first such closer in `bytes`.
    fn find(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Closer::Comment => memmem::find(bytes, b"-->").map(|at| at + 3),
            Closer::Section => memmem::find(bytes, b"]]>").map(|at| at + 3),
            Closer::Instruction => memmem::find(bytes, b"?>").map(|at| at + 2),
            Closer::Angle => memchr(b'>', bytes).map(|at| at + 1),
            Closer::DoubleQuote => memchr(b'"', bytes).map(|at| at + 1),
            Closer::SingleQuote => memchr(b'\'', bytes).map(|at| at + 1),
            Closer::Script => end_tag_of(bytes, b"script"),
            Closer::Style => end_tag_of(bytes, b"style"),
        }
    }
}

impl Closers {
    /// The end of the first `closer` in `bytes`, which is an ever later end of the same text.
    fn find(&mut self, closer: Closer, bytes: &[u8]) -> Option<usize> {
        let absent = &mut self.absent[closer as usize];
        let end = if *absent { None } else { closer.find(bytes) };
        *absent |= end.is_none();
        end
    }

    /// The tag, comment, declaration or section at the start of `text`, which begins with `<`.
    fn tag_like(&mut self, text: &str) -> Option<Markup> {
        let bytes = text.as_bytes();
        match bytes.get(1)? {
            b'!' if text.starts_with("<!--") => Some(Markup::Drop(4 + self.find(Closer::Comment, &bytes[4..])?)),
            b'!' if text.starts_with(CDATA) => {
                let length = CDATA.len() + self.find(Closer::Section, &bytes[CDATA.len()..])?;
                Some(Markup::Unwrap { inner: CDATA.len()..length - 3, length })
            }
            b'!' if starts_with_word(&bytes[2..], b"doctype") => self.find(Closer::Angle, bytes).map(Markup::Drop),
            b'?' if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                self.find(Closer::Instruction, bytes).map(Markup::Drop)
            }
            b'/' => end_tag(text).map(Markup::Keep),
            first if first.is_ascii_alphabetic() => self.start_tag(text),
            _ => None,
        }
    }

    /// The start tag at the start of `text`; of a script or a style, all up to the end of its end tag.
    fn start_tag(&mut self, text: &str) -> Option<Markup> {
        let name = element_name(&text[1..])?;
        let end = self.attributes_end(text, 1 + name.len())?;
        let closer = if name.eq_ignore_ascii_case("script") {
            Closer::Script
        } else if name.eq_ignore_ascii_case("style") {
            Closer::Style
        } else {
            return Some(Markup::Keep(end));
        };
        // A script's tag that nothing closes is one that a text speaks about; what follows it is text.
        let content = self.find(closer, &text.as_bytes()[end..]).unwrap_or(0);
        Some(Markup::Drop(end + content))
    }

    /// Where the tag ends whose attributes begin at `at`: one past its `>`. `None` where they are no attributes.
    fn attributes_end(&mut self, text: &str, mut at: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        loop {
            at = skip(bytes, at, |byte| byte.is_ascii_whitespace() || byte == b'/');
            if *bytes.get(at)? == b'>' {
                return Some(at + 1);
            }
            let start = at;
            at = skip(bytes, at, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>' | b'=' | b'<'));
            if start == at {
                return None;
            }
            let equals = skip(bytes, at, |byte| byte.is_ascii_whitespace());
            if bytes.get(equals) != Some(&b'=') {
                // Without a value it is a flag that HTML knows, or these are words after a less-than sign.
                is_flag(&text[start..at].to_ascii_lowercase()).then_some(())?;
                continue;
            }
            at = skip(bytes, equals + 1, |byte| byte.is_ascii_whitespace());
            at = match *bytes.get(at)? {
                b'"' => at + 1 + self.find(Closer::DoubleQuote, &bytes[at + 1..])?,
                b'\'' => at + 1 + self.find(Closer::SingleQuote, &bytes[at + 1..])?,
                _ => skip(bytes, at, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'<')),
            };
        }
    }
}

const CDATA: &str = "<![CDATA[";

/// One past the first end tag of the element `name` in `bytes`.
fn end_tag_of(bytes: &[u8], name: &[u8]) -> Option<usize> {
    memmem::find_iter(bytes, b"</")
        .find(|&at| starts_with_word(&bytes[at + 2..], name))
        .and_then(|at| Some(at + memchr(b'>', &bytes[at..])? + 1))
}

/// The length of the end tag at the start of `text`: a known name, nothing but whitespace, `>`.
fn end_tag(text: &str) -> Option<usize> {
    let name = element_name(&text[2..])?;
    let after = &text[2 + name.len()..];
    let rest = after.trim_ascii_start();
    rest.starts_with('>').then(|| text.len() - rest.len() + 1)
}

/// The name of a known element at the start of `text`, as it is written there.
fn element_name(text: &str) -> Option<&str> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b':';
    let length = text.as_bytes().iter().take_while(|byte| is_name(byte)).count();
    let name = &text[..length];
    let delimited = matches!(text.as_bytes().get(length), Some(b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r' | 0x0c));
    (delimited && length <= LONGEST_ELEMENT && is_element(&name.to_ascii_lowercase())).then_some(name)
}

/// No known element has a longer name (`blockquote`, `figcaption`).
const LONGEST_ELEMENT: usize = 10;

fn skip(bytes: &[u8], from: usize, accepts: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take_while(|&&byte| accepts(byte)).count()
}

/// Whether `bytes` begins with `word`, whatever the case, and a delimiter of tag names after it.
fn starts_with_word(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
        && bytes.get(word.len()).is_some_and(|&next| next.is_ascii_whitespace() || matches!(next, b'>' | b'/'))
}
