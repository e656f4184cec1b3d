//! Putting placeholders in the place of what detectors find.

use std::borrow::Cow;
use std::ops::Range;

use super::{Detector, all};

/// A text without the personal data that was looked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Redaction<'t> {
    /// The text; borrowed where nothing was found.
    pub text: Cow<'t, str>,
    /// How much of each kind was found, in the table's order, kinds without a find left out.
    pub found: Vec<Found>,
    /// What was replaced, from left to right: the map from the original's offsets to the redacted text's.
    pub replaced: Vec<Replaced>,
}

/// How often one kind was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The detector's name.
    pub kind: &'static str,
    /// The number of replacements.
    pub count: usize,
}

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The detector's name.
    pub kind: &'static str,
    /// The bytes of the original that were replaced.
    pub original: Range<usize>,
    /// The bytes of the redacted text that hold the replacement.
    pub redacted: Range<usize>,
}

impl Redaction<'_> {
    /// Where byte `original` of the original stands in the redacted text; `None` inside what was replaced. The end of a
    /// text or of a replaced range is where the next byte stands.
    pub fn offset(&self, original: usize) -> Option<usize> {
        let before = self.replaced.partition_point(|replaced| replaced.original.end <= original);
        let inside = self.replaced.get(before).is_some_and(|next| next.original.start < original);
        let (from, to) = match before.checked_sub(1).map(|last| &self.replaced[last]) {
            Some(last) => (last.original.end, last.redacted.end),
            None => (0, 0),
        };
        (!inside).then(|| to + (original - from))
    }
}

/// `text` with everything that `detectors` find replaced.
///
/// Finds that overlap are replaced together, under the name of the longest of them; among equally long ones, of the one
/// that comes first in the table. What is left is searched again until nothing is found, so redacting a redacted text
/// changes nothing. The order of `detectors` does not matter.
pub fn redact<'t>(text: &'t str, detectors: &[&Detector]) -> Redaction<'t> {
    let mut ranked: Vec<&Detector> = detectors.to_vec();
    ranked.sort_by_key(|detector| all().iter().position(|row| row.name == detector.name));
    ranked.dedup_by_key(|detector| detector.name);
    let mut redaction = Redaction { text: Cow::Borrowed(text), found: Vec::new(), replaced: Vec::new() };
    loop {
        // Each round replaces characters that no later round can find, so the rounds come to an end.
        let finds = joined_finds(&redaction.text, &ranked);
        if finds.is_empty() {
            break;
        }
        let originals = finds.into_iter().map(|(range, rank)| (to_original(&redaction.replaced, &range), rank));
        let earlier = redaction.replaced.iter().map(|replaced| {
            let rank = ranked.iter().position(|detector| detector.name == replaced.kind);
            (replaced.original.clone(), rank.expect("a replacement is of one of the detectors"))
        });
        let mut ranges: Vec<(Range<usize>, usize)> = originals.chain(earlier).collect();
        ranges.sort_by_key(|(range, _)| range.start);
        redaction = replace(text, &ranges, &ranked);
    }
    redaction.found = ranked
        .iter()
        .map(|row| Found {
            kind: row.name,
            count: redaction.replaced.iter().filter(|one| one.kind == row.name).count(),
        })
        .filter(|found| found.count > 0)
        .collect();
    redaction
}

/// The ranges that any detector finds, overlapping ones joined, each with the rank of the detector that names it.
fn joined_finds(text: &str, ranked: &[&Detector]) -> Vec<(Range<usize>, usize)> {
    let mut finds: Vec<(Range<usize>, usize)> = Vec::new();
    for (rank, detector) in ranked.iter().enumerate() {
        finds.extend((detector.find)(text).into_iter().map(|range| (range, rank)));
    }
    finds.sort_by_key(|(range, rank)| (range.start, *rank));
    let mut joined: Vec<(Range<usize>, usize)> = Vec::new();
    let mut longest = 0;
    for (range, rank) in finds {
        match joined.last_mut() {
            Some((last, name)) if range.start < last.end => {
                if range.len() > longest || (range.len() == longest && rank < *name) {
                    (longest, *name) = (range.len(), rank);
                }
                last.end = last.end.max(range.end);
            }
            _ => {
                longest = range.len();
                joined.push((range, rank));
            }
        }
    }
    joined
}

/// The bytes of the original that `range` of the redacted text comes from. A find never overlaps a replacement.
fn to_original(replaced: &[Replaced], range: &Range<usize>) -> Range<usize> {
    let before = replaced.partition_point(|one| one.redacted.end <= range.start);
    let (from, to) = match before.checked_sub(1).map(|last| &replaced[last]) {
        Some(last) => (last.redacted.end, last.original.end),
        None => (0, 0),
    };
    to + (range.start - from)..to + (range.end - from)
}

/// `text` with `ranges`, sorted and apart from each other, replaced.
fn replace<'t>(text: &str, ranges: &[(Range<usize>, usize)], ranked: &[&Detector]) -> Redaction<'t> {
    let mut redacted = String::with_capacity(text.len());
    let mut replaced = Vec::with_capacity(ranges.len());
    let mut at = 0;
    for (range, rank) in ranges {
        let detector = ranked[*rank];
        redacted.push_str(&text[at..range.start]);
        let start = redacted.len();
        redacted.push_str(detector.replacement);
        replaced.push(Replaced { kind: detector.name, original: range.clone(), redacted: start..redacted.len() });
        at = range.end;
    }
    redacted.push_str(&text[at..]);
    Redaction { text: Cow::Owned(redacted), found: Vec::new(), replaced }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn everything() -> Vec<&'static Detector> {
        all().iter().collect()
    }

    #[test]
    fn replaces_counts_and_maps() {
        let text = "write to ann@example.org or bob@example.org from 10.0.0.1 please";
        let redaction = redact(text, &everything());
        assert_eq!(redaction.text, "write to [EMAIL] or [EMAIL] from [IP_ADDRESS] please");
        assert_eq!(redaction.found, [Found { kind: "email", count: 2 }, Found { kind: "ip_address", count: 1 }]);
        for word in ["write", " or ", "please"] {
            let (there, here) = (text.find(word), redaction.text.find(word));
            assert_eq!(there.and_then(|at| redaction.offset(at)), here, "{word}");
        }
        assert_eq!(redaction.offset(12), None);
        assert_eq!(redaction.offset(9), Some(9));
        assert_eq!(redaction.offset(text.len()), Some(redaction.text.len()));
    }

    #[test]
    fn a_longer_find_names_what_overlaps() {
        let redaction = redact("415-555-0132@example.org", &everything());
        assert_eq!(redaction.text, "[EMAIL]");
        let one = redact("415-555-0132@example.org 10.0.0.1", &everything()[4..]);
        assert_eq!(one.text, "415-555-0132@example.org [IP_ADDRESS]");
        assert_eq!(redact("nothing", &[]).text, "nothing");
    }

    /// Texts dense in what the detectors look at.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[0-9 +().@:/%x-]{1,12}",
            "[a-z]{1,5}",
            Just("ann@example.org".to_owned()),
            Just("4111 1111 1111 1111".to_owned()),
            Just("DE89 3704 0044 0532 0130 00".to_owned()),
            Just("+49 30 1234567".to_owned()),
            Just("415-555-0132".to_owned()),
            Just("fe80::1".to_owned()),
            Just("10.0.0.1".to_owned()),
            Just(" call ".to_owned()),
            "\\PC{0,4}",
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn redacting_twice_changes_nothing(text in texts()) {
            let once = redact(&text, &everything());
            let twice = redact(&once.text, &everything());
            prop_assert_eq!(&twice.text, &once.text);
            prop_assert!(twice.replaced.is_empty());
        }

        #[test]
        fn the_map_rebuilds_the_text(text in texts()) {
            let redaction = redact(&text, &everything());
            let mut at = 0;
            for replaced in &redaction.replaced {
                let kept = &text[at..replaced.original.start];
                let to = redaction.offset(at).expect("the end of a replacement is mapped");
                prop_assert_eq!(kept, &redaction.text[to..to + kept.len()]);
                at = replaced.original.end;
            }
        }

        #[test]
        fn finds_are_sorted_apart_and_on_boundaries(text in prop_oneof![texts(), any::<String>()]) {
            for detector in all() {
                let mut at = 0;
                for range in (detector.find)(&text) {
                    prop_assert!(at <= range.start && range.start < range.end, "{}", detector.name);
                    prop_assert!(text.get(range.clone()).is_some(), "{}", detector.name);
                    at = range.end;
                }
            }
        }
    }
}
