//! Characters that make a text look other than it is, and the places where they may not hide.

/// What may hold any characters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Comment,
    Name,
    String,
    Regex,
}

impl Place {
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Comment => "a comment",
            Self::Name => "a name",
            Self::String => "a string",
            Self::Regex => "a regex",
        }
    }

    /// Whether it holds texts of all languages, some of which need marks of direction, and has escapes.
    pub(super) fn holds_text(self) -> bool {
        matches!(self, Self::String | Self::Regex)
    }
}

/// Whether a character changes the direction of all that follows it.
pub(super) fn is_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character changes the direction in which the text around it is shown.
pub(super) fn is_bidi(c: char) -> bool {
    is_override(c) || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// How a character is spoken of: itself, and its number where it cannot be seen.
pub(super) fn describe(c: char) -> String {
    let number = format!("U+{:04X}", c as u32);
    match c {
        '\0' => "a NUL character".to_owned(),
        '\r' => "a carriage return without a line feed".to_owned(),
        '\u{a0}' => format!("a no-break space ({number})"),
        '\u{feff}' => format!("a byte order mark ({number})"),
        c if is_bidi(c) => format!("a character that changes the text's direction ({number})"),
        c if c.is_control() || c.is_whitespace() || ('\u{200b}'..='\u{200f}').contains(&c) => {
            format!("an invisible character ({number})")
        }
        c => format!("`{c}` ({number})"),
    }
}
