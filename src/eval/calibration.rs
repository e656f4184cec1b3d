//! Whether a classifier is as often right as it says.

/// Bins of equal width between 0 and 1.
const BINS: usize = 15;

/// The expected calibration error (Naeini et al. 2015, as Guo et al. 2017 use it): records fall by the probability of
/// their predicted value into 15 bins of equal width, `(0, 1/15]`, `(1/15, 2/15]`, …; the error is the mean over the
/// records of |share that is right − mean probability| of their bin. 0 of no records.
#[must_use]
pub fn expected_calibration_error(records: impl IntoIterator<Item = (f64, bool)>) -> f64 {
    let mut calibration = Calibration::default();
    records.into_iter().for_each(|(probability, right)| calibration.add(probability, right, 1));
    calibration.error().unwrap_or(0.0)
}

/// What the error is computed from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calibration {
    /// For each bin, the sum of 1 where a record is right, else 0, less its probability.
    differences: [f64; BINS],
    records: u64,
}

impl Calibration {
    /// Adds a record, `times` over.
    pub(super) fn add(&mut self, probability: f64, right: bool, times: u32) {
        self.differences[bin(probability)] += (f64::from(u8::from(right)) - probability) * f64::from(times);
        self.records += u64::from(times);
    }

    /// The error; `None` of no records. A bin's share of the records times the difference of its means is the sum of its
    /// differences over all records.
    pub(super) fn error(&self) -> Option<f64> {
        let sum: f64 = self.differences.iter().map(|difference| difference.abs()).sum();
        (self.records > 0).then(|| sum / self.records as f64)
    }
}

/// The bin that a probability falls into; a bound belongs to the bin below it.
fn bin(probability: f64) -> usize {
    ((probability * BINS as f64).ceil() as usize).clamp(1, BINS) - 1
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close, numbers};
    use super::*;

    #[test]
    fn the_error_is_that_of_its_definition() {
        for (number, case) in cases("calibration").iter().enumerate() {
            let right: Vec<bool> = serde_json::from_value(case["right"].clone()).expect("truth values");
            let error = expected_calibration_error(numbers(&case["confidence"]).into_iter().zip(right));
            close(error, &case["ece"], &format!("case {number}"));
        }
        assert_eq!(expected_calibration_error([]), 0.0);
    }
}
