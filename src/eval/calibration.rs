//! Whether a classifier is as often right as it says.

/// Bins of equal width between 0 and 1.
const BINS: usize = 15;

/// The expected calibration error (Naeini et al. 2015, as Guo et al. 2017 use it): records fall by the probability of
/// their predicted value into 15 bins of equal width, `(0, 1/15]`, `(1/15, 2/15]`, …; the error is the mean over the
/// records of |share that is right − mean probability| of their bin. 0 of no records.
#[must_use]
pub fn expected_calibration_error(records: impl IntoIterator<Item = (f64, bool)>) -> f64 {
    expected_calibration_error_of_weighted(records.into_iter().map(|(probability, right)| (probability, right, 1)))
}

/// The same of records that count several times.
pub(super) fn expected_calibration_error_of_weighted(records: impl IntoIterator<Item = (f64, bool, u32)>) -> f64 {
    let mut differences = [0.0_f64; BINS];
    let mut total = 0_u64;
    for (probability, right, times) in records {
        differences[bin(probability)] += (f64::from(u8::from(right)) - probability) * f64::from(times);
        total += u64::from(times);
    }
    if total == 0 {
        return 0.0;
    }
    // A bin's share of the records times the difference of its means is the sum of its differences over all records.
    differences.iter().map(|difference| difference.abs()).sum::<f64>() / total as f64
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
