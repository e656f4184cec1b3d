//! Metrics (pure functions) and the evaluation report.
//!
//! ```text
//! model folder + table → classifier     → Evaluated ┐
//!                      → language_model → Generated ┴→ Evaluation → gates, JSON, predictions, terminal table
//!                         └ decoder: generated answers
//! ```

mod bleu;
mod calibration;
mod causal_model;
mod chrf;
mod classifier;
mod code;
mod comparison;
mod counts;
mod decoder;
mod embedder;
mod evaluation;
mod exact_match;
mod figures;
#[cfg(test)]
mod fixture;
mod gate;
mod generated;
mod generation;
mod language_model;
mod metric;
mod metrics;
mod multi_label;
mod predictions;
mod predictor;
mod preference;
mod regression;
mod regressor;
mod report;
mod resampling;
mod results;
mod retrieval;
mod rouge;
mod sampling;
mod several;
mod spans;
mod tagged;
mod tagger;
mod terminal;
mod text_model;
mod texts;

#[cfg(test)]
pub(crate) use causal_model::tests;

pub use bleu::{BleuCounts, tokens_13a};
pub use calibration::expected_calibration_error;
pub use causal_model::{CausalModel, CausalModelError, LONGEST_WINDOW};
pub use chrf::{Chrf, ChrfCounts};
pub use classifier::{Chosen, Classifier, Ranked, TestTable, evaluate_choices, evaluate_classifier};
pub use code::code_hash;
pub use comparison::{ComparedFigure, NotComparable, RunComparison, Test, compare};
pub use counts::{Confusion, Judged};
pub use decoder::{Decoder, Ending, GeneratedText, GenerationSettings};
pub use embedder::{Embedder, evaluate_partners};
pub use evaluation::{
    Evaluated, Evaluation, LostRecord, MissingRecord, Prediction, Slice, SliceNames, evaluate_classification,
};
pub use exact_match::{Matching, exact_match, squad_normalized};
pub use figures::Figures;
pub use gate::{Comparison, Gate, GateResult, Measure, check_gate};
pub use generated::{Answer, Generated, GeneratedRecord, evaluate_generation};
pub use generation::{TextFigures, TextMetric, TextScores, TextSums};
pub use language_model::{ConversationTable, evaluate_language_model};
pub use metric::{Average, METRICS, Metric, MetricRow};
pub use metrics::{Classification, Scores, ValueScores, perplexity};
pub use multi_label::{Jaccard, MultiLabel};
pub use predictions::{
    Predictions, generations_jsonl, predictions_jsonl, read_predictions, several_jsonl, tagged_jsonl,
};
pub use predictor::Predictor;
pub use preference::{PreferenceFigures, PreferredPair, evaluate_preferences};
pub use regression::{NumberMetric, Regression};
pub use regressor::{PredictedNumber, Regressor, evaluate_regressor};
pub use report::{EVALUATION_SCHEMA, EvaluationFile, Signature, evaluation_json};
pub use resampling::{
    EXCHANGES, Interval, REPLICATES, RecordKeys, bootstrap_intervals, mcnemar_exact, randomization_tests,
};
pub use results::{RecordResult, Results, Scored, evaluate_results, results_jsonl};
pub use retrieval::{FoundPartner, RetrievalFigures, RetrievalMetric, dot, found_partners, unit};
pub use rouge::Rouge;
pub use sampling::Sampling;
pub use several::{MissingSeveral, SeveralEvaluated, SeveralPrediction, evaluate_several};
pub use spans::{SpanFigures, TagReading, TaggedSpan, UnknownTag, spans_of};
pub use tagged::{MissingTagged, TaggedEvaluated, TaggedPrediction, evaluate_tagged};
pub use tagger::{Tagger, evaluate_tagger};
pub use terminal::{comparison_table, evaluation_table};
