//! Dynamic loss scaling: gradients of 16-bit floats are multiplied by a power of two, so that small ones do not become 0.
//!
//! A gradient that is no number shows that the scale is too large: the step is left out and the scale halved. After a long stretch of
//! good steps it is doubled. These are the rules and numbers of PyTorch's `GradScaler`.

use serde::{Deserialize, Serialize};

use super::run::Precision;

/// The scale at the beginning of a run.
const FIRST: f64 = 65_536.0;

/// The good steps behind each other after which it doubles.
const STRETCH: u64 = 2000;

/// The scale of a loss, and how it came to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct LossScale {
    /// A power of two.
    pub(super) factor: f64,
    /// Good steps since it changed.
    good: u64,
    /// Steps that were left out so far.
    pub(super) skipped: u64,
}

impl LossScale {
    /// That of a run that begins; without one where the range of the numbers is that of 32 bits.
    pub(super) fn of(precision: Precision) -> Option<Self> {
        match precision {
            Precision::F16 => Some(Self { factor: FIRST, good: 0, skipped: 0 }),
            Precision::F32 | Precision::Bf16 => None,
        }
    }

    /// Takes note of a step whose gradient is made of numbers.
    pub(super) fn succeed(&mut self) {
        self.good += 1;
        if self.good == STRETCH {
            (self.factor, self.good) = (self.factor * 2.0, 0);
        }
    }

    /// Takes note of a gradient that is no number; says whether a smaller scale may help.
    pub(super) fn fail(&mut self) -> bool {
        let may_help = self.factor > 1.0;
        if may_help {
            *self = Self { factor: self.factor / 2.0, good: 0, skipped: self.skipped + 1 };
        }
        may_help
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_halves_at_once_and_doubles_after_a_stretch() {
        assert_eq!((LossScale::of(Precision::F32), LossScale::of(Precision::Bf16)), (None, None));
        let mut scale = LossScale::of(Precision::F16).expect("its range is small");
        (0..STRETCH - 1).for_each(|_| scale.succeed());
        assert!(scale.fail());
        assert_eq!((scale.factor, scale.skipped), (FIRST / 2.0, 1));
        (0..STRETCH).for_each(|_| scale.succeed());
        assert_eq!(scale.factor, FIRST);
        let halvings = std::iter::from_fn(|| scale.fail().then_some(())).count();
        assert_eq!((halvings, scale.factor, scale.skipped), (16, 1.0, 17));
    }
}
