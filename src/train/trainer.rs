//! The loop: batches through the learner, which is updated by their gradients, one event for each step.
//!
//! Between two steps the loop's whole state is a [`State`] and the learner; a checkpoint is these, written down.

mod keep;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Instant;

use super::TrainError;
use super::batch::{Feeds, token_count};
use super::course::Course;
use super::draw::Draw;
use super::error::Divergence;
use super::event::{Event, StepReport, ValidationReport};
use super::example::Example;
use super::learner::Learner;
use super::micro_batch::micro_batches;
use super::optimizer::{Moment, clip_factor};
use super::pack::rows_of;
use super::run::TrainRun;
use super::scale::LossScale;
use super::select::{Best, Candidate, score};
use super::validate::Validation;

/// A run has diverged when the mean loss of so many last steps …
const RECENT: usize = 10;
/// … is more than this multiple of the loss of guessing, the logarithm of the number of classes or tokens.
const DIVERGED: f64 = 10.0;

/// What the loop leaves.
pub(super) struct Outcome {
    pub(super) weights: Vec<Vec<f32>>,
    /// Lines of `metrics.jsonl`: one for each step, and one for each measurement of the validation part.
    pub(super) metrics: String,
    /// BLAKE3 over the record ids in the order in which they were trained on.
    pub(super) order: String,
    pub(super) steps: u64,
    /// Where `keep best` chose, the step whose weights these are; behind it, what else is kept.
    pub(super) best_step: Option<u64>,
    pub(super) others: Vec<Candidate>,
}

/// Everything that a loop works with.
pub(super) struct Trainer<'a> {
    pub(super) run: &'a TrainRun,
    pub(super) examples: &'a [Example],
    /// Of pairs the second ones: rows of a batch behind those of the first ones.
    pub(super) seconds: &'a [Example],
    /// What a step tells beside the loss, by the scalars' names.
    pub(super) beside: &'a [String],
    /// How much of the loss each example is: by what sums are divided.
    pub(super) shares: Vec<f64>,
    pub(super) learner: Learner,
    pub(super) feeds: Feeds,
    pub(super) validation: Option<Validation>,
    /// The loss of guessing among the classes or tokens, where their number is known.
    pub(super) guess: Option<f64>,
}

/// Where a run is.
struct State {
    step: u64,
    /// Whether the validation part was measured behind this step.
    validated: bool,
    best: Best,
    metrics: String,
    recent: VecDeque<f64>,
    order: blake3::Hasher,
    /// By what the loss is multiplied, where that is needed.
    scale: Option<LossScale>,
}

/// How a step ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The weights are updated.
    Updated,
    /// The gradient was too large for the scale of the loss: the weights are what they were, and the scale is smaller.
    Skipped,
    /// The gradient is no number at any scale.
    Diverged,
}

impl Trainer<'_> {
    pub(super) fn train(mut self, on_event: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<Outcome, TrainError> {
        let ids: Vec<String> = self.examples.iter().map(|example| example.id.clone()).collect();
        let mut course = Course::of(self.run, ids);
        let mut state = self.begin(&mut course, on_event)?;
        if state.step > 0 && on_event(Event::Resumed(state.step)).is_break() {
            return Err(TrainError::Interrupted { step: state.step, kept: Some(state.step) });
        }
        loop {
            let mut flow = ControlFlow::Continue(());
            if let Some(report) = self.validate(&mut state, &course)? {
                flow = on_event(Event::Validated(report));
            }
            if state.step == course.steps {
                break;
            }
            if state.best.is_exhausted(self.run.selection.patience, state.step, course.per_epoch) {
                let best = state.best.ranked.first().map_or(state.step, |best| best.step);
                let _ = on_event(Event::Stopped { step: state.step, best });
                break;
            }
            if flow.is_continue() {
                self.keep_where_due(&state, &mut course, on_event)?;
                let report = self.step(&mut state, &mut course)?;
                flow = on_event(Event::Step(report));
            }
            if flow.is_break() {
                return Err(self.interrupted(&state, &mut course, on_event)?);
            }
        }
        self.finish(state)
    }

    fn step(&mut self, state: &mut State, course: &mut Course) -> Result<StepReport, TrainError> {
        let started = Instant::now();
        let step = state.step + 1;
        let rows = course.rows(step).to_vec();
        let divisor: f64 = rows.iter().map(|row| self.shares[*row]).sum();
        let (mut sums_of_scalars, mut tokens) = (vec![0.0_f64; 1 + self.beside.len()], 0);
        let batches = micro_batches(self.run, (self.examples, self.seconds), &rows);
        let scale = state.scale.map_or(1.0, |scale| scale.factor);
        for batch in &batches {
            let seconds = batch.iter().filter_map(|row| self.seconds.get(*row));
            let examples: Vec<&Example> = batch.iter().map(|row| &self.examples[*row]).chain(seconds).collect();
            tokens += token_count(&examples);
            let draw = Draw { seed: self.run.seed, step };
            // What the loss is divided by weighs it in the graph: a smaller divisor scales it, and its gradient.
            let inputs = self.feeds.rows(&rows_of(&examples, self.run.pack), divisor / scale, draw);
            let parts = self.learner.run(inputs, batches.len() == 1)?;
            if !parts[0].is_finite() {
                return Err(self.diverged(step, Divergence::Loss(parts[0]), batch, course));
            }
            sums_of_scalars.iter_mut().zip(&parts).for_each(|(sum, part)| *sum += f64::from(*part) / scale);
        }
        let loss = sums_of_scalars[0];
        self.check_loss(state, loss).map_err(|what| self.diverged(step, what, &rows, course))?;
        let rate = self.run.schedule.rate_at(step, course.steps);
        let (norm, end) = self.end(state, step, rate)?;
        if end == End::Diverged {
            return Err(self.diverged(step, Divergence::Gradient(norm), &rows, course));
        }
        for row in &rows {
            state.order.update(self.examples[*row].id.as_bytes());
        }
        (state.step, state.validated) = (step, false);
        let epoch = course.epochs(step);
        let mut line = serde_json::json!({
            "step": step, "epoch": rounded(epoch, 4), "loss": rounded(loss, 6), "rate": rate,
            "gradient_norm": rounded(norm, 6), "tokens": tokens,
        });
        for (name, sum) in self.beside.iter().zip(&sums_of_scalars[1..]) {
            line[name] = serde_json::json!(rounded(*sum, 6));
        }
        if state.scale.is_some() {
            line["loss_scale"] = serde_json::json!(scale);
            line["skipped"] = serde_json::json!(end == End::Skipped);
        }
        state.metrics.push_str(&format!("{line}\n"));
        course.speed.add(tokens, started.elapsed());
        Ok(StepReport {
            step,
            steps: course.steps,
            epoch,
            loss,
            gradient_norm: norm,
            rate,
            tokens,
            tokens_per_second: course.speed.tokens_per_second(),
            time_left: course.speed.time_of(course.steps - step),
            skipped: (end == End::Skipped).then_some(scale),
        })
    }

    /// Updates the weights by the step's gradient, where that is made of numbers; gives its norm.
    fn end(&mut self, state: &mut State, step: u64, rate: f64) -> Result<(f64, End), TrainError> {
        let (scale, skipped) = state.scale.map_or((1.0, 0), |scale| (scale.factor, scale.skipped));
        let norm = self.learner.norm()? / scale;
        if norm.is_finite() {
            // The factor on the gradient takes the scale out of it too. An optimizer counts the steps that it has made.
            let clip = clip_factor(norm, self.run.clip) / scale;
            self.learner.update(Moment { step: step - skipped, rate, clip })?;
            state.scale.iter_mut().for_each(LossScale::succeed);
            return Ok((norm, End::Updated));
        }
        self.learner.discard()?;
        let may_go_on = state.scale.as_mut().is_some_and(LossScale::fail);
        Ok((norm, if may_go_on { End::Skipped } else { End::Diverged }))
    }

    /// Whether the last losses, this one among them, are still those of a run that learns.
    fn check_loss(&self, state: &mut State, loss: f64) -> Result<(), Divergence> {
        if state.recent.len() == RECENT {
            state.recent.pop_front();
        }
        state.recent.push_back(loss);
        let mean = state.recent.iter().sum::<f64>() / state.recent.len() as f64;
        match self.guess.map(|guess| guess * DIVERGED) {
            Some(bound) if mean > bound => Err(Divergence::Bound { mean, bound }),
            Some(_) | None => Ok(()),
        }
    }

    fn diverged(&self, step: u64, what: Divergence, rows: &[usize], course: &Course) -> TrainError {
        let ids = rows.iter().map(|row| self.examples[*row].id.clone()).collect();
        let checkpoint = self.run.checkpoints.as_ref();
        let checkpoint = course.checkpoint.0.zip(checkpoint.map(|checkpoints| checkpoints.path.clone()));
        TrainError::Diverged { step, what, ids, checkpoint }
    }

    /// Measures the validation part where that is due behind the last step and was not done.
    fn validate(&mut self, state: &mut State, course: &Course) -> Result<Option<ValidationReport>, TrainError> {
        let selection = &self.run.selection;
        let is_due = selection.every.is_due(state.step, course.per_epoch) || state.step == course.steps;
        let Some(validation) = &mut self.validation else { return Ok(None) };
        if state.step == 0 || state.validated || !is_due {
            return Ok(None);
        }
        let weights = self.learner.values()?;
        let measured = validation.measure(&weights)?;
        let (loss, accuracy) = (measured.loss(), measured.accuracy());
        let figure = measured.figure(&selection.by);
        let best = state.best.admit(selection, state.step, score(figure, &selection.by), || weights);
        state.validated = true;
        let name = selection.by.to_string();
        let epoch = course.epochs(state.step);
        let mut line = serde_json::json!({
            "step": state.step, "epoch": rounded(epoch, 4), "validation_loss": rounded(loss, 6),
            "validation_accuracy": accuracy.map(|accuracy| rounded(accuracy, 6)),
        });
        line[format!("validation_{name}")] = serde_json::json!(figure.map(|figure| rounded(figure, 6)));
        state.metrics.push_str(&format!("{line}\n"));
        Ok(Some(ValidationReport { epoch, step: state.step, loss, accuracy, figure: (name, figure), best }))
    }

    fn finish(&self, state: State) -> Result<Outcome, TrainError> {
        let mut kept = state.best.ranked;
        if self.run.selection.keep == 0 {
            kept.clear();
        }
        let best = if kept.is_empty() { None } else { Some(kept.remove(0)) };
        let best_step = best.as_ref().map(|best| best.step);
        let weights = match best {
            Some(best) => best.weights,
            None => self.learner.values()?,
        };
        Ok(Outcome {
            weights,
            metrics: state.metrics,
            order: state.order.finalize().to_hex().to_string(),
            steps: state.step,
            best_step,
            others: kept,
        })
    }
}

/// A number as it is written to a file: so many decimals are enough for a curve.
fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    // Zero has two signs and is one number.
    (number * scale).round() / scale + 0.0
}
