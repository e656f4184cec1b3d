//! Runs of several pieces and how often each occurs in a text.
//!
//! Two runs of n pieces are the same when both their first and their last n - 1 pieces are, so each length is found from the
//! one before, and where a shorter run occurs once, no longer one over it can occur twice. In a text of prose little is left
//! after two or three pieces.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use super::Piece;

/// The runs of a text by their length, as far as they were asked for.
pub(super) struct Grams {
    /// Of one piece, of two, and so on.
    lengths: RefCell<Vec<Runs>>,
}

/// The runs of one length.
struct Runs {
    /// The class of the run that begins at each piece: those with one class are the same. [`ONCE`] for one that is met nowhere
    /// else.
    classes: Vec<u32>,
    /// How often each class occurs. Classes are numbered in the order in which they are met.
    counts: Vec<u32>,
}

/// The class of all runs that occur once.
const ONCE: u32 = u32::MAX;

impl Grams {
    pub(super) fn of(pieces: &[Piece<'_>]) -> Self {
        let mut known: HashMap<&str, u32, Seeded> = HashMap::with_capacity_and_hasher(pieces.len() / 2, Seeded);
        let mut runs = Runs { classes: Vec::with_capacity(pieces.len()), counts: Vec::new() };
        for piece in pieces {
            let next = runs.counts.len() as u32;
            runs.add(*known.entry(piece.text).or_insert(next));
        }
        Self { lengths: RefCell::new(vec![runs.without_single()]) }
    }

    /// How often the most frequent run of `n` pieces occurs, the first of several such, and its characters with a space
    /// between two pieces.
    pub(super) fn top(&self, pieces: &[Piece<'_>], n: usize) -> Option<(usize, usize)> {
        self.extend(n);
        let lengths = self.lengths.borrow();
        let runs = &lengths[n - 1];
        let mut best: Option<(u32, u32)> = None;
        for (class, count) in (0..).zip(&runs.counts) {
            if best.is_none_or(|(_, most)| *count > most) {
                best = Some((class, *count));
            }
        }
        let (start, count) = match best {
            Some((class, count)) => (runs.classes.iter().position(|other| *other == class)?, count),
            None => (0, 1),
        };
        let run = pieces.get(start..start + n)?;
        let chars = run.iter().map(|piece| piece.chars).sum::<usize>() + n - 1;
        Some((count as usize, chars))
    }

    /// The characters of the runs of `n` pieces that were met before, no piece counted twice.
    pub(super) fn repeated(&self, pieces: &[Piece<'_>], n: usize) -> usize {
        self.extend(n);
        let lengths = self.lengths.borrow();
        let runs = &lengths[n - 1];
        if runs.counts.is_empty() {
            return 0;
        }
        let mut met = vec![false; runs.counts.len()];
        let (mut at, mut chars) = (0, 0);
        while let Some(class) = runs.classes.get(at) {
            match met.get_mut(*class as usize) {
                Some(true) => {
                    chars += pieces[at..at + n].iter().map(|piece| piece.chars).sum::<usize>();
                    at += n;
                }
                Some(first) => {
                    *first = true;
                    at += 1;
                }
                // A run that occurs once.
                None => at += 1,
            }
        }
        chars
    }

    /// Finds the runs up to `n` pieces.
    fn extend(&self, n: usize) {
        let mut lengths = self.lengths.borrow_mut();
        while lengths.len() < n {
            let longer = lengths.last().map(Runs::one_longer);
            lengths.extend(longer);
        }
    }
}

impl Runs {
    fn add(&mut self, class: u32) {
        self.classes.push(class);
        match self.counts.get_mut(class as usize) {
            Some(count) => *count += 1,
            None => self.counts.push(1),
        }
    }

    fn one_longer(&self) -> Self {
        let windows = self.classes.len().saturating_sub(1);
        if self.counts.is_empty() {
            return Self { classes: vec![ONCE; windows], counts: Vec::new() };
        }
        let mut longer = Self { classes: Vec::with_capacity(windows), counts: Vec::new() };
        let mut known: HashMap<u64, u32, Seeded> = HashMap::with_capacity_and_hasher(self.counts.len(), Seeded);
        for two in self.classes.windows(2) {
            if two[0] == ONCE || two[1] == ONCE {
                longer.classes.push(ONCE);
                continue;
            }
            let next = longer.counts.len() as u32;
            longer.add(*known.entry(u64::from(two[0]) << 32 | u64::from(two[1])).or_insert(next));
        }
        longer.without_single()
    }

    /// The same with the classes of one run taken out and the others numbered anew.
    fn without_single(mut self) -> Self {
        let mut numbers = vec![ONCE; self.counts.len()];
        let mut counts = Vec::new();
        for (number, count) in numbers.iter_mut().zip(&self.counts).filter(|(_, count)| **count > 1) {
            *number = counts.len() as u32;
            counts.push(*count);
        }
        for class in &mut self.classes {
            *class = numbers.get(*class as usize).copied().unwrap_or(ONCE);
        }
        Self { classes: self.classes, counts }
    }
}

/// Makes fast hashes. The seed differs from process to process, so that nobody can choose texts whose words collide; classes are
/// numbered by the order in which they are met, so that it reaches no result.
#[derive(Clone, Copy)]
struct Seeded;

impl BuildHasher for Seeded {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0_u64));
        Mixer(*SEED)
    }
}

/// A hash by folded multiplication, eight bytes at a time.
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        eights.iter().for_each(|eight| self.write_u64(u64::from_le_bytes(*eight)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio spreads neighbouring numbers; the upper half of the product depends on all bits of both.
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::Parts;

    /// The definition, run by run.
    fn plain(words: &[&str], n: usize) -> (Option<(usize, usize)>, usize) {
        let runs: Vec<String> = words.windows(n).map(|run| run.join(" ")).collect();
        let count = |run: &String| runs.iter().filter(|other| *other == run).count();
        let most = runs.iter().map(count).max();
        let top = most.and_then(|most| {
            let first = runs.iter().find(|run| count(run) == most)?;
            Some((most, first.chars().count()))
        });
        let (mut seen, mut at, mut chars) = (HashSet::new(), 0, 0);
        while at + n <= words.len() {
            let known = !seen.insert(&words[at..at + n]);
            chars += if known { words[at..at + n].concat().len() } else { 0 };
            at += if known { n } else { 1 };
        }
        (top, chars)
    }

    proptest! {
        #[test]
        fn runs_are_counted_as_defined(words in prop::collection::vec("[ab]{1,2}", 0..24), n in 1_usize..7) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let text = words.join(" ");
            let parts = Parts::of(&text);
            prop_assert_eq!((parts.top_run(n), parts.repeated_runs(n)), plain(&words, n));
        }
    }
}
