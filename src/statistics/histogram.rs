//! How often whole numbers from 0 on occur: lengths, sizes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Values below this have a bin of their own.
const EXACT: u64 = 16;
/// Bins between a power of two and the next: a bin is at most an eighth as wide as its least value.
const STEPS: u64 = 8;

/// Counts in bins: 0 to 15 one by one, then eight bins for each doubling. All of `u64` has 496 bins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Histogram {
    bins: BTreeMap<u16, u64>,
    count: u64,
    sum: u128,
    /// The least and the greatest value.
    range: Option<(u64, u64)>,
}

/// A histogram as it is written: the bins that hold something, each as its least value, its greatest value and its count.
#[derive(Serialize, Deserialize)]
struct Written {
    count: u64,
    sum: u64,
    least: Option<u64>,
    most: Option<u64>,
    bins: Vec<(u64, u64, u64)>,
}

impl Histogram {
    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        self.add_times(value, 1);
    }

    /// Counts a value that occurs so often.
    pub fn add_times(&mut self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        *self.bins.entry(bin_of(value)).or_default() += times;
        self.count += times;
        self.sum += u128::from(value) * u128::from(times);
        let (least, most) = self.range.unwrap_or((value, value));
        self.range = Some((least.min(value), most.max(value)));
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (&bin, &count) in &other.bins {
            *self.bins.entry(bin).or_default() += count;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.range = match (self.range, other.range) {
            (Some(own), Some(more)) => Some((own.0.min(more.0), own.1.max(more.1))),
            (own, more) => own.or(more),
        };
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The least and the greatest value; exact.
    pub fn range(&self) -> Option<(u64, u64)> {
        self.range
    }

    /// The mean; exact but for the division.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The value that so many per cent of the values do not exceed: exact below 16, else within an eighth.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let (least, most) = self.range?;
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut before = 0_u128;
        for (from, to, count) in self.bins() {
            if before + u128::from(count) >= rank {
                // The values of a bin are taken to lie evenly in it.
                let into = u128::from(to - from) * (rank - before) / (u128::from(count) + 1);
                return Some((from + into as u64).clamp(least, most));
            }
            before += u128::from(count);
        }
        Some(most)
    }

    /// The bins that hold something in order: their least value, their greatest value, their count.
    pub fn bins(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.bins.iter().map(|(&bin, &count)| (first_of(bin), last_of(bin), count))
    }

    /// The counts of all bins from the first that holds something to the last, the empty ones between them too, each with
    /// its least and its greatest value.
    pub fn filled(&self) -> Vec<(u64, u64, u64)> {
        let (Some((&first, _)), Some((&last, _))) = (self.bins.first_key_value(), self.bins.last_key_value()) else {
            return Vec::new();
        };
        let count = |bin| self.bins.get(&bin).copied().unwrap_or(0);
        (first..=last).map(|bin| (first_of(bin), last_of(bin), count(bin))).collect()
    }
}

/// The bin that a value falls into.
fn bin_of(value: u64) -> u16 {
    if value < EXACT {
        return value as u16;
    }
    let doubling = u64::from(value.ilog2());
    let step = (value >> (doubling - u64::from(STEPS.ilog2()))) % STEPS;
    (EXACT + (doubling - u64::from(EXACT.ilog2())) * STEPS + step) as u16
}

/// The least value of a bin.
fn first_of(bin: u16) -> u64 {
    let bin = u64::from(bin);
    if bin < EXACT {
        return bin;
    }
    let (doublings, step) = ((bin - EXACT) / STEPS, (bin - EXACT) % STEPS);
    (STEPS + step) << (doublings + u64::from(EXACT.ilog2()) - u64::from(STEPS.ilog2()))
}

/// The greatest value of a bin.
fn last_of(bin: u16) -> u64 {
    if bin == bin_of(u64::MAX) { u64::MAX } else { first_of(bin + 1) - 1 }
}

impl From<Histogram> for Written {
    fn from(histogram: Histogram) -> Self {
        Self {
            count: histogram.count,
            // A sum of lengths in memory or on a disk fits.
            sum: u64::try_from(histogram.sum).unwrap_or(u64::MAX),
            least: histogram.range.map(|(least, _)| least),
            most: histogram.range.map(|(_, most)| most),
            bins: histogram.bins().collect(),
        }
    }
}

impl From<Written> for Histogram {
    fn from(written: Written) -> Self {
        Self {
            bins: written.bins.iter().map(|(from, _, count)| (bin_of(*from), *count)).collect(),
            count: written.count,
            sum: u128::from(written.sum),
            range: written.least.zip(written.most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram
    }

    #[test]
    fn every_value_has_one_bin_whose_width_is_at_most_an_eighth_of_it() {
        let near = |power: u32| [-1_i64, 0, 1].map(|by| (1_u64 << power).wrapping_add_signed(by));
        for value in (0..300).chain((3..64).flat_map(near)).chain([u64::MAX - 1, u64::MAX]) {
            let bin = bin_of(value);
            assert!((first_of(bin)..=last_of(bin)).contains(&value), "{value} in bin {bin}");
            let width = last_of(bin) - first_of(bin);
            assert!(width == 0 || width < first_of(bin) / 8 + 1, "{value}: {width}");
            assert!(bin == 0 || last_of(bin - 1) + 1 == first_of(bin), "bins have no gap before {value}");
        }
        assert_eq!(bin_of(u64::MAX), 495);
    }

    #[test]
    fn pieces_merge_to_the_whole_and_read_back() {
        let values: Vec<u64> = (0..5000).map(|at| at * at % 7919).collect();
        let whole = of(values.iter().copied());
        for size in [1, 7, 4096] {
            let mut merged = Histogram::default();
            values.rchunks(size).for_each(|piece| merged.merge(&of(piece.iter().copied())));
            assert_eq!(merged, whole);
        }
        let text = serde_json::to_string(&whole).expect("numbers");
        assert_eq!(serde_json::from_str::<Histogram>(&text).expect("it reads back"), whole);
        assert_eq!(whole.filled().iter().map(|(.., count)| count).sum::<u64>(), 5000);
    }

    #[test]
    fn percentiles_lie_within_their_bin() {
        assert_eq!(Histogram::default().percentile(50), None);
        assert_eq!((of([7]).percentile(0), of([7]).percentile(100)), (Some(7), Some(7)));
        assert_eq!(of([1, 2, 3, 4, 100]).percentile(50), Some(3));
        let many = of(1..=1000);
        for percent in [1, 25, 50, 95, 99] {
            let (found, right) = (many.percentile(percent).expect("a value"), percent * 10);
            assert!(found.abs_diff(right) <= right / 8 + 1, "{percent} %: {found}");
        }
        assert_eq!(many.percentile(100).expect("a value").min(1000), many.percentile(100).expect("a value"));
        assert_eq!(many.mean(), Some(500.5));
    }
}
