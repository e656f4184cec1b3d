//! `fix_encoding`: undoes UTF-8 that was read as Windows-1252 or Latin-1.

mod evidence;
mod sloppy;

use std::borrow::Cow;

use self::evidence::{Sequence, decide, sequences};
use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "fix_encoding",
    summary: "repairs mojibake: UTF-8 that was read as Windows-1252 or Latin-1",
    docs: "\
Finds places where the bytes of one UTF-8 character stand as two to four characters of Windows-1252 or Latin-1, as
`\u{c3}\u{a9}` for `\u{e9}` or `\u{e2}\u{20ac}\u{2122}` for `\u{2019}`, and puts the character back; also where it happened several times over. Then
each leftover C1 control character becomes the character that Windows-1252 has at its place (`\\u{92}` a right quote).

A good text must never be harmed, so each place needs evidence: most such sequences cannot be meant (`\u{e2}\u{20ac}\u{2122}`), others
can, an accented capital before a quote or a dash (`CAF\u{c9}\u{201d}`), a French word before a guillemet. Those are repaired only where
the same text holds a clear case and all its characters beyond ASCII are mojibake. Under the same condition `\u{c3}` before a
space, whose no-break space became a plain one, is `\u{e0}`.

Other encodings (Windows-1251, MacRoman …) and characters that were lost to `?` or U+FFFD are left as they are.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of("caf\u{c3}\u{a9}", "caf\u{e9}"),
        Example::of("The Mona Lisa doesn\u{e2}\u{20ac}\u{2122}t", "The Mona Lisa doesn\u{2019}t"),
        Example::of("The Mona Lisa doesn\u{c3}\u{a2}\u{e2}\u{201a}\u{ac}\u{e2}\u{201e}\u{a2}t", "The Mona Lisa doesn\u{2019}t"),
        Example::of("\u{f0}\u{178}\u{2dc}\u{20ac} \u{c2}\u{a3}5 20\u{c2}\u{b0}", "\u{1f600} \u{a3}5 20\u{b0}"),
        Example::of("\u{d0}\u{bf}\u{d1}\u{20ac}\u{d0}\u{b8}\u{d0}\u{b2}\u{d0}\u{b5}\u{d1}\u{201a}", "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}"),
        Example::of("\u{c3} la carte, d\u{c3}\u{a9}j\u{c3}\u{a0} vu", "\u{e0} la carte, d\u{e9}j\u{e0} vu"),
        Example::of("it\u{92}s", "it\u{2019}s"),
        Example::of("\u{201c}LE CAF\u{c9}\u{201d} \u{ab}\u{a0}voil\u{e0}\u{a0}\u{bb} NESTL\u{c9}\u{ae} IRM\u{c3}\u{bb}", "\u{201c}LE CAF\u{c9}\u{201d} \u{ab}\u{a0}voil\u{e0}\u{a0}\u{bb} NESTL\u{c9}\u{ae} IRM\u{c3}\u{bb}"),
        Example::of("Stra\u{df}\u{2026} 3\u{d7}\u{2026} \u{e9}\u{2026}\u{201d}", "Stra\u{df}\u{2026} 3\u{d7}\u{2026} \u{e9}\u{2026}\u{201d}"),
        Example::of("plain ASCII", "plain ASCII"),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

/// Text that was misread more often than this is left at that depth. Each layer doubles the length of what is beyond
/// ASCII, so more layers do not occur; the bound keeps the time linear for any input.
const LAYERS: usize = 5;

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut current = Cow::Borrowed(text);
    for _ in 0..LAYERS {
        match repair_layer(&current) {
            Some(repaired) => current = Cow::Owned(repaired),
            None => break,
        }
    }
    if current.chars().any(is_c1) {
        current = Cow::Owned(current.chars().map(sloppy::without_c1).collect());
    }
    current
}

fn is_c1(character: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&character)
}

/// `text` with one layer of misreading undone; `None` where there is nothing to undo.
fn repair_layer(text: &str) -> Option<String> {
    let found = sequences(text);
    let repairs = decide(text, &found);
    if repairs.is_empty() {
        return None;
    }
    let mut repaired = String::with_capacity(text.len());
    let mut at = 0;
    for Sequence { range, decoded, .. } in repairs {
        repaired.push_str(&text[at..range.start]);
        repaired.push_str(decoded);
        at = range.end;
    }
    repaired.push_str(&text[at..]);
    Some(repaired)
}
