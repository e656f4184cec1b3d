//! Strings over several lines.

use crate::syntax::literal::string_text;

/// A `"""` string whose lines begin at a column, as far as its value stays the same.
pub(super) fn indented(literal: &str, column: usize) -> String {
    let plain = literal.replace("\r\n", "\n");
    let value = string_text(literal);
    let candidates = [shifted(&plain, column), plain];
    candidates.into_iter().find(|candidate| string_text(candidate) == value).unwrap_or_else(|| literal.to_owned())
}

/// A string with another indentation of the lines after the first.
fn shifted(literal: &str, column: usize) -> String {
    let margin = " ".repeat(column);
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let end = literal.rfind("\"\"\"").unwrap_or(literal.len());
    let (inside, quotes) = literal.split_at(end);
    let mut lines = inside.split('\n');
    let mut out = lines.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = lines.collect();
    let shared = rest.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    for (number, line) in rest.iter().enumerate() {
        let text = &line[shared.min(indent(line))..];
        let is_last = number + 1 == rest.len();
        out.push('\n');
        if is_last && line.trim().is_empty() {
            out.push_str(&margin);
        } else if !text.is_empty() {
            out.push_str(&margin);
            out.push_str(text);
        }
    }
    out + quotes
}
