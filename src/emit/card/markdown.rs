//! Texts of specs and data inside Markdown, where none of their characters may mean anything.

use std::fmt::Write;

/// A text as plain words on one line of Markdown: in a table's cell, an item or a paragraph.
pub(crate) fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !escaped.is_empty() {
            escaped.push(' ');
        }
        for character in word.chars() {
            if r"\`*_{}[]<>#|~&!$".contains(character) {
                escaped.push('\\');
            }
            // Marks that reorder what stands after them would reorder the card.
            if !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                escaped.push(character);
            }
        }
    }
    // At the start of a line these begin a list, a heading's underline or a numbered item.
    let digits = escaped.bytes().take_while(u8::is_ascii_digit).count();
    match escaped.as_bytes().get(digits) {
        Some(b'-' | b'+' | b'=') if digits == 0 => escaped.insert(0, '\\'),
        Some(b'.' | b')') if digits > 0 => escaped.insert(digits, '\\'),
        _ => {}
    }
    escaped
}

/// A table; cells were made by [`plain`]. Columns from `numbers` on are set to the right.
pub(crate) fn table(text: &mut String, head: &[String], numbers: usize, rows: impl IntoIterator<Item = Vec<String>>) {
    let mut line = |cells: &[String]| {
        writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes every write");
    };
    line(head);
    let rule = |at| if at < numbers { "---".to_owned() } else { "---:".to_owned() };
    line(&(0..head.len()).map(rule).collect::<Vec<_>>());
    for row in rows {
        line(&row);
    }
}

/// A number with commas between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_means_anything() {
        for (text, expected) in [
            ("card_lost?", r"card\_lost?"),
            ("a|b", r"a\|b"),
            ("x\n## y", r"x \#\# y"),
            ("<script>`1`</script>", r"\<script\>\`1\`\</script\>"),
            ("- item", r"\- item"),
            ("12. item", r"12\. item"),
            ("![p](u)", r"\!\[p\](u)"),
            ("a\u{202e}b\0c", "ab c"),
            ("CC-BY-4.0", "CC-BY-4.0"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
        assert_eq!([count(0), count(999), count(13_083), count(1_000_000)], ["0", "999", "13,083", "1,000,000"]);
    }
}
