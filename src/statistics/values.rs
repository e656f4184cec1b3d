//! Which values occur and how often, where they are few.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most different values that are told apart.
const MOST: usize = 50;
/// The longest value in characters: a longer one is a text, no value of a few.
const LONGEST: usize = 60;

/// The counts of values; none where there are more than 50 of them, or where one is long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(Option<BTreeMap<String, u64>>);

impl Default for Values {
    fn default() -> Self {
        Self(Some(BTreeMap::new()))
    }
}

impl Values {
    /// Values that are not told, however few they are.
    pub fn untold() -> Self {
        Self(None)
    }

    /// Counts a value.
    pub fn add(&mut self, value: &str) {
        self.add_times(value, 1);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        match &other.0 {
            None => self.0 = None,
            Some(counts) => counts.iter().for_each(|(value, times)| self.add_times(value, *times)),
        }
    }

    /// The values in their order with their counts, where they are few.
    pub fn counts(&self) -> Option<impl ExactSizeIterator<Item = (&str, u64)> + Clone> {
        self.0.as_ref().map(|counts| counts.iter().map(|(value, count)| (value.as_str(), *count)))
    }

    fn add_times(&mut self, value: &str, times: u64) {
        let Some(counts) = &mut self.0 else { return };
        if let Some(count) = counts.get_mut(value) {
            *count += times;
        } else if counts.len() == MOST || value.chars().nth(LONGEST).is_some() {
            self.0 = None;
        } else {
            counts.insert(value.to_owned(), times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[String]) -> Values {
        let mut counted = Values::default();
        values.iter().for_each(|value| counted.add(value));
        counted
    }

    /// Whether values are too many does not depend on the pieces that they came in.
    #[test]
    fn few_values_are_counted_and_many_are_not() {
        for (different, told) in [(1, true), (MOST, true), (MOST + 1, false), (400, false)] {
            let values: Vec<String> = (0..1000).map(|at| format!("v{}", at * 7 % different)).collect();
            let whole = of(&values);
            assert_eq!(whole.counts().map(|counts| counts.len()), told.then_some(different), "{different} values");
            for size in [1, 30, 999] {
                let mut merged = Values::default();
                values.rchunks(size).for_each(|piece| merged.merge(&of(piece)));
                assert_eq!(merged, whole);
            }
        }
        assert_eq!(of(&["x".repeat(LONGEST)]).counts().map(|counts| counts.len()), Some(1));
        assert!(of(&["a".to_owned(), "ü".repeat(LONGEST + 1)]).counts().is_none());
    }
}
