//! Detectors of personal data: one file each and [`all`], the one table from which `redact` statements are checked,
//! run and documented. Adding a detector is one file and one row.
//!
//! A detector is exact before it is greedy: checksums, prefixes, lengths and neighbours decide, so that dates, prices,
//! versions, order numbers and parts of longer numbers stay. What can only be told by its context needs a word of that
//! context nearby. The functions are pure and never fail; a text holds what they find or nothing.

mod card_number;
mod context;
mod email;
mod iban;
mod ip_address;
mod ip_v6;
mod number;
mod phone;
mod phone_shape;
mod redaction;

use std::ops::Range;

pub use redaction::{Found, Redaction, Replaced, redact};

#[cfg(test)]
mod measured;

/// A kind of personal data and how it is found.
#[derive(Debug, Clone, Copy)]
pub struct Detector {
    /// The name by which a policy calls it.
    pub name: &'static str,
    /// What is found and what is not, in Markdown.
    pub docs: &'static str,
    /// What stands in a redacted text in its place. No detector finds anything in a replacement.
    pub replacement: &'static str,
    /// The byte ranges of what is found, from left to right, none overlapping another, on character boundaries.
    pub find: fn(&str) -> Vec<Range<usize>>,
    /// Raised whenever some text's result changes, because results are cached under it.
    pub version: u32,
}

/// The detector that a policy calls `name`.
pub fn lookup(name: &str) -> Option<&'static Detector> {
    ALL.iter().find(|detector| detector.name == name)
}

/// Every detector, in the order of the reference, which also settles ties between finds of one length.
pub fn all() -> &'static [Detector] {
    &ALL
}

static ALL: [Detector; 5] =
    [email::DETECTOR, phone::DETECTOR, iban::DETECTOR, card_number::DETECTOR, ip_address::DETECTOR];

/// Asserts what `detector` finds in each text, as the found pieces; for the detectors' tests.
#[cfg(test)]
fn check(detector: &Detector, cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        let found: Vec<&str> = (detector.find)(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, *expected, "{} in {text:?}", detector.name);
    }
}
