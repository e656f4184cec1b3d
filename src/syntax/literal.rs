//! Literals: how far they reach and what they mean.

/// An escape that the language does not have.
pub(super) struct EscapeError {
    /// Bytes from the literal's first quote.
    pub offset: usize,
    /// Bytes of the escape.
    pub length: usize,
}

/// The bytes of the string literal that `text` begins with; `Err` with the bytes that it would swallow if it is not
/// closed.
pub(super) fn string_length(text: &str) -> Result<usize, usize> {
    let bytes = text.as_bytes();
    let long = text.starts_with("\"\"\"");
    let mut at = if long { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if at + 1 < bytes.len() && (long || bytes[at + 1] != b'\n') => {
                at += 1 + text[at + 1..].chars().next().map_or(1, char::len_utf8);
            }
            b'"' if !long => return Ok(at + 1),
            b'"' if text[at..].starts_with("\"\"\"") => return Ok(at + 3),
            b'\n' if !long => return Err(text[..at].trim_end().len()),
            _ => at += 1,
        }
    }
    Err(if long { text.len() } else { text.trim_end().len() })
}

/// The escapes of a whole string literal that mean nothing.
pub(super) fn escape_errors(literal: &str) -> Vec<EscapeError> {
    let mut errors = Vec::new();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &literal.as_bytes()[at..]) {
        let offset = at + found;
        match escape(&literal[offset..]) {
            Some((_, length)) => at = offset + length,
            None => {
                let length = 1 + literal[offset + 1..].chars().next().map_or(0, char::len_utf8);
                errors.push(EscapeError { offset, length });
                at = offset + length;
            }
        }
    }
    errors
}

/// The character that an escape stands for, and its bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('\\')?;
    match rest.chars().next()? {
        'n' => Some(('\n', 2)),
        't' => Some(('\t', 2)),
        'r' => Some(('\r', 2)),
        '\\' => Some(('\\', 2)),
        '"' => Some(('"', 2)),
        'u' => {
            let digits = rest[1..].strip_prefix('{')?.split_once('}')?.0;
            if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
            Some((c, 4 + digits.len()))
        }
        _ => None,
    }
}

/// The text of a whole string literal: indentation and escapes undone. An escape that means nothing stays as written.
pub(super) fn string_text(literal: &str) -> String {
    match literal.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")) {
        Some(inside) => unescape(&dedent(inside)),
        None => unescape(inside_quotes(literal)),
    }
}

/// The characters between the quotes of a one-line string.
fn inside_quotes(literal: &str) -> &str {
    let inside = literal.strip_prefix('"').unwrap_or(literal);
    inside.strip_suffix('"').unwrap_or(inside)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (c, length) = escape(&rest[at..]).unwrap_or(('\\', 1));
        out.push(c);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// Takes away a first line that is blank, a last line that is blank, and the indentation that all other lines share.
/// Line ends become line feeds, so that the text does not depend on how the file was checked out.
fn dedent(inside: &str) -> String {
    let text = inside.replace("\r\n", "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.len() == 1 {
        return text;
    }
    let closing = lines.last().copied().filter(|line| line.trim().is_empty());
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let shared = lines[1..].iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    if closing.is_some() {
        lines.pop();
    }
    let first_is_blank = lines.first().is_some_and(|line| line.trim().is_empty());
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    for (number, line) in lines.iter().enumerate() {
        match number {
            0 if first_is_blank => {}
            0 => out.push(line),
            _ => out.push(&line[shared.min(indent(line))..]),
        }
    }
    out.join("\n")
}

/// The bytes of the regex, both slashes included, that `line` begins with.
pub(super) fn regex_body(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut at = 1;
    let mut in_set = false;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += line[at + 1..].chars().next().map_or(0, char::len_utf8),
            b'[' if !in_set => {
                in_set = true;
                // A `]` that comes first in a set is a character of it.
                let rest = &line[at + 1..];
                let negated = usize::from(rest.starts_with('^'));
                at += 1 + negated + usize::from(rest[negated..].starts_with(']'));
                continue;
            }
            b']' => in_set = false,
            b'/' if !in_set => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The pattern and the flags of a whole regex literal; `\/` becomes `/`.
pub(super) fn regex_parts(literal: &str) -> (String, String) {
    let end = literal.rfind('/').unwrap_or(0).max(1);
    let pattern = literal.get(1..end).unwrap_or_default();
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'/') => {}
            '\\' => {
                out.push(c);
                out.extend(chars.next());
            }
            _ => out.push(c),
        }
    }
    (out, literal.get(end + 1..).unwrap_or_default().to_owned())
}

/// The bytes of the number that `text` begins with, without a `%`.
pub(super) fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while at < bytes.len()
            && (bytes[at].is_ascii_digit()
                || (bytes[at] == b'_' && bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_digit())))
        {
            at += 1;
        }
        at
    };
    let is_digit = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_digit());
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') && is_digit(at + 1) {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if is_digit(at + 1 + sign) {
            at = digits(at + 1 + sign);
        }
    }
    at
}
