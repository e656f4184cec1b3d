//! The different values of a field, as hashes: how many there are as long as they are few, and whether one comes twice.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Different values up to which they are counted although some of them repeat.
const COUNTED: usize = 1000;
/// Words up to which a field's values are kept to be compared with the names of parts.
const WORDS: usize = 8;
/// The longest of these words, in bytes.
const LONGEST_WORD: usize = 16;
/// The longest value of a label, in bytes.
const LONGEST_VALUE: usize = 64;

/// The different values of one field.
#[derive(Debug, Clone, Default)]
pub struct Distinct {
    seen: HashSet<u64>,
    repeated: bool,
    /// Whether there are more than are counted.
    many: bool,
    /// The values themselves, while they are few and short.
    words: Option<Vec<String>>,
    long: bool,
    any: bool,
}

impl Distinct {
    /// Takes a value.
    pub fn take(&mut self, value: &str) {
        if !self.any {
            self.any = true;
            self.words = Some(Vec::new());
        }
        self.long |= value.len() > LONGEST_VALUE;
        if let Some(words) = &mut self.words
            && !words.iter().any(|word| word == value)
        {
            words.push(value.to_owned());
            if words.len() > WORDS || value.len() > LONGEST_WORD {
                self.words = None;
            }
        }
        if self.many {
            return;
        }
        // The hasher has fixed keys. Two values with one hash would make a key look repeated, which costs a suggestion.
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        self.repeated |= !self.seen.insert(hasher.finish());
        if self.repeated && self.seen.len() > COUNTED {
            self.many = true;
            self.seen = HashSet::new();
        }
    }

    /// Whether no value came twice.
    pub fn is_unique(&self) -> bool {
        self.any && !self.repeated
    }

    /// How many values there are; `None` where there are too many to be counted.
    pub fn count(&self) -> Option<usize> {
        (!self.many).then_some(self.seen.len())
    }

    /// The values, where they are few short words.
    pub fn words(&self) -> Option<&[String]> {
        self.words.as_deref()
    }

    /// Whether a value is longer than a label's would be.
    pub fn has_long(&self) -> bool {
        self.long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_until_they_are_too_many() {
        let mut few = Distinct::default();
        ["a", "b", "a"].iter().for_each(|value| few.take(value));
        assert_eq!((few.count(), few.is_unique(), few.words().map(<[_]>::len)), (Some(2), false, Some(2)));
        let mut unique = Distinct::default();
        (0..2000).for_each(|value: i32| unique.take(&value.to_string()));
        assert_eq!((unique.count(), unique.is_unique(), unique.words()), (Some(2000), true, None));
        unique.take("7");
        assert_eq!((unique.count(), unique.is_unique()), (None, false));
        assert!(!Distinct::default().is_unique(), "of nothing nothing is known");
    }
}
