//! The file of an evaluation's predictions: one line for each record of the part, in order of id, those that never
//! reached the model included. It holds no text of a record; answers of the model only where the spec asks for them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::decoder::Ending;
use super::evaluation::{Evaluated, MissingRecord, Prediction};
use super::generated::{Answer, Generated, GeneratedRecord};
use super::generation::TextScores;
use super::preference::PreferredPair;
use super::regressor::PredictedNumber;
use super::results::{Results, read_results};
use super::retrieval::FoundPartner;
use super::several::{MissingSeveral, SeveralEvaluated, SeveralPrediction};
use super::tagged::{MissingTagged, TaggedEvaluated, TaggedPrediction};
use crate::label::spans::LabelSpan;
use crate::train::FoundSpan;

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

/// The reason of a record that a file has no prediction of.
const UNPREDICTED: &str = "has no prediction";

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

/// Reads a predictions' file of any kind.
///
/// # Errors
/// The first line that is none, by its number.
pub fn read_predictions(text: &str) -> Result<Predictions, String> {
    let parse = |(at, line): (usize, &str)| {
        serde_json::from_str::<Value>(line).map_err(|error| format!("line {}: {error}", at + 1))
    };
    let rows: Vec<Value> = text.lines().enumerate().map(parse).collect::<Result<_, _>>()?;
    let of_lists = |row: &Value| ["gold", "predicted"].iter().any(|name| row[*name].is_array());
    let has = |name: &str| rows.iter().any(|row| row.get(name).is_some());
    if has("words") {
        Ok(Predictions::Tagged(tagged(typed(rows)?)?))
    } else if rows.iter().any(of_lists) {
        Ok(Predictions::Several(several(typed(rows)?)?))
    } else if rows.iter().any(|row| row["predicted"].is_number()) {
        Ok(Predictions::Numbers(read_results(rows, UNPREDICTED)?))
    } else if has("chosen") {
        Ok(Predictions::Preferences(read_results(rows, UNPREDICTED)?))
    } else if has("rank") {
        Ok(Predictions::Partners(read_results(rows, UNPREDICTED)?))
    } else if has("gold") {
        Ok(Predictions::Classified(classified(typed(rows)?)?))
    } else {
        Ok(Predictions::Generated(generated(typed(rows)?)))
    }
}

fn typed<L: serde::de::DeserializeOwned>(rows: Vec<Value>) -> Result<Vec<L>, String> {
    let typed =
        |(at, row): (usize, Value)| serde_json::from_value(row).map_err(|error| format!("line {}: {error}", at + 1));
    rows.into_iter().enumerate().map(typed).collect()
}

fn classified(lines: Vec<ClassLine>) -> Result<Evaluated, String> {
    let named: BTreeSet<&String> = lines.iter().flat_map(|line| [&line.gold, &line.predicted]).flatten().collect();
    let mut evaluated = Evaluated { values: named.into_iter().cloned().collect(), ..Evaluated::default() };
    let index = |name: &String| evaluated.values.binary_search(name).expect("every name was gathered");
    let (mut predictions, mut missing) = (Vec::new(), Vec::new());
    for line in &lines {
        let gold = line.gold.as_ref().map(index);
        match (gold, line.predicted.as_ref().map(index)) {
            (Some(gold), Some(predicted)) => predictions.push(Prediction {
                id: line.id.clone(),
                gold,
                predicted,
                probability: line.probability.ok_or("a prediction has no probability")? as f32,
                loss: line.loss.ok_or("a prediction has no loss; build it again")? as f32,
                slices: Vec::new(),
            }),
            (gold, _) => {
                missing.push(MissingRecord { id: line.id.clone(), gold, reason: UNPREDICTED.to_owned() });
            }
        }
    }
    (evaluated.predictions, evaluated.missing) = (predictions, missing);
    Ok(evaluated)
}

fn several(lines: Vec<SeveralLine>) -> Result<SeveralEvaluated, String> {
    let named: BTreeSet<&String> =
        lines.iter().flat_map(|line| [&line.gold, &line.predicted]).flatten().flatten().collect();
    let values: Vec<String> = named.into_iter().cloned().collect();
    let place = |name: &String| values.binary_search(name).expect("every name was gathered");
    let places = |names: &Vec<String>| names.iter().map(place).collect::<Vec<usize>>();
    let (mut predictions, mut missing) = (Vec::new(), Vec::new());
    for line in &lines {
        let gold = line.gold.as_ref().map(places);
        match (gold, line.predicted.as_ref().map(places)) {
            (Some(gold), Some(predicted)) => predictions.push(SeveralPrediction {
                id: line.id.clone(),
                gold,
                predicted,
                probability: line.probability.iter().flatten().map(|probability| *probability as f32).collect(),
                loss: line.loss.ok_or("a prediction has no loss; build it again")? as f32,
                slices: Vec::new(),
            }),
            (gold, _) => {
                missing.push(MissingSeveral { id: line.id.clone(), gold, reason: UNPREDICTED.to_owned() });
            }
        }
    }
    Ok(SeveralEvaluated { values, predictions, missing, by: Vec::new() })
}

fn tagged(lines: Vec<SpanLine>) -> Result<TaggedEvaluated, String> {
    let mut evaluated = TaggedEvaluated::default();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    for line in lines {
        let spans = [&line.gold, &line.predicted].into_iter().flatten().flatten();
        kinds.extend(spans.map(|span| span.label.clone()).chain(line.missed.iter().flatten().cloned()));
        let (Some(gold), Some(predicted)) = (line.gold, line.predicted) else {
            let reason = UNPREDICTED.to_owned();
            evaluated.missing.push(MissingTagged { id: line.id, kinds: line.missed, reason });
            continue;
        };
        let probabilities = line.probability.unwrap_or_default();
        if probabilities.len() != predicted.len() {
            return Err("a predicted span has no probability".to_owned());
        }
        let strict = line.strict.unwrap_or_default();
        if strict.len() != predicted.len() {
            return Err("a predicted span does not say whether it is `strict`; build it again".to_owned());
        }
        let found = predicted.into_iter().zip(probabilities).zip(strict).map(|((span, sure), is_strict)| FoundSpan {
            span,
            probability: sure as f32,
            is_strict,
        });
        evaluated.predictions.push(TaggedPrediction {
            id: line.id,
            gold,
            predicted: found.collect(),
            loss: line.loss.ok_or("a prediction has no loss; build it again")?,
            words: line.words.unwrap_or(0),
            slices: Vec::new(),
        });
    }
    evaluated.kinds = kinds.into_iter().collect();
    Ok(evaluated)
}

fn generated(lines: Vec<TextLine>) -> Generated {
    let mut generated = Generated::default();
    for line in lines {
        let TextLine { id, loss, tokens, scores, generated: count, ended, answer } = line;
        let (Some(loss), Some(tokens)) = (loss, tokens) else {
            generated.missing.push(MissingRecord { id, gold: None, reason: UNPREDICTED.to_owned() });
            continue;
        };
        let answer = scores.zip(count).zip(ended).map(|((scores, tokens), ending)| Answer {
            scores,
            tokens,
            ending,
            text: answer.unwrap_or_default(),
        });
        generated.records.push(GeneratedRecord { id, loss, tokens, answer, slices: Vec::new() });
    }
    generated
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
    use super::*;

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
