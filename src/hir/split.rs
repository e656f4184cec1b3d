//! Splits: the parts of a data set, who goes where, and what is counted across them.

use super::{ColumnId, SourceId};
use crate::dedup::Scheme;

/// How a data set is split.
#[derive(Debug, Clone)]
pub struct Split {
    /// The parts' names: `train`, `validation`, `test` first where they occur, then others in order of appearance.
    pub parts: Vec<String>,
    /// Who goes where.
    pub rule: SplitRule,
    /// `check`: the column of which near-duplicates in different parts are counted, and how they are found. There is none
    /// where the rule keeps them together, which is checked by itself.
    pub check: Option<(ColumnId, Scheme)>,
}

impl Split {
    /// Of a data set without one.
    pub fn all_train() -> Self {
        Self { parts: vec!["train".to_owned()], rule: SplitRule::AllTrain, check: None }
    }

    /// The column of which near-duplicates are found, and how, whether they are kept together or counted.
    pub fn near(&self) -> Option<(ColumnId, Scheme)> {
        match self.rule {
            SplitRule::Shares { near: Some(near), .. } => Some(near),
            SplitRule::Shares { near: None, .. } | SplitRule::AllTrain | SplitRule::ByField(_) => self.check,
        }
    }
}

/// Who goes into which part.
#[derive(Debug, Clone)]
pub enum SplitRule {
    /// No split was written: everything is `train`.
    AllTrain,
    /// A field says it; a value that is no part's name is quarantined.
    ByField(ColumnId),
    /// Fixed parts first, then shares of the rest.
    Shares {
        /// Parts that take whole sources.
        fixed: Vec<FixedPart>,
        /// An index into [`Split::parts`] with its share of the rest, 0 to 1; they add up to 1.
        shares: Vec<(usize, f64)>,
        /// The column by which near-duplicates are found, and how: their clusters are units.
        near: Option<(ColumnId, Scheme)>,
        /// The column whose equal values form a unit (`by FIELD` without `near`).
        by: Option<ColumnId>,
        /// The column whose values are spread evenly over the parts.
        stratify: Option<ColumnId>,
        /// The order in time in which the parts follow each other.
        time: Option<TimeOrder>,
        /// The seed of the keyed hash.
        seed: u64,
    },
}

/// The parts of a split follow each other in time; a unit belongs where its latest record does.
#[derive(Debug, Clone)]
pub struct TimeOrder {
    /// A date or a timestamp, never null.
    pub column: ColumnId,
    /// The parts with the moments at which they end, in order, the last one without; empty where the parts have shares:
    /// then the units are ranked by time and cut in the order in which the parts were written.
    pub periods: Vec<Period>,
}

/// A part that ends at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// An index into [`Split::parts`].
    pub part: usize,
    /// Microseconds since 1970-01-01T00:00:00Z; this moment belongs to the next part.
    pub before: Option<i64>,
}

/// A part that takes whole sources.
#[derive(Debug, Clone)]
pub struct FixedPart {
    /// An index into [`Split::parts`].
    pub part: usize,
    /// The sources.
    pub sources: Vec<SourceId>,
}
