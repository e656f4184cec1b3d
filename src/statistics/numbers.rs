//! How numbers lie, whole or broken, of either sign.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The bits of a number's magnitude that its bin does not tell: all but the exponent and the first three of the fraction.
const UNTOLD: u32 = 49;

/// Counts in bins: one for 0, and eight for each doubling of the magnitude on either side of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Numbers {
    /// By the sign and the leading bits; 0 is the bin of 0.
    bins: BTreeMap<i32, u64>,
    count: u64,
    range: Option<(f64, f64)>,
    /// Infinite ones and those that are no number.
    other: u64,
}

/// The numbers as they are written: each bin as its bounds, the one farther from 0 not within it, and its count.
#[derive(Serialize, Deserialize)]
struct Written {
    count: u64,
    least: Option<f64>,
    most: Option<f64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    other: u64,
    bins: Vec<(f64, f64, u64)>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Numbers {
    /// Counts a number.
    pub fn add(&mut self, number: f64) {
        if !number.is_finite() {
            self.other += 1;
            return;
        }
        *self.bins.entry(bin_of(number)).or_default() += 1;
        self.count += 1;
        // Of the two zeros the plain one is kept.
        let number = number + 0.0;
        let (least, most) = self.range.unwrap_or((number, number));
        self.range = Some((least.min(number), most.max(number)));
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (&bin, &count) in &other.bins {
            *self.bins.entry(bin).or_default() += count;
        }
        self.count += other.count;
        self.other += other.other;
        self.range = match (self.range, other.range) {
            (Some(own), Some(more)) => Some((own.0.min(more.0), own.1.max(more.1))),
            (own, more) => own.or(more),
        };
    }

    /// How many finite numbers were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The least and the greatest finite number; exact.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// The number that half of the numbers do not exceed: the least of its bin, which whole numbers up to 16 are exactly.
    pub fn median(&self) -> Option<f64> {
        let (least, most) = self.range?;
        let mut before = 0;
        for (from, to, count) in self.bins() {
            before += count;
            if before * 2 >= self.count {
                return Some(if from.abs() <= to.abs() { from } else { to }.clamp(least, most));
            }
        }
        Some(most)
    }

    /// The bins that hold something in order: their bounds and their count.
    pub fn bins(&self) -> impl Iterator<Item = (f64, f64, u64)> {
        self.bins.iter().map(|(&bin, &count)| {
            let (from, to) = bounds(bin);
            (from, to, count)
        })
    }
}

fn bin_of(number: f64) -> i32 {
    if number == 0.0 {
        return 0;
    }
    let magnitude = (number.abs().to_bits() >> UNTOLD) as i32 + 1;
    if number < 0.0 { -magnitude } else { magnitude }
}

fn bounds(bin: i32) -> (f64, f64) {
    if bin == 0 {
        return (0.0, 0.0);
    }
    let magnitude = u64::from(bin.unsigned_abs()) - 1;
    let near = f64::from_bits(magnitude << UNTOLD);
    let far = f64::from_bits((magnitude + 1) << UNTOLD).min(f64::MAX);
    if bin < 0 { (-far, -near) } else { (near, far) }
}

impl From<Numbers> for Written {
    fn from(numbers: Numbers) -> Self {
        Self {
            count: numbers.count,
            least: numbers.range.map(|(least, _)| least),
            most: numbers.range.map(|(_, most)| most),
            other: numbers.other,
            bins: numbers.bins().collect(),
        }
    }
}

impl From<Written> for Numbers {
    fn from(written: Written) -> Self {
        // The bound nearer to 0 belongs to the bin; of the numbers nearest to 0 it is 0, which has a bin of its own.
        let bin = |from: f64, to: f64| match (from == 0.0, to == 0.0) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => -1,
            (false, false) => bin_of(if from.abs() <= to.abs() { from } else { to }),
        };
        Self {
            bins: written.bins.iter().map(|&(from, to, count)| (bin(from, to), count)).collect(),
            count: written.count,
            range: written.least.zip(written.most),
            other: written.other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Numbers {
        let mut numbers = Numbers::default();
        values.into_iter().for_each(|value| numbers.add(value));
        numbers
    }

    #[test]
    fn numbers_fall_into_bins_that_hold_them_and_read_back() {
        let values =
            [0.0, -0.0, 1.0, 2.0, 15.0, 16.0, -1.0, -2.5, 0.1, 1e-310, -1e-310, f64::MIN_POSITIVE, 1e300, f64::MAX];
        for value in values {
            let (from, to) = bounds(bin_of(value));
            let inside = if value < 0.0 { from < value && value <= to } else { from <= value && value < to };
            assert!(inside || value == 0.0 || value == f64::MAX, "{value} in {from} to {to}");
        }
        let all = of(values);
        assert_eq!(all.range(), Some((-2.5, f64::MAX)));
        let text = serde_json::to_string(&all).expect("numbers");
        assert_eq!(serde_json::from_str::<Numbers>(&text).expect("it reads back"), all);
        let strange = of([f64::NAN, f64::INFINITY, 4.0]);
        assert_eq!((strange.count(), strange.other, strange.median()), (1, 2, Some(4.0)));
    }

    #[test]
    fn pieces_merge_to_the_whole() {
        let values: Vec<f64> = (0..1000).map(|at| f64::from(at % 37 - 11) * 0.7).collect();
        let mut merged = of([]);
        values.rchunks(7).for_each(|piece| merged.merge(&of(piece.iter().copied())));
        assert_eq!(merged, of(values));
        assert_eq!(of([1.0, 2.0, 3.0, 4.0, 5.0]).median(), Some(3.0));
        assert_eq!(of([-5.0, -4.0, -3.0]).median(), Some(-4.0));
    }
}
