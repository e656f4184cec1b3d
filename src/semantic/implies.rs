//! What follows from conditions: a small prover over resolved expressions.
//!
//! A condition becomes a [`Formula`] of atoms, each of which says for one subject (`words(text)`, `category`) for which
//! values it is true. [`satisfiable`] looks for values of the subjects that meet several demands at once. Nulls are
//! three-valued as in the engine, so that "is true" and "is not false" are different demands. The answer "no" is a proof;
//! "yes" says only that no proof was found: a regex, a comparison of two fields and arithmetic are opaque, and work is
//! bounded.

mod formula;
mod subjects;
#[cfg(test)]
mod tests;

pub(super) use formula::{Atom, Formula};
pub(super) use subjects::{Domain, Subjects, may_be_null};

use std::collections::BTreeMap;

use crate::hir::{Expr, Label};

/// What is demanded of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    True,
    False,
    /// False or null: the record stays.
    NotTrue,
    /// True or null.
    NotFalse,
}

impl Demand {
    /// What is demanded of `a` where this is demanded of `not a`.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::NotTrue => Self::NotFalse,
            Self::NotFalse => Self::NotTrue,
        }
    }

    /// Whether a value of a condition meets it.
    pub(super) fn takes(self, truth: Option<bool>) -> bool {
        match self {
            Self::True => truth == Some(true),
            Self::False => truth == Some(false),
            Self::NotTrue => truth != Some(true),
            Self::NotFalse => truth != Some(false),
        }
    }

    /// Whether `a and b` meets it only when both do; `a or b` does when one does. Otherwise it is the other way round.
    pub(super) fn is_positive(self) -> bool {
        match self {
            Self::True | Self::NotFalse => true,
            Self::False | Self::NotTrue => false,
        }
    }
}

/// What is known of subjects beyond what they are by themselves.
pub(super) type Known<'e> = BTreeMap<usize, Domain<'e>>;

/// Cases that one question may take before it is given up.
const MOST_CASES: u32 = 128;

/// Whether the demands may be met at once; `false` is a proof that no record meets them.
pub(super) fn satisfiable<'e>(subjects: &Subjects<'e>, known: &Known<'e>, demands: &[(&Formula<'e>, Demand)]) -> bool {
    let case = Case { open: demands.to_vec(), choices: Vec::new(), narrowed: Vec::new() };
    Search { subjects, known, cases: 0 }.run(case)
}

/// The value that a condition has whatever the record holds.
pub(super) fn constant(labels: &[Label], condition: &Expr) -> Option<bool> {
    let mut subjects = Subjects::new(labels);
    let formula = subjects.formula(condition);
    let may = |demand| satisfiable(&subjects, &Known::new(), &[(&formula, demand)]);
    match (may(Demand::True), may(Demand::NotTrue)) {
        (false, _) => Some(false),
        (true, false) => Some(true),
        (true, true) => None,
    }
}

/// Demands that are still open, and what those that are met have narrowed subjects to.
#[derive(Clone)]
struct Case<'s, 'e> {
    open: Vec<(&'s Formula<'e>, Demand)>,
    /// Of each of these one part must meet its demand.
    choices: Vec<(&'s [Formula<'e>], Demand)>,
    narrowed: Vec<(usize, Domain<'e>)>,
}

struct Search<'s, 'e> {
    subjects: &'s Subjects<'e>,
    known: &'s Known<'e>,
    cases: u32,
}

impl<'s, 'e> Search<'s, 'e> {
    /// Whether a case may be met: what leaves no choice first, then one choice after another.
    fn run(&mut self, mut case: Case<'s, 'e>) -> bool {
        while let Some((formula, demand)) = case.open.pop() {
            match formula {
                Formula::Constant(truth) => {
                    if !demand.takes(*truth) {
                        return false;
                    }
                }
                Formula::Not(of) => case.open.push((of, demand.negated())),
                Formula::And(parts) if demand.is_positive() => case.open.extend(parts.iter().map(|one| (one, demand))),
                Formula::Or(parts) if !demand.is_positive() => case.open.extend(parts.iter().map(|one| (one, demand))),
                Formula::And(parts) | Formula::Or(parts) => case.choices.push((parts, demand)),
                Formula::Atom(atom) => {
                    if !self.narrow(atom, demand, &mut case.narrowed) {
                        return false;
                    }
                }
            }
        }
        let Some((parts, demand)) = case.choices.pop() else { return true };
        parts.iter().any(|part| {
            self.cases += 1;
            let mut next = case.clone();
            next.open.push((part, demand));
            self.cases > MOST_CASES || self.run(next)
        })
    }

    /// Narrows the atom's subject; whether anything is left of it.
    fn narrow(&self, atom: &Atom<'e>, demand: Demand, narrowed: &mut Vec<(usize, Domain<'e>)>) -> bool {
        let at = narrowed.iter().position(|(subject, _)| *subject == atom.subject);
        let before = match at {
            Some(at) => &narrowed[at].1,
            None => self.known.get(&atom.subject).unwrap_or_else(|| self.subjects.domain(atom.subject)),
        };
        let after = before.narrowed(atom, demand);
        let left = !after.is_empty();
        match at {
            Some(at) => narrowed[at].1 = after,
            None => narrowed.push((atom.subject, after)),
        }
        left
    }
}
