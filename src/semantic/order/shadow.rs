//! Rules that never fire because an earlier rule takes the same records out.
//!
//! A record that reaches a rule was not taken out by those before it: of each of their conditions it is known that it is
//! not true. What they say of one subject is kept as its domain, so that a rule is compared with all of them at once.

use std::collections::{BTreeSet, HashMap};

use super::{Findings, Rules};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::StepKind;
use crate::semantic::implies::{Demand, Formula, Known, satisfiable};

/// Earlier rules that a rule is compared with one by one.
const MOST_COMPARED: usize = 16;

/// Earlier rules that are tried alone as the reason, once it is known that there is one.
const MOST_TRIED: usize = 64;

/// Finds the rules that never fire, and the one that takes out all that is left.
pub(super) fn find(rules: &Rules<'_>, findings: &mut Findings) {
    let mut survivors = Survivors::new(rules);
    let nothing = Known::new();
    for (at, formula) in rules.formulas.iter().enumerate() {
        let Some(formula) = formula else { continue };
        let may = |known, demand| satisfiable(&rules.subjects, known, &[(formula, demand)]);
        // A `forbid` that fails the build promises what must hold; that it does is no fault of it.
        let takes_out = match rules.steps[at].kind {
            StepKind::Drop { .. } | StepKind::Forbid { else_drop: true, .. } => true,
            StepKind::Forbid { else_drop: false, .. }
            | StepKind::Set { .. }
            | StepKind::DedupExact { .. }
            | StepKind::DedupNear { .. }
            | StepKind::DedupPieces { .. }
            | StepKind::Decontaminate { .. }
            | StepKind::Label { .. }
            | StepKind::Redact { .. }
            | StepKind::Pair { .. }
            | StepKind::Sample { .. } => false,
        };
        // What a condition is by itself was reported where it was resolved.
        if !takes_out || !may(&nothing, Demand::True) {
            continue;
        }
        if !may(&nothing, Demand::NotTrue) {
            return;
        }
        if let Some(reasons) = survivors.refute(formula) {
            report_shadowed(rules, at, &reasons, findings);
        } else if !may(&survivors.known, Demand::NotTrue) {
            report_nothing_left(rules, at, &survivors.reasons(formula, Demand::NotTrue), findings);
            return;
        } else {
            survivors.learn(formula, Demand::NotTrue, at);
        }
    }
}

/// What is known of the records that the rules so far have left.
struct Survivors<'s, 'e> {
    rules: &'s Rules<'e>,
    known: Known<'e>,
    /// The rules that have narrowed each subject.
    narrowed_by: HashMap<usize, Vec<usize>>,
    /// What is known in another form: of several parts one meets its demand. With the rule that says so.
    clauses: Vec<(&'s Formula<'e>, Demand, usize)>,
    /// The clauses that speak of each subject.
    clauses_of: HashMap<usize, Vec<usize>>,
}

impl<'s, 'e> Survivors<'s, 'e> {
    fn new(rules: &'s Rules<'e>) -> Self {
        let (narrowed_by, clauses, clauses_of) = (HashMap::new(), Vec::new(), HashMap::new());
        Self { rules, known: Known::new(), narrowed_by, clauses, clauses_of }
    }

    /// Takes in what holds of the records that a rule leaves.
    fn learn(&mut self, formula: &'s Formula<'e>, demand: Demand, rule: usize) {
        match formula {
            Formula::Constant(_) => {}
            Formula::Not(of) => self.learn(of, demand.negated(), rule),
            Formula::And(parts) if demand.is_positive() => {
                parts.iter().for_each(|part| self.learn(part, demand, rule));
            }
            Formula::Or(parts) if !demand.is_positive() => {
                parts.iter().for_each(|part| self.learn(part, demand, rule));
            }
            Formula::And(_) | Formula::Or(_) => {
                let clause = self.clauses.len();
                self.clauses.push((formula, demand, rule));
                for subject in subjects_of(formula) {
                    self.clauses_of.entry(subject).or_default().push(clause);
                }
            }
            Formula::Atom(atom) => {
                let before = self.known.get(&atom.subject).unwrap_or_else(|| self.rules.subjects.domain(atom.subject));
                let after = before.narrowed(atom, demand);
                self.known.insert(atom.subject, after);
                self.narrowed_by.entry(atom.subject).or_default().push(rule);
            }
        }
    }

    /// The rules because of which a condition is never true of the records left; `None` when it may be.
    fn refute(&self, formula: &'s Formula<'e>) -> Option<Vec<usize>> {
        if !satisfiable(&self.rules.subjects, &self.known, &[(formula, Demand::True)]) {
            return Some(self.reasons(formula, Demand::True));
        }
        self.clauses_about(formula).into_iter().find_map(|clause| {
            let (other, demand, rule) = self.clauses[clause];
            let demands = [(formula, Demand::True), (other, demand)];
            if satisfiable(&self.rules.subjects, &self.known, &demands) {
                return None;
            }
            let alone = !satisfiable(&self.rules.subjects, &Known::new(), &demands);
            let mut reasons = vec![rule];
            if !alone {
                reasons.extend(self.narrowing(formula).into_iter().filter(|other| *other != rule));
            }
            Some(reasons)
        })
    }

    /// The latest clauses that speak of what a condition speaks of.
    fn clauses_about(&self, formula: &Formula<'e>) -> BTreeSet<usize> {
        let of = subjects_of(formula).into_iter().filter_map(|subject| self.clauses_of.get(&subject));
        of.flat_map(|clauses| clauses.iter().rev().take(MOST_COMPARED)).take(MOST_COMPARED).copied().collect()
    }

    /// The rules that have narrowed what a condition speaks of.
    fn narrowing(&self, formula: &Formula<'e>) -> BTreeSet<usize> {
        subjects_of(formula)
            .into_iter()
            .filter_map(|subject| self.narrowed_by.get(&subject))
            .flatten()
            .copied()
            .collect()
    }

    /// The one rule that is enough to refute a demand, else all that have narrowed what it speaks of.
    fn reasons(&self, formula: &Formula<'e>, demand: Demand) -> Vec<usize> {
        let narrowing = self.narrowing(formula);
        let alone = narrowing.iter().copied().take(MOST_TRIED).find(|rule| {
            let earlier = self.rules.formulas[*rule].as_ref().expect("only rules with a condition narrow");
            let demands = [(formula, demand), (earlier, Demand::NotTrue)];
            !satisfiable(&self.rules.subjects, &Known::new(), &demands)
        });
        alone.map_or_else(|| narrowing.into_iter().collect(), |rule| vec![rule])
    }
}

fn subjects_of(formula: &Formula<'_>) -> BTreeSet<usize> {
    let mut subjects = BTreeSet::new();
    formula.visit_atoms(&mut |atom| {
        subjects.insert(atom.subject);
    });
    subjects
}

/// Earlier rules that a report shows.
const MOST_SHOWN: usize = 3;

fn with_reasons(rules: &Rules<'_>, mut finding: Diagnostic, reasons: &[usize], what: &str) -> Diagnostic {
    for rule in reasons.iter().take(MOST_SHOWN) {
        if let Some(condition) = super::condition(&rules.steps[*rule]) {
            finding = finding.label(condition.span, what);
        }
    }
    finding
}

fn report_shadowed(rules: &Rules<'_>, at: usize, reasons: &[usize], findings: &mut Findings) {
    let step = &rules.steps[at];
    let Some(condition) = super::condition(step) else { return };
    let by = match reasons {
        [one] => format!("`{}` takes all such records out", rules.steps[*one].rule),
        _ => "the rules before it take all such records out".to_owned(),
    };
    let finding = Diagnostic::new(
        Code::ShadowedRule,
        format!("`{}` never fires: {by}", step.rule),
        condition.span,
        "never true of a record that is left",
    );
    let finding = with_reasons(rules, finding, reasons, "true of each such record, and stands before it");
    findings.add(
        step.span,
        finding.help("take the later rule out, or put it before the wider one to count its records by themselves"),
    );
}

fn report_nothing_left(rules: &Rules<'_>, at: usize, reasons: &[usize], findings: &mut Findings) {
    let step = &rules.steps[at];
    let Some(condition) = super::condition(step) else { return };
    let finding = Diagnostic::new(
        Code::ConstantCondition,
        "after the rules before it this condition is always true: no record is left",
        condition.span,
        "true of each record that is left",
    );
    let finding = with_reasons(rules, finding, reasons, "takes the others out");
    findings.add(step.span, finding.help("turn one of the conditions round, or take it out"));
}
