//! A predictions' file read back, of whatever kind it is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ClassLine, Predictions, SeveralLine, SpanLine, TextLine};
use crate::eval::evaluation::{Evaluated, MissingRecord, Prediction};
use crate::eval::generated::{Answer, Generated, GeneratedRecord};
use crate::eval::results::read_results;
use crate::eval::several::{MissingSeveral, SeveralEvaluated, SeveralPrediction};
use crate::eval::tagged::{MissingTagged, TaggedEvaluated, TaggedPrediction};
use crate::train::FoundSpan;

/// The reason of a record that a file has no prediction of.
pub(super) const UNPREDICTED: &str = "has no prediction";

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
