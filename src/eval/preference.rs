//! Measuring which of two answers a model prefers, against the model that it was trained from.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::evaluation::MissingRecord;
use super::figures::Figures;
use super::language_model::ConversationTable;
use super::metric::Metric;
use super::results::{RecordResult, Results, Scored};
use crate::autodiff::loss::{forward, preference};
use crate::onnx::surgery::{fix_past, pick_learnt};
use crate::onnx::{encode, load};
use crate::runtime::{Runtime, Session};
use crate::train::batch::Feeds;
use crate::train::{Encoded, Example, LOGITS, Table, Tokenizer, TrainError, encode_preferences};

/// How much more probable than to the reference a model takes each answer to a prompt: β·(log P − log P_reference).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PreferredPair {
    /// That of the chosen answer.
    pub chosen: f64,
    /// That of the rejected one.
    pub rejected: f64,
}

/// The figures of preferences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PreferenceFigures {
    /// The share of pairs whose chosen answer gained more.
    pub accuracy: f64,
    /// The mean of what it gained more.
    pub margin: f64,
}

impl PreferredPair {
    /// What the chosen answer gained more.
    #[must_use]
    pub fn margin(&self) -> f64 {
        self.chosen - self.rejected
    }

    /// −log σ(margin).
    #[must_use]
    pub fn loss(&self) -> f64 {
        let against = -self.margin();
        // The logarithm of 1 + eˣ, in the form whose exponential does not overflow.
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    }
}

impl Scored for PreferredPair {
    fn metrics() -> Vec<Metric> {
        vec![Metric::Accuracy, Metric::Margin, Metric::Loss]
    }

    /// A record that never reached the model is not right, and has no margin and no loss.
    fn figures(results: &[Option<&Self>], times: &[u32]) -> Figures {
        let records: u64 = times.iter().copied().map(u64::from).sum();
        let (mut right, mut reached, mut margin, mut loss) = (0.0, 0.0, 0.0, 0.0);
        for (result, times) in results.iter().zip(times) {
            let Some(result) = result else { continue };
            let times = f64::from(*times);
            right += if result.margin() > 0.0 { times } else { 0.0 };
            reached += times;
            margin += result.margin() * times;
            loss += result.loss() * times;
        }
        let figures = PreferenceFigures { accuracy: right / records as f64, margin: margin / reached };
        Figures {
            records,
            preference: (reached > 0.0).then_some(figures),
            loss: (reached > 0.0).then_some(loss / reached),
            ..Figures::default()
        }
    }

    fn is_right(metric: &Metric, result: Option<&Self>) -> Option<bool> {
        (*metric == Metric::Accuracy).then(|| result.is_some_and(|result| result.margin() > 0.0))
    }

    fn has_truth_of(&self, _: &Self) -> bool {
        true
    }
}

/// Measures every pair of a table with the model in `folder` and the one in `reference`, one after the other. `missing` are the
/// records of the part that are not in the table; those that are too long for the run and left out join them.
///
/// # Errors
/// A broken folder or table, a pair that cannot be rendered, a failure of the runtime.
pub fn evaluate_preferences(
    runtime: &Runtime,
    [folder, reference]: [&Path; 2],
    test: &ConversationTable<'_>,
    missing: Vec<MissingRecord>,
    beta: f64,
    threads: usize,
) -> Result<Results<PreferredPair>, TrainError> {
    let tokenizer = Tokenizer::load(folder)?.on_threads(threads);
    let table = test.read()?;
    let encoded = encode_preferences(&table, test.messages, folder, &tokenizer, test.limit)?;
    let answers = |folder: &Path| answers(runtime, folder, &encoded, &tokenizer, threads);
    let (own, others) = (answers(folder)?, answers(reference)?);
    let gains: Vec<f64> =
        own.iter().zip(others).map(|(own, other)| beta * (f64::from(*own) - f64::from(other))).collect();
    let (chosen, rejected) = gains.split_at(encoded.examples.len());
    let pairs = encoded.examples.iter().zip(chosen.iter().zip(rejected));
    let records = pairs.map(|(example, (chosen, rejected))| RecordResult {
        id: example.id.clone(),
        result: PreferredPair { chosen: *chosen, rejected: *rejected },
        slices: test.keys(&table, &example.id),
    });
    let (records, missing) = (records.collect(), test.with_too_long(&table, &encoded.examples, missing));
    Ok(Results { by: test.slice_names(), records, missing })
}

/// The log-probabilities of the chosen answers, then of the rejected ones.
fn answers(
    runtime: &Runtime,
    folder: &Path,
    encoded: &Encoded,
    tokenizer: &Tokenizer,
    threads: usize,
) -> Result<Vec<f32>, TrainError> {
    let refuse = |message: String| TrainError::Unusable { folder: folder.to_path_buf(), message };
    let mut graph = load(folder).map_err(|error| refuse(error.to_string()))?;
    fix_past(&mut graph);
    pick_learnt(&mut graph, LOGITS);
    let names = preference(&mut graph, LOGITS, 1.0).map_err(|error| refuse(error.to_string()))?;
    let graph = forward(&graph, &[names.answers.as_str()]);
    let feeds = Feeds::of(&graph, &[], tokenizer.pad_id(), folder)?;
    let mut session = Session::from_bytes(runtime, &encode(&graph), threads)?;
    // One at a time: nothing is padded, and the number of a record does not depend on those beside it.
    let mut measure = |example: &Example| {
        let outputs = session.run(&feeds.batch(&[example], 1.0), &[names.answers.as_str()])?;
        let answer = outputs.first().expect("one output was asked for").f32()?;
        Ok(answer.first().copied().unwrap_or(f32::NAN))
    };
    encoded.examples.iter().chain(&encoded.seconds).map(&mut measure).collect()
}

impl ConversationTable<'_> {
    /// Its columns.
    pub(super) fn read(&self) -> Result<Table, TrainError> {
        let mut columns = vec![self.messages];
        columns.extend(self.by.iter().map(|(_, column, _)| column.as_str()));
        Table::read(self.path, &columns)
    }

    /// The keys of a record in each slice.
    pub(super) fn keys(&self, table: &Table, id: &str) -> Vec<Option<String>> {
        let row = table.ids.iter().position(|known| known == id);
        let key = |column: &str| row.and_then(|row| table.column(column)[row].clone());
        self.by.iter().map(|(_, column, _)| key(column)).collect()
    }

    /// The slices' names with their keys in the order to show.
    pub(super) fn slice_names(&self) -> Vec<(String, Vec<String>)> {
        self.by.iter().map(|(name, _, order)| (name.clone(), order.clone())).collect()
    }

    /// The missing records, with those of the table that were left out because they are too long.
    pub(super) fn with_too_long(
        &self,
        table: &Table,
        kept: &[Example],
        mut missing: Vec<MissingRecord>,
    ) -> Vec<MissingRecord> {
        let kept: std::collections::BTreeSet<&str> = kept.iter().map(|example| example.id.as_str()).collect();
        let too_long = table.ids.iter().filter(|id| !kept.contains(id.as_str()));
        let reason = || "longer than `length`".to_owned();
        missing.extend(too_long.map(|id| MissingRecord { id: id.clone(), gold: None, reason: reason() }));
        missing
    }
}
