//! The values of a row between delimiters: RFC 4180, and the dialects that differ from it in their characters.

use std::borrow::Cow;

use crate::hir::Dialect;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its text, without the quotes around it.
    pub text: Cow<'a, str>,
    /// Whether quotes stood around it: `""` is an empty text, nothing at all may be null.
    pub quoted: bool,
}

/// The values of one row without its line end. Characters behind a closing quote belong to the value, as in the scanner of
/// rows.
///
/// # Errors
/// A quote that is never closed, in words.
pub fn split(record: &str, dialect: Dialect) -> Result<Vec<Field<'_>>, &'static str> {
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        let quote = dialect.quote.filter(|quote| rest.as_bytes().first() == Some(quote));
        let (field, after) = match quote {
            Some(quote) => quoted(rest, quote, dialect)?,
            None => plain(rest, dialect),
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// A value up to the next delimiter, and what follows the delimiter.
fn plain(text: &str, dialect: Dialect) -> (Field<'_>, Option<&str>) {
    let mut value = Cow::Borrowed("");
    let after = to_delimiter(text, dialect, &mut value);
    (Field { text: value, quoted: false }, after)
}

/// Appends what stands before the next delimiter, and gives what stands behind it.
fn to_delimiter<'a>(text: &'a str, dialect: Dialect, value: &mut Cow<'a, str>) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let bytes = rest.as_bytes();
        let found = match dialect.escape {
            None => memchr::memchr(dialect.delimiter, bytes),
            Some(escape) => memchr::memchr2(dialect.delimiter, escape, bytes),
        };
        let Some(at) = found else {
            join(value, rest);
            return None;
        };
        join(value, &rest[..at]);
        if bytes[at] == dialect.delimiter {
            return Some(&rest[at + 1..]);
        }
        rest = escaped(&rest[at + 1..], value);
    }
}

/// Appends the character that an escape stood before, and gives what stands behind it.
fn escaped<'a>(text: &'a str, value: &mut Cow<'a, str>) -> &'a str {
    let length = text.chars().next().map_or(0, char::len_utf8);
    join(value, &text[..length]);
    &text[length..]
}

/// A value that begins with a quote, and what follows the delimiter behind it.
fn quoted(text: &str, quote: u8, dialect: Dialect) -> Result<(Field<'_>, Option<&str>), &'static str> {
    let mut value = Cow::Borrowed("");
    let mut rest = &text[1..];
    loop {
        let bytes = rest.as_bytes();
        let found = match dialect.escape {
            None => memchr::memchr(quote, bytes),
            Some(escape) => memchr::memchr2(quote, escape, bytes),
        };
        let at = found.ok_or("opens a quote that is never closed")?;
        join(&mut value, &rest[..at]);
        // Where both are the same character, it is a quote that stands for itself when it is doubled.
        let is_quote = bytes[at] == quote;
        rest = &rest[at + 1..];
        if !is_quote {
            rest = escaped(rest, &mut value);
        } else if rest.as_bytes().first() == Some(&quote) {
            join(&mut value, &rest[..1]);
            rest = &rest[1..];
        } else {
            break;
        }
    }
    let after = to_delimiter(rest, dialect, &mut value);
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
    fn values_are_split_as_their_dialect_says() {
        let rfc = Dialect::RFC_4180;
        let tabs = Dialect { delimiter: b'\t', quote: None, ..rfc };
        let escapes = Dialect { delimiter: b';', quote: Some(b'\''), escape: Some(b'\\'), header: true };
        type Case<'c> = (Dialect, &'c str, &'c [(&'c str, bool)]);
        let cases: [Case<'_>; 13] = [
            (rfc, "", &[("", false)]),
            (rfc, "a,b", &[("a", false), ("b", false)]),
            (rfc, "a,", &[("a", false), ("", false)]),
            (rfc, "\"\",x", &[("", true), ("x", false)]),
            (rfc, "\"a,\"\"b\"\"\nc\"", &[("a,\"b\"\nc", true)]),
            (rfc, "a\"b,c", &[("a\"b", false), ("c", false)]),
            (rfc, "\"a\"b,c", &[("ab", true), ("c", false)]),
            (rfc, "\"\"\"\"", &[("\"", true)]),
            (tabs, "\"a\tb,c", &[("\"a", false), ("b,c", false)]),
            (escapes, "'it\\'s; so';b", &[("it's; so", true), ("b", false)]),
            (escapes, "a\\;b;'c''d'", &[("a;b", false), ("c'd", true)]),
            (escapes, "\\é\\", &[("é", false)]),
            (escapes, "a,b\\\nc", &[("a,b\nc", false)]),
        ];
        for (dialect, record, expected) in cases {
            let fields = split(record, dialect).unwrap();
            let fields: Vec<_> = fields.iter().map(|field| (field.text.as_ref(), field.quoted)).collect();
            assert_eq!(fields, expected, "{record}");
        }
        assert!(split("\"a", rfc).is_err());
        assert!(split("'a\\'", escapes).is_err());
    }
}
