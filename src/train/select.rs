//! What is selected on the validation part: the best measurements so far, and whether the run still gains.

use super::run::{Patience, Selection};
use crate::eval::Metric;

/// A measurement that stands among the best.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// The step after which it was made.
    pub(super) step: u64,
    /// The figure; more is better.
    pub(super) score: f64,
    /// The weights, where the run keeps them.
    pub(super) weights: Vec<Vec<f32>>,
}

/// The best measurements, the best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Best {
    pub(super) ranked: Vec<Candidate>,
    /// Measurements so far, and that of the last gain.
    pub(super) measured: u64,
    pub(super) gained: u64,
}

/// A figure of a metric such that more is better. One that is missing or no number is the worst.
pub(super) fn score(figure: Option<f64>, metric: &Metric) -> f64 {
    let figure = figure.filter(|figure| !figure.is_nan());
    figure.map_or(f64::NEG_INFINITY, |figure| if metric.higher_is_better() { figure } else { -figure })
}

impl Best {
    /// Takes a measurement in, and says whether it is the best so far. Of two equals the earlier one is.
    pub(super) fn admit(
        &mut self,
        selection: &Selection,
        step: u64,
        score: f64,
        weights: impl FnOnce() -> Vec<Vec<f32>>,
    ) -> bool {
        self.measured += 1;
        let place = self.ranked.partition_point(|candidate| candidate.score >= score);
        if place == 0 {
            self.gained = self.measured;
        }
        if place < selection.keep.max(1) {
            let weights = if selection.keep > 0 { weights() } else { Vec::new() };
            self.ranked.insert(place, Candidate { step, score, weights });
            self.ranked.truncate(selection.keep.max(1));
        }
        place == 0
    }

    /// Whether the run has gone on without gain for as long as it may.
    pub(super) fn is_exhausted(&self, patience: Option<Patience>, step: u64, per_epoch: u64) -> bool {
        let Some(best) = self.ranked.first() else { return false };
        match patience {
            None => false,
            Some(Patience::Validations(count)) => self.measured - self.gained >= count,
            Some(Patience::Epochs(count)) => step - best.step >= count.saturating_mul(per_epoch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(keep: usize) -> Selection {
        Selection { keep, ..Selection::default() }
    }

    #[test]
    fn the_best_stand_first_and_of_equals_the_earlier() {
        let mut best = Best::default();
        let loss = |figure| score(Some(figure), &Metric::Loss);
        let gains: Vec<bool> = (1..)
            .zip([2.0, f64::NAN, 1.0, 1.0, 1.5, 0.5])
            .map(|(step, figure)| best.admit(&selection(3), step, loss(figure), || vec![vec![step as f32]]))
            .collect();
        assert_eq!(gains, [true, false, true, false, false, true]);
        assert_eq!(best.ranked.iter().map(|candidate| candidate.step).collect::<Vec<_>>(), [6, 3, 4]);
        assert_eq!(best.ranked[1].weights, [[3.0]]);
        assert!(score(Some(0.9), &Metric::Accuracy) > score(Some(0.8), &Metric::Accuracy));
        assert!(score(None, &Metric::Accuracy) < score(Some(0.0), &Metric::Accuracy));
    }

    #[test]
    fn patience_ends_where_nothing_is_gained() {
        let mut best = Best::default();
        let exhausted = |best: &Best, patience, step| best.is_exhausted(Some(patience), step, 10);
        assert!(!exhausted(&best, Patience::Validations(1), 5), "nothing is measured yet");
        for (step, score) in [(5, 1.0), (10, 2.0), (15, 2.0)] {
            best.admit(&selection(0), step, score, || panic!("no weights are kept"));
        }
        assert!(exhausted(&best, Patience::Validations(1), 15));
        assert!(!exhausted(&best, Patience::Validations(2), 15));
        assert!(!exhausted(&best, Patience::Epochs(1), 19));
        assert!(exhausted(&best, Patience::Epochs(1), 20));
        assert!(!best.is_exhausted(None, 1000, 10));
    }
}
