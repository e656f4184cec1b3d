//! Learning rates over the steps of a run.

/// The shape of the rate after warmup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decay {
    /// The peak until the end.
    Constant,
    /// A straight line down to the floor.
    Linear,
    /// Half a cosine wave down to the floor (Loshchilov & Hutter 2017, without restarts).
    Cosine,
    /// The peak, and a straight line down to the floor over the run's last stretch: warmup, stable, decay (Hu et al.,
    /// "MiniCPM", 2024; the straight line as Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed
    /// Training Durations", 2024, have it).
    Late(Stretch),
}

/// A part of a run, at its start or its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stretch {
    /// A share of all steps, between 0 and 1, rounded up to whole steps.
    Share(f64),
    /// A number of steps.
    Steps(u64),
}

impl Stretch {
    /// Its steps in a run of `steps`.
    fn of(self, steps: u64) -> u64 {
        match self {
            Self::Share(share) => (share * steps as f64).ceil() as u64,
            Self::Steps(count) => count,
        }
        .min(steps)
    }
}

impl Decay {
    /// The name that the language has for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "linear",
            Self::Cosine => "cosine",
            Self::Late(_) => "wsd",
        }
    }
}

/// `rate 1e-4 cosine warmup 10% floor 1e-6`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The peak.
    pub rate: f64,
    /// What follows the warmup.
    pub decay: Decay,
    /// The rise from 0.
    pub warmup: Stretch,
    /// What the decay ends at.
    pub floor: f64,
}

impl Schedule {
    /// Steps of the warmup in a run of `steps`.
    #[must_use]
    pub fn warmup_steps(&self, steps: u64) -> u64 {
        self.warmup.of(steps)
    }

    /// Steps of the fall in a run of `steps`: what follows the warmup, or the last stretch of it.
    #[must_use]
    pub fn decay_steps(&self, steps: u64) -> u64 {
        let after = steps - self.warmup_steps(steps);
        match self.decay {
            Decay::Constant => 0,
            Decay::Linear | Decay::Cosine => after,
            Decay::Late(stretch) => stretch.of(steps).min(after),
        }
    }

    /// What is to be known where the stretches that were said do not fit a run of `steps`.
    pub(super) fn shortened(&self, steps: u64) -> Option<String> {
        let said = |stretch: Stretch| match stretch {
            Stretch::Share(_) => stretch.of(steps),
            Stretch::Steps(count) => count,
        };
        let (rise, fall) = match self.decay {
            Decay::Constant | Decay::Linear | Decay::Cosine => (said(self.warmup), 0),
            Decay::Late(fall) => (said(self.warmup), said(fall)),
        };
        if rise > steps {
            Some(format!(
                "the warmup of {rise} steps is cut to the {steps} of the run, whose last alone has the full rate"
            ))
        } else if rise.saturating_add(fall) > steps && matches!(self.decay, Decay::Late(Stretch::Steps(_))) {
            let left = steps - rise;
            Some(format!("the decay of {fall} steps is cut to the {left} that the warmup leaves of the run's {steps}"))
        } else {
            None
        }
    }

    /// The rate of step `step` of `steps`, counted from 1.
    ///
    /// The warmup's last step is the first at the peak. The decay would reach the floor one step after the last, so no
    /// step is spent on a rate of 0.
    #[must_use]
    pub fn rate_at(&self, step: u64, steps: u64) -> f64 {
        let warmup = self.warmup_steps(steps);
        if step < warmup {
            return self.rate * step as f64 / warmup as f64;
        }
        let peak = match self.decay {
            Decay::Constant | Decay::Linear | Decay::Cosine => warmup.max(1),
            Decay::Late(_) => (steps - self.decay_steps(steps)).max(1),
        };
        let progress = (step.saturating_sub(peak)) as f64 / (steps.saturating_sub(peak) + 1) as f64;
        let remaining = match self.decay {
            Decay::Constant => return self.rate,
            Decay::Linear | Decay::Late(_) => 1.0 - progress,
            Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        };
        self.floor + (self.rate - self.floor) * remaining
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_and_fall_as_said() {
        let check = |decay, warmup, floor, expected: &[f64]| {
            let schedule = Schedule { rate: 1.0, decay, warmup, floor };
            let steps = expected.len() as u64;
            for (step, expected) in (1..).zip(expected) {
                let found = schedule.rate_at(step, steps);
                assert!((found - expected).abs() < 1e-12, "{schedule:?} step {step}: {found}");
            }
        };
        check(Decay::Constant, Stretch::Steps(2), 0.0, &[0.5, 1.0, 1.0, 1.0]);
        check(Decay::Linear, Stretch::Share(0.5), 0.0, &[0.5, 1.0, 2.0 / 3.0, 1.0 / 3.0]);
        check(Decay::Linear, Stretch::Steps(0), 0.2, &[1.0, 0.8, 0.6, 0.4]);
        check(Decay::Cosine, Stretch::Steps(0), 0.0, &[1.0, 0.5]);
        let third = Decay::Late(Stretch::Share(1.0 / 3.0));
        check(third, Stretch::Steps(2), 0.1, &[0.5, 1.0, 1.0, 1.0, 0.7, 0.4]);
        check(Decay::Late(Stretch::Steps(9)), Stretch::Steps(2), 0.0, &[0.5, 1.0, 2.0 / 3.0, 1.0 / 3.0]);
        check(Decay::Constant, Stretch::Steps(9), 0.0, &[0.5, 1.0]);
    }

    #[test]
    fn stretches_that_do_not_fit_a_run_are_told() {
        let check = |decay, warmup, words: Option<&str>| {
            let told = Schedule { rate: 1.0, decay, warmup, floor: 0.0 }.shortened(5);
            assert_eq!(told.is_some(), words.is_some(), "{told:?}");
            assert!(words.is_none_or(|words| told.is_some_and(|told| told.contains(words))), "{words:?}");
        };
        check(Decay::Linear, Stretch::Steps(100), Some("warmup of 100 steps is cut to the 5"));
        check(Decay::Linear, Stretch::Steps(5), None);
        check(Decay::Late(Stretch::Steps(3)), Stretch::Steps(2), None);
        check(Decay::Late(Stretch::Steps(3)), Stretch::Steps(4), Some("decay of 3 steps is cut to the 1"));
        // Two halves of five steps are rounded up, which nobody has to mend.
        check(Decay::Late(Stretch::Share(0.5)), Stretch::Share(0.5), None);
        check(Decay::Constant, Stretch::Steps(6), Some("warmup of 6"));
    }
}
