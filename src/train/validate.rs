//! Measuring the validation part with the weights of the moment.

use super::TrainError;
use super::batch::{Feeds, by_length};
use super::choices::{above_half, binary_loss};
use super::example::{Example, Target};
use super::objective::{Objective, SCALE};
use super::pairs::same_texts;
use super::tags::kinds_of;
use crate::eval::{
    Classification, Confusion, Figures, Judged, Metric, MultiLabel, PreferredPair, Regression, Scored, SpanFigures,
    TaggedSpan, dot, found_partners, perplexity, unit,
};
use crate::label::spans::LabelSpan;
use crate::runtime::{InputTensor, Parameter, Session};

/// Records measured at once.
const BATCH: usize = 32;

/// A graph that measures examples with weights that are given to it.
pub(super) struct Measuring {
    pub(super) session: Session,
    pub(super) feeds: Feeds,
    /// The trainable tensors, in the order of the weights that it is given.
    pub(super) parameters: Vec<(String, Vec<usize>)>,
    pub(super) measured: String,
}

/// The validation part, ready to be measured again and again.
pub(super) struct Validation {
    pub(super) measuring: Measuring,
    pub(super) examples: Vec<Example>,
    /// Of pairs the second ones.
    pub(super) seconds: Vec<Example>,
    pub(super) values: Vec<String>,
    pub(super) objective: Objective,
    /// Pairs among which a text's partner is told apart.
    pub(super) batch: usize,
}

/// The figures of one measurement.
pub(super) struct Measured {
    figures: Figures,
    values: Vec<String>,
}

impl Measured {
    pub(super) fn loss(&self) -> f64 {
        self.figures.loss.unwrap_or(f64::NAN)
    }

    pub(super) fn accuracy(&self) -> Option<f64> {
        self.figure(&Metric::Accuracy)
    }

    /// A figure by its metric; `None` where the task has no such figure.
    pub(super) fn figure(&self, metric: &Metric) -> Option<f64> {
        self.figures.get(metric, &self.values)
    }
}

impl Measuring {
    /// The names and shapes of parameters, as it keeps them.
    pub(super) fn shapes(parameters: &[Parameter]) -> Vec<(String, Vec<usize>)> {
        parameters.iter().map(|parameter| (parameter.name.clone(), parameter.shape.clone())).collect()
    }

    /// What is measured of each example.
    pub(super) fn rows(&mut self, examples: &[&Example], weights: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, TrainError> {
        let mut rows = vec![Vec::new(); examples.len()];
        self.batches(examples, weights, &mut |batch, output| {
            for (at, row) in batch.iter().zip(output.chunks(output.len() / batch.len())) {
                rows[*at] = row.to_vec();
            }
        })?;
        Ok(rows)
    }

    /// Gives `read` what is measured of batches of similar length, by the examples' places.
    fn batches(
        &mut self,
        examples: &[&Example],
        weights: &[Vec<f32>],
        read: &mut dyn FnMut(&[usize], &[f32]),
    ) -> Result<(), TrainError> {
        let lengths: Vec<usize> = examples.iter().map(|example| example.tokens.len()).collect();
        for batch in by_length(&lengths, BATCH) {
            let members: Vec<&Example> = batch.iter().map(|index| examples[*index]).collect();
            let mut inputs: Vec<InputTensor<'_>> = self.feeds.batch(&members, 1.0);
            for ((name, shape), values) in self.parameters.iter().zip(weights) {
                inputs.push(InputTensor::f32(name.as_str(), shape, values.as_slice()));
            }
            let outputs = self.session.run(&inputs, &[self.measured.as_str()])?;
            read(&batch, outputs.first().expect("one output was asked for").f32()?);
        }
        Ok(())
    }
}

impl Validation {
    pub(super) fn measure(&mut self, weights: &[Vec<f32>]) -> Result<Measured, TrainError> {
        let examples: Vec<&Example> = self.examples.iter().chain(&self.seconds).collect();
        let figures = match self.objective {
            Objective::NextToken => {
                let (mut loss, targets) = (0.0, examples.iter().map(|example| example.target.weight() as u64).sum());
                self.measuring.batches(&examples, weights, &mut |_, output| {
                    loss += f64::from(output.first().copied().unwrap_or(f32::NAN));
                })?;
                let (mean, perplexity) = (loss / u64::max(targets, 1) as f64, perplexity(loss, targets));
                Figures { loss: Some(mean), perplexity: Some(perplexity), ..Figures::default() }
            }
            Objective::Class => classes(&examples, &self.measuring.rows(&examples, weights)?, self.values.len()),
            Objective::Several => sets(&examples, &self.measuring.rows(&examples, weights)?, self.values.len()),
            Objective::Tags => tags(&examples, &self.measuring.rows(&examples, weights)?, &self.values),
            Objective::Number => numbers(&examples, &self.measuring.rows(&examples, weights)?),
            Objective::Preference { beta } => preferences(&examples, &self.measuring.rows(&examples, weights)?, beta),
            Objective::Contrast => partners(&examples, &self.measuring.rows(&examples, weights)?, self.batch),
        };
        let figures = Figures { records: self.examples.len() as u64, ..figures };
        // Spans are told apart by the kinds that tags are of.
        let values = match self.objective {
            Objective::Tags => kinds_of(&self.values).unwrap_or_default(),
            Objective::Class
            | Objective::Several
            | Objective::Number
            | Objective::NextToken
            | Objective::Preference { .. }
            | Objective::Contrast => self.values.clone(),
        };
        Ok(Measured { figures, values })
    }
}

fn classes(examples: &[&Example], logits: &[Vec<f32>], values: usize) -> Figures {
    let (mut loss, mut judged) = (0.0, Vec::new());
    for (example, logits) in examples.iter().zip(logits) {
        let Target::Class(gold) = example.target else { continue };
        loss -= f64::from(log_softmax(logits)[gold]);
        judged.push(Judged { gold: Some(gold), predicted: argmax(logits) });
    }
    let classification = Classification::of(Confusion::count(values, &judged));
    Figures {
        loss: Some(loss / judged.len().max(1) as f64),
        classification: Some(classification),
        ..Figures::default()
    }
}

fn sets(examples: &[&Example], logits: &[Vec<f32>], values: usize) -> Figures {
    let (mut loss, mut sets) = (0.0, Vec::<[Vec<usize>; 2]>::new());
    for (example, logits) in examples.iter().zip(logits) {
        let Target::Choices(has) = &example.target else { continue };
        loss += binary_loss(logits, has);
        sets.push([(0..has.len()).filter(|&value| has[value]).collect(), above_half(logits)]);
    }
    let pairs = sets.iter().map(|[gold, predicted]| (gold.as_slice(), predicted.as_slice()));
    Figures {
        loss: Some(loss / sets.len().max(1) as f64),
        several: Some(MultiLabel::of(values, pairs)),
        ..Figures::default()
    }
}

/// Of a record its true spans, those predicted, and the ones among them whose tags keep to their scheme.
type SpanRow = (Vec<TaggedSpan>, Vec<TaggedSpan>, Vec<TaggedSpan>);

fn tags(examples: &[&Example], logits: &[Vec<f32>], names: &[String]) -> Figures {
    let (mut loss, mut words, mut rows) = (0.0, 0_u64, Vec::new());
    let counted = |span: &LabelSpan| TaggedSpan { kind: span.label.clone(), start: span.start, end: span.end };
    for (example, logits) in examples.iter().zip(logits) {
        let Target::Tags(target) = &example.target else { continue };
        for (logits, tag) in logits.chunks(names.len()).zip(&target.tags) {
            if let Ok(tag) = usize::try_from(*tag) {
                loss -= f64::from(log_softmax(logits)[tag]);
                words += 1;
            }
        }
        let gold: Vec<TaggedSpan> = target.gold.iter().map(counted).collect();
        let found = target.words.found(logits, names);
        let strict = found.iter().filter(|found| found.is_strict).map(|found| counted(&found.span)).collect();
        rows.push((gold, found.iter().map(|found| counted(&found.span)).collect(), strict));
    }
    let kinds = kinds_of(names).unwrap_or_default();
    let figures = |predicted: fn(&SpanRow) -> &Vec<TaggedSpan>| {
        SpanFigures::of(rows.iter().map(|row| (row.0.as_slice(), predicted(row).as_slice()))).among(&kinds)
    };
    Figures {
        loss: Some(loss / words.max(1) as f64),
        spans: Some(figures(|row| &row.1)),
        strict_spans: Some(figures(|row| &row.2)),
        ..Figures::default()
    }
}

fn numbers(examples: &[&Example], outputs: &[Vec<f32>]) -> Figures {
    let pair = |(example, output): (&&Example, &Vec<f32>)| match example.target {
        Target::Number(gold) => Some((f64::from(gold), f64::from(output[0]))),
        Target::Class(_)
        | Target::Choices(_)
        | Target::Tags(_)
        | Target::Tokens(_)
        | Target::Answer { .. }
        | Target::Text(_) => None,
    };
    let pairs: Vec<(f64, f64)> = examples.iter().zip(outputs).filter_map(pair).collect();
    let regression = Regression::of(&pairs);
    Figures { loss: regression.map(|regression| regression.mse), regression, ..Figures::default() }
}

/// The first half of the examples are the chosen answers.
fn preferences(examples: &[&Example], answers: &[Vec<f32>], beta: f64) -> Figures {
    let gain = |(example, answer): (&&Example, &Vec<f32>)| match example.target {
        Target::Answer { reference, .. } => beta * (f64::from(answer[0]) - f64::from(reference)),
        Target::Class(_)
        | Target::Choices(_)
        | Target::Tags(_)
        | Target::Number(_)
        | Target::Tokens(_)
        | Target::Text(_) => f64::NAN,
    };
    let gains: Vec<f64> = examples.iter().zip(answers).map(gain).collect();
    let (chosen, rejected) = gains.split_at(gains.len() / 2);
    let pairs: Vec<PreferredPair> = chosen
        .iter()
        .zip(rejected)
        .map(|(chosen, rejected)| PreferredPair { chosen: *chosen, rejected: *rejected })
        .collect();
    of_all(&pairs)
}

/// The first half of the examples are the first texts. Partners compete in batches of the run's size, in the table's order;
/// the ranks are those among all of the part.
fn partners(examples: &[&Example], vectors: &[Vec<f32>], batch: usize) -> Figures {
    let text = |example: &&Example| match example.target {
        Target::Text(text) => text,
        Target::Class(_)
        | Target::Choices(_)
        | Target::Tags(_)
        | Target::Number(_)
        | Target::Tokens(_)
        | Target::Answer { .. } => 0,
    };
    let vectors: Vec<Vec<f32>> = vectors.iter().map(|vector| unit(vector)).collect();
    let half = examples.len() / 2;
    let texts: Vec<(u64, u64)> = examples[..half].iter().map(text).zip(examples[half..].iter().map(text)).collect();
    let (firsts, seconds) = vectors.split_at(half);
    let mut loss = 0.0;
    for start in (0..half).step_by(batch.max(1)) {
        let end = (start + batch.max(1)).min(half);
        let same = same_texts(&texts[start..end]);
        for (row, first) in firsts[start..end].iter().enumerate() {
            let scores: Vec<f32> = seconds[start..end]
                .iter()
                .zip(&same[row * (end - start)..])
                .map(|(second, same)| if *same > 0.0 { f32::NEG_INFINITY } else { SCALE * dot(first, second) })
                .collect();
            loss -= f64::from(log_softmax(&scores)[row]);
        }
    }
    let found = found_partners(firsts, seconds, &texts);
    Figures { loss: Some(loss / half.max(1) as f64), ..of_all(&found) }
}

fn of_all<R: Scored>(results: &[R]) -> Figures {
    R::figures(&results.iter().map(Some).collect::<Vec<_>>(), &vec![1; results.len()])
}

/// log softmax, shifted by the maximum so that no exponential overflows.
pub(crate) fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - peak).exp()).sum();
    let log_sum = sum.ln() as f32;
    logits.iter().map(|logit| logit - peak - log_sum).collect()
}

/// The index of the largest; the first of equals; `None` of nothing.
pub(crate) fn argmax(logits: &[f32]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (index, logit) in logits.iter().enumerate() {
        if best.is_none_or(|best| *logit > logits[best]) {
            best = Some(index);
        }
    }
    best
}
