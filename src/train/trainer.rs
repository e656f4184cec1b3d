//! The loop: batches through the bound session, gradients through the optimizer, one event for each step.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::TrainError;
use super::batch::{Feeds, token_count};
use super::example::Example;
use super::optimizer::{AdamWState, ParameterRule, clip_factor, global_norm};
use super::order::{keyed_order, steps_of_epoch, steps_per_epoch};
use super::run::TrainRun;
use super::validate::{Measured, Validation, is_better};
use crate::runtime::{BoundSession, InputTensor};

/// What a run tells while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The data is read and the model is loaded.
    Prepared(Preparation),
    /// An optimizer step is done.
    Step(StepReport),
    /// The validation part was measured after an epoch.
    Validated(ValidationReport),
    /// The folder is being written.
    Saving,
}

/// What a run starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// Records of the training table.
    pub records: usize,
    /// Of them, those that are too long and lost a part.
    pub truncated: usize,
    /// Of them, those that were left out because they are too long.
    pub dropped: usize,
    /// Weights that are trained.
    pub trained_weights: usize,
    /// Optimizer steps to do.
    pub steps: u64,
}

/// One optimizer step, for a progress line.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Counted from 1.
    pub step: u64,
    /// Steps of the run.
    pub steps: u64,
    /// Passes over the training table so far.
    pub epoch: f64,
    /// The mean loss of the step's rows or learnt tokens, in nats.
    pub loss: f64,
    /// The learning rate.
    pub rate: f64,
    /// Tokens of the step, padding not counted.
    pub tokens: usize,
    /// Over the last steps.
    pub tokens_per_second: f64,
    /// At the speed of the last steps.
    pub time_left: Duration,
}

/// The figures of the validation part after an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationReport {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// Mean loss, in nats.
    pub loss: f64,
    /// The share of right classes; `None` for generation.
    pub accuracy: Option<f64>,
    /// Whether it is the best so far by the metric of `keep best`.
    pub best: bool,
}

/// What the loop leaves.
pub(super) struct Outcome {
    pub(super) weights: Vec<Vec<f32>>,
    /// Lines of `metrics.jsonl`: one for each step, and one for each measurement of the validation part.
    pub(super) metrics: String,
    /// BLAKE3 over the record ids in the order in which they were trained on.
    pub(super) order: String,
    pub(super) steps: u64,
    pub(super) best_epoch: Option<u64>,
}

/// Everything that a loop works with.
pub(super) struct Trainer<'a> {
    pub(super) run: &'a TrainRun,
    pub(super) examples: &'a [Example],
    pub(super) session: BoundSession,
    pub(super) rules: Vec<ParameterRule>,
    pub(super) feeds: Feeds,
    pub(super) validation: Option<Validation>,
}

/// The best measurement so far; its weights where the run keeps them.
struct Best {
    measured: Measured,
    epoch: u64,
    weights: Option<Vec<Vec<f32>>>,
}

struct Progress {
    steps: u64,
    per_epoch: u64,
    step: u64,
    speed: Speed,
    metrics: String,
    order: blake3::Hasher,
}

impl Trainer<'_> {
    pub(super) fn train(mut self, on_event: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<Outcome, TrainError> {
        let ids: Vec<String> = self.examples.iter().map(|example| example.id.clone()).collect();
        let mut progress = Progress {
            steps: self.run.steps(ids.len()),
            per_epoch: steps_per_epoch(ids.len(), self.run.batch, self.run.accumulate),
            step: 0,
            speed: Speed::default(),
            metrics: String::new(),
            order: blake3::Hasher::new(),
        };
        let mut state = AdamWState::default();
        let mut best: Option<Best> = None;
        for epoch in 0.. {
            let order =
                if self.run.shuffle { keyed_order(&ids, self.run.seed, epoch) } else { (0..ids.len()).collect() };
            for micro_batches in steps_of_epoch(&order, self.run.batch, self.run.accumulate) {
                if progress.step == progress.steps {
                    break;
                }
                progress.step += 1;
                let report = self.step(&micro_batches, &mut state, &mut progress)?;
                if on_event(Event::Step(report)).is_break() {
                    return Err(TrainError::Interrupted { step: progress.step });
                }
            }
            if let Some(report) = self.validate(epoch + 1, progress.step, &mut best)? {
                let line = serde_json::json!({
                    "step": report.step, "epoch": report.epoch, "validation_loss": rounded(report.loss, 6),
                    "validation_accuracy": report.accuracy.map(|accuracy| rounded(accuracy, 6)),
                });
                progress.metrics.push_str(&format!("{line}\n"));
                if on_event(Event::Validated(report)).is_break() {
                    return Err(TrainError::Interrupted { step: progress.step });
                }
            }
            if progress.step == progress.steps {
                break;
            }
        }
        let (weights, best_epoch) = match best {
            Some(Best { epoch, weights: Some(weights), .. }) => (weights, Some(epoch)),
            Some(Best { weights: None, .. }) | None => (self.session.values(), None),
        };
        Ok(Outcome {
            weights,
            metrics: progress.metrics,
            order: progress.order.finalize().to_hex().to_string(),
            steps: progress.step,
            best_epoch,
        })
    }

    fn step(
        &mut self,
        micro_batches: &[&[usize]],
        state: &mut AdamWState,
        progress: &mut Progress,
    ) -> Result<StepReport, TrainError> {
        let started = Instant::now();
        let of = |batch: &[usize]| -> Vec<&Example> { batch.iter().map(|index| &self.examples[*index]).collect() };
        let divisor = micro_batches.concat().iter().map(|index| self.examples[*index].target.weight()).sum();
        let (mut loss, mut tokens) = (0.0_f64, 0);
        let mut sums: Vec<Vec<f32>> = Vec::new();
        for batch in micro_batches {
            let examples = of(batch);
            tokens += token_count(&examples);
            for example in &examples {
                progress.order.update(example.id.as_bytes());
            }
            let part = run_batch(&mut self.session, &self.feeds.batch(&examples, divisor))?;
            if !part.is_finite() {
                let ids = examples.iter().map(|example| example.id.clone()).collect();
                return Err(TrainError::Diverged { step: progress.step, loss: part, ids });
            }
            loss += f64::from(part);
            if micro_batches.len() > 1 {
                accumulate(&mut sums, &mut self.session);
            }
        }
        let rate = self.run.schedule.rate_at(progress.step, progress.steps);
        self.update(state, rate, &sums);
        let epoch = progress.step as f64 / progress.per_epoch as f64;
        let line = serde_json::json!({
            "step": progress.step, "epoch": rounded(epoch, 4), "loss": rounded(loss, 6), "rate": rate, "tokens": tokens,
        });
        progress.metrics.push_str(&format!("{line}\n"));
        progress.speed.add(tokens, started.elapsed());
        Ok(StepReport {
            step: progress.step,
            steps: progress.steps,
            epoch,
            loss,
            rate,
            tokens,
            tokens_per_second: progress.speed.tokens_per_second(),
            time_left: progress.speed.time_of(progress.steps - progress.step),
        })
    }

    fn update(&mut self, state: &mut AdamWState, rate: f64, sums: &[Vec<f32>]) {
        let run = self.run;
        let parameters: Vec<(&mut [f32], &[f32], ParameterRule)> = self
            .session
            .parameters()
            .enumerate()
            .zip(&self.rules)
            .map(|((index, (values, gradient)), rule)| {
                let gradient: &[f32] = sums.get(index).map_or(gradient, Vec::as_slice);
                (values, gradient, *rule)
            })
            .collect();
        let clip = match run.clip {
            Some(_) => clip_factor(global_norm(parameters.iter().map(|(_, gradient, _)| *gradient)), run.clip),
            None => 1.0,
        };
        state.update(&run.optimizer, rate, clip, run.threads, parameters);
    }

    fn validate(
        &mut self,
        epoch: u64,
        step: u64,
        best: &mut Option<Best>,
    ) -> Result<Option<ValidationReport>, TrainError> {
        let Some(validation) = &mut self.validation else { return Ok(None) };
        let weights = self.session.values();
        let measured = validation.measure(&weights)?;
        let metric = self.run.keep_best.as_ref();
        let is_best = best.as_ref().is_none_or(|before| is_better(&measured, &before.measured, metric));
        let report =
            ValidationReport { epoch, step, loss: measured.loss(), accuracy: measured.accuracy(), best: is_best };
        if is_best {
            *best = Some(Best { measured, epoch, weights: metric.is_some().then_some(weights) });
        }
        Ok(Some(report))
    }
}

fn run_batch(session: &mut BoundSession, inputs: &[InputTensor<'_>]) -> Result<f32, TrainError> {
    let outputs = session.run(inputs)?;
    let loss = outputs.first().expect("the session was bound with the loss as its one scalar");
    Ok(loss.f32()?.first().copied().unwrap_or(f32::NAN))
}

fn accumulate(sums: &mut Vec<Vec<f32>>, session: &mut BoundSession) {
    let gradients = session.parameters().map(|(_, gradient)| gradient);
    if sums.is_empty() {
        sums.extend(gradients.map(|gradient| gradient.to_vec()));
        return;
    }
    for (sum, gradient) in sums.iter_mut().zip(gradients) {
        for (sum, gradient) in sum.iter_mut().zip(gradient) {
            *sum += *gradient;
        }
    }
}

/// A number as it is written to a file: so many decimals are enough for a curve.
fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}

/// The speed of the last steps.
#[derive(Default)]
struct Speed {
    last: std::collections::VecDeque<(usize, Duration)>,
}

impl Speed {
    const STEPS: usize = 20;

    fn add(&mut self, tokens: usize, took: Duration) {
        if self.last.len() == Self::STEPS {
            self.last.pop_front();
        }
        self.last.push_back((tokens, took));
    }

    fn took(&self) -> f64 {
        self.last.iter().map(|(_, took)| took.as_secs_f64()).sum()
    }

    fn tokens_per_second(&self) -> f64 {
        let tokens: usize = self.last.iter().map(|(tokens, _)| tokens).sum();
        if self.took() > 0.0 { tokens as f64 / self.took() } else { 0.0 }
    }

    fn time_of(&self, steps: u64) -> Duration {
        Duration::from_secs_f64(self.took() / self.last.len().max(1) as f64 * steps as f64)
    }
}
