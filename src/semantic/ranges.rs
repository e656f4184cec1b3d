//! Sets of values of one ordered type, kept as the places where belonging changes.
//!
//! A set of n pieces takes n places whatever its values are, so that what a condition says of a field (`words(text) < 3`,
//! `category in ["a", "b"]`) can be joined, cut and compared exactly.

use std::cmp::Ordering;

use crate::hir::BinaryOp;

/// A constant, ordered as the engine orders it: texts by bytes, floats totally.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'e> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'e str),
}

impl Value<'_> {
    /// The place of the kind among the kinds; values of two kinds never stand in one set.
    fn kind(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) => 1,
            Self::Float(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

impl Ord for Value<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => a.kind().cmp(&b.kind()),
        }
    }
}

impl PartialOrd for Value<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value<'_> {}

/// A place between two values: before this one, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cut<'e> {
    value: Value<'e>,
    after: bool,
}

/// A set of values of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges<'e> {
    /// Whether the values before the first cut belong.
    below: bool,
    /// In order, no two alike: at each of them belonging changes.
    cuts: Vec<Cut<'e>>,
}

impl<'e> Ranges<'e> {
    /// No value.
    pub(super) fn none() -> Self {
        Self { below: false, cuts: Vec::new() }
    }

    /// Every value.
    pub(super) fn all() -> Self {
        Self::none().complement()
    }

    /// The values that compare so with a constant; `None` for an operator that does not compare.
    pub(super) fn compared(op: BinaryOp, with: Value<'e>) -> Option<Self> {
        let from = |after| Self::from_cuts(false, vec![Cut { value: with, after }]);
        match op {
            BinaryOp::Equal => Some(Self::points([with])),
            BinaryOp::NotEqual => Some(Self::points([with]).complement()),
            BinaryOp::Less => Some(from(false).complement()),
            BinaryOp::LessEqual => Some(from(true).complement()),
            BinaryOp::Greater => Some(from(true)),
            BinaryOp::GreaterEqual => Some(from(false)),
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Coalesce
            | BinaryOp::And
            | BinaryOp::Or => None,
        }
    }

    /// These values alone.
    pub(super) fn points(values: impl IntoIterator<Item = Value<'e>>) -> Self {
        let mut values: Vec<Value<'e>> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        let cuts = values.into_iter().flat_map(|value| [false, true].map(|after| Cut { value, after })).collect();
        Self::from_cuts(false, cuts)
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(low: Value<'e>, high: Value<'e>) -> Self {
        Self::from_cuts(false, vec![Cut { value: low, after: false }, Cut { value: high, after: true }])
    }

    /// Cuts in order; those of whole numbers get one form, and two at one place change nothing.
    fn from_cuts(below: bool, cuts: Vec<Cut<'e>>) -> Self {
        let mut kept: Vec<Cut<'e>> = Vec::with_capacity(cuts.len());
        for cut in cuts {
            let cut = match cut {
                Cut { value: Value::Int(i64::MAX), after: true } => continue,
                Cut { value: Value::Int(value), after: true } => Cut { value: Value::Int(value + 1), after: false },
                cut => cut,
            };
            if kept.last() == Some(&cut) {
                kept.pop();
            } else {
                kept.push(cut);
            }
        }
        Self { below, cuts: kept }
    }

    /// What does not belong.
    pub(super) fn complement(self) -> Self {
        Self { below: !self.below, ..self }
    }

    /// What belongs to both: the pieces of the one with fewer, each with what the other has there.
    pub(super) fn intersect(&self, other: &Self) -> Self {
        let (few, many) = if self.cuts.len() <= other.cuts.len() { (self, other) } else { (other, self) };
        let mut both = Self { below: few.below && many.below, cuts: Vec::new() };
        let mut start = None;
        let mut inside = few.below;
        for cut in few.cuts.iter().copied().map(Some).chain([None]) {
            if inside {
                many.copy_between(start, cut, &mut both.cuts);
            }
            (start, inside) = (cut, !inside);
        }
        both
    }

    /// What belongs to one of them.
    pub(super) fn union(self, other: Self) -> Self {
        self.complement().intersect(&other.complement()).complement()
    }

    /// Appends the cuts of this set between two places, and the places themselves where it belongs there.
    fn copy_between(&self, start: Option<Cut<'e>>, end: Option<Cut<'e>>, into: &mut Vec<Cut<'e>>) {
        let first = start.map_or(0, |start| self.cuts.partition_point(|cut| *cut <= start));
        let last = end.map_or(self.cuts.len(), |end| self.cuts.partition_point(|cut| *cut < end));
        let inside = |cuts: usize| self.below != (cuts % 2 == 1);
        into.extend(start.filter(|_| inside(first)));
        into.extend_from_slice(&self.cuts[first..last]);
        into.extend(end.filter(|_| inside(last)));
    }

    /// Whether no value belongs. Between two neighbouring texts or floats nothing lies; that is not looked for.
    pub(super) fn is_empty(&self) -> bool {
        !self.below && self.cuts.is_empty()
    }

    /// Whether every value of this set belongs to the other.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.intersect(&other.clone().complement()).is_empty()
    }

    /// Whether a value that grows within `all` never leaves the set.
    pub(super) fn is_upward(&self, all: &Self) -> bool {
        let here = self.intersect(all);
        here.is_empty()
            || here.cuts.len() == all.cuts.len()
                && here.cuts.last().is_none_or(|last| all.cuts.len() == 1 || Some(last) == all.cuts.last())
    }

    /// The whole numbers whose floats belong to a set of floats; `None` where a bound is too large to be exact.
    pub(super) fn whole_numbers(&self) -> Option<Self> {
        const EXACT: f64 = 4_503_599_627_370_496.0;
        let mut cuts = Vec::with_capacity(self.cuts.len());
        for cut in &self.cuts {
            let Value::Float(value) = cut.value else { return None };
            if value.is_nan() || value.abs() > EXACT {
                return None;
            }
            let first = if cut.after { value.floor() + 1.0 } else { value.ceil() };
            cuts.push(Cut { value: Value::Int(first as i64), after: false });
        }
        Some(Self::from_cuts(self.below, cuts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around the constants used below.
    fn members(set: &Ranges<'_>) -> Vec<i64> {
        (-2..8).filter(|number| !set.intersect(&Ranges::points([Value::Int(*number)])).is_empty()).collect()
    }

    #[test]
    fn sets_are_those_of_their_members() {
        let compared = |op, bound| Ranges::compared(op, Value::Int(bound)).expect("the operator compares");
        let points = |numbers: &[i64]| Ranges::points(numbers.iter().map(|number| Value::Int(*number)));
        let sets = [
            Ranges::none(),
            Ranges::all(),
            compared(BinaryOp::Less, 3),
            compared(BinaryOp::LessEqual, 3),
            compared(BinaryOp::Greater, 1),
            compared(BinaryOp::GreaterEqual, 5),
            compared(BinaryOp::Equal, 2),
            compared(BinaryOp::NotEqual, 2),
            points(&[1, 2, 5]),
            points(&[4, 0, 2]).complement(),
            Ranges::between(Value::Int(0), Value::Int(4)),
        ];
        for a in &sets {
            let outside: Vec<i64> = (-2..8).filter(|number| !members(a).contains(number)).collect();
            assert_eq!(members(&a.clone().complement()), outside);
            for b in &sets {
                let (in_a, in_b) = (members(a), members(b));
                let both: Vec<i64> = in_a.iter().copied().filter(|number| in_b.contains(number)).collect();
                let either: Vec<i64> =
                    (-2..8).filter(|number| in_a.contains(number) || in_b.contains(number)).collect();
                assert_eq!(members(&a.intersect(b)), both, "{a:?} and {b:?}");
                assert_eq!(members(&a.clone().union(b.clone())), either, "{a:?} or {b:?}");
            }
        }
        assert!(compared(BinaryOp::Less, 3).intersect(&compared(BinaryOp::Greater, 2)).is_empty());
    }

    #[test]
    fn floats_become_whole_numbers() {
        let whole = |op, bound| Ranges::compared(op, Value::Float(bound)).and_then(|set| set.whole_numbers());
        assert_eq!(whole(BinaryOp::Less, 2.5).map(|set| members(&set)), Some(vec![-2, -1, 0, 1, 2]));
        assert_eq!(whole(BinaryOp::GreaterEqual, 6.0).map(|set| members(&set)), Some(vec![6, 7]));
        assert_eq!(whole(BinaryOp::Equal, 2.5).map(|set| set.is_empty()), Some(true));
        assert_eq!(whole(BinaryOp::Less, 1e18), None);
    }

    #[test]
    fn sets_that_grow_upward() {
        let counts = Ranges::compared(BinaryOp::GreaterEqual, Value::Int(0)).expect("compares");
        let upward = |op, bound| Ranges::compared(op, Value::Int(bound)).is_some_and(|set| set.is_upward(&counts));
        assert!(upward(BinaryOp::Greater, 3) && upward(BinaryOp::Less, 0) && upward(BinaryOp::GreaterEqual, 0));
        assert!(!upward(BinaryOp::Less, 3) && !upward(BinaryOp::Equal, 0) && !upward(BinaryOp::NotEqual, 3));
        let shares = Ranges::between(Value::Float(0.0), Value::Float(1.0));
        let share = |op, bound| Ranges::compared(op, Value::Float(bound)).is_some_and(|set| set.is_upward(&shares));
        assert!(share(BinaryOp::Greater, 0.7) && !share(BinaryOp::Less, 0.4));
    }
}
