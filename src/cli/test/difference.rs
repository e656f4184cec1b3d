//! Two values below each other, with what differs marked.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Paints a differing part; without it, `^` stand below.
pub type Mark<'m> = &'m dyn Fn(&str) -> String;

/// How many characters are shown before and after what differs.
const AROUND: usize = 40;

/// The places in two values where they differ, each with the path to it.
pub fn places(name: &str, expected: &Value, got: &Value) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    find(name.to_owned(), expected, got, &mut found);
    found
}

fn find(path: String, expected: &Value, got: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (expected, got) {
        _ if expected == got => {}
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => {
            for (at, (expected, got)) in first.iter().zip(second).enumerate() {
                find(format!("{path}[{at}]"), expected, got, found);
            }
        }
        (Value::Object(first), Value::Object(second)) if first.keys().eq(second.keys()) => {
            for ((name, expected), got) in first.iter().zip(second.values()) {
                find(format!("{path}.{name}"), expected, got, found);
            }
        }
        _ => found.push((path, expected.clone(), got.clone())),
    }
}

/// The two values as the language writes them, each on a line behind its word, with marks.
pub fn lines(expected: &Value, got: &Value, mark: Option<Mark<'_>>) -> Vec<String> {
    let (mut first, mut second) = (units(expected, false), units(got, false));
    let (from, mut first_end, mut second_end) = common(&first, &second);
    if same_look(&first[from..first_end], &second[from..second_end]) {
        // What looks alike is told apart by its code points.
        (first, second) = (units(expected, true), units(got, true));
        let again = common(&first, &second);
        (first_end, second_end) = (again.1, again.2);
        return [
            line("expected", &first, (again.0, first_end), mark),
            line("got", &second, (again.0, second_end), mark),
        ]
        .concat();
    }
    [line("expected", &first, (from, first_end), mark), line("got", &second, (from, second_end), mark)].concat()
}

/// The end of the common start, and the begin of the common end in both.
fn common(first: &[String], second: &[String]) -> (usize, usize, usize) {
    let from = first.iter().zip(second).take_while(|(a, b)| a == b).count();
    let left = first.len().min(second.len()) - from;
    let ends = first.iter().rev().zip(second.iter().rev()).take(left).take_while(|(a, b)| a == b).count();
    (from, first.len() - ends, second.len() - ends)
}

fn same_look(first: &[String], second: &[String]) -> bool {
    let composed = |units: &[String]| units.concat().nfc().collect::<String>();
    composed(first) == composed(second)
}

/// One value behind its word; with `^` below what differs where nothing is painted.
fn line(word: &str, units: &[String], (from, end): (usize, usize), mark: Option<Mark<'_>>) -> Vec<String> {
    let first = from.saturating_sub(AROUND);
    let last = (end + AROUND).min(units.len());
    let before = format!("{}{}", if first > 0 { "…" } else { "" }, units[first..from].concat());
    let differing = units[from..end].concat();
    let after = format!("{}{}", units[end..last].concat(), if last < units.len() { "…" } else { "" });
    let word = format!("{word:<8}  ");
    match mark {
        Some(mark) if !differing.is_empty() => vec![format!("{word}{before}{}{after}", mark(&differing))],
        None if !differing.is_empty() => {
            let indent = " ".repeat(word.width() + before.width());
            vec![
                format!("{word}{before}{differing}{after}"),
                format!("{indent}{}", "^".repeat(differing.width().max(1))),
            ]
        }
        Some(_) | None => vec![format!("{word}{before}{after}")],
    }
}

/// A value as the language writes it.
pub fn literal(value: &Value) -> String {
    units(value, false).concat()
}

/// A text on one line, with the language's escapes for what a reader would not see.
pub fn one_line(text: &str) -> String {
    text.chars().map(|character| escape(character).unwrap_or_else(|| character.to_string())).collect()
}

/// A value as the language writes it, in pieces of which each stands for one character of a text.
fn units(value: &Value, ascii: bool) -> Vec<String> {
    match value {
        Value::String(text) => {
            let mut units = vec!["\"".to_owned()];
            let graphemes: Vec<&str> = text.graphemes(true).collect();
            for (at, grapheme) in graphemes.iter().enumerate() {
                let ends_line = graphemes.get(at + 1..).unwrap_or(&[]).iter().find(|next| **next != " ");
                let trailing = *grapheme == " " && ends_line.is_none_or(|next| matches!(*next, "\n" | "\r\n"));
                units.push(if trailing { "\\u{20}".to_owned() } else { visible(grapheme, ascii) });
            }
            units.push("\"".to_owned());
            units
        }
        Value::Array(items) => joined("[", items.iter().map(|item| units(item, ascii)), "]"),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let mut member = vec![format!("{name}: ")];
                member.extend(units(value, ascii));
                member
            };
            joined("{ ", members.iter().map(member), " }")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            value.to_string().chars().map(|character| character.to_string()).collect()
        }
    }
}

fn joined(open: &str, parts: impl Iterator<Item = Vec<String>>, close: &str) -> Vec<String> {
    let mut units = vec![open.to_owned()];
    for (at, part) in parts.enumerate() {
        if at > 0 {
            units.push(", ".to_owned());
        }
        units.extend(part);
    }
    units.push(close.to_owned());
    units
}

/// A character with the language's escapes for what a reader would not see or would take for another.
fn visible(grapheme: &str, ascii: bool) -> String {
    let mut shown = String::new();
    for character in grapheme.chars() {
        match escape(character) {
            Some(escaped) => shown.push_str(&escaped),
            None if matches!(character, '"' | '\\') => shown.extend(['\\', character]),
            None if ascii && !character.is_ascii() => shown.push_str(&code_point(character)),
            None => shown.push(character),
        }
    }
    shown
}

/// The escape of a character that is not seen.
fn escape(character: char) -> Option<String> {
    match character {
        '\n' => Some("\\n".to_owned()),
        '\r' => Some("\\r".to_owned()),
        '\t' => Some("\\t".to_owned()),
        _ => is_invisible(character).then(|| code_point(character)),
    }
}

fn code_point(character: char) -> String {
    format!("\\u{{{:x}}}", u32::from(character))
}

fn is_invisible(character: char) -> bool {
    let space = character.is_whitespace() && character != ' ';
    let single = matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    let ranges = ['\u{200b}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{2060}'..='\u{206f}'];
    space || single || character.is_control() || ranges.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(expected: Value, got: Value, shown: &[&str]) {
        assert_eq!(lines(&expected, &got, None), shown);
    }

    #[test]
    fn what_differs_is_marked() {
        check(
            json!("where is it"),
            json!("where  is it"),
            &[r#"expected  "where is it""#, r#"got       "where  is it""#, "                 ^"],
        );
        check(
            json!("a cat"),
            json!("a dog"),
            &[r#"expected  "a cat""#, "             ^^^", r#"got       "a dog""#, "             ^^^"],
        );
        check(json!(3), json!(null), &["expected  3", "          ^", "got       null", "          ^^^^"]);
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        check(
            json!("a b"),
            json!("a\u{a0}b"),
            &[r#"expected  "a b""#, "            ^", r#"got       "a\u{a0}b""#, "            ^^^^^^"],
        );
        check(
            json!("a\tb"),
            json!("a\tb "),
            &[r#"expected  "a\tb""#, r#"got       "a\tb\u{20}""#, "               ^^^^^^"],
        );
        check(
            json!("caf\u{e9}"),
            json!("cafe\u{301}"),
            &[
                r#"expected  "caf\u{e9}""#,
                "              ^^^^^^",
                r#"got       "cafe\u{301}""#,
                "              ^^^^^^^^",
            ],
        );
        assert_eq!(one_line("a \n\"b\"\u{7}"), r#"a \n"b"\u{7}"#);
        assert_eq!(literal(&json!("a \nb\u{200b}\u{7}")), r#""a\u{20}\nb\u{200b}\u{7}""#);
    }

    #[test]
    fn long_texts_are_cut_and_wide_ones_keep_in_line() {
        let text = |middle: &str| json!(format!("{}{middle}{}", "x".repeat(100), "y".repeat(100)));
        let shown = lines(&text("a"), &text("b"), None);
        let around = format!("…{}a{}…", "x".repeat(40), "y".repeat(40));
        assert_eq!(shown[0], format!("expected  {around}"));
        assert_eq!(shown[1], format!("{}^", " ".repeat(51)));
        check(
            json!("卡片在"),
            json!("卡片a"),
            &[r#"expected  "卡片在""#, "               ^^", r#"got       "卡片a""#, "               ^"],
        );
    }

    #[test]
    fn nested_values_differ_at_their_places() {
        let first = json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]);
        let second = json!([{"role": "user", "content": "a"}, {"role": "user", "content": "c"}]);
        assert_eq!(places("turns", &first, &second), [("turns[1].content".to_owned(), json!("b"), json!("c"))]);
        let shorter = json!([{"role": "user", "content": "a"}]);
        assert_eq!(places("turns", &first, &shorter).len(), 1);
        assert_eq!(literal(&shorter), r#"[{ role: "user", content: "a" }]"#);
        assert!(places("turns", &first, &first).is_empty());
    }
}
