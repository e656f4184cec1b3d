//! Evaluations of which each record has one result: what their figures, lines and comparisons have in common.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::evaluation::{Evaluation, MissingRecord, SliceNames, intervals, slices};
use super::figures::Figures;
use super::metric::Metric;

/// What a run says of a record, where figures are made of it.
pub trait Scored: Clone + PartialEq + Serialize + DeserializeOwned {
    /// The figures that are one number over all records.
    fn metrics() -> Vec<Metric>;

    /// The figures of records that count as often as `times` says; `None` is a record that never reached the model.
    fn figures(results: &[Option<&Self>], times: &[u32]) -> Figures;

    /// Whether a record is right, where that is all that a metric counts.
    fn is_right(metric: &Metric, result: Option<&Self>) -> Option<bool>;

    /// Whether both say it of the same truth.
    fn has_truth_of(&self, other: &Self) -> bool;
}

/// The result of a record that reached the model.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordResult<R> {
    /// The record.
    pub id: String,
    /// The result.
    pub result: R,
    /// The record's key in each `by`, in the order of [`Results::by`]; `None` where the expression gave null.
    pub slices: Vec<Option<String>>,
}

/// Everything that the figures are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Results<R> {
    /// The slices.
    pub by: SliceNames,
    /// One for each record that reached the model.
    pub records: Vec<RecordResult<R>>,
    /// Those that did not.
    pub missing: Vec<MissingRecord>,
}

/// A line of the predictions' file; of a record that never reached the model its id alone.
#[derive(Serialize, Deserialize)]
#[serde(bound = "R: Scored")]
struct ResultLine<R> {
    id: String,
    #[serde(flatten)]
    result: Option<R>,
}

/// Counts the results. The draws of the intervals are keyed by `seed`.
#[must_use]
pub fn evaluate_results<R: Scored>(results: &Results<R>, seed: u64) -> Evaluation {
    let mut missing = results.missing.clone();
    missing.sort_by(|a, b| a.id.cmp(&b.id));
    let (ids, outcomes): (Vec<&str>, Vec<Option<&R>>) = results.outcomes().into_iter().unzip();
    let rows: Vec<(&R, &[Option<String>])> =
        results.records.iter().map(|record| (&record.result, record.slices.as_slice())).collect();
    let of_slice = |records: &[&R]| {
        let records: Vec<Option<&R>> = records.iter().copied().map(Some).collect();
        R::figures(&records, &vec![1; records.len()])
    };
    Evaluation {
        figures: R::figures(&outcomes, &vec![1; outcomes.len()]),
        intervals: intervals(seed, &ids, &R::metrics(), &[], &|times| R::figures(&outcomes, times)),
        seed,
        slices: slices(&results.by, &rows, &of_slice),
        missing: missing.iter().map(|record| record.told(&[])).collect(),
        values: Vec::new(),
    }
}

impl<R: Scored> Results<R> {
    /// Each record's result by its id, the missing ones, which have none, at the end.
    pub(super) fn outcomes(&self) -> Vec<(&str, Option<&R>)> {
        let reached = self.records.iter().map(|record| (record.id.as_str(), Some(&record.result)));
        reached.chain(self.missing.iter().map(|record| (record.id.as_str(), None))).collect()
    }
}

/// The predictions' file: a line for each record, in order of id.
#[must_use]
pub fn results_jsonl<R: Scored>(results: &Results<R>) -> String {
    let mut rows = results.outcomes();
    rows.sort_by(|a, b| a.0.cmp(b.0));
    let line = |(id, result): (&str, Option<&R>)| {
        let line = ResultLine { id: id.to_owned(), result: result.cloned() };
        serde_json::to_string(&line).expect("a line is JSON") + "\n"
    };
    rows.into_iter().map(line).collect()
}

/// Reads the lines of a predictions' file.
///
/// # Errors
/// The first line that is none of such a file, by its number.
pub(super) fn read_results<R: Scored>(rows: Vec<serde_json::Value>, reason: &str) -> Result<Results<R>, String> {
    let mut results = Results { by: Vec::new(), records: Vec::new(), missing: Vec::new() };
    for (at, row) in rows.into_iter().enumerate() {
        let line: ResultLine<R> = serde_json::from_value(row).map_err(|error| format!("line {}: {error}", at + 1))?;
        match line.result {
            Some(result) => results.records.push(RecordResult { id: line.id, result, slices: Vec::new() }),
            None => {
                let missing = MissingRecord { id: line.id, gold: None, reason: reason.to_owned() };
                results.missing.push(missing);
            }
        }
    }
    Ok(results)
}
