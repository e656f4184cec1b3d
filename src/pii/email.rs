//! E-mail addresses.

use std::ops::Range;

use memchr::memchr_iter;

use super::Detector;

pub(super) const DETECTOR: Detector = Detector {
    name: "email",
    docs: "\
An e-mail address as it stands in prose: a local part of letters (of any script), digits and `. _ % + - '`, an `@`, and
a domain of at least two labels whose last one is letters or punycode. A host without a point (`ann@localhost`), a handle
(`@ann`), a package version (`left-pad@1.3.0`) and addresses spelt out in words are not found.",
    replacement: "[EMAIL]",
    find,
    version: 1,
};

/// The limits of RFC 5321, section 4.5.3.1, in bytes. They also bound the time that a text full of `@` can take.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;

fn find(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr_iter(b'@', text.as_bytes()) {
        let floor = found.last().map_or(0, |last| last.end);
        if at < floor {
            continue;
        }
        let local = local_length(&text[floor..at]);
        let domain = domain_length(&text[at + 1..]);
        if local > 0 && domain > 0 {
            found.push(at - local..at + 1 + domain);
        }
    }
    found
}

/// The length of the local part that `text` ends with; 0 where it ends with none.
fn local_length(text: &str) -> usize {
    let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'' | '\u{2019}');
    let mut length = 0;
    for character in text.chars().rev().take_while(|&c| is_inner(c)) {
        if length + character.len_utf8() > LONGEST_LOCAL {
            break;
        }
        length += character.len_utf8();
    }
    let local = &text[text.len() - length..];
    if local.ends_with('.') {
        return 0;
    }
    local.trim_start_matches(['.', '%', '-', '\'', '\u{2019}']).len()
}

/// The length of the longest domain name that `text` begins with; 0 where it begins with none.
fn domain_length(text: &str) -> usize {
    let mut valid = 0;
    let mut at = 0;
    loop {
        let label = label_length(&text[at..]);
        let end = at + label;
        if label == 0 || end > LONGEST_DOMAIN {
            return valid;
        }
        if at > 0 && is_top_level(&text[at..end]) {
            valid = end;
        }
        if !text[end..].starts_with('.') {
            return valid;
        }
        at = end + 1;
    }
}

/// The length of the label that `text` begins with: letters, digits and inner hyphens.
fn label_length(text: &str) -> usize {
    let is_label = |character: char| character.is_alphanumeric() || character == '-';
    let end = text.find(|character| !is_label(character)).unwrap_or(text.len());
    let label = &text[..end];
    if label.starts_with('-') { 0 } else { label.trim_end_matches('-').len() }
}

fn is_top_level(label: &str) -> bool {
    let letters = label.chars().all(char::is_alphabetic) && label.chars().nth(1).is_some();
    letters || label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses_and_nothing_else() {
        super::super::check(
            &DETECTOR,
            &[
                ("write to ann@example.org please", &["ann@example.org"]),
                (
                    "<ann.o'neil+news@mail.example.co.uk>, BOB_9%x@EXAMPLE.COM.",
                    &["ann.o'neil+news@mail.example.co.uk", "BOB_9%x@EXAMPLE.COM"],
                ),
                ("mailto:ann@example.org?cc=bob@example.org", &["ann@example.org", "bob@example.org"]),
                ("'ann@example.org' ...ann@example.org's", &["ann@example.org", "ann@example.org"]),
                (
                    "j\u{fc}rgen@m\u{fc}ller.de \u{7528}\u{6237}@\u{4f8b}\u{5b50}.\u{4e2d}\u{56fd}",
                    &["j\u{fc}rgen@m\u{fc}ller.de", "\u{7528}\u{6237}@\u{4f8b}\u{5b50}.\u{4e2d}\u{56fd}"],
                ),
                ("a@xn--d1acufc.xn--p1ai", &["a@xn--d1acufc.xn--p1ai"]),
                ("ann@example.org.5 a@b.de-", &["ann@example.org", "a@b.de"]),
                ("ann@example.org@example.com", &["ann@example.org"]),
                ("my email is info@example.", &[]),
                ("@ann ann@ a@b a@b.c x@-b.org left-pad@1.3.0 ann.@example.org root@10.0.0.1", &[]),
                ("[EMAIL] @@@ @.org", &[]),
                ("", &[]),
            ],
        );
    }
}
