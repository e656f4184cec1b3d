//! Which records a data set takes when it does not take all: shares, numbers and proportions, by ranks that only the
//! seed and the record's id decide. Pure.

/// A record's rank under a seed: BLAKE3 of both, with a word so that a sample and a split of one seed have nothing to do
/// with each other.
pub fn rank(word: &str, seed: u64, id: &[u8; 16]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"annotc sample ").update(word.as_bytes()).update(&[0]).update(&seed.to_le_bytes()).update(id);
    let mut hash = [0; 16];
    hasher.finalize_xof().fill(&mut hash);
    u128::from_be_bytes(hash)
}

/// Whether a record of this rank belongs to a share of all, 0 to 1: no other record decides about it.
pub fn is_in_share(rank: u128, share: f64) -> bool {
    // The upper 53 bits are a number that a float holds exactly.
    ((rank >> 75) as f64) < share * (1_u64 << 53) as f64
}

/// How many times a record of this rank occurs where it occurs `weight` times in the mean: the whole part always, once
/// more for the share that is left.
pub fn copies(rank: u128, weight: f64) -> u32 {
    weight.trunc() as u32 + u32::from(is_in_share(rank, weight.fract()))
}

/// How many records are taken of each group: those of the lowest ranks.
#[derive(Debug, Clone, PartialEq)]
pub enum Most<G> {
    /// So many, as far as there are.
    Each(u64),
    /// So many times the smallest group, rounded down.
    Balanced(f64),
    /// So many of each that these shares, which add up to 1, hold of as many records as that allows. A group without a
    /// share is not taken.
    Mixed(Vec<(G, f64)>),
}

/// The greatest number of records that is taken of each group; a group is given with its number of records.
pub fn most_of_each<G: PartialEq>(sizes: &[(G, u64)], most: &Most<G>) -> Vec<u64> {
    // `1.1 × 10` is meant as 11 and is a little more in binary; `0.3 × 10` a little less.
    let floor = |value: f64| (value + 1e-9).floor() as u64;
    match most {
        Most::Each(count) => sizes.iter().map(|_| *count).collect(),
        Most::Balanced(times) => {
            let smallest = sizes.iter().map(|(_, size)| *size).min().unwrap_or(0);
            sizes.iter().map(|_| floor(smallest as f64 * times)).collect()
        }
        Most::Mixed(shares) => {
            let size = |group: &G| sizes.iter().find(|(of, _)| of == group).map_or(0, |(_, size)| *size);
            let allowed =
                shares.iter().filter(|(_, share)| *share > 0.0).map(|(group, share)| size(group) as f64 / share);
            let total = allowed.fold(f64::INFINITY, f64::min);
            let share = |group: &G| shares.iter().find(|(of, _)| of == group).map_or(0.0, |(_, share)| *share);
            sizes.iter().map(|(group, _)| if total.is_finite() { floor(total * share(group)) } else { 0 }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: usize) -> [u8; 16] {
        (number as u128).to_be_bytes()
    }

    #[test]
    fn numbers_and_proportions_are_exact() {
        let sizes = [("a", 50), ("b", 20), ("c", 7)];
        for (most, expected) in [
            (Most::Each(10), [10, 10, 10]),
            (Most::Balanced(1.0), [7, 7, 7]),
            (Most::Balanced(3.0), [21, 21, 21]),
            (Most::Balanced(1.5), [10, 10, 10]),
            (Most::Mixed(vec![("a", 0.7), ("b", 0.3)]), [46, 20, 0]),
            (Most::Mixed(vec![("a", 0.5), ("b", 0.3), ("c", 0.2)]), [17, 10, 7]),
            (Most::Mixed(vec![("a", 1.0)]), [50, 0, 0]),
            (Most::Mixed(vec![("d", 0.5), ("a", 0.5)]), [0, 0, 0]),
        ] {
            assert_eq!(most_of_each(&sizes, &most), expected, "{most:?}");
        }
        assert_eq!(most_of_each(&[], &Most::<&str>::Balanced(2.0)), [0_u64; 0]);
    }

    #[test]
    fn weights_are_kept_in_the_mean() {
        let total: u32 = (0..20_000).map(|at| copies(rank("weight", 1, &id(at)), 2.25)).sum();
        assert!((44_500..45_500).contains(&total), "{total}");
        assert_eq!(copies(u128::MAX, 3.0), 3);
        assert_eq!((copies(0, 0.5), copies(u128::MAX, 0.5)), (1, 0));
    }

    proptest! {
        /// A larger share holds the smaller one, and is as large as it says.
        #[test]
        fn a_share_is_decided_by_the_record_alone(seed: u64, small in 0.0..1.0_f64, more in 0.0..1.0_f64) {
            let large = small + (1.0 - small) * more;
            let count = 400;
            let inside = |share: f64| {
                (0..count).filter(|at| is_in_share(rank("sample", seed, &id(*at)), share)).collect::<Vec<_>>()
            };
            let (few, many) = (inside(small), inside(large));
            prop_assert!(few.iter().all(|at| many.contains(at)));
            prop_assert!((few.len() as f64 - small * count as f64).abs() < 75.0);
        }

        /// What is taken for one purpose or seed says nothing of another.
        #[test]
        fn words_and_seeds_are_independent(seed: u64) {
            let half = |word: &'static str, seed: u64| move |at: &usize| is_in_share(rank(word, seed, &id(*at)), 0.5);
            let both = (0..400).filter(half("sample", seed)).filter(half("take", seed)).count();
            let seeds = (0..400).filter(half("sample", seed)).filter(half("sample", seed.wrapping_add(1))).count();
            prop_assert!((50..150).contains(&both) && (50..150).contains(&seeds), "{both} {seeds}");
        }
    }
}
