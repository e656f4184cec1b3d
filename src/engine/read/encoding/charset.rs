//! In which encoding a page of HTML is, by its first bytes: as the HTML standard determines it where nobody else says
//! (<https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding>).

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// The bytes that are looked at.
pub const LOOKED_AT: usize = 1024;

/// The canonical name of the encoding that a page says that it has: by its byte order mark, else by a `meta` or an XML
/// declaration in its first 1024 bytes; `None` for UTF-8, and where it says nothing.
pub fn declared(page: &[u8]) -> Option<&'static str> {
    let encoding = match Encoding::for_bom(page) {
        Some((encoding, _)) => Some(encoding),
        None => {
            let begin = &page[..page.len().min(LOOKED_AT)];
            prescan(begin).or_else(|| xml_declaration(begin))
        }
    };
    encoding.filter(|encoding| *encoding != UTF_8).map(Encoding::name)
}

/// What the first `meta` says that says anything.
fn prescan(page: &[u8]) -> Option<&'static Encoding> {
    if page.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if page.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    let mut rest = page;
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = &rest[at..];
        if rest.starts_with(b"<!--") {
            // The two hyphens of `<!-->` may be those at its end too.
            rest = behind(&rest[2..], b"-->")?;
        } else if is_meta(rest) {
            let (found, after) = meta(&rest[b"<meta".len()..]);
            if found.is_some() {
                return found;
            }
            rest = after;
        } else if begins_tag(rest) {
            let end = rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
            rest = &rest[end..];
            while let Some((_, after)) = attribute(rest) {
                rest = after;
            }
        } else if [b"<!", b"</", b"<?"].iter().any(|begin| rest.starts_with(*begin)) {
            rest = behind(rest, b">")?;
        } else {
            rest = &rest[1..];
        }
    }
    None
}

fn is_meta(rest: &[u8]) -> bool {
    let (name, after) = (rest.get(..5), rest.get(5));
    name.is_some_and(|name| name.eq_ignore_ascii_case(b"<meta"))
        && after.is_some_and(|byte| is_space(*byte) || *byte == b'/')
}

/// Whether a start or an end tag stands here.
fn begins_tag(rest: &[u8]) -> bool {
    let name = rest.strip_prefix(b"</").or_else(|| rest.strip_prefix(b"<")).unwrap_or_default();
    name.first().is_some_and(u8::is_ascii_alphabetic)
}

fn behind<'p>(rest: &'p [u8], end: &[u8]) -> Option<&'p [u8]> {
    let at = rest.windows(end.len()).position(|window| window == end)?;
    Some(&rest[at + end.len()..])
}

/// What a `meta` says, and what stands behind its attributes.
fn meta(mut rest: &[u8]) -> (Option<&'static Encoding>, &[u8]) {
    let (mut names, mut is_pragma, mut needs_pragma, mut encoding) = (Vec::new(), false, None, None);
    while let Some(((name, value), after)) = attribute(rest) {
        rest = after;
        // Of two attributes of a name the first one counts.
        if names.contains(&name) {
            continue;
        }
        match name.as_slice() {
            b"http-equiv" => is_pragma |= value == b"content-type",
            b"content" if encoding.is_none() => {
                encoding = in_content(&value);
                needs_pragma = encoding.map(|_| true).or(needs_pragma);
            }
            b"charset" => (encoding, needs_pragma) = (Encoding::for_label_no_replacement(&value), Some(false)),
            _ => {}
        }
        names.push(name);
    }
    let counts = needs_pragma.is_some_and(|needs| !needs || is_pragma);
    (encoding.filter(|_| counts).map(as_read), rest)
}

/// The encoding that a page is read in that could be read so far as to say this one.
fn as_read(said: &'static Encoding) -> &'static Encoding {
    if said == UTF_16LE || said == UTF_16BE {
        UTF_8
    } else if said == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        said
    }
}

/// The encoding in the `content` of a `meta`: `text/html; charset=latin1`.
fn in_content(content: &[u8]) -> Option<&'static Encoding> {
    let mut rest = behind(content, b"charset")?;
    loop {
        let after = skip(rest, is_space);
        let Some(value) = after.strip_prefix(b"=") else {
            rest = behind(after, b"charset")?;
            continue;
        };
        let value = skip(value, is_space);
        let label = match value.first()? {
            quote @ (b'"' | b'\'') => &value[1..1 + value[1..].iter().position(|byte| byte == quote)?],
            _ => value.split(|byte| is_space(*byte) || *byte == b';').next()?,
        };
        return Encoding::for_label_no_replacement(label);
    }
}

/// The encoding of `<?xml version="1.0" encoding="…"?>`.
fn xml_declaration(page: &[u8]) -> Option<&'static Encoding> {
    let declaration = page.strip_prefix(b"<?xml")?.split(|byte| *byte == b'>').next()?;
    let value = skip(behind(declaration, b"encoding")?, |byte| byte <= b' ').strip_prefix(b"=")?;
    let value = skip(value, |byte| byte <= b' ');
    let quote = value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let end = value[1..].iter().position(|byte| byte == quote)?;
    Encoding::for_label_no_replacement(&value[1..=end]).map(as_read)
}

/// A name and a value in small letters.
type Attribute = (Vec<u8>, Vec<u8>);

/// The next attribute of a tag, and what stands behind it; `None` at the end of the tag or of the bytes.
fn attribute(rest: &[u8]) -> Option<(Attribute, &[u8])> {
    let rest = skip(rest, |byte| is_space(byte) || byte == b'/');
    if rest.first().is_none_or(|byte| *byte == b'>') {
        return None;
    }
    // An equals sign is part of a name that begins with it.
    let ends = |(at, byte): (usize, &u8)| is_space(*byte) || matches!(byte, b'/' | b'>') || *byte == b'=' && at > 0;
    let end = rest.iter().enumerate().position(|(at, byte)| ends((at, byte)))?;
    let (name, rest) = (rest[..end].to_ascii_lowercase(), &rest[end..]);
    let Some(value) = skip(rest, is_space).strip_prefix(b"=") else { return Some(((name, Vec::new()), rest)) };
    let value = skip(value, is_space);
    let (value, rest) = match value.first()? {
        quote @ (b'"' | b'\'') => {
            let end = value[1..].iter().position(|byte| byte == quote)?;
            (&value[1..=end], &value[end + 2..])
        }
        _ => value.split_at(value.iter().position(|byte| is_space(*byte) || *byte == b'>')?),
    };
    Some(((name, value.to_ascii_lowercase()), rest))
}

fn skip(bytes: &[u8], skipped: impl Fn(u8) -> bool) -> &[u8] {
    let from = bytes.iter().position(|byte| !skipped(*byte)).unwrap_or(bytes.len());
    &bytes[from..]
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_their_encoding() {
        let far = format!("<!doctype html><!--{}--><meta charset=latin1>", "x".repeat(1024));
        let cases: [(&[u8], Option<&str>); 26] = [
            (b"<meta charset=windows-1251>", Some("windows-1251")),
            (b"<!DOCTYPE html><HTML><head><META Charset = 'Latin1' />", Some("windows-1252")),
            (b"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=euc-jp\">", Some("EUC-JP")),
            (b"<meta content='text/html; charset=\"koi8-r\"' http-equiv=content-type>", Some("KOI8-R")),
            // Without the pragma its content says nothing.
            (b"<meta name=description content='charset=latin1'>", None),
            (b"<meta name=x content='charset=latin1'><meta charset=gb18030>", Some("gb18030")),
            // The attribute goes before the content, and a label that is none says nothing.
            (b"<meta http-equiv=content-type content='a; charset=latin1' charset=koi8-r>", Some("KOI8-R")),
            (b"<meta charset=nonsense><meta charset=big5>", Some("Big5")),
            (b"<meta charset=latin1 charset=big5>", Some("windows-1252")),
            (b"<meta charset=utf-8>", None),
            // A page that says so in bytes of ASCII is not in UTF-16.
            (b"<meta charset=utf-16le>", None),
            (b"<meta charset=x-user-defined>", Some("windows-1252")),
            // What a comment, a value or another tag holds is none.
            (b"<!-- <meta charset=latin1> -->", None),
            (b"<!--><meta charset=latin1>", Some("windows-1252")),
            (b"<a title='<meta charset=latin1>'>", None),
            (b"<metadata charset=latin1>", None),
            (b"<p a=b>x</p ><?php x ?><meta/charset=latin1>", Some("windows-1252")),
            (b"a < b <meta charset=latin1>", Some("windows-1252")),
            (b"<meta charset=latin1", None),
            (far.as_bytes(), None),
            // A mark says more than the page.
            (b"\xef\xbb\xbf<meta charset=latin1>", None),
            (b"\xff\xfe<\0p\0>\0", Some("UTF-16LE")),
            (b"\0<\0?\0x", Some("UTF-16BE")),
            (b"<?xml version='1.0' encoding = \"iso-8859-2\"?><html>", Some("ISO-8859-2")),
            (b"<?xml encoding='latin1'?><meta charset=koi8-r>", Some("KOI8-R")),
            (b"", None),
        ];
        for (page, expected) in cases {
            assert_eq!(declared(page), expected, "{}", String::from_utf8_lossy(page));
        }
    }

    #[test]
    fn any_bytes_are_looked_at_to_their_end() {
        let page = b"<?xml encoding='a'?><!-- x --><a b='c' =d=e/ f><meta http-equiv=\"content-type\" content='charset charset=\"latin1\"'>";
        for end in 0..=page.len() {
            for start in 0..end {
                declared(&page[start..end]);
            }
        }
    }
}
