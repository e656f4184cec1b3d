//! Metrics (pure functions) and the evaluation report.
//!
//! ```text
//! model folder + table → classifier → Evaluated → Evaluation → gates, JSON, predictions, terminal table
//! ```

mod bleu;
mod calibration;
mod chrf;
mod classifier;
mod counts;
mod evaluation;
mod exact_match;
#[cfg(test)]
mod fixture;
mod gate;
mod language_model;
mod metric;
mod metrics;
mod multi_label;
mod regression;
mod report;
mod resampling;
mod rouge;
mod spans;
mod terminal;
mod texts;

pub use bleu::{BleuCounts, tokens_13a};
pub use calibration::expected_calibration_error;
pub use chrf::{Chrf, ChrfCounts};
pub use classifier::{Classifier, Ranked, TestTable, evaluate_classifier, predict};
pub use counts::{Confusion, Judged};
pub use evaluation::{Evaluated, Evaluation, MissingRecord, Prediction, Slice, evaluate_classification};
pub use exact_match::{Matching, exact_match, squad_normalized};
pub use gate::{Comparison, Gate, GateResult, Measure, check_gate};
pub use language_model::evaluate_language_model;
pub use metric::{Average, Figures, METRICS, Metric, MetricRow};
pub use metrics::{Classification, Scores, ValueScores, perplexity};
pub use multi_label::{Jaccard, MultiLabel};
pub use regression::Regression;
pub use report::{EVALUATION_SCHEMA, Signature, evaluation_json, predictions_jsonl};
pub use resampling::{
    Interval, RecordKeys, bootstrap_interval, bootstrap_intervals, mcnemar_exact, randomization_test,
};
pub use rouge::Rouge;
pub use spans::{SpanFigures, TagReading, TaggedSpan, UnknownTag, spans_of};
pub use terminal::evaluation_table;
