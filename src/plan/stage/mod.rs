//! What the first pass measures of each record, apart from what is decided by it: results of functions, numbers, truths and
//! digests, as narrow columns that can be kept from one build to the next. The conditions of rules are evaluated over
//! them, so that another threshold needs no second reading.
//!
//! A column is known by its [`Node`]: the normal form of what it is computed from, whose digest is the column's name. Two
//! specifications that compute the same share it, wherever the rule stands and whatever it is called.
//!
//! **Nothing of a text is measured.** A condition is cut where its parts are numbers, truths or one of the values that a
//! function can have; what compares a text itself is measured as its truth. A number of a field that may hold personal
//! data is measured as the truth of the comparison too. A label's value is one that the program lists, or the mark that it
//! is none of them. Where a value must be kept as it is (a label whose values are found in the data, a `require … per` a
//! field) and may be personal, nothing of the data set is kept: see [`Measures::withheld`].
//!
//! **A step that cuts what occurred before** (a `dedup` of lines, sentences or substrings) depends on other records. What
//! the steps before it measure, and the digests and places of the pieces that it compares, follow from the record alone
//! ([`Measures::before`]); what it cuts is a measure of all records that reach it ([`Measures::cut`]); what is
//! measured behind it reads the text without that, and is known by the places that are cut out of the chunk beside.

mod cut;
mod pass;
#[cfg(test)]
mod tests;
mod walk;

pub use pass::{measure_pass, verdict_pass};

use std::collections::BTreeMap;

use serde_json::Value;

use crate::dedup::pieces::Pieces;
use crate::hir::{ColumnId, Dataset, Expr, ExprKind, Program, Step, StepKind};
use crate::pii::Detector;
use crate::plan::normal::short_digest;

/// A value of each record: a column at some step, or what is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// 32 hexadecimal digits that are the same where the value is computed in the same way from the same fields.
    pub digest: String,
    /// The value in words.
    pub what: String,
    /// The functions and detectors that compute it, with their versions; not those of what it reads.
    pub uses: BTreeMap<String, u32>,
    /// The digests of the values that it is computed from.
    pub reads: Vec<String>,
}

/// What the first pass measures for a data set.
#[derive(Debug, Clone)]
pub struct Measures {
    /// The columns of the record at all their steps, and what records are held against.
    pub values: Vec<Node>,
    /// What is measured, each once.
    pub measures: Vec<Node>,
    /// For each measure where it is taken.
    taken: Vec<Taken>,
    /// The columns of the first pass that are measures as they are.
    named: Vec<(String, usize)>,
    /// For each step with a condition: the condition over measures, which are columns behind those of the data set.
    conditions: BTreeMap<usize, Expr>,
    withheld: Option<String>,
}

/// Where a measure is taken.
#[derive(Debug, Clone)]
enum Taken {
    /// An expression over the columns as they are before a step.
    Before(usize, Expr),
    /// A column of the first pass.
    Column(String),
    /// A text column of the first pass of which only these values are told apart.
    Listed(String, Vec<String>),
    /// The pieces of a column as it is behind all steps.
    Pieces(ColumnId, Pieces),
}

/// A step that cuts out of a text what occurred before.
#[derive(Debug, Clone, Copy)]
pub struct Cutting<'s> {
    /// The rule, as the author wrote it.
    pub rule: &'s str,
    /// The text.
    pub column: ColumnId,
    /// What is compared.
    pub pieces: Pieces,
}

impl<'s> Cutting<'s> {
    /// What a step cuts; `None` where it is of another kind.
    pub fn of(step: &'s Step) -> Option<Self> {
        match step.kind {
            StepKind::DedupPieces { column, pieces } => Some(Self { rule: &step.rule, column, pieces }),
            StepKind::Set { .. }
            | StepKind::Drop { .. }
            | StepKind::DedupExact { .. }
            | StepKind::DedupNear { .. }
            | StepKind::Decontaminate { .. }
            | StepKind::Sample { .. }
            | StepKind::Label { .. }
            | StepKind::Redact { .. }
            | StepKind::Forbid { .. }
            | StepKind::Pair { .. } => None,
        }
    }

    /// Whether the pieces of every record are measured: lines and sentences are few and short beside their text, the
    /// passages of a length take many times its bytes.
    pub fn is_measured(&self) -> bool {
        match self.pieces {
            Pieces::Lines(_) | Pieces::Sentences(_) => true,
            Pieces::Windows(_) => false,
        }
    }
}

impl Measures {
    /// What the first pass of a data set measures. `against` has for each `decontaminate`, by its step, the digest of what
    /// records are held against.
    pub fn of(program: &Program, dataset: &Dataset, against: &BTreeMap<usize, String>) -> Self {
        walk::walk(program, dataset, against)
    }

    /// What is measured of the records of a data set that ends before a step that cuts: what its own steps need, and the
    /// pieces that the step compares, where these are measured.
    pub fn before(
        program: &Program,
        dataset: &Dataset,
        cutting: &Cutting<'_>,
        against: &BTreeMap<usize, String>,
    ) -> Self {
        walk::walk_before(program, dataset, cutting, against)
    }

    /// What a step cuts out of the records of a data set that ends before it, as the one measure of a stage of its own.
    pub fn cut(program: &Program, dataset: &Dataset, cutting: &Cutting<'_>, against: &BTreeMap<usize, String>) -> Self {
        walk::walk_cut(program, dataset, cutting, against)
    }

    /// The column of the pieces that a step behind the data set compares, where they are measured.
    pub fn pieces(&self) -> Option<String> {
        let mut taken = self.measures.iter().zip(&self.taken);
        taken.find(|(_, taken)| matches!(taken, Taken::Pieces(..))).map(|(node, _)| column(&node.digest))
    }

    /// Why nothing that is measured may be kept, where it may not.
    pub fn withheld(&self) -> Option<&str> {
        self.withheld.as_deref()
    }

    /// The names of the measures' columns, in order.
    pub fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = self.measures.iter().map(|node| column(&node.digest)).collect();
        names.sort();
        names
    }

    /// The number of conditions that are evaluated over measures.
    pub fn conditions(&self) -> usize {
        self.conditions.len()
    }
}

/// The column of a measure.
pub fn column(digest: &str) -> String {
    format!("m{digest}")
}

/// The column by which a condition reads a measure.
fn measured(dataset: &Dataset, measure: usize) -> ColumnId {
    ColumnId((dataset.columns.len() + measure) as u32)
}

/// A value by the normal form of how it is computed.
fn node(form: &Value, what: String, uses: BTreeMap<String, u32>, reads: Vec<String>) -> Node {
    Node { digest: short_digest(&form.to_string()), what, uses, reads }
}

/// What records are held against, by its digest.
fn evaluated(digest: &str) -> Node {
    let what = format!("the texts {} that are evaluated on", &digest[..12]);
    Node { digest: digest.to_owned(), what, uses: BTreeMap::new(), reads: Vec::new() }
}

/// A detector with its version.
fn version(detector: &Detector) -> (String, u32) {
    (detector.name.to_owned(), detector.version)
}

/// The functions that an expression calls.
fn uses(expr: &Expr) -> BTreeMap<String, u32> {
    let mut uses = BTreeMap::new();
    expr.visit(&mut |part| {
        if let ExprKind::Call(function, _) = part.kind {
            uses.insert(function.name.to_owned(), function.version);
        }
    });
    uses
}
