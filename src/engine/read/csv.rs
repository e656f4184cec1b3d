//! The fields of a CSV record (RFC 4180).

use std::borrow::Cow;

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its text, without the quotes around it.
    pub text: Cow<'a, str>,
    /// Whether quotes stood around it: `""` is an empty text, nothing at all may be null.
    pub quoted: bool,
}

/// The fields of one record without its line end. Characters behind a closing quote belong to the field, as in the
/// record scanner.
///
/// # Errors
/// A quote that is never closed, in words.
pub fn split(record: &str) -> Result<Vec<Field<'_>>, &'static str> {
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        let (field, after) = if rest.starts_with('"') { quoted(rest)? } else { plain(rest) };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// A field up to the next comma, and what follows the comma.
fn plain(text: &str) -> (Field<'_>, Option<&str>) {
    let (field, after) = to_comma(text);
    (Field { text: Cow::Borrowed(field), quoted: false }, after)
}

fn to_comma(text: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b',', text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// A field that begins with a quote, and what follows the comma behind it.
fn quoted(text: &str) -> Result<(Field<'_>, Option<&str>), &'static str> {
    let mut value = Cow::Borrowed("");
    let mut rest = &text[1..];
    loop {
        let close = memchr::memchr(b'"', rest.as_bytes()).ok_or("opens a quote that is never closed")?;
        join(&mut value, &rest[..close]);
        rest = &rest[close + 1..];
        let Some(after) = rest.strip_prefix('"') else { break };
        join(&mut value, "\"");
        rest = after;
    }
    let (tail, after) = to_comma(rest);
    join(&mut value, tail);
    Ok((Field { text: value, quoted: true }, after))
}

/// Appends without a copy where nothing stood before.
fn join<'a>(value: &mut Cow<'a, str>, piece: &'a str) {
    if value.is_empty() {
        *value = Cow::Borrowed(piece);
    } else if !piece.is_empty() {
        value.to_mut().push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_as_rfc_4180_says() {
        let cases: [(&str, &[(&str, bool)]); 8] = [
            ("", &[("", false)]),
            ("a,b", &[("a", false), ("b", false)]),
            ("a,", &[("a", false), ("", false)]),
            ("\"\",x", &[("", true), ("x", false)]),
            ("\"a,\"\"b\"\"\nc\"", &[("a,\"b\"\nc", true)]),
            ("a\"b,c", &[("a\"b", false), ("c", false)]),
            ("\"a\"b,c", &[("ab", true), ("c", false)]),
            ("\"\"\"\"", &[("\"", true)]),
        ];
        for (record, expected) in cases {
            let fields = split(record).unwrap();
            let fields: Vec<_> = fields.iter().map(|field| (field.text.as_ref(), field.quoted)).collect();
            assert_eq!(fields, expected, "{record}");
        }
        assert!(split("\"a").is_err());
    }
}
