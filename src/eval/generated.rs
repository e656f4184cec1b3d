//! The evaluation of a run that generates: its losses, and its texts where some were generated.

use super::decoder::{Ending, GeneratedText};
use super::evaluation::{Evaluation, LostRecord, MissingRecord, SliceNames, intervals, slices};
use super::figures::Figures;
use super::generation::{TextMetric, TextScores, TextSums};
use super::metric::Metric;
use super::metrics::perplexity;

/// What a run made of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedRecord {
    /// The record.
    pub id: String,
    /// The summed negative log-likelihood of its learnt tokens, in nats.
    pub loss: f64,
    /// Its learnt tokens.
    pub tokens: u64,
    /// Its generated answer, where answers were generated.
    pub answer: Option<Answer>,
    /// The record's key in each `by`, in the order of [`Generated::by`]; `None` where the expression gave null.
    pub slices: Vec<Option<String>>,
}

/// A generated answer beside its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What it is worth.
    pub scores: TextScores,
    /// How many tokens it has.
    pub tokens: u64,
    /// What ended it.
    pub ending: Ending,
    /// Its text.
    pub text: String,
}

impl Answer {
    /// A generated text, judged.
    #[must_use]
    pub fn of(generated: GeneratedText, reference: &str) -> Self {
        Self {
            scores: TextScores::of(&generated.text, &[reference]),
            tokens: generated.tokens.len() as u64,
            ending: generated.ending,
            text: generated.text,
        }
    }
}

/// Everything that the figures of a run that generates are made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Generated {
    /// The slices.
    pub by: SliceNames,
    /// One for each record that reached the model.
    pub records: Vec<GeneratedRecord>,
    /// Those that did not.
    pub missing: Vec<MissingRecord>,
}

impl Generated {
    /// The figures that are one number over all records.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let has_texts = self.records.iter().any(|record| record.answer.is_some());
        let of_texts = TextMetric::ALL.into_iter().filter(|_| has_texts).map(Metric::Text);
        [Metric::Loss, Metric::Perplexity].into_iter().chain(of_texts).collect()
    }

    /// Each record's result by its id, the missing ones, which have none, at the end.
    pub(super) fn outcomes(&self) -> Vec<(&str, Option<&GeneratedRecord>)> {
        let reached = self.records.iter().map(|record| (record.id.as_str(), Some(record)));
        reached.chain(self.missing.iter().map(|record| (record.id.as_str(), None))).collect()
    }
}

/// Counts a generation. The draws of the intervals are keyed by `seed`.
#[must_use]
pub fn evaluate_generation(generated: &Generated, seed: u64) -> Evaluation {
    let mut missing: Vec<LostRecord> = generated.missing.iter().map(|row| row.told(&[])).collect();
    missing.sort_by(|a, b| a.id.cmp(&b.id));
    let (ids, outcomes): (Vec<&str>, Vec<Option<&GeneratedRecord>>) = generated.outcomes().into_iter().unzip();
    let rows: Vec<(&GeneratedRecord, &[Option<String>])> =
        generated.records.iter().map(|record| (record, record.slices.as_slice())).collect();
    let of_slice = |records: &[&GeneratedRecord]| {
        let records: Vec<Option<&GeneratedRecord>> = records.iter().copied().map(Some).collect();
        figures(&records, &vec![1; records.len()])
    };
    Evaluation {
        figures: figures(&outcomes, &vec![1; outcomes.len()]),
        intervals: intervals(seed, &ids, &generated.metrics(), &[], &|times| figures(&outcomes, times)),
        seed,
        slices: slices(&generated.by, &rows, &of_slice),
        missing,
        values: Vec::new(),
    }
}

/// The figures of records that count as often as `times` says; `None` is a record that never reached the model, which has
/// no loss and whose text is worth nothing.
pub(super) fn figures(records: &[Option<&GeneratedRecord>], times: &[u32]) -> Figures {
    let (mut loss, mut tokens) = (0.0, 0);
    let mut sums = TextSums::default();
    let mut has_texts = false;
    for (record, times) in records.iter().zip(times) {
        let answer = record.and_then(|record| record.answer.as_ref());
        has_texts |= answer.is_some();
        sums.add(answer.map(|answer| &answer.scores), u64::from(*times));
        if let Some(record) = record {
            loss += record.loss * f64::from(*times);
            tokens += record.tokens * u64::from(*times);
        }
    }
    Figures {
        records: times.iter().copied().map(u64::from).sum(),
        loss: (tokens > 0).then(|| loss / tokens as f64),
        perplexity: (tokens > 0).then(|| perplexity(loss, tokens)),
        texts: has_texts.then(|| sums.figures()),
        ..Figures::default()
    }
}
