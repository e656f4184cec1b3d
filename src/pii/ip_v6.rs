//! The second half of the IP address detector: addresses of version 6.

use std::net::Ipv6Addr;
use std::ops::Range;

use memchr::memchr;

/// The addresses of version 6 in `text`, with zone and prefix length where they have them.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = memchr(b':', &bytes[at..]) {
        let token = token_around(bytes, at, at + offset);
        let next = token.end.max(at + offset + 1);
        if is_address(text, &token) {
            let end = with_zone_and_prefix(bytes, token.end);
            found.push(token.start..end);
            at = end;
        } else {
            at = next;
        }
    }
    found
}

/// The hexadecimal digits, colons and points around the colon at `colon`, none of them before `floor`, without the
/// punctuation of a sentence at the end.
fn token_around(bytes: &[u8], floor: usize, colon: usize) -> Range<usize> {
    let before = bytes[floor..colon].iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let is_inner = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let after = bytes[colon..].iter().take_while(|byte| is_inner(byte)).count();
    let mut end = colon + after;
    while end > colon && bytes[end - 1] == b'.' {
        end -= 1;
    }
    if bytes[..end].ends_with(b":") && !bytes[..end].ends_with(b"::") {
        end -= 1;
    }
    colon - before..end
}

/// Whether the token is an address that stands alone, and no operator, path or time of day of the same characters.
fn is_address(text: &str, token: &Range<usize>) -> bool {
    /// The longest text form: six groups and a mapped address of version 4.
    const LONGEST: usize = 45;
    if token.len() > LONGEST || token.len() < 3 {
        return false;
    }
    let written = &text[token.clone()];
    let hex = written.bytes().filter(u8::is_ascii_hexdigit).count();
    let telling = written == "::1" || (hex >= 4 && written.bytes().any(|byte| byte.is_ascii_digit()));
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    let before = text[..token.start].ends_with(|c| joins(c) || matches!(c, ':' | '.'));
    let alone = !before && !text[token.end..].starts_with(joins);
    telling && alone && written.parse::<Ipv6Addr>().is_ok()
}

/// The end of the address that ends at `end`, with the zone (`%eth0`) and the prefix length (`/64`) after it.
fn with_zone_and_prefix(bytes: &[u8], end: usize) -> usize {
    let zone = match bytes.get(end) {
        Some(b'%') => bytes[end + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count(),
        _ => 0,
    };
    with_prefix(bytes, if zone > 0 { end + 1 + zone } else { end }, 128)
}

/// The end of the address that ends at `end`, with the prefix length after it if that is at most `longest`.
pub(super) fn with_prefix(bytes: &[u8], end: usize, longest: u32) -> usize {
    let Some(b'/') = bytes.get(end) else { return end };
    let digits = bytes[end + 1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let length = bytes[end + 1..end + 1 + digits].iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0'));
    let continues = bytes.get(end + 1 + digits).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    if (1..=3).contains(&digits) && length <= longest && !continues { end + 1 + digits } else { end }
}
