//! Who goes into which part: keyed hashes against thresholds, or strata cut by largest remainder.

use super::narrow::Key;
use super::spool::{Sorted, SpoolError, item};

/// Records that may not be split apart, in the order in which the units of their stratum are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ranked {
    stratum: Key,
    /// The keyed hash, the most significant byte first.
    hash: Key,
    key: Key,
    /// The first of its rows.
    first: u64,
    number: u64,
    size: u64,
}

item!(fixed Ranked { stratum: Key, hash: Key, key: Key, first: u64, number: u64, size: u64 });

/// Records that may not be split apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// What it is hashed by.
    pub key: Key,
    /// Its number of records.
    pub size: u64,
    /// The first of its rows, which tells units of one key apart.
    pub first: u64,
    /// Its stratum.
    pub stratum: Key,
}

/// The keyed hash of a unit: BLAKE3 of the seed and the key.
fn unit_hash(seed: u64, key: &Key) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(key);
    let mut hash = [0; 16];
    hasher.finalize_xof().fill(&mut hash);
    u128::from_be_bytes(hash)
}

/// The part of a unit by its hash alone: no other record moves it. `shares` are parts with their shares, which add up
/// to 1.
pub fn by_threshold(seed: u64, key: &Key, shares: &[(usize, f64)]) -> usize {
    let at = (unit_hash(seed, key) >> 75) as f64 / (1_u64 << 53) as f64;
    let mut end = 0.0;
    for &(part, share) in shares {
        end += share;
        if at < end {
            return part;
        }
    }
    shares.last().map_or(0, |&(part, _)| part)
}

/// A unit with its rank in its stratum; `number` is what the caller knows it by.
pub fn rank(seed: u64, unit: &Unit, number: u64) -> Ranked {
    let Unit { key, size, first, stratum } = *unit;
    Ranked { stratum, hash: unit_hash(seed, &key).to_be_bytes(), key, first, number, size }
}

/// A unit with its rank in time, all of them in one stratum.
pub fn rank_in_time(moment: u64, unit: &Unit, number: u64) -> Ranked {
    let Unit { key, size, first, .. } = *unit;
    Ranked { stratum: [0; 16], hash: u128::from(moment).to_be_bytes(), key, first, number, size }
}

/// What becomes of units of one rank at the end of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The part ends among them.
    Apart,
    /// They all belong to it.
    Together,
}

/// Tells `each` the number and the part of every unit, when the units of each stratum are ranked by their hashes and cut at
/// the numbers of records that the largest remainder gives to the parts.
pub fn by_stratum(
    ranked: &Sorted<Ranked>,
    shares: &[(usize, f64)],
    ties: Ties,
    each: &mut dyn FnMut(u64, usize) -> Result<(), SpoolError>,
) -> Result<(), SpoolError> {
    let weights: Vec<f64> = shares.iter().map(|(_, share)| *share).collect();
    // One reader is ahead by a stratum: it is cut when its size is known.
    let (mut ahead, mut behind) = (ranked.iter()?.peekable(), ranked.iter()?);
    while let Some(first) = ahead.next().transpose()? {
        let (mut total, mut units) = (first.size, 1_usize);
        while let Some(unit) = ahead.next_if(|unit| unit.as_ref().is_ok_and(|unit| unit.stratum == first.stratum)) {
            total += unit?.size;
            units += 1;
        }
        let seats = largest_remainder(total, &weights);
        let (mut share, mut end, mut taken) = (0, seats.first().copied().unwrap_or(0), 0);
        let mut last = None;
        for unit in behind.by_ref().take(units) {
            let unit = unit?;
            let tied = ties == Ties::Together && last.replace(unit.hash) == Some(unit.hash);
            while !tied && taken >= end && share + 1 < seats.len() {
                share += 1;
                end += seats[share];
            }
            each(unit.number, shares[share].0)?;
            taken += unit.size;
        }
    }
    Ok(())
}

/// `total` seats by weights that add up to 1: each its whole number, then one more for the largest fractions, the
/// earlier weight first among equals (Hamilton's method). The seats add up to `total`.
pub fn largest_remainder(total: u64, weights: &[f64]) -> Vec<u64> {
    // A quota such as 0.1 × 30 = 3.0000000000000004 is meant as 3: fractions are compared to nine digits.
    let quotas: Vec<f64> = weights.iter().map(|weight| (weight * total as f64 * 1e9).round() / 1e9).collect();
    let mut seats: Vec<u64> = quotas.iter().map(|quota| quota.floor() as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| quotas[b].fract().total_cmp(&quotas[a].fract()).then(a.cmp(&b)));
    let left = total.saturating_sub(seats.iter().sum());
    for at in order.iter().cycle().take(if order.is_empty() { 0 } else { left as usize }) {
        seats[*at] += 1;
    }
    seats
}

#[cfg(test)]
mod tests {
    use super::super::spool::{Budget, Sorter};
    use super::*;
    use proptest::prelude::*;

    fn units(count: u32) -> Vec<Unit> {
        let key = |n: u32| *u128::from(n).to_be_bytes().first_chunk().unwrap();
        (0..count).map(|n| Unit { key: key(n), size: 1, first: u64::from(n), stratum: key(n % 3) }).collect()
    }

    /// The parts of units in their order.
    fn cut(seed: u64, units: &[Unit], shares: &[(usize, f64)]) -> Vec<usize> {
        let mut ranked = Sorter::new(&Budget::unlimited());
        (0..).zip(units).for_each(|(number, unit)| ranked.push(rank(seed, unit, number)).unwrap());
        let mut parts = vec![usize::MAX; units.len()];
        let mut each = |number, part| {
            parts[number as usize] = part;
            Ok(())
        };
        by_stratum(&ranked.finish().unwrap(), shares, Ties::Apart, &mut each).unwrap();
        parts
    }

    #[test]
    fn what_is_of_one_moment_is_in_one_part() {
        let moments = [5, 1, 2, 2, 2, 9];
        let mut ranked = Sorter::new(&Budget::unlimited());
        for (number, (unit, moment)) in (0..).zip(units(6).iter().zip(moments)) {
            ranked.push(rank_in_time(moment, unit, number)).unwrap();
        }
        let mut parts = vec![9; 6];
        let mut each = |number, part| {
            parts[number as usize] = part;
            Ok(())
        };
        by_stratum(&ranked.finish().unwrap(), &[(0, 0.5), (1, 0.5)], Ties::Together, &mut each).unwrap();
        assert_eq!(parts, [1, 0, 0, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn seats_add_up_and_stay_near_their_quota(total in 0_u64..5000, cuts in prop::collection::vec(1_u32..100, 1..6)) {
            let sum: u32 = cuts.iter().sum();
            let weights: Vec<f64> = cuts.iter().map(|cut| f64::from(*cut) / f64::from(sum)).collect();
            let seats = largest_remainder(total, &weights);
            prop_assert_eq!(seats.iter().sum::<u64>(), total);
            for (seat, weight) in seats.iter().zip(&weights) {
                prop_assert!((*seat as f64 - weight * total as f64).abs() <= 1.0 + 1e-6);
            }
        }

        #[test]
        fn more_records_move_nobody_without_strata(seed: u64, few in 1_u32..60, more in 0_u32..60) {
            let shares = [(0, 0.8), (2, 0.2)];
            let part = |units: &[Unit]| units.iter().map(|unit| by_threshold(seed, &unit.key, &shares)).collect::<Vec<_>>();
            let (before, after) = (part(&units(few)), part(&units(few + more)));
            prop_assert_eq!(&after[..before.len()], before.as_slice());
        }

        #[test]
        fn strata_are_cut_exactly(seed: u64, count in 0_u32..200) {
            let units = units(count);
            let parts = cut(seed, &units, &[(0, 0.9), (1, 0.1)]);
            for stratum in 0..3_usize {
                let rows: Vec<usize> = (0..units.len()).filter(|row| row % 3 == stratum).collect();
                let seats = largest_remainder(rows.len() as u64, &[0.9, 0.1]);
                let train = rows.iter().filter(|row| parts[**row] == 0).count() as u64;
                prop_assert_eq!(train, seats[0]);
            }
        }
    }

    #[test]
    fn units_are_never_cut() {
        let key = [7; 16];
        let unit = |key, size, first| Unit { key, size, first, stratum: [7; 16] };
        let parts = cut(1, &[unit(key, 3, 0), unit([8; 16], 2, 3)], &[(0, 0.5), (1, 0.5)]);
        assert_ne!(parts[0], parts[1]);
        assert_eq!(largest_remainder(30, &[0.9, 0.1]), [27, 3]);
    }
}
