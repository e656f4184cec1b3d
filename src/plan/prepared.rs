//! What other records, or other files, decide over a record: found before the plan that needs it is made.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::dedup::contamination::Contamination;
use crate::dedup::pieces::without;
use crate::hir::{Dataset, StepKind};

/// What the steps of a data set need to know beside the record, by their index.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// For each `dedup` of lines, sentences or substrings: what it cuts out.
    pub cuts: BTreeMap<usize, Arc<Cuts>>,
    /// For each `decontaminate`: what records may not share.
    pub evaluated: BTreeMap<usize, Arc<Evaluation>>,
    /// For each `decontaminate`: the digest of all that this depends on.
    pub against: BTreeMap<usize, String>,
}

impl Prepared {
    /// As if there were no other record and nothing to evaluate on.
    pub fn of_nothing(dataset: &Dataset) -> Self {
        let mut prepared = Self::default();
        for (at, step) in dataset.steps.iter().enumerate() {
            if let StepKind::DedupPieces { .. } = step.kind {
                prepared.cuts.insert(at, Arc::default());
            } else if let StepKind::Decontaminate { words, .. } = step.kind {
                let evaluation = Evaluation { contamination: Contamination::new(words), own: Vec::new() };
                prepared.evaluated.insert(at, Arc::new(evaluation));
            }
        }
        prepared
    }
}

/// The places that are cut out of texts. It takes 16 bytes for each record of which something is cut, and 8 for each place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cuts {
    /// The locations of the records, ascending, each with the end of its places.
    records: Vec<(u64, usize)>,
    places: Vec<Range<u32>>,
}

impl Cuts {
    /// Adds what is cut out of a record; records come in order of location. Places are in order and do not overlap.
    pub fn push(&mut self, location: u64, places: impl IntoIterator<Item = Range<u32>>) {
        let before = self.places.len();
        self.places.extend(places);
        if self.places.len() > before {
            self.records.push((location, self.places.len()));
        }
    }

    /// Adds what is cut out of records that come behind all of these.
    pub fn append(&mut self, later: &Cuts) {
        for location in later.records() {
            self.push(location, later.places(location).iter().cloned());
        }
    }

    /// What is cut out of a record.
    pub fn places(&self, location: u64) -> &[Range<u32>] {
        let Ok(at) = self.records.binary_search_by_key(&location, |(location, _)| *location) else { return &[] };
        let start = at.checked_sub(1).map_or(0, |before| self.records[before].1);
        &self.places[start..self.records[at].1]
    }

    /// How many bytes are cut out of a record.
    pub fn bytes(&self, location: u64) -> u64 {
        self.places(location).iter().map(|place| u64::from(place.end - place.start)).sum()
    }

    /// A record's text with nothing of it that was cut; `None` where nothing was.
    pub fn rest(&self, location: u64, text: &str) -> Option<String> {
        let places = self.places(location);
        (!places.is_empty()).then(|| without(text, places))
    }

    /// The records of which something is cut, in order of location.
    pub fn records(&self) -> impl Iterator<Item = u64> + '_ {
        self.records.iter().map(|(location, _)| *location)
    }

    /// What is cut out of the records at some locations, each with its places, in order of location.
    pub fn within(&self, locations: Range<u64>) -> impl Iterator<Item = (u64, &[Range<u32>])> {
        let first_from = |place| self.records.partition_point(|(location, _)| *location < place);
        let (first, end) = (first_from(locations.start), first_from(locations.end));
        let start = first.checked_sub(1).map_or(0, |before| self.records[before].1);
        self.records[first..end].iter().scan(start, |start, (location, end)| {
            let places = &self.places[*start..*end];
            *start = *end;
            Some((*location, places))
        })
    }

    /// How many places are cut, and how many bytes.
    pub fn extent(&self) -> (u64, u64) {
        let bytes = self.places.iter().map(|place| u64::from(place.end - place.start)).sum();
        (self.places.len() as u64, bytes)
    }
}

/// What records may not share, and which are looked at.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The runs of words of what is evaluated on.
    pub contamination: Contamination,
    /// For each file of the data set whether its records are what is evaluated on: these share everything with themselves.
    pub own: Vec<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_location() {
        let mut cuts = Cuts::default();
        cuts.push(3, []);
        cuts.push(5, [0..2, 3..4]);
        cuts.push(9, std::iter::once(1..3));
        assert_eq!(cuts.records().collect::<Vec<_>>(), [5, 9]);
        assert_eq!((cuts.places(3), cuts.places(4), cuts.places(100)), (&[][..], &[][..], &[][..]));
        let rest = |location, text| cuts.rest(location, text);
        assert_eq!(
            (rest(5, "abcdef"), rest(9, "abcdef"), rest(3, "abc")),
            (Some("cef".into()), Some("adef".into()), None)
        );
        assert_eq!(cuts.extent(), (3, 5));
        let within = |locations| cuts.within(locations).map(|(at, places)| (at, places.len())).collect::<Vec<_>>();
        assert_eq!(
            [within(0..6), within(6..10), within(5..9), within(9..9)],
            [vec![(5, 2)], vec![(9, 1)], vec![(5, 2)], vec![]]
        );
    }
}
