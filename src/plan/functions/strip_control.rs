//! `strip_control`: control characters out.

use std::borrow::Cow;

use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "strip_control",
    summary: "removes control characters but tab and line breaks",
    docs: "\
Removes the characters that steer devices and decoders and are no text: Unicode's category Cc (C0, DEL and C1) except
tab, line feed and carriage return; the byte order mark (U+FEFF); the deprecated format characters U+206A to U+206F;
and the interlinear annotation marks U+FFF9 to U+FFFB. Joiners, direction marks and soft hyphens belong to the spelling
of some languages and of emoji, and stay. A terminal's escape sequence loses its escape character alone.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("a\u{0}b\u{7}c\u{7f}\u{9d}", "abc"),
        Example::of("\u{feff}name\tvalue\r\n", "name\tvalue\r\n"),
        Example::of("\u{1f469}\u{200d}\u{1f4bb}", "\u{1f469}\u{200d}\u{1f4bb}"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    // A byte that begins none of the characters that go is passed over without decoding.
    if !text.bytes().any(may_begin_stripped) {
        return Cow::Borrowed(text);
    }
    if text.chars().any(is_stripped) {
        Cow::Owned(text.chars().filter(|&character| !is_stripped(character)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a byte is, or begins, a character that may go: of the characters beyond ASCII these are U+0080 to U+00BF, U+2000 to
/// U+2FFF and U+F000 to U+FFFF.
fn may_begin_stripped(byte: u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f | 0xc2 | 0xe2 | 0xef)
}

fn is_stripped(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{feff}' | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => true,
        other => other.is_control(),
    }
}
