//! The file of an evaluation's predictions: one line for each record of the part, in order of id, those that never
//! reached the model included. It holds no text of a record; answers of the model only where the spec asks for them.

mod read;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::decoder::Ending;
use super::evaluation::Evaluated;
use super::generated::Generated;
use super::generation::TextScores;
use super::preference::PreferredPair;
use super::regressor::PredictedNumber;
use super::results::Results;
use super::retrieval::FoundPartner;
use super::several::SeveralEvaluated;
use super::tagged::TaggedEvaluated;
use crate::label::spans::LabelSpan;

pub use read::read_predictions;

/// Predictions as a file holds them.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// Of a run that classifies.
    Classified(Evaluated),
    /// Of a run that tells several values.
    Several(SeveralEvaluated),
    /// Of a run that finds spans.
    Tagged(TaggedEvaluated),
    /// Of a run that generates.
    Generated(Generated),
    /// Of a run that predicts numbers.
    Numbers(Results<PredictedNumber>),
    /// Of a run that prefers.
    Preferences(Results<PreferredPair>),
    /// Of a run that makes vectors.
    Partners(Results<FoundPartner>),
}

/// A line of a run that classifies.
#[derive(Serialize, Deserialize)]
struct ClassLine {
    id: String,
    gold: Option<String>,
    predicted: Option<String>,
    probability: Option<f64>,
    loss: Option<f64>,
}

/// A line of a run that tells several values.
#[derive(Serialize, Deserialize)]
struct SeveralLine {
    id: String,
    gold: Option<Vec<String>>,
    predicted: Option<Vec<String>>,
    probability: Option<Vec<f64>>,
    loss: Option<f64>,
}

/// A line of a run that finds spans.
#[derive(Serialize, Deserialize)]
struct SpanLine {
    id: String,
    gold: Option<Vec<LabelSpan>>,
    predicted: Option<Vec<LabelSpan>>,
    probability: Option<Vec<f64>>,
    /// Of each predicted span, whether its tags keep to their scheme.
    strict: Option<Vec<bool>>,
    loss: Option<f64>,
    words: Option<u64>,
    /// Of a lost record the kinds of its spans, as far as they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missed: Option<Vec<String>>,
}

/// A line of a run that generates.
#[derive(Serialize, Deserialize)]
struct TextLine {
    id: String,
    loss: Option<f64>,
    tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scores: Option<TextScores>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generated: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ending>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// Six decimals: a 32-bit float has no more to say.
fn rounded(number: f32) -> f64 {
    (f64::from(number) * 1e6).round() / 1e6
}

fn lines<L: Serialize>(mut rows: Vec<(&str, L)>) -> String {
    rows.sort_by(|a, b| a.0.cmp(b.0));
    let line = |(_, line): (&str, L)| serde_json::to_string(&line).expect("a line is JSON") + "\n";
    rows.into_iter().map(line).collect()
}

/// The predictions' file of a classification.
#[must_use]
pub fn predictions_jsonl(evaluated: &Evaluated) -> String {
    let name = |index: usize| evaluated.values.get(index).cloned();
    let predicted = evaluated.predictions.iter().map(|row| {
        let line = ClassLine {
            id: row.id.clone(),
            gold: name(row.gold),
            predicted: name(row.predicted),
            probability: Some(rounded(row.probability)),
            loss: Some(rounded(row.loss)),
        };
        (row.id.as_str(), line)
    });
    let missing = evaluated.missing.iter().map(|record| {
        let gold = record.gold.and_then(name);
        (record.id.as_str(), ClassLine { id: record.id.clone(), gold, predicted: None, probability: None, loss: None })
    });
    lines(predicted.chain(missing).collect())
}

/// The predictions' file of a label of several values.
#[must_use]
pub fn several_jsonl(evaluated: &SeveralEvaluated) -> String {
    let names = |set: &[usize]| set.iter().map(|value| evaluated.values[*value].clone()).collect();
    let predicted = evaluated.predictions.iter().map(|row| {
        let line = SeveralLine {
            id: row.id.clone(),
            gold: Some(names(&row.gold)),
            predicted: Some(names(&row.predicted)),
            probability: Some(row.probability.iter().copied().map(rounded).collect()),
            loss: Some(rounded(row.loss)),
        };
        (row.id.as_str(), line)
    });
    let missing = evaluated.missing.iter().map(|row| {
        let (id, gold) = (row.id.clone(), row.gold.as_deref().map(names));
        (row.id.as_str(), SeveralLine { id, gold, predicted: None, probability: None, loss: None })
    });
    lines(predicted.chain(missing).collect())
}

/// The predictions' file of spans.
#[must_use]
pub fn tagged_jsonl(evaluated: &TaggedEvaluated) -> String {
    let predicted = evaluated.predictions.iter().map(|row| {
        let line = SpanLine {
            id: row.id.clone(),
            gold: Some(row.gold.clone()),
            predicted: Some(row.predicted.iter().map(|found| found.span.clone()).collect()),
            probability: Some(row.predicted.iter().map(|found| rounded(found.probability)).collect()),
            strict: Some(row.predicted.iter().map(|found| found.is_strict).collect()),
            loss: Some((row.loss * 1e6).round() / 1e6),
            words: Some(row.words),
            missed: None,
        };
        (row.id.as_str(), line)
    });
    let missing = evaluated.missing.iter().map(|row| {
        let (id, missed) = (row.id.clone(), row.kinds.clone());
        let (gold, predicted, probability, strict) = (None, None, None, None);
        let line = SpanLine { id, gold, predicted, probability, strict, loss: None, words: None, missed };
        (row.id.as_str(), line)
    });
    lines(predicted.chain(missing).collect())
}

/// The predictions' file of a generation; with `answers`, the generated texts stand in it.
#[must_use]
pub fn generations_jsonl(generated: &Generated, answers: bool) -> String {
    let reached = generated.records.iter().map(|record| {
        let answer = record.answer.as_ref();
        let line = TextLine {
            id: record.id.clone(),
            loss: Some(record.loss),
            tokens: Some(record.tokens),
            scores: answer.map(|answer| answer.scores.clone()),
            generated: answer.map(|answer| answer.tokens),
            ended: answer.map(|answer| answer.ending),
            answer: answer.filter(|_| answers).map(|answer| answer.text.clone()),
        };
        (record.id.as_str(), line)
    });
    let missing = generated.missing.iter().map(|record| {
        let id = record.id.clone();
        let line = TextLine { id, loss: None, tokens: None, scores: None, generated: None, ended: None, answer: None };
        (record.id.as_str(), line)
    });
    lines(reached.chain(missing).collect())
}

/// What ended the answers, counted.
pub(super) fn endings(generated: &Generated) -> Value {
    let count = |ending| {
        let answers = generated.records.iter().filter_map(|record| record.answer.as_ref());
        answers.filter(|answer| answer.ending == ending).count()
    };
    json!({
        "end_token": count(Ending::EndToken),
        "stop_text": count(Ending::StopText),
        "length": count(Ending::Length),
    })
}

#[cfg(test)]
mod tests {
    use super::super::evaluation::{MissingRecord, Prediction};
    use super::super::generated::{Answer, GeneratedRecord};
    use super::super::several::{MissingSeveral, SeveralPrediction};
    use super::super::tagged::{MissingTagged, TaggedPrediction};
    use super::read::UNPREDICTED;
    use super::*;
    use crate::train::FoundSpan;

    #[test]
    fn a_missing_record_has_a_line_of_its_own_and_all_are_read_back() {
        let evaluated = Evaluated {
            values: vec!["a".to_owned()],
            predictions: vec![Prediction {
                id: "2".to_owned(),
                gold: 0,
                predicted: 0,
                probability: 0.5,
                loss: 0.25,
                slices: Vec::new(),
            }],
            missing: vec![MissingRecord { id: "1".to_owned(), gold: Some(0), reason: UNPREDICTED.to_owned() }],
            by: Vec::new(),
        };
        let lines = predictions_jsonl(&evaluated);
        assert_eq!(
            lines,
            "{\"id\":\"1\",\"gold\":\"a\",\"predicted\":null,\"probability\":null,\"loss\":null}\n\
             {\"id\":\"2\",\"gold\":\"a\",\"predicted\":\"a\",\"probability\":0.5,\"loss\":0.25}\n"
        );
        assert_eq!(read_predictions(&lines), Ok(Predictions::Classified(evaluated)));
        assert!(read_predictions("{").is_err());
    }

    #[test]
    fn sets_are_written_and_read_back() {
        let evaluated = SeveralEvaluated {
            values: ["a", "b"].map(str::to_owned).to_vec(),
            predictions: vec![SeveralPrediction {
                id: "2".to_owned(),
                gold: vec![1, 0],
                predicted: vec![0],
                probability: vec![0.75],
                loss: 0.25,
                slices: Vec::new(),
            }],
            missing: vec![MissingSeveral { id: "1".to_owned(), gold: Some(vec![1]), reason: UNPREDICTED.to_owned() }],
            by: Vec::new(),
        };
        let lines = several_jsonl(&evaluated);
        assert_eq!(
            lines,
            "{\"id\":\"1\",\"gold\":[\"b\"],\"predicted\":null,\"probability\":null,\"loss\":null}\n\
             {\"id\":\"2\",\"gold\":[\"b\",\"a\"],\"predicted\":[\"a\"],\"probability\":[0.75],\"loss\":0.25}\n"
        );
        assert_eq!(read_predictions(&lines), Ok(Predictions::Several(evaluated)));
    }

    #[test]
    fn spans_are_written_and_read_back() {
        let span = |start, end| LabelSpan { start, end, label: "PER".to_owned() };
        let evaluated = TaggedEvaluated {
            kinds: vec!["PER".to_owned()],
            predictions: vec![TaggedPrediction {
                id: "2".to_owned(),
                gold: Vec::new(),
                predicted: vec![FoundSpan { span: span(0, 3), probability: 0.75, is_strict: false }],
                loss: 0.25,
                words: 2,
                slices: Vec::new(),
            }],
            missing: vec![MissingTagged {
                id: "1".to_owned(),
                kinds: Some(vec!["PER".to_owned()]),
                reason: UNPREDICTED.to_owned(),
            }],
            by: Vec::new(),
        };
        let lines = tagged_jsonl(&evaluated);
        let second = r#"{"id":"2","gold":[],"predicted":[{"start":0,"end":3,"label":"PER"}],"probability":[0.75],"strict":[false],"loss":0.25,"words":2}"#;
        assert_eq!(lines.lines().nth(1), Some(second));
        assert_eq!(read_predictions(&lines), Ok(Predictions::Tagged(evaluated)));
    }

    #[test]
    fn an_answer_is_written_only_where_it_is_asked_for() {
        let record = GeneratedRecord {
            id: "2".to_owned(),
            loss: 1.5,
            tokens: 3,
            answer: Some(Answer {
                scores: TextScores::of("the chain is new", &["the chain was new"]),
                tokens: 4,
                ending: Ending::EndToken,
                text: "the chain is new".to_owned(),
            }),
            slices: Vec::new(),
        };
        let missing = MissingRecord { id: "1".to_owned(), gold: None, reason: UNPREDICTED.to_owned() };
        let generated = Generated { records: vec![record], missing: vec![missing], by: Vec::new() };
        assert!(!generations_jsonl(&generated, false).contains("chain"));
        let lines = generations_jsonl(&generated, true);
        assert!(lines.starts_with("{\"id\":\"1\",\"loss\":null,\"tokens\":null}\n"), "{lines}");
        assert_eq!(read_predictions(&lines), Ok(Predictions::Generated(generated)));
    }
}
