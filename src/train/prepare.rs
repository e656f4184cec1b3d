//! A run's data and model, brought together before the first step.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};

use super::TrainError;
use super::alike::compare_answers;
use super::batch::Feeds;
use super::choices::{balanced_weights, encode_choices};
use super::conversation::{Speaker, encode_conversations, note_joined};
use super::event::{Event, Preparation};
use super::example::{Encoded, Example, LengthLimit, Target, encode_numbers, encode_texts};
use super::finished::Finished;
use super::headless::headless;
use super::kept::{Origin, kept_or_encoded};
use super::learner::{HeldState, HostState, Learner};
use super::memory::{Fullest, memory, process};
use super::model::{Model, TrainingPlan, positions};
use super::objective::Objective;
use super::optimizer::ParameterRule;
use super::origin::{ModelFolder, check_vocabulary, model};
use super::pack::{saving, try_out};
use super::pairs::{encode_partners, encode_preferences};
use super::run::{Overflow, Task, TrainRun};
use super::table::Table;
use super::tags::encode_spans;
use super::tokenizer::Tokenizer;
use super::trainer::{Outcome, Trainer};
use super::unseen::unseen_values;
use super::validate::{Measuring, Validation};
use crate::autodiff::loss::Softening;
use crate::autodiff::{Operators, Products, mix_precision};
use crate::emit::refuse_foreign;
use crate::onnx::encode;
use crate::runtime::{BoundSession, Device, Runtime, Session};

/// A run before its first step.
pub(super) struct Prepared {
    pub(super) preparation: Preparation,
    model: Model,
    plan: TrainingPlan,
    tokenizer: Tokenizer,
    folder: ModelFolder,
    encoded: Encoded,
    validation: Option<Encoded>,
    softening: Softening,
}

pub(super) fn prepare(run: &TrainRun, runtime: &Runtime) -> Result<Prepared, TrainError> {
    refuse_foreign(&run.output)?;
    let columns = columns(&run.task);
    let with_answers: Vec<&str> = columns.iter().copied().chain(run.answers.as_deref()).collect();
    let table = Table::read(&run.train, &with_answers)?;
    let validation = run.validation.as_deref().map(|path| Table::read(path, &columns)).transpose()?;
    let (folder, model) = model(run, &table)?;
    let tokenizer = Tokenizer::load(folder.path())?.on_threads(run.threads);
    check_vocabulary(&model, &tokenizer, folder.path())?;
    let limit = length_limit(run.length, run.overflow, &model.config, &tokenizer)?;
    let mut notes = Vec::new();
    let mut encode = |table: &Table| {
        let (task, values) = (&run.task, model.values.as_slice());
        let origin = Origin { table: &table.path, task, values, model: folder.path(), limit };
        kept_or_encoded(run.kept_tokens.as_deref(), &origin, &mut notes, || {
            encode_table(run, table, &model, &tokenizer, folder.path(), limit)
        })
    };
    let (mut encoded, has_kept) = encode(&table)?;
    if encoded.examples.is_empty() {
        return Err(nothing_left(run, limit, &encoded));
    }
    let validation = validation.as_ref().map(encode).transpose()?.map(|(encoded, _)| encoded);
    if let (Task::Generate { messages }, Some(label)) = (&run.task, &run.answers) {
        let speaker = Speaker::new(folder.path(), &tokenizer)?;
        notes.extend(compare_answers(label, &table, messages, &speaker)?);
    }
    notes.extend(note_joined(&encoded.joined));
    notes.extend(unseen_values(&run.task, &model.values, &encoded.examples));
    notes.extend(run.pack.then(|| saving(run, &encoded.examples)));
    notes.extend(run.schedule.shortened(run.steps(encoded.examples.len())));
    notes.extend(validation.as_ref().filter(|encoded| encoded.examples.is_empty()).and_then(|encoded| {
        let left_out = left_out(limit, encoded)?;
        Some(format!("the validation part is not measured: {left_out}"))
    }));
    let mut validation = validation.filter(|encoded| !encoded.examples.is_empty());
    let softening = softening(run, &encoded.examples, model.values.len());
    let fullest = Fullest::of(run, &encoded);
    let plan = plan(run, runtime, &model, &softening, &fullest, &mut notes)?;
    let measuring = validation.is_some().then_some(&plan.measuring);
    let process = process();
    let memory = memory(run, &plan.training, &fullest, measuring, process);
    if let Some(limit) = run.memory.filter(|limit| memory.total() > *limit) {
        let recomputed = || {
            let mut training = plan.training.clone();
            fullest.recompute(&mut training);
            self::memory(run, &training, &fullest, measuring, process).total()
        };
        let recomputed = (!run.recompute).then(recomputed).filter(|total| *total < memory.total());
        return Err(TrainError::Memory { plan: memory, limit, recomputed });
    }
    if let Objective::Preference { .. } = model.objective {
        let mut parts: Vec<&mut Encoded> = std::iter::once(&mut encoded).chain(validation.as_mut()).collect();
        refer(run, runtime, &model, &plan, (&tokenizer, folder.path()), &mut parts)?;
    }
    let trained_weights =
        plan.training.trainables.iter().map(|trainable| trainable.shape.iter().product::<usize>()).sum();
    let preparation = Preparation {
        records: table.ids.len(),
        truncated: encoded.truncated,
        muted: encoded.muted,
        dropped: encoded.dropped,
        lost_spans: encoded.lost_spans,
        inexact_spans: encoded.inexact_spans,
        has_kept_tokens: has_kept,
        notes,
        trained_weights,
        steps: run.steps(encoded.examples.len()),
        memory,
    };
    tracing::debug!(library = %runtime.path().display(), ?preparation, "the run is prepared");
    Ok(Prepared { preparation, model, plan, tokenizer, folder, encoded, validation, softening })
}

/// The failure of a run whose training table has no record for it.
fn nothing_left(run: &TrainRun, limit: LengthLimit, encoded: &Encoded) -> TrainError {
    let message = match left_out(limit, encoded) {
        Some(left_out) => format!(
            "there is no record to train on: {left_out}; allow more, or cut what is too long (`else keep start`)"
        ),
        None => "there is no record to train on; `annotc stats` says what became of those that were read".to_owned(),
    };
    TrainError::Table { path: run.train.clone(), message }
}

/// What `length` left out of a table, where it left out anything.
fn left_out(limit: LengthLimit, encoded: &Encoded) -> Option<String> {
    let (shortest, longest) = encoded.lengths.range().filter(|_| encoded.dropped > 0)?;
    let (tokens, dropped) = (limit.tokens, encoded.dropped);
    Some(format!(
        "`length {tokens} tokens else drop` leaves out all {dropped}, of which the shortest has {shortest} tokens and \
         the longest {longest}"
    ))
}

/// The graphs of the run, as they are run: with rows for the gradients of tables, products of the run's precision, and layers that are
/// computed again.
fn plan(
    run: &TrainRun,
    runtime: &Runtime,
    model: &Model,
    softening: &Softening,
    fullest: &Fullest,
    notes: &mut Vec<String>,
) -> Result<TrainingPlan, TrainError> {
    let operators = if runtime.has_operators() { Operators::Ours } else { Operators::Stock };
    let products = match runtime.device() {
        Device::Cpu => Products::Rounded,
        Device::Cuda => Products::Native,
    };
    let mut plan = model.plan(&run.tune, softening, run.seed, run.pack, operators)?;
    // What learns values has a head; one of its own may have a name that is not known.
    let has_head = plan.training.trainables.iter().any(|trainable| model.is_of_head(&trainable.name));
    if !model.values.is_empty() && !has_head {
        notes.extend(headless(run)?);
    }
    if !run.held {
        plan.training.give_rows();
    }
    if let Some(half) = run.precision.half() {
        mix_precision(&mut plan.training, half, products);
        notes.extend((products == Products::Rounded).then(|| {
            format!(
                "`precision {}` is slower than `f32` on the processor, which rounds to 16 bits and computes in 32",
                run.precision.name()
            )
        }));
    }
    if run.recompute && fullest.recompute(&mut plan.training) == 1 {
        notes.push("`recompute on` finds no layers between which it could keep less: it changes nothing".to_owned());
    }
    Ok(plan)
}

/// How the loss of the run differs from a plain cross-entropy. With balanced weights a value that stands n times among N
/// records with K values weighs N / (K · n), as scikit-learn has it; of a label of several values see [`balanced_weights`].
fn softening(run: &TrainRun, examples: &[Example], values: usize) -> Softening {
    let mut counts = vec![0_usize; values];
    for example in examples {
        if let Target::Class(class) = example.target {
            counts[class] += 1;
        }
    }
    let weight = |count: &usize| match count {
        0 => 0.0,
        count => (examples.len() as f64 / (values * count) as f64) as f32,
    };
    let weights = (run.balanced && values > 0).then(|| match run.task {
        Task::Choose { .. } => balanced_weights(examples.iter().map(|example| &example.target), values),
        Task::Classify { .. }
        | Task::Tag { .. }
        | Task::Regress { .. }
        | Task::Prefer { .. }
        | Task::Embed { .. }
        | Task::Generate { .. } => counts.iter().map(weight).collect(),
    });
    Softening { smoothing: run.smooth as f32, weights }
}

fn columns(task: &Task) -> Vec<&str> {
    match task {
        Task::Classify { text, label, .. } | Task::Regress { text, label } if text == label => vec![text],
        Task::Classify { text, label, .. }
        | Task::Choose { text, label, .. }
        | Task::Tag { text, label, .. }
        | Task::Regress { text, label } => vec![text, label],
        Task::Prefer { messages, .. } | Task::Embed { messages } | Task::Generate { messages } => vec![messages],
    }
}

/// Notes for each answer how probable the model takes it before the first step: fresh adapters change nothing, so that these
/// are the numbers of the base model, and no second one is ever needed.
fn refer(
    run: &TrainRun,
    runtime: &Runtime,
    model: &Model,
    plan: &TrainingPlan,
    (tokenizer, folder): (&Tokenizer, &Path),
    parts: &mut [&mut Encoded],
) -> Result<(), TrainError> {
    let parameters = model.parameters(plan);
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let mut measuring = Measuring {
        session: Session::from_bytes(runtime, &encode(&plan.measuring), run.threads)?,
        feeds: Feeds::of(&plan.measuring, &names, tokenizer.pad_id(), folder)?,
        parameters: Measuring::shapes(&parameters),
        measured: plan.measured.clone(),
    };
    let weights: Vec<Vec<f32>> = parameters.into_iter().map(|parameter| parameter.values).collect();
    for encoded in parts {
        for examples in [&mut encoded.examples, &mut encoded.seconds] {
            let rows = measuring.rows(&examples.iter().collect::<Vec<_>>(), &weights)?;
            for (example, row) in examples.iter_mut().zip(rows) {
                if let Target::Answer { reference, .. } = &mut example.target {
                    *reference = row[0];
                }
            }
        }
    }
    Ok(())
}

/// The run's limit, which must be one that the model can take; without one, the model's own.
pub(super) fn length_limit(
    length: Option<usize>,
    overflow: Overflow,
    config: &Value,
    tokenizer: &Tokenizer,
) -> Result<LengthLimit, TrainError> {
    // A model's positions are what its graph can do; `model_max_length` is what its tokenizer is set to.
    let able = positions(config);
    let own = [able, tokenizer.model_max_length()].into_iter().flatten().min();
    let tokens = match (length, able) {
        (Some(asked), Some(able)) if asked > able => {
            return Err(TrainError::Settings(format!(
                "`length {asked} tokens` is more than the model's {able} positions"
            )));
        }
        (Some(0), _) => return Err(TrainError::Settings("`length` must be at least 1 token".to_owned())),
        (Some(asked), _) => asked,
        (None, _) => own.unwrap_or(usize::MAX),
    };
    Ok(LengthLimit { tokens, overflow })
}

fn encode_table(
    run: &TrainRun,
    table: &Table,
    model: &Model,
    tokenizer: &Tokenizer,
    folder: &Path,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    match &run.task {
        Task::Classify { text, label, .. } => encode_texts(table, text, label, &model.values, tokenizer, limit),
        Task::Choose { text, label, .. } => encode_choices(table, [text, label], &model.values, tokenizer, limit),
        Task::Tag { text, label, .. } => encode_spans(table, (text, label), &model.values, tokenizer, limit),
        Task::Regress { text, label } => encode_numbers(table, text, label, tokenizer, limit),
        Task::Prefer { messages, .. } => encode_preferences(table, messages, folder, tokenizer, limit),
        Task::Embed { messages } => encode_partners(table, messages, tokenizer, limit),
        Task::Generate { messages } => encode_conversations(table, messages, folder, tokenizer, limit),
    }
}

/// The loss of a model that knows nothing: that takes each value, token, answer or text for equally probable, or each number
/// for 0.
fn guess(run: &TrainRun, model: &Model, examples: &[Example]) -> Option<f64> {
    match model.objective {
        Objective::Class | Objective::Tags => Some((model.values.len() as f64).ln()),
        // Each value is there or not.
        Objective::Several => Some(2_f64.ln()),
        Objective::NextToken => model.vocabulary().map(|tokens| (tokens as f64).ln()),
        Objective::Preference { .. } => Some(2.0_f64.ln()),
        Objective::Contrast => Some((run.batch as f64).ln()),
        Objective::Number => {
            let squares = examples.iter().map(|example| match example.target {
                Target::Number(number) => f64::from(number).powi(2),
                Target::Class(_)
                | Target::Choices(_)
                | Target::Tags(_)
                | Target::Tokens(_)
                | Target::Answer { .. }
                | Target::Text(_) => 0.0,
            });
            // Where every number is 0 any loss would be beyond it.
            Some(squares.sum::<f64>() / examples.len() as f64).filter(|mean| *mean > 0.0)
        }
    }
}

impl Prepared {
    /// Trains; the first of the pair is what the loop left.
    pub(super) fn train(
        self,
        run: &TrainRun,
        runtime: &Runtime,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(Outcome, Finished), TrainError> {
        let Self { model, plan, tokenizer, folder, encoded, validation, softening, preparation: _ } = self;
        let parts = [("train", Some(&encoded)), ("validation", validation.as_ref())];
        let tokens = parts.into_iter().filter_map(|(part, encoded)| Some((part.to_owned(), json!(encoded?.lengths))));
        let tokens = tokens.collect();
        let parameters = model.parameters(&plan);
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let feeds = |graph| Feeds::of(graph, &names, tokenizer.pad_id(), folder.path());
        let validation = match validation {
            None => None,
            Some(encoded) => Some(Validation {
                measuring: Measuring {
                    session: Session::from_bytes(runtime, &encode(&plan.measuring), run.threads)?,
                    feeds: feeds(&plan.measuring)?,
                    parameters: Measuring::shapes(&parameters),
                    measured: plan.measured.clone(),
                },
                examples: encoded.examples,
                seconds: encoded.seconds,
                values: model.values.clone(),
                objective: model.objective,
                batch: run.batch,
            }),
        };
        let rule = |parameter: &crate::runtime::Parameter| {
            let rate_factor = match run.head_rate {
                Some(rate) if model.is_of_head(&parameter.name) => rate / run.schedule.rate,
                Some(_) | None => 1.0,
            };
            ParameterRule::of(&parameter.shape, rate_factor)
        };
        let share = |example: &Example| match (&example.target, &softening.weights) {
            (Target::Class(class), Some(weights)) => f64::from(weights[*class]),
            (target, _) => target.weight() as f64,
        };
        let scalars = std::iter::once(&plan.training.loss).chain(&plan.beside);
        let scalars: Vec<&str> = scalars.map(String::as_str).collect();
        let training_feeds = feeds(&plan.training.graph)?;
        let rules: Vec<ParameterRule> = parameters.iter().map(rule).collect();
        let (training, threads) = (&plan.training, run.threads);
        let mut learner = if run.held {
            Learner::Held(HeldState::new(runtime, training, &scalars, threads, &parameters, &rules, &run.optimizer)?)
        } else {
            let graph = encode(&training.graph);
            let session = BoundSession::new(runtime, &graph, threads, parameters, &scalars)?;
            Learner::Host(HostState::new(session, rules, run.optimizer, threads))
        };
        if run.pack {
            try_out(&mut learner, &training_feeds, &encoded.examples, (run.precision, folder.path()))?;
        }
        let trainer = Trainer {
            run,
            examples: &encoded.examples,
            seconds: &encoded.seconds,
            beside: &plan.beside,
            shares: encoded.examples.iter().map(share).collect(),
            guess: guess(run, &model, &encoded.examples),
            feeds: training_feeds,
            learner,
            validation,
        };
        let outcome = trainer.train(on_event)?;
        // A record that fits the memory has fewer than 2^32 tokens.
        let length = |example: &Example| u32::try_from(example.tokens.len()).unwrap_or(u32::MAX);
        let records = encoded.examples.iter().map(|example| (example.id.clone(), length(example))).collect();
        let Encoded { truncated, muted, dropped, lost_spans, inexact_spans, .. } = encoded;
        let spans = matches!(run.task, Task::Tag { .. }).then_some((lost_spans, inexact_spans));
        Ok((outcome, Finished { model, plan, tokenizer, folder, records, truncated, muted, dropped, spans, tokens }))
    }
}
