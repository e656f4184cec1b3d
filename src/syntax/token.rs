//! The tokens of a text: what recovery, spans and messages look at.

/// A token: its kind and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The kinds of token. White space and `//` comments are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word,
    /// A name in backticks.
    Quoted,
    /// A number, with its `%`.
    Number,
    /// A string of either form.
    Text,
    /// A regex with its flags.
    Regex,
    /// A `///` line.
    Doc,
    /// A line feed.
    Newline,
    /// `(`, `[` or `{`
    Open(u8),
    /// `)`, `]` or `}`
    Close(u8),
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// An operator or another sign.
    Symbol,
}

impl Token {
    /// The characters of the token.
    pub fn text(self, source: &str) -> &str {
        &source[self.start..self.end]
    }

    /// Whether it belongs to what is written, not to the layout or the documentation.
    pub fn is_significant(self) -> bool {
        !matches!(self.kind, Kind::Newline | Kind::Doc)
    }

    /// Whether a statement may stop before it.
    pub fn is_boundary(self) -> bool {
        matches!(self.kind, Kind::Newline | Kind::Semicolon | Kind::Close(b'}'))
    }
}

/// The words that are never names.
pub const HARD_WORDS: &[&str] =
    &["and", "or", "not", "in", "is", "matches", "match", "when", "else", "true", "false", "null"];

/// The words that take an operand after them, so that `/` after one of them begins a regex.
pub(super) const OPERATOR_WORDS: &[&str] = &["and", "or", "not", "in", "is", "matches", "match", "when", "else"];

/// The words that continue a statement in the next line.
pub const CLAUSE_WORDS: &[&str] = &[
    "when",
    "by",
    "near",
    "check",
    "at",
    "stratify",
    "seed",
    "per",
    "over",
    "keep",
    "like",
    "against",
    "warmup",
    "decay",
    "floor",
    "accumulate",
    "because",
    "else",
];

/// Whether a character may stand in a name that has no backticks.
pub fn is_name_char(c: char) -> bool {
    c.is_alphabetic() || c.is_ascii_digit() || c == '_'
}
