//! Metrics (pure functions) and the evaluation report.
//!
//! ```text
//! model folder + table → classifier → Evaluated → Evaluation → gates, JSON, predictions, terminal table
//! ```

mod causal_model;
mod classifier;
mod counts;
mod evaluation;
mod gate;
mod language_model;
mod metric;
mod metrics;
mod report;
mod terminal;

#[cfg(test)]
pub(crate) use causal_model::tests;

pub use causal_model::{CausalModel, CausalModelError, LONGEST_WINDOW};
pub use classifier::{Classifier, Ranked, TestTable, evaluate_classifier, predict};
pub use counts::{Confusion, Judged};
pub use evaluation::{Evaluated, Evaluation, MissingRecord, Prediction, Slice, evaluate_classification};
pub use gate::{Comparison, Gate, GateResult, Measure, check_gate};
pub use language_model::evaluate_language_model;
pub use metric::{Average, Figures, METRICS, Metric, MetricRow};
pub use metrics::{Classification, Scores, ValueScores, perplexity};
pub use report::{EVALUATION_SCHEMA, Signature, evaluation_json, predictions_jsonl};
pub use terminal::evaluation_table;
