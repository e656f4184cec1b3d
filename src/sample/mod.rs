//! Which records a data set takes when it does not take all: shares, numbers and proportions, by ranks that only the
//! seed and the record's id decide. Pure.

use std::collections::HashMap;
use std::hash::Hash;

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

/// Which records are taken when at most `most` are taken of each group: those of the lowest ranks.
pub fn at_most_of_each<G: Eq + Hash + Copy>(records: &[(G, u128)], most: impl Fn(G) -> u64) -> Vec<bool> {
    let mut groups: HashMap<G, Vec<u128>> = HashMap::new();
    for (group, rank) in records {
        groups.entry(*group).or_default().push(*rank);
    }
    // The highest rank that is taken of each group; `None` where nothing is.
    let last: HashMap<G, Option<u128>> = groups
        .into_iter()
        .map(|(group, mut ranks)| {
            let taken = usize::try_from(most(group)).unwrap_or(usize::MAX).min(ranks.len());
            let last = taken.checked_sub(1).map(|at| *ranks.select_nth_unstable(at).1);
            (group, last)
        })
        .collect();
    records.iter().map(|(group, rank)| last[group].is_some_and(|last| *rank <= last)).collect()
}

/// Which records are taken so that no group has more than `times` as many as the smallest one, rounded down.
pub fn balanced<G: Eq + Hash + Copy>(records: &[(G, u128)], times: f64) -> Vec<bool> {
    let smallest = sizes(records).into_values().min().unwrap_or(0);
    // `1.1 × 10` is meant as 11 and is a little more in binary; `0.3 × 10` a little less.
    let most = (smallest as f64 * times + 1e-9).floor() as u64;
    at_most_of_each(records, |_| most)
}

/// Which records are taken so that the groups have these shares, which add up to 1, of as many records as that allows.
/// Groups without a share are not taken.
pub fn mixed<G: Eq + Hash + Copy>(records: &[(G, u128)], shares: &[(G, f64)]) -> Vec<bool> {
    let sizes = sizes(records);
    let all = |(group, share): &(G, f64)| sizes.get(group).copied().unwrap_or(0) as f64 / share;
    let total = shares.iter().filter(|(_, share)| *share > 0.0).map(all).fold(f64::INFINITY, f64::min);
    let total = if total.is_finite() { total } else { 0.0 };
    let most: HashMap<G, u64> =
        shares.iter().map(|(group, share)| (*group, (total * share + 1e-9).floor() as u64)).collect();
    at_most_of_each(records, |group| most.get(&group).copied().unwrap_or(0))
}

fn sizes<G: Eq + Hash + Copy>(records: &[(G, u128)]) -> HashMap<G, u64> {
    let mut sizes = HashMap::new();
    records.iter().for_each(|(group, _)| *sizes.entry(*group).or_default() += 1);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: usize) -> [u8; 16] {
        (number as u128).to_be_bytes()
    }

    /// Records of groups with so many members each.
    fn records(sizes: &[usize], seed: u64) -> Vec<(usize, u128)> {
        let groups = sizes.iter().enumerate().flat_map(|(group, size)| std::iter::repeat_n(group, *size));
        groups.enumerate().map(|(at, group)| (group, rank("take", seed, &id(at)))).collect()
    }

    fn taken(records: &[(usize, u128)], flags: &[bool], groups: usize) -> Vec<usize> {
        let count = |group: usize| records.iter().zip(flags).filter(|((of, _), flag)| *of == group && **flag).count();
        (0..groups).map(count).collect()
    }

    #[test]
    fn numbers_and_proportions_are_exact() {
        let records = records(&[50, 20, 7], 3);
        let of = |flags: Vec<bool>| taken(&records, &flags, 3);
        assert_eq!(of(at_most_of_each(&records, |_| 10)), [10, 10, 7]);
        assert_eq!(of(at_most_of_each(&records, |_| 0)), [0, 0, 0]);
        assert_eq!(of(balanced(&records, 1.0)), [7, 7, 7]);
        assert_eq!(of(balanced(&records, 3.0)), [21, 20, 7]);
        assert_eq!(of(balanced(&records, 1.5)), [10, 10, 7]);
        assert_eq!(of(mixed(&records, &[(0, 0.7), (1, 0.3)])), [46, 20, 0]);
        assert_eq!(of(mixed(&records, &[(0, 0.5), (1, 0.3), (2, 0.2)])), [17, 10, 7]);
        assert_eq!(of(mixed(&records, &[(0, 1.0)])), [50, 0, 0]);
        assert_eq!(of(mixed(&records, &[(5, 0.5), (0, 0.5)])), [0, 0, 0]);
    }

    #[test]
    fn weights_are_kept_in_the_mean() {
        let total: u32 = (0..20_000).map(|at| copies(rank("weight", 1, &id(at)), 2.25)).sum();
        assert!((44_500..45_500).contains(&total), "{total}");
        assert_eq!(copies(u128::MAX, 3.0), 3);
        assert_eq!((copies(0, 0.5), copies(u128::MAX, 0.5)), (1, 0));
    }

    proptest! {
        /// More records move nobody in or out of a share, and a larger share holds the smaller one.
        #[test]
        fn a_share_is_decided_by_the_record_alone(seed: u64, small in 0.0..1.0_f64, more in 0.0..1.0_f64) {
            let large = small + (1.0 - small) * more;
            let count = 400;
            let inside = |share: f64| (0..count).filter(|at| is_in_share(rank("sample", seed, &id(*at)), share)).collect::<Vec<_>>();
            let (few, many) = (inside(small), inside(large));
            prop_assert!(few.iter().all(|at| many.contains(at)));
            prop_assert!((few.len() as f64 - small * count as f64).abs() < 75.0);
        }

        /// The order of the records decides nothing.
        #[test]
        fn ranks_do_not_know_places(sizes in prop::collection::vec(0_usize..20, 1..4), seed: u64, most in 0_u64..12) {
            let records = records(&sizes, seed);
            let forwards = at_most_of_each(&records, |_| most);
            let backwards: Vec<(usize, u128)> = records.iter().rev().copied().collect();
            let mut flags = at_most_of_each(&backwards, |_| most);
            flags.reverse();
            prop_assert_eq!(forwards, flags);
        }
    }
}
