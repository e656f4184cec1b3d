//! MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, 3.3 and 3.4).

use super::jaccard::mix;

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
        fitting.into_iter().find(|cut| cut.bands * cut.rows <= Bands::LONGEST_SIGNATURE).unwrap_or(single)
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

/// The hash functions of the signatures: h_i(x) = a_i·x + b_i modulo 2^64, of which the upper half is compared
/// (Dietzfelbinger's multiply-shift). The multipliers are fixed, so signatures are the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Hashes {
    cut: Bands,
    multiply_add: Vec<(u64, u64)>,
}

impl Hashes {
    pub(super) fn new(cut: Bands) -> Hashes {
        let numbers = |i: usize| (mix(2 * i as u64) | 1, mix(2 * i as u64 + 1));
        Hashes { cut, multiply_add: (0..cut.bands * cut.rows).map(numbers).collect() }
    }

    /// The key of each band of the signature of `shingles`, which is not empty, put into `keys`.
    pub(super) fn band_keys_into(&self, shingles: &[u64], keys: &mut Vec<u64>) {
        keys.clear();
        for band in self.multiply_add.chunks_exact(self.cut.rows) {
            let minimum = |&(a, b): &(u64, u64)| {
                let hashes = shingles.iter().map(|&shingle| a.wrapping_mul(shingle).wrapping_add(b) >> 32);
                hashes.fold(u64::MAX, u64::min)
            };
            keys.push(band.iter().map(minimum).fold(0, |key, value| mix(key ^ value)));
        }
    }
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
            assert!(cut.bands * cut.rows <= Bands::LONGEST_SIGNATURE);
            assert_eq!(cut, Bands { bands, rows }, "{threshold}");
        }
        // Below about 0.03 no signature of this length reaches the recall; all of it is used.
        assert_eq!(Bands::for_threshold(0.01), Bands { bands: 128, rows: 1 });
    }
}
