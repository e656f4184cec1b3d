//! MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, 3.3 and 3.4),
//! computed as fast similarity sketches (Dahlgaard, Knudsen and Thorup 2017).

use super::hash::mix;

/// How signatures are cut: two texts become candidates when all `rows` values of one of the `bands` agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    /// The number of bands.
    pub bands: usize,
    /// The number of MinHash values in each.
    pub rows: usize,
}

impl Bands {
    /// The probability that a pair at the threshold becomes a candidate is at least this.
    pub const RECALL: f64 = 0.97;

    /// No signature has more values than this.
    pub const LONGEST_SIGNATURE: usize = 128;

    /// The most selective bands for the threshold: as many rows as still reach [`Bands::RECALL`] with as few bands as that
    /// takes, within [`Bands::LONGEST_SIGNATURE`]. Low thresholds get single rows and as many bands as they need.
    pub fn for_threshold(threshold: f64) -> Bands {
        let fitting = (1..=16).rev().map(|rows| Bands { bands: bands_needed(threshold, rows), rows });
        let single = Bands { bands: bands_needed(threshold, 1).min(Bands::LONGEST_SIGNATURE), rows: 1 };
        fitting.into_iter().find(|cut| cut.permutations() <= Bands::LONGEST_SIGNATURE).unwrap_or(single)
    }

    /// The length of a signature: each value stands for a permutation of all shingles.
    pub fn permutations(self) -> usize {
        self.bands * self.rows
    }

    /// The probability that texts of this similarity become candidates: 1 − (1 − s^rows)^bands.
    pub fn candidate_probability(self, similarity: f64) -> f64 {
        1.0 - (1.0 - similarity.powi(self.rows as i32)).powi(self.bands as i32)
    }
}

/// The fewest bands of `rows` with the wanted recall at the threshold; saturating where that is astronomically many.
fn bands_needed(threshold: f64, rows: usize) -> usize {
    let agree = threshold.powi(rows as i32);
    if agree >= 1.0 {
        return 1;
    }
    let bands = ((1.0 - Bands::RECALL).ln() / (-agree).ln_1p()).ceil();
    // The conversion saturates, and one band is the least.
    (bands as usize).clamp(1, usize::MAX / 64)
}

/// Computes signatures, and of them the keys of their bands.
///
/// A value of a signature belongs to a bin. In each round every shingle is thrown into one bin and is ranked there; a bin
/// has the smallest rank of the first round that reached it. A shingle is so hashed a few times instead of once for each
/// value, and that two texts agree in a value has the probability of their similarity as with independent permutations,
/// with a variance that is no larger. What no round has reached is ranked over all shingles at the end. All of it is fixed
/// multiplications, so signatures are the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Signatures {
    cut: Bands,
    /// For each round but the first, whose hashes are the shingles themselves: what is laid over a shingle, and an odd
    /// factor.
    rounds: Vec<(u64, u64)>,
}

const UNREACHED: u64 = u64::MAX;

impl Signatures {
    pub(super) fn new(cut: Bands) -> Signatures {
        let numbers = |i: usize| (mix(2 * i as u64), mix(2 * i as u64 + 1) | 1);
        Signatures { cut, rounds: (1..2 * cut.permutations()).map(numbers).collect() }
    }

    /// The key of each band of the signature of `shingles`, which is not empty, put behind those in `keys`. `bins` is
    /// room to work in.
    pub(super) fn band_keys_into(&self, shingles: &[u64], bins: &mut Vec<u64>, keys: &mut Vec<u32>) {
        let length = self.cut.permutations();
        bins.clear();
        bins.resize(length, UNREACHED);
        let mut unreached = length;
        for &shingle in shingles {
            unreached -= throw(bins, shingle, 0);
        }
        let (thrown, ranked) = self.rounds.split_at(length - 1);
        for (round, &(over, factor)) in (1..).zip(thrown) {
            if unreached == 0 {
                break;
            }
            for &shingle in shingles {
                unreached -= throw(bins, rehash(shingle, over, factor), round);
            }
        }
        if unreached > 0 {
            for (bin, &(over, factor)) in bins.iter_mut().zip(ranked).filter(|(bin, _)| **bin == UNREACHED) {
                let ranks = shingles.iter().map(|&shingle| rehash(shingle, over, factor) >> 32);
                *bin = (length as u64) << 32 | ranks.min().unwrap_or_default();
            }
        }
        let key = |band: &[u64]| (band.iter().fold(0, |key: u64, &value| mix(key ^ value)) >> 32) as u32;
        keys.extend(bins.chunks_exact(self.cut.rows).map(key));
    }
}

fn rehash(shingle: u64, over: u64, factor: u64) -> u64 {
    let product = (shingle ^ over).wrapping_mul(factor);
    product ^ (product >> 32)
}

/// Throws a hash into the bin that its lower half says, with its upper half as its rank; how many bins it reached first.
fn throw(bins: &mut [u64], hash: u64, round: u64) -> usize {
    let at = ((hash & 0xffff_ffff) * bins.len() as u64) >> 32;
    let bin = &mut bins[at as usize];
    let first = *bin == UNREACHED;
    *bin = (*bin).min(round << 32 | hash >> 32);
    usize::from(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_reach_the_recall_within_the_signature() {
        for (threshold, bands, rows) in
            [(0.5, 27, 3), (0.7, 20, 5), (0.8, 15, 7), (0.85, 14, 9), (0.9, 10, 11), (0.95, 7, 16), (1.0, 1, 16)]
        {
            let cut = Bands::for_threshold(threshold);
            assert!(cut.candidate_probability(threshold) >= Bands::RECALL);
            assert!(cut.permutations() <= Bands::LONGEST_SIGNATURE);
            assert_eq!(cut, Bands { bands, rows }, "{threshold}");
        }
        // Below about 0.03 no signature of this length reaches the recall; all of it is used.
        assert_eq!(Bands::for_threshold(0.01), Bands { bands: 128, rows: 1 });
    }

    /// The share of values in which two sets agree is their similarity in the mean, whatever their sizes.
    #[test]
    fn values_agree_as_often_as_the_sets_are_alike() {
        let signatures = Signatures::new(Bands { bands: 128, rows: 1 });
        let mut next = (0_u64..).map(mix);
        for (common, own) in [(1, 1), (4, 1), (8, 4), (90, 5), (300, 150), (2000, 500)] {
            let (mut equal, rounds) = (0, 200);
            for _ in 0..rounds {
                let shared: Vec<u64> = next.by_ref().take(common).collect();
                let [a, b] = [(); 2].map(|()| {
                    let set: Vec<u64> = shared.iter().copied().chain(next.by_ref().take(own)).collect();
                    let (mut bins, mut keys) = (Vec::new(), Vec::new());
                    signatures.band_keys_into(&set, &mut bins, &mut keys);
                    keys
                });
                equal += a.iter().zip(&b).filter(|(a, b)| a == b).count();
            }
            let (found, similarity) =
                (equal as f64 / f64::from(128 * rounds), common as f64 / (common + 2 * own) as f64);
            // Five standard deviations of independent values; those of one signature repel each other.
            let error = 5.0 * (similarity * (1.0 - similarity) / f64::from(128 * rounds)).sqrt().max(0.0);
            let error =
                error.max(5.0 * (similarity * (1.0 - similarity) / ((common + own) * rounds as usize) as f64).sqrt());
            assert!((found - similarity).abs() <= error, "{common} {own}: {found} instead of {similarity}");
        }
    }
}
