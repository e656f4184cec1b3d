//! Addresses of the web in a text.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;

/// A scheme and what follows it, or a host that begins with `www.`.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b(?:(?i:https?|ftp)://|(?i:www)\.)[^\s<>"\u{201c}\u{201d}\u{ab}\u{bb}]+"#)
        .expect("the pattern is a regex")
});

/// The places of the addresses of a text. What punctuation of the sentence stands behind one is no part of it.
pub(super) fn urls(text: &str) -> impl Iterator<Item = Range<usize>> {
    let may = memmem::find(text.as_bytes(), b"://").is_some()
        || memmem::find(text.as_bytes(), b"www.").is_some()
        || memmem::find(text.as_bytes(), b"WWW.").is_some();
    let found = may.then(|| ADDRESS.find_iter(text)).into_iter().flatten();
    found.map(|one| one.start()..one.start() + without_punctuation(one.as_str()).len())
}

/// An address without the marks that end a sentence, and without a bracket that opens before it.
fn without_punctuation(address: &str) -> &str {
    let mut address = address;
    while let Some(last) = address.chars().next_back() {
        let closes = |open: char| address.matches(open).count() < address.matches(last).count();
        let behind = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '\u{2019}' | '*' | '_' => true,
            ')' => closes('('),
            ']' => closes('['),
            '}' => closes('{'),
            _ => false,
        };
        if !behind {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}
