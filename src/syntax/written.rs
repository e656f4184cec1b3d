//! Names and texts as a specification writes them.

use std::borrow::Cow;

use super::token::{HARD_WORDS, is_name_char};

/// A name as it is written: in backticks where it needs them. `None` for what no backticks can hold.
pub fn written_name(name: &str) -> Option<Cow<'_, str>> {
    if is_plain_name(name) {
        return Some(Cow::Borrowed(name));
    }
    let fits = !name.is_empty() && !name.contains(['`', '\n', '\r']);
    fits.then(|| Cow::Owned(format!("`{name}`")))
}

/// Whether a name needs no backticks.
pub fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(is_name_char)
        && !HARD_WORDS.contains(&name)
}

/// A text as a string on one line.
pub fn written_text(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            c if c.is_control() => written.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::literal::string_text;

    #[test]
    fn names_stand_in_backticks_where_they_need_them() {
        let cases = [
            ("text", Some("text")),
            ("größe_2", Some("größe_2")),
            ("match", Some("`match`")),
            ("2nd", Some("`2nd`")),
            ("reverted_card_payment?", Some("`reverted_card_payment?`")),
            ("a`b", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(written_name(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_written_text_is_read_as_the_same_text() {
        for text in ["", "plain", "a \"quoted\" \\ word", "two\nlines\tand \u{7f}\u{1}"] {
            assert_eq!(string_text(&written_text(text)), text);
        }
    }
}
