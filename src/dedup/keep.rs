//! Which of several equal or similar records is kept.

/// For each record its cluster's best in place of its first: the one with the highest score, the earlier of two with one
/// score. A record without a score comes after all that have one, and so does one whose score is no number. Where
/// `scores` is empty, the first stays.
pub fn best_of(firsts: Vec<u32>, scores: &[Option<f64>]) -> Vec<u32> {
    if scores.is_empty() {
        return firsts;
    }
    let score = |record: u32| scores[record as usize].filter(|score| !score.is_nan());
    let mut best: Vec<u32> = (0..firsts.len() as u32).collect();
    for (record, &first) in (0..).zip(&firsts) {
        let before = best[first as usize];
        let better = match (score(record), score(before)) {
            (Some(mine), Some(its)) => mine > its,
            (Some(_), None) => true,
            (None, Some(_) | None) => false,
        };
        if better {
            best[first as usize] = record;
        }
    }
    firsts.into_iter().map(|first| best[first as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_cluster_is_kept() {
        let firsts = vec![0, 1, 0, 0, 1, 5];
        for (scores, expected) in [
            (vec![], [0, 1, 0, 0, 1, 5]),
            (vec![Some(1.0), None, Some(3.0), Some(3.0), Some(-1.0), None], [2, 4, 2, 2, 4, 5]),
            (vec![None; 6], [0, 1, 0, 0, 1, 5]),
            (vec![Some(f64::NAN), Some(0.0), None, Some(-9.0), Some(0.0), Some(1.0)], [3, 1, 3, 3, 1, 5]),
        ] {
            assert_eq!(best_of(firsts.clone(), &scores), expected, "{scores:?}");
        }
    }
}
