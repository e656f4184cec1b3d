//! Unit tests of blocks: the records given, by the same plan, resolver and templates as a build's.
//!
//! The records of one test are a small data set of their own, in order: a `dedup` sees those before.

mod coverage;
mod given;
mod known;
mod prepare;
mod steps;
mod template;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::EngineError;
use super::passes::Workers;
use super::site::Site;
use crate::hir::{Column, Program, Subject, Test, TestKind, TestUse};
use crate::source::Span;

pub use coverage::{Arm, Part, Rule, RuleId, rules};

/// How a test went.
#[derive(Debug, Clone, PartialEq)]
pub struct TestOutcome {
    /// The name of the block tested.
    pub target: String,
    /// What the block is.
    pub kind: TestKind,
    /// What the test is about.
    pub title: String,
    /// The declaration.
    pub span: Span,
    /// What was not as expected, in order of the data sets and the records.
    pub failures: Vec<CaseFailure>,
    /// The rules that fired.
    pub fired: BTreeSet<RuleId>,
}

/// A record that went otherwise. The records are the spec's own, so their values may be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFailure {
    /// The data set whose statement went otherwise, for a label.
    pub dataset: Option<String>,
    /// The index of the record.
    pub case: usize,
    /// What says what is expected.
    pub span: Span,
    /// What was expected and what came.
    pub mismatch: Mismatch,
}

/// What was expected and what came.
#[derive(Debug, Clone, PartialEq)]
pub enum Mismatch {
    /// The record ended otherwise.
    Ending {
        /// What was expected.
        expected: Wanted,
        /// What became of it.
        got: Ending,
    },
    /// The record was kept, or rendered, with other values.
    Values(Vec<Difference>),
    /// The template could not render the record, for this reason.
    Unrendered(String),
}

/// What a test wants to become of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// It is kept; in the test of a label, with this value.
    Kept(Option<Value>),
    /// It is dropped, by this rule if one is named.
    Dropped(Option<RuleRef>),
    /// It is quarantined.
    Quarantined,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It was kept; in the test of a label, with this value.
    Kept(Option<Value>),
    /// A rule dropped it.
    Dropped {
        /// The rule.
        rule: RuleRef,
        /// The index of the record that it repeats.
        duplicate_of: Option<usize>,
        /// Whether the rule that was expected would have dropped it later.
        expected_too: bool,
    },
    /// A label did not have its value.
    Quarantined {
        /// The label's statement.
        rule: RuleRef,
        /// Why, as the quarantine says it.
        reason: String,
        /// The raw value.
        value: Value,
        /// The value of the label that is closest to it.
        closest: Option<String>,
    },
}

/// A rule by the name that the audit gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRef {
    /// Its reason, or the statement in short.
    pub rule: String,
    /// The 1-based line that it begins on.
    pub line: u32,
}

/// A field, or a slot of a template, that has another value.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// The value expected.
    pub expected: Value,
    /// The value that came.
    pub got: Value,
}

/// What became of the records of a test in one use of its block: for each record what was not as expected, and the rules
/// that fired.
#[derive(Debug, Default)]
struct Ran {
    mismatches: Vec<Option<Mismatch>>,
    fired: BTreeSet<RuleId>,
}

/// Runs tests on one set of workers. The records of tests that do the same to columns of the same kind go through one
/// plan, and are decided for each test by itself.
///
/// # Errors
/// The query engine or its workers fail.
pub fn run_tests(program: &Program, tests: &[&Test]) -> Result<Vec<TestOutcome>, EngineError> {
    let workers = Workers::start(NonZeroUsize::MIN, &Site::Here, Arc::new(AtomicBool::new(false)))?;
    let mut ran: Vec<Vec<Ran>> = tests.iter().map(|test| test.uses.iter().map(|_| Ran::default()).collect()).collect();
    for group in groups(tests) {
        let uses: Vec<&TestUse> = group.iter().map(|&(test, at)| &tests[test].uses[at]).collect();
        let results = match &uses[0].subject {
            Subject::Steps(steps) => steps::run(&workers, program, &uses, steps)?,
            Subject::Template(id) => {
                uses.iter().map(|one| template::run(program, one, *id)).collect::<Result<_, _>>()?
            }
        };
        for ((test, at), result) in group.into_iter().zip(results) {
            ran[test][at] = result;
        }
    }
    Ok(tests.iter().zip(ran).map(|(test, ran)| outcome(test, ran)).collect())
}

/// The uses of blocks that can share a plan, as indices of a test and of one of its uses, in order of appearance: the same
/// block of the same data set over the same columns. A use without records is in none.
fn groups(tests: &[&Test]) -> Vec<Vec<(usize, usize)>> {
    let mut groups: Vec<Vec<(usize, usize)>> = Vec::new();
    for (index, test) in tests.iter().enumerate() {
        for (at, one) in test.uses.iter().enumerate().filter(|(_, one)| !one.cases.is_empty()) {
            let alike = |group: &&mut Vec<(usize, usize)>| {
                let (first_test, first_at) = group[0];
                let first = &tests[first_test].uses[first_at];
                tests[first_test].target == test.target && first.dataset == one.dataset && same_columns(first, one)
            };
            match groups.iter_mut().find(alike) {
                Some(group) => group.push((index, at)),
                None => groups.push(vec![(index, at)]),
            }
        }
    }
    groups
}

fn same_columns(first: &TestUse, second: &TestUse) -> bool {
    let kinds = |test_use: &TestUse| {
        let kind = |column: &Column| (column.name.clone(), column.ty.clone(), column.label);
        test_use.columns.iter().map(kind).collect::<Vec<_>>()
    };
    kinds(first) == kinds(second)
}

fn outcome(test: &Test, ran: Vec<Ran>) -> TestOutcome {
    let mut outcome = TestOutcome {
        target: test.target.clone(),
        kind: test.kind,
        title: test.title.clone(),
        span: test.span,
        failures: Vec::new(),
        fired: BTreeSet::new(),
    };
    for (test_use, ran) in test.uses.iter().zip(ran) {
        outcome.fired.extend(ran.fired);
        for (case, mismatch) in ran.mismatches.into_iter().enumerate() {
            let failure = |mismatch| CaseFailure {
                dataset: test_use.dataset.clone(),
                case,
                span: test_use.cases[case].span,
                mismatch,
            };
            outcome.failures.extend(mismatch.map(failure));
        }
    }
    outcome
}
