//! Damage as it happens to files: by a slip, by a merge, by a tool that writes something else, and on purpose.

use proptest::prelude::*;
use proptest::sample::Index;

/// One piece of damage; what it is done to is found when the text is known.
#[derive(Debug, Clone)]
pub enum Mutation {
    /// One bit of one byte is another.
    Flip(Index, u8),
    /// A token or a line is lost.
    Delete(Unit, Index),
    /// It stands there twice.
    Double(Unit, Index),
    /// Two of them have changed places.
    Swap(Unit, Index, Index),
    /// One of this text is replaced by one of another text.
    Transplant(Unit, Index, Index, Index),
    /// The rest of the text is the end of another one.
    Splice(Index, Index, Index),
    /// Something stands between two characters that does not belong there.
    Insert(Index, &'static str),
    /// Something stands in place of a token.
    Replace(Index, &'static str),
    /// The same is opened again and again.
    Nest(Index, &'static str, usize),
    /// All line ends are of another kind.
    LineEnds(&'static str),
}

/// What a text is cut into.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Token,
    Line,
}

/// Characters that hide, act on a terminal, look like others, or change their length with their case.
const ODD: &[&str] = &[
    "\0",
    "\u{1}",
    "\u{1b}[31m",
    "\u{7f}",
    "\t",
    "\r",
    "\r\n",
    "\n",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{a0}",
    "\u{3000}",
    "\u{ad}",
    "é",
    "e\u{301}",
    "İ",
    "ẞ",
    "ŉ",
    "ﬁ",
    "Ⅷ",
    "٣",
    "９",
    "漢",
    "👩‍👧",
    "\u{e0041}",
    "\u{fffd}",
    "\u{10ffff}",
    "“",
    "’",
    "«",
    "；",
    "，",
    "：",
    "（",
    "\\",
    "\"",
    "\"\"\"",
    "`",
    "'",
    "/",
    "//",
    "///",
    "#",
    "$",
    "{{",
    "}}",
    "{%",
];

/// Words, numbers and signs that stand for another.
const WORDS: &[&str] = &[
    "0",
    "-1",
    "00",
    "1e999",
    "1e-999",
    "99999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "0.1e",
    "1_000_",
    "100%",
    "0.0000001%",
    "1000000%",
    "1..0",
    "..",
    "null",
    "true",
    "match",
    "else",
    "drop",
    "not",
    "in",
    "is",
    "and",
    "by",
    "from",
    "use",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ",",
    ";",
    ":",
    "=",
    "=>",
    "|>",
    "??",
    "?",
    "@",
    "@key",
    "@personal",
    "/(/",
    "/a{99999}/",
    "/(a*)*$/x",
    "\"\"",
    "\"{{ x\"",
    "\"**/*\"",
    "\"../spec.annot\"",
    "\"self.annot\"",
    "\"values.yaml\"",
    "list<",
    "choice",
    "spans",
    "json",
    "text",
    "a.b.c",
];

/// What can be opened many times.
const OPENED: &[&str] = &[
    "(",
    "[",
    "{",
    "{ a: ",
    "f(",
    "list<",
    "not ",
    "- ",
    "x |> ",
    "x ?? ",
    "x and ",
    "x match { 1 => ",
    "json { a: ",
    "a { ",
    "`",
    "\"",
    "///\n",
    ".a",
];

/// One of the mutations.
pub fn mutation() -> impl Strategy<Value = Mutation> {
    let unit = prop_oneof![3 => Just(Unit::Token), 1 => Just(Unit::Line)];
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), 0_u8..8).prop_map(|(place, bit)| Mutation::Flip(place, bit)),
        4 => (unit.clone(), at()).prop_map(|(unit, place)| Mutation::Delete(unit, place)),
        3 => (unit.clone(), at()).prop_map(|(unit, place)| Mutation::Double(unit, place)),
        3 => (unit.clone(), at(), at()).prop_map(|(unit, one, other)| Mutation::Swap(unit, one, other)),
        6 => (unit, at(), at(), at()).prop_map(|(unit, place, text, from)| Mutation::Transplant(unit, place, text, from)),
        1 => (at(), at(), at()).prop_map(|(place, text, from)| Mutation::Splice(place, text, from)),
        4 => (at(), prop::sample::select(ODD)).prop_map(|(place, what)| Mutation::Insert(place, what)),
        4 => (at(), prop::sample::select(WORDS)).prop_map(|(place, what)| Mutation::Replace(place, what)),
        1 => (at(), prop::sample::select(OPENED), 1_usize..400).prop_map(|(place, what, times)| Mutation::Nest(place, what, times)),
        1 => prop::sample::select(&["\r\n", "\r", "\n\n", ";", " "][..]).prop_map(Mutation::LineEnds),
    ]
}

impl Mutation {
    /// Does the damage; `texts` are those that others are taken from.
    pub fn apply(&self, bytes: &mut Vec<u8>, texts: &[String]) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let other = |index: &Index| texts[index.index(texts.len())].as_str();
        let damaged = match self {
            Self::Flip(place, bit) => {
                if !bytes.is_empty() {
                    let at = place.index(bytes.len());
                    bytes[at] ^= 1 << bit;
                }
                return;
            }
            Self::Delete(unit, place) => with_unit(&text, *unit, place, |_| String::new()),
            Self::Double(unit, place) => with_unit(&text, *unit, place, |found| found.repeat(2)),
            Self::Swap(unit, one, other) => {
                let mut units = unit.cut(&text);
                if !units.is_empty() {
                    let (one, other) = (one.index(units.len()), other.index(units.len()));
                    units.swap(one, other);
                }
                units.concat()
            }
            Self::Transplant(unit, place, from, which) => {
                let units = unit.cut(other(from));
                with_unit(&text, *unit, place, |_| units[which.index(units.len())].to_owned())
            }
            Self::Splice(place, from, cut) => {
                let from = other(from);
                format!("{}{}", &text[..boundary(&text, place)], &from[boundary(from, cut)..])
            }
            Self::Insert(place, what) => inserted(&text, place, what),
            Self::Replace(place, what) => with_unit(&text, Unit::Token, place, |_| (*what).to_owned()),
            Self::Nest(place, what, times) => inserted(&text, place, &what.repeat(*times)),
            Self::LineEnds(end) => text.replace('\n', end),
        };
        *bytes = damaged.into_bytes();
    }
}

impl Unit {
    /// The parts of a text, which give it again when they are put together.
    fn cut(self, text: &str) -> Vec<&str> {
        match self {
            Self::Line => text.split_inclusive('\n').collect(),
            Self::Token => {
                let mut units = Vec::new();
                let mut start = 0;
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let mut before = None;
                for (at, c) in text.char_indices() {
                    let goes_on = before.is_some_and(|before: char| is_word(before) && is_word(c));
                    if !goes_on && at > start {
                        units.push(&text[start..at]);
                        start = at;
                    }
                    before = Some(c);
                }
                units.push(&text[start..]);
                units
            }
        }
    }
}

fn with_unit(text: &str, unit: Unit, place: &Index, change: impl Fn(&str) -> String) -> String {
    let units = unit.cut(text);
    if units.is_empty() {
        return change("");
    }
    let at = place.index(units.len());
    format!("{}{}{}", units[..at].concat(), change(units[at]), units[at + 1..].concat())
}

fn boundary(text: &str, place: &Index) -> usize {
    text.floor_char_boundary(place.index(text.len() + 1))
}

fn inserted(text: &str, place: &Index, what: &str) -> String {
    let at = boundary(text, place);
    format!("{}{what}{}", &text[..at], &text[at..])
}
