//! Measuring the validation part with the weights of the moment.

use super::TrainError;
use super::batch::{Feeds, by_length};
use super::choices::{above_half, binary_loss};
use super::example::{Example, Target};
use super::objective::Objective;
use super::tags::kinds_of;
use crate::eval::{
    Classification, Confusion, Figures, Judged, Metric, MultiLabel, Regression, SpanFigures, TaggedSpan, perplexity,
};
use crate::label::spans::LabelSpan;
use crate::runtime::{InputTensor, Parameter, Session};

/// Records measured at once.
const BATCH: usize = 32;

/// The validation part, ready to be measured again and again.
pub(super) struct Validation {
    pub(super) session: Session,
    pub(super) feeds: Feeds,
    pub(super) examples: Vec<Example>,
    /// The trainable tensors, in the order of the weights that [`Validation::measure`] is given.
    pub(super) parameters: Vec<(String, Vec<usize>)>,
    pub(super) values: Vec<String>,
    pub(super) objective: Objective,
    pub(super) measured: String,
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

impl Validation {
    /// The names and shapes of parameters, as a validation keeps them.
    pub(super) fn shapes(parameters: &[Parameter]) -> Vec<(String, Vec<usize>)> {
        parameters.iter().map(|parameter| (parameter.name.clone(), parameter.shape.clone())).collect()
    }

    pub(super) fn measure(&mut self, weights: &[Vec<f32>]) -> Result<Measured, TrainError> {
        let lengths: Vec<usize> = self.examples.iter().map(|example| example.tokens.len()).collect();
        let mut sums = Sums::default();
        for batch in by_length(&lengths, BATCH) {
            let examples: Vec<&Example> = batch.iter().map(|index| &self.examples[*index]).collect();
            let mut inputs: Vec<InputTensor<'_>> = self.feeds.batch(&examples, 1.0);
            for ((name, shape), values) in self.parameters.iter().zip(weights) {
                inputs.push(InputTensor::f32(name.as_str(), shape, values.as_slice()));
            }
            let outputs = self.session.run(&inputs, &[self.measured.as_str()])?;
            sums.add(
                &examples,
                outputs.first().expect("one output was asked for").f32()?,
                (self.objective, &self.values),
            );
        }
        Ok(Measured { figures: self.figures(&sums), values: self.names() })
    }

    /// What figures are told apart by: the label's values, or the kinds that tags are of.
    fn names(&self) -> Vec<String> {
        match self.objective {
            Objective::Tags => kinds_of(&self.values).unwrap_or_default(),
            Objective::Class | Objective::Several | Objective::Number | Objective::NextToken => self.values.clone(),
        }
    }

    fn figures(&self, sums: &Sums) -> Figures {
        let records = self.examples.len() as u64;
        let mean = sums.loss / sums.targets.max(1) as f64;
        match self.objective {
            Objective::Class => {
                let classification = Classification::of(Confusion::count(self.values.len(), &sums.judged));
                Figures { classification: Some(classification), loss: Some(mean), records, ..Figures::default() }
            }
            Objective::Several => {
                let pairs = sums.sets.iter().map(|(gold, predicted)| (gold.as_slice(), predicted.as_slice()));
                let several = Some(MultiLabel::of(self.values.len(), pairs));
                Figures { several, loss: Some(mean), records, ..Figures::default() }
            }
            Objective::Number => {
                let regression = Regression::of(&sums.numbers);
                Figures { regression, loss: Some(mean), records, ..Figures::default() }
            }
            Objective::Tags => {
                let pairs = sums.tagged.iter().map(|(gold, predicted)| (gold.as_slice(), predicted.as_slice()));
                let spans = Some(SpanFigures::of(pairs).among(&self.names()));
                Figures { spans, loss: Some(mean), records, ..Figures::default() }
            }
            Objective::NextToken => {
                let perplexity = Some(perplexity(sums.loss, sums.targets));
                Figures { perplexity, loss: Some(mean), records, ..Figures::default() }
            }
        }
    }
}

/// What batches of the validation part add up to.
#[derive(Default)]
struct Sums {
    loss: f64,
    targets: u64,
    judged: Vec<Judged>,
    /// True and predicted sets of values.
    sets: Vec<(Vec<usize>, Vec<usize>)>,
    /// True and predicted spans.
    tagged: Vec<(Vec<TaggedSpan>, Vec<TaggedSpan>)>,
    /// True and predicted numbers.
    numbers: Vec<(f64, f64)>,
}

impl Sums {
    fn add(&mut self, examples: &[&Example], output: &[f32], (objective, values): (Objective, &[String])) {
        self.targets += examples.iter().map(|example| example.target.weight() as u64).sum::<u64>();
        if objective == Objective::NextToken {
            self.loss += f64::from(output.first().copied().unwrap_or(f32::NAN));
            return;
        }
        for (example, logits) in examples.iter().zip(output.chunks(output.len() / examples.len().max(1))) {
            match &example.target {
                &Target::Class(gold) => {
                    self.loss -= f64::from(log_softmax(logits)[gold]);
                    self.judged.push(Judged { gold: Some(gold), predicted: argmax(logits) });
                }
                Target::Choices(has) => {
                    self.loss += binary_loss(logits, has);
                    let gold = (0..has.len()).filter(|&value| has[value]).collect();
                    self.sets.push((gold, above_half(logits)));
                }
                &Target::Number(gold) => {
                    let (gold, predicted) = (f64::from(gold), f64::from(logits[0]));
                    self.loss += (gold - predicted).powi(2);
                    self.numbers.push((gold, predicted));
                }
                Target::Tags(target) => {
                    for (logits, tag) in logits.chunks(values.len()).zip(&target.tags) {
                        if let Ok(tag) = usize::try_from(*tag) {
                            self.loss -= f64::from(log_softmax(logits)[tag]);
                        }
                    }
                    let found = target.words.found(logits, values).into_iter().map(|found| found.span);
                    self.tagged.push((spans(&target.gold), spans(&found.collect::<Vec<_>>())));
                }
                Target::Tokens(_) => {}
            }
        }
    }
}

/// Spans as they are counted.
fn spans(spans: &[LabelSpan]) -> Vec<TaggedSpan> {
    let counted = |span: &LabelSpan| TaggedSpan { kind: span.label.clone(), start: span.start, end: span.end };
    spans.iter().map(counted).collect()
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
