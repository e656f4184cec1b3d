//! How far a figure would be another one with other records: bootstrap intervals, and tests of two runs on the same
//! records.
//!
//! All randomness is keyed by the seed, the record's id and the number of the replicate, never by a place: records in
//! another order give the same intervals, and one record more changes nothing about the others' draws.

/// Replicates of a bootstrap.
pub const REPLICATES: u32 = 1000;
/// Exchanges of a randomization test.
pub const EXCHANGES: u32 = 9999;
/// The share of replicates that an interval holds.
const LEVEL: f64 = 0.95;

/// An interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// What random draws of records are keyed by, besides the replicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKeys(Vec<u64>);

impl RecordKeys {
    /// The keys of records.
    #[must_use]
    pub fn new<'a>(seed: u64, ids: impl IntoIterator<Item = &'a str>) -> Self {
        let key = |id: &str| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(b"annotc resampling ").update(&seed.to_le_bytes()).update(id.as_bytes());
            u64::from_le_bytes(*hasher.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes"))
        };
        Self(ids.into_iter().map(key).collect())
    }

    /// A number of 64 random bits for each record, the same for the same replicate.
    fn draws(&self, replicate: u32) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(move |key| mixed(key.wrapping_add(u64::from(replicate).wrapping_mul(0x9E37_79B9_7F4A_7C15))))
    }
}

/// The finalizer of SplitMix64 (Steele et al. 2014).
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The 95 % percentile intervals of figures over 1000 replicates of the Poisson bootstrap, in which each record counts
/// as often as a Poisson-distributed number with mean 1 says (Hanley & MacGibbon 2006): the limit of drawing as many
/// records as there are with replacement, that needs no record to know of another. `statistics` is given how often each
/// record counts. Replicates without a record, or in which the figure is no finite number, are left out; `None` where
/// none is left.
///
/// Several figures are taken from the same replicates; `statistics` gives `figures` of them.
pub fn bootstrap_intervals(
    keys: &RecordKeys,
    figures: usize,
    statistics: &mut dyn FnMut(&[u32]) -> Vec<f64>,
) -> Vec<Option<Interval>> {
    let mut found: Vec<Vec<f64>> = vec![Vec::new(); figures];
    let mut times = Vec::with_capacity(keys.0.len());
    for replicate in 1..=REPLICATES {
        times.clear();
        times.extend(keys.draws(replicate).map(poisson));
        if times.iter().all(|times| *times == 0) {
            continue;
        }
        for (found, figure) in found.iter_mut().zip(statistics(&times)) {
            found.extend(figure.is_finite().then_some(figure));
        }
    }
    found.into_iter().map(interval).collect()
}

fn interval(mut figures: Vec<f64>) -> Option<Interval> {
    figures.sort_by(f64::total_cmp);
    let tail = (1.0 - LEVEL) / 2.0;
    Some(Interval { low: percentile(&figures, tail)?, high: percentile(&figures, 1.0 - tail)? })
}

/// A Poisson-distributed number with mean 1, by inversion.
fn poisson(bits: u64) -> u32 {
    // The upper 53 bits are a number that a float holds exactly.
    let uniform = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    let (mut number, mut share) = (0, (-1.0_f64).exp());
    let mut below = share;
    while uniform >= below && share > 0.0 {
        number += 1;
        share /= f64::from(number);
        below += share;
    }
    number
}

/// The value below which a share of sorted values lies, linear between neighbours as in numpy's `quantile`.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

/// The two-sided exact test of McNemar: the probability of two equally good classifiers to differ at least so much, when
/// `only_first` records are right by the first alone and `only_second` by the second alone. It is the binomial test of
/// one against a half.
#[must_use]
pub fn mcnemar_exact(only_first: u64, only_second: u64) -> f64 {
    let all = only_first + only_second;
    let fewer = only_first.min(only_second);
    // ln of C(all, k) / 2^all, from k = 0 on; summed as shares, so that nothing overflows.
    let mut log_term = -(all as f64) * std::f64::consts::LN_2;
    let mut tail = log_term.exp();
    for k in 0..fewer {
        log_term += ((all - k) as f64 / (k + 1) as f64).ln();
        tail += log_term.exp();
    }
    (2.0 * tail).min(1.0)
}

/// The two-sided approximate randomization test (Noreen 1989): how often two runs differ at least so much as they do
/// when each record's two results are exchanged by a coin, 9999 times. `difference` is given whether each record's
/// results are exchanged, and gives a difference for each figure. The true assignment counts as one of the exchanges, so
/// that no p is 0; a difference that is no number has none.
pub fn randomization_tests(keys: &RecordKeys, differences: &mut dyn FnMut(&[bool]) -> Vec<f64>) -> Vec<Option<f64>> {
    let mut exchanged = vec![false; keys.0.len()];
    let observed = differences(&exchanged);
    // Sums in another order may differ in the last bits.
    let bounds: Vec<f64> = observed.iter().map(|found| found.abs() - 1e-12 * found.abs().max(1.0)).collect();
    let mut as_far = vec![1_u32; observed.len()];
    for replicate in 1..=EXCHANGES {
        exchanged.clear();
        exchanged.extend(keys.draws(replicate).map(|bits| bits >> 63 == 1));
        for ((count, bound), found) in as_far.iter_mut().zip(&bounds).zip(differences(&exchanged)) {
            *count += u32::from(found.abs() >= *bound);
        }
    }
    let share =
        |(count, observed): (u32, f64)| observed.is_finite().then(|| f64::from(count) / f64::from(EXCHANGES + 1));
    as_far.into_iter().zip(observed).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close, fixture, numbers};
    use super::*;

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|id| format!("{id:032x}")).collect()
    }

    fn keys(seed: u64, ids: &[String]) -> RecordKeys {
        RecordKeys::new(seed, ids.iter().map(String::as_str))
    }

    #[test]
    fn mcnemar_is_the_binomial_test_of_scipy() {
        for case in cases("comparison") {
            let count = |name: &str| case[name].as_u64().expect("a count");
            let p = mcnemar_exact(count("only_first"), count("only_second"));
            close(p, &case["p"], &case.to_string());
        }
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        let fixture = &fixture("comparison")["percentiles"];
        let mut values = numbers(&fixture["values"]);
        values.sort_by(f64::total_cmp);
        for (at, share) in numbers(&fixture["shares"]).into_iter().enumerate() {
            close(percentile(&values, share).expect("values"), &fixture["expected"][at], &share.to_string());
        }
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn an_interval_has_the_width_of_theory_and_depends_on_no_order() {
        let mut ids = ids(400);
        let right = |id: &String| u8::from(!id.as_bytes()[31].is_multiple_of(4));
        let interval = |seed, ids: &[String]| {
            let right: Vec<f64> = ids.iter().map(|id| f64::from(right(id))).collect();
            let mut share = |times: &[u32]| {
                let all: u32 = times.iter().sum();
                vec![
                    right.iter().zip(times).map(|(right, times)| right * f64::from(*times)).sum::<f64>()
                        / f64::from(all),
                ]
            };
            bootstrap_intervals(&keys(seed, ids), 1, &mut share)[0].expect("there are records")
        };
        let first = interval(7, &ids);
        let share = ids.iter().map(|id| f64::from(right(id))).sum::<f64>() / 400.0;
        let theory = 1.96 * (share * (1.0 - share) / 400.0).sqrt();
        assert!((first.high - first.low - 2.0 * theory).abs() < 0.2 * theory, "{first:?} around {share} ± {theory}");
        assert!(first.low < share && share < first.high);
        ids.reverse();
        let reversed = interval(7, &ids);
        assert!((first.low - reversed.low).abs() < 1e-12 && (first.high - reversed.high).abs() < 1e-12);
        assert_ne!(first, interval(8, &ids));
    }

    #[test]
    fn a_poisson_number_has_mean_and_variance_one() {
        let keys = keys(1, &ids(2000));
        let numbers: Vec<f64> = keys.draws(1).map(|bits| f64::from(poisson(bits))).collect();
        let mean = numbers.iter().sum::<f64>() / 2000.0;
        let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / 2000.0;
        assert!((mean - 1.0).abs() < 0.08 && (variance - 1.0).abs() < 0.15, "{mean} {variance}");
        assert_eq!((poisson(0), poisson(u64::MAX) > 10), (0, true));
    }

    #[test]
    fn exchanging_finds_what_is_no_chance() {
        let keys = keys(7, &ids(60));
        let test = |gain: &dyn Fn(usize) -> f64| {
            let found = randomization_tests(&keys, &mut |exchanged| {
                vec![
                    exchanged.iter().enumerate().map(|(at, is)| if *is { -gain(at) } else { gain(at) }).sum(),
                    f64::NAN,
                ]
            });
            assert_eq!(found[1], None);
            found[0].expect("a number")
        };
        // All 60 better by one: 2 of 2^60 exchanges differ as much, so p is 1 of 10000.
        assert!((test(&|_| 1.0) - 1e-4).abs() < 1e-12);
        assert!((test(&|_| 0.0) - 1.0).abs() < 1e-12);
        // 33 better and 27 worse: the binomial test says 0.52.
        let p = test(&|at| if at < 33 { 1.0 } else { -1.0 });
        assert!((p - mcnemar_exact(33, 27)).abs() < 0.02, "{p}");
    }
}
