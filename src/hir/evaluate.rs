//! `evaluate`: what is measured of a run, and what must hold of it.

use super::{BinaryOp, DatasetId, Expr, TrainId};
use crate::source::Span;

/// An evaluation of a run.
#[derive(Debug, Clone)]
pub struct Evaluate {
    /// The run.
    pub train: TrainId,
    /// The data set.
    pub dataset: DatasetId,
    /// The part of it.
    pub part: String,
    /// The figures shown, in order.
    pub report: Vec<MetricRef>,
    /// The groups for which the same figures are given.
    pub slices: Vec<Slice>,
    /// How answers are generated; `None` where no figure needs any.
    pub generation: Option<Generation>,
    /// The figures that must be reached.
    pub gates: Vec<Gate>,
    /// The declaration.
    pub span: Span,
}

/// How the answers of a part are generated.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// How tokens are drawn; without it each is the most probable one.
    pub sampling: Option<Sampling>,
    /// The most tokens of an answer.
    pub tokens: u32,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    /// Whether the answers stand in the file of predictions.
    pub answers: bool,
}

impl Generation {
    /// What holds where figures of answers are asked for and nothing is said of how they are generated.
    pub const DEFAULT: Self = Self { sampling: None, tokens: 256, stop: Vec::new(), answers: false };
}

/// How tokens are drawn at random.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// What the logits are divided by.
    pub temperature: f64,
    /// The number of tokens that are drawn from.
    pub top_k: Option<u32>,
    /// The share of the probability that is drawn from.
    pub top_p: f64,
    /// Keys the draws.
    pub seed: u64,
}

/// A metric by name: `accuracy`, `f1`, `f1.macro`, `recall[refund]`, `gap(accuracy, by gender)`.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricRef {
    /// A metric, with the member after the dot and the label value in brackets.
    Plain {
        /// `accuracy`, `precision`, `recall`, `f1`, `confusion`, `perplexity`.
        name: String,
        /// `macro`, `micro`, `weighted`.
        average: Option<String>,
        /// A label's value.
        value: Option<String>,
    },
    /// The greatest difference of a metric between the groups of a slice.
    Gap {
        /// The metric.
        metric: Box<MetricRef>,
        /// The name of the slice: [`Slice::name`].
        by: String,
    },
}

/// Groups of records.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The expression as written.
    pub name: String,
    /// What records are grouped by, over the data set's columns as they are emitted.
    pub value: Expr,
    /// The bounds between groups of a number; groups are `< 10`, `10–19`, `>= 20`.
    pub at: Vec<f64>,
}

/// A figure that must be reached.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The metric.
    pub metric: MetricRef,
    /// One of the six comparisons.
    pub comparison: BinaryOp,
    /// The bound.
    pub bound: f64,
    /// The gate as written.
    pub rule: String,
    /// Where it was written.
    pub span: Span,
}
