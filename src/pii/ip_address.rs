//! IP addresses.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::ip_v6::with_prefix;
use super::{Detector, context, ip_v6};

pub(super) const DETECTOR: Detector = Detector {
    name: "ip_address",
    docs: "\
An IP address of version 4 (four decimal numbers up to 255) or 6 (in full, shortened by `::`, or with an address of version 4
at its end), with its zone (`%eth0`) and prefix length (`/24`) where it has them; a port after it stays. Numbers of five
parts, a number joined to a letter (`v1.2.3.4`) or after a word such as `version` or `section`, and `::` in program text are
no addresses.",
    replacement: "[IP_ADDRESS]",
    find,
    version: 1,
};

fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for address in ip_v6::find(text) {
        find_v4(text, at..address.start, &mut found);
        at = address.end;
        found.push(address);
    }
    find_v4(text, at..text.len(), &mut found);
    found
}

/// Appends the addresses of version 4 in the part `within` of `text`.
fn find_v4(text: &str, within: Range<usize>, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = within.start;
    while let Some(offset) = bytes[at..within.end].iter().position(u8::is_ascii_digit) {
        let start = at + offset;
        let is_inner = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        let run = bytes[start..within.end].iter().take_while(|byte| is_inner(byte)).count();
        let quad = text[start..start + run].trim_end_matches('.');
        let end = start + quad.len();
        at = start + run;
        if quad.parse::<Ipv4Addr>().is_ok() && stands_alone(text, start, end) {
            at = with_prefix(bytes, end, 32).max(at);
            found.push(start..with_prefix(bytes, end, 32));
        }
    }
}

/// Whether the quad is not joined to a word and not the number of a version or a section.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    let before = text[..start].ends_with(|c| joins(c) || matches!(c, '.' | '\u{a7}'));
    let after = text[end..].starts_with(joins);
    !before && !after && !context::speaks_of_version(text, start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses_and_nothing_else() {
        super::super::check(
            &DETECTOR,
            &[
                ("from 192.168.1.1:8080, (10.0.0.1) and http://8.8.8.8/x.", &["192.168.1.1", "10.0.0.1", "8.8.8.8"]),
                ("10.0.0.0/8 10.0.0.0/123 10.0.0.0/33", &["10.0.0.0/8", "10.0.0.0", "10.0.0.0"]),
                (
                    "[2001:db8::1]:8080 fe80::1%eth0/64 ::ffff:192.0.2.1",
                    &["2001:db8::1", "fe80::1%eth0/64", "::ffff:192.0.2.1"],
                ),
                ("684D:1111:222:3333:4444:5555:6:77: up", &["684D:1111:222:3333:4444:5555:6:77"]),
                ("the server's IP is 1.2.3.4", &["1.2.3.4"]),
                ("version 1.2.3.4, v1.2.3.4, 1.2.3.4-rc1, section 3.1.4.1, \u{a7}1.2.3.4", &[]),
                ("1.2.3.4.5 256.1.1.1 1.2.3 01.2.3.4 x1.2.3.4 1.2.3.4x", &[]),
                ("std::f32::consts dead::beef a::b :: 12:34:56 00:1a:2b:3c:4d:5e", &[]),
                ("2001::db8::1 fe80::1text", &[]),
                ("[IP_ADDRESS]", &[]),
                ("", &[]),
            ],
        );
    }
}
