//! An evaluation of spans: each record's true and predicted ones. A span is right where its kind, its start and its end are.

use super::evaluation::{Evaluation, LostRecord, SliceNames, intervals, slices};
use super::figures::Figures;
use super::metric::{Average, Metric};
use super::spans::{SpanFigures, TaggedSpan};
use crate::label::spans::LabelSpan;
use crate::train::FoundSpan;

/// What is predicted of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct TaggedPrediction {
    /// The record.
    pub id: String,
    /// Its true spans, those in what `length` cut off among them.
    pub gold: Vec<LabelSpan>,
    /// The spans predicted.
    pub predicted: Vec<FoundSpan>,
    /// The summed cross-entropy of the true tags of its words, in nats.
    pub loss: f64,
    /// The words that have a true tag.
    pub words: u64,
    /// The record's key in each `by`; `None` where the expression gave null.
    pub slices: Vec<Option<String>>,
}

/// A record of the fixed part that never reached the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingTagged {
    /// The record.
    pub id: String,
    /// The kinds of its true spans, where they are known: of each, one span counts as missed.
    pub kinds: Option<Vec<String>>,
    /// Why: the rule that took it out.
    pub reason: String,
}

/// Everything that figures are made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaggedEvaluated {
    /// The kinds of spans.
    pub kinds: Vec<String>,
    /// The slices.
    pub by: SliceNames,
    /// One for each record that reached the model.
    pub predictions: Vec<TaggedPrediction>,
    /// Those that did not.
    pub missing: Vec<MissingTagged>,
}

/// What a record counts for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct SpanOutcome {
    pub(super) gold: Vec<TaggedSpan>,
    predicted: Vec<TaggedSpan>,
    /// Those of the predicted ones whose tags keep to their scheme.
    strict: Vec<TaggedSpan>,
    loss: f64,
    words: u64,
}

impl SpanOutcome {
    fn of(row: &TaggedPrediction) -> Self {
        let tagged = |span: &LabelSpan| TaggedSpan { kind: span.label.clone(), start: span.start, end: span.end };
        Self {
            gold: row.gold.iter().map(tagged).collect(),
            predicted: row.predicted.iter().map(|found| tagged(&found.span)).collect(),
            strict: row.predicted.iter().filter(|found| found.is_strict).map(|found| tagged(&found.span)).collect(),
            loss: row.loss,
            words: row.words,
        }
    }

    fn missed(row: &MissingTagged) -> Self {
        let missed = |kind: &String| TaggedSpan { kind: kind.clone(), start: 0, end: 0 };
        Self { gold: row.kinds.iter().flatten().map(missed).collect(), ..Self::default() }
    }
}

impl TaggedEvaluated {
    /// What each record counts for, the missing ones at the end.
    pub(super) fn outcomes(&self) -> Vec<(&str, SpanOutcome)> {
        let predicted = self.predictions.iter().map(|row| (row.id.as_str(), SpanOutcome::of(row)));
        predicted.chain(self.missing.iter().map(|row| (row.id.as_str(), SpanOutcome::missed(row)))).collect()
    }
}

/// The figures that are one number over all records.
pub(super) fn span_metrics() -> Vec<Metric> {
    let strict: [fn(Average) -> Metric; 3] = [Metric::StrictPrecision, Metric::StrictRecall, Metric::StrictF1];
    let families: [fn(Average) -> Metric; 3] = [Metric::Precision, Metric::Recall, Metric::F1];
    let averages = [Average::Micro, Average::Macro, Average::Weighted];
    let of_kinds = families.iter().chain(&strict).flat_map(|family| averages.iter().cloned().map(family));
    of_kinds.chain([Metric::Loss]).collect()
}

/// Counts an evaluation of spans. The draws of the intervals are keyed by `seed`.
#[must_use]
pub fn evaluate_tagged(evaluated: &TaggedEvaluated, seed: u64) -> Evaluation {
    let kinds = &evaluated.kinds;
    let (ids, outcomes): (Vec<&str>, Vec<SpanOutcome>) = evaluated.outcomes().into_iter().unzip();
    let outcomes: Vec<&SpanOutcome> = outcomes.iter().collect();
    let rows: Vec<(&TaggedPrediction, &[Option<String>])> =
        evaluated.predictions.iter().map(|row| (row, row.slices.as_slice())).collect();
    let of_slice = |rows: &[&TaggedPrediction]| {
        let outcomes: Vec<SpanOutcome> = rows.iter().map(|row| SpanOutcome::of(row)).collect();
        figures(kinds, &outcomes.iter().collect::<Vec<_>>(), &vec![1; rows.len()])
    };
    let told = |row: &MissingTagged| LostRecord {
        id: row.id.clone(),
        gold: row.kinds.clone().into(),
        reason: row.reason.clone(),
    };
    let mut missing: Vec<LostRecord> = evaluated.missing.iter().map(told).collect();
    missing.sort_by(|a, b| a.id.cmp(&b.id));
    Evaluation {
        values: kinds.clone(),
        figures: figures(kinds, &outcomes, &vec![1; outcomes.len()]),
        intervals: intervals(seed, &ids, &span_metrics(), kinds, &|times| figures(kinds, &outcomes, times)),
        seed,
        slices: slices(&evaluated.by, &rows, &of_slice),
        missing,
    }
}

/// The figures of records that count as often as `times` says.
pub(super) fn figures(kinds: &[String], outcomes: &[&SpanOutcome], times: &[u32]) -> Figures {
    let (mut loss, mut words, mut records) = (0.0, 0, 0);
    for (outcome, times) in outcomes.iter().zip(times) {
        loss += outcome.loss * f64::from(*times);
        words += outcome.words * u64::from(*times);
        records += u64::from(*times);
    }
    let counted = |predicted: fn(&SpanOutcome) -> &Vec<TaggedSpan>| {
        let sentences = outcomes.iter().zip(times).flat_map(|(outcome, times)| {
            std::iter::repeat_n((outcome.gold.as_slice(), predicted(outcome).as_slice()), *times as usize)
        });
        SpanFigures::of(sentences).among(kinds)
    };
    Figures {
        records,
        loss: (words > 0).then(|| loss / words as f64),
        spans: Some(counted(|outcome| &outcome.predicted)),
        strict_spans: Some(counted(|outcome| &outcome.strict)),
        ..Figures::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::fixture::{cases, close_scores, texts};
    use super::super::spans::{TagReading, spans_of};
    use super::*;
    use crate::train::{Tokens, Words};

    #[test]
    fn spans_of_lost_records_are_missed() {
        let span = |start, end, label: &str| LabelSpan { start, end, label: label.to_owned() };
        let found = |span| FoundSpan { span, probability: 0.5, is_strict: false };
        let evaluated = TaggedEvaluated {
            kinds: ["PER", "ORG", "LOC"].map(str::to_owned).to_vec(),
            predictions: vec![TaggedPrediction {
                id: "1".to_owned(),
                gold: vec![span(0, 3, "PER"), span(8, 12, "ORG")],
                predicted: vec![found(span(0, 3, "PER")), found(span(8, 11, "ORG"))],
                loss: 3.0,
                words: 4,
                slices: Vec::new(),
            }],
            missing: vec![
                MissingTagged { id: "3".to_owned(), kinds: Some(vec!["PER".to_owned()]), reason: "lost".to_owned() },
                MissingTagged { id: "2".to_owned(), kinds: None, reason: "lost".to_owned() },
            ],
            by: Vec::new(),
        };
        let evaluation = evaluate_tagged(&evaluated, 7);
        let figure = |name: &str| {
            let metric = Metric::parse(name).expect("a metric");
            evaluation.figures.get(&metric, &evaluation.values).expect(name)
        };
        // By hand: PER TP 1, FN 1; ORG FP 1, FN 1.
        for (name, expected) in [
            ("precision.micro", 0.5),
            ("recall.micro", 1.0 / 3.0),
            ("recall[PER]", 0.5),
            ("f1[ORG]", 0.0),
            ("f1[LOC]", 0.0),
            ("f1.macro", 1.0 / 3.0),
            ("loss", 0.75),
            ("strict_f1[PER]", 0.0),
            ("strict_recall.micro", 0.0),
        ] {
            assert!((figure(name) - expected).abs() < 1e-12, "{name}: {}", figure(name));
        }
        assert_eq!(evaluation.figures.records, 3);
        assert_eq!(evaluation.missing[1].gold, serde_json::json!(["PER"]));
        assert!(evaluation.figures.get(&Metric::Accuracy, &evaluation.values).is_none());
    }
    /// Tags that a model gives the words of a text, as spans.
    fn found(tags: &[String], names: &[String]) -> Vec<FoundSpan> {
        let text = vec!["w"; tags.len()].join(" ");
        let offsets = (0..tags.len()).map(|at| (2 * at, 2 * at + 1)).collect();
        let words = Words::of(&text, &Tokens { ids: vec![0; tags.len()], offsets });
        let is_chosen = tags.iter().flat_map(|tag| names.iter().map(move |name| name == tag));
        words.found(&is_chosen.map(|chosen| if chosen { 5.0 } else { 0.0 }).collect::<Vec<f32>>(), names)
    }

    #[test]
    fn figures_of_predicted_tags_are_those_of_seqeval_in_both_modes() {
        let mut told_apart = 0;
        for (number, case) in cases("spans").iter().enumerate() {
            let (gold, predicted) = (texts(&case["gold"]), texts(&case["predicted"]));
            let names: Vec<String> =
                gold.iter().chain(&predicted).flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
            let read = |tags: &Vec<String>, reading| spans_of(tags, reading).expect("known tags");
            let strict = TagReading::strict(&names);
            // True spans are spans in any reading; the file also has such tags as true ones that are none.
            if gold.iter().any(|tags| read(tags, strict) != read(tags, TagReading::Default)) {
                continue;
            }
            let span = |span: TaggedSpan| LabelSpan { start: 2 * span.start, end: 2 * span.end - 1, label: span.kind };
            let record = |(at, (gold, tags)): (usize, (&Vec<String>, &Vec<String>))| TaggedPrediction {
                id: at.to_string(),
                gold: read(gold, strict).into_iter().map(span).collect(),
                predicted: found(tags, &names),
                loss: 0.0,
                words: 1,
                slices: Vec::new(),
            };
            let predictions = gold.iter().zip(&predicted).enumerate().map(record).collect();
            let figures = evaluate_tagged(&TaggedEvaluated { predictions, ..TaggedEvaluated::default() }, 7).figures;
            for (mode, found) in [("default", figures.spans), ("strict", figures.strict_spans)] {
                let (expected, found) = (&case[mode], found.expect("figures of spans"));
                for (name, scores) in [("micro", found.micro), ("macro", found.macro_), ("weighted", found.weighted)] {
                    close_scores(scores, &expected[name], &format!("case {number}, {mode}, {name}"));
                }
            }
            told_apart += usize::from(case["default"] != case["strict"]);
        }
        assert!(told_apart >= 3, "{told_apart} cases have other figures in strict mode");
    }
}
