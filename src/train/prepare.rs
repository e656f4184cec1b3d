//! A run's data and model, brought together before the first step, and its folder after the last.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::TrainError;
use super::batch::Feeds;
use super::example::{Encoded, LengthLimit, encode_conversations, encode_texts};
use super::folder::{TrainedFolder, hash_file, hash_model, write_folder};
use super::model::{Model, TrainingPlan, positions};
use super::optimizer::{ParameterRule, weight_decays};
use super::run::{Extent, ModelSource, Task, TrainRun, Tune};
use super::table::Table;
use super::tokenizer::{Tokenizer, pretty, train_wordpiece, write};
use super::trainer::{Event, Outcome, Preparation, Trainer};
use super::validate::Validation;
use crate::emit::refuse_foreign;
use crate::onnx::encode;
use crate::onnx::encoder::{Encoder, POSITIONS};
use crate::runtime::{BoundSession, Runtime, Session};

/// The schema of `provenance.json`.
const PROVENANCE_SCHEMA: &str = "annotc.provenance/1";

/// A run before its first step.
pub(super) struct Prepared {
    pub(super) preparation: Preparation,
    model: Model,
    plan: TrainingPlan,
    tokenizer: Tokenizer,
    folder: ModelFolder,
    encoded: Encoded,
    validation: Option<Encoded>,
}

/// What is left of a run when its weights are there.
pub(super) struct Finished {
    model: Model,
    plan: TrainingPlan,
    tokenizer: Tokenizer,
    folder: ModelFolder,
    records: usize,
    truncated: usize,
    dropped: usize,
    /// For each part that was read, the lengths of its records in tokens.
    tokens: Map<String, Value>,
}

/// The folder that the model and its tokenizer are read from.
enum ModelFolder {
    Given(PathBuf),
    /// Made for a new encoder; gone when the run is over.
    Made(TempDir),
}

impl ModelFolder {
    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Made(folder) => folder.path(),
        }
    }
}

pub(super) fn prepare(run: &TrainRun, runtime: &Runtime) -> Result<Prepared, TrainError> {
    refuse_foreign(&run.output)?;
    let columns = columns(&run.task);
    let table = Table::read(&run.train, &columns)?;
    let validation = run.validation.as_deref().map(|path| Table::read(path, &columns)).transpose()?;
    let (folder, model) = model(run, &table)?;
    let tokenizer = Tokenizer::load(folder.path())?;
    check_vocabulary(&model, &tokenizer, folder.path())?;
    let limit = length(run, &model, &tokenizer)?;
    let encode = |table: &Table| encode_table(run, table, &model, &tokenizer, folder.path(), limit);
    let encoded = encode(&table)?;
    if encoded.examples.is_empty() {
        return Err(TrainError::Table {
            path: run.train.clone(),
            message: "there is no record to train on".to_owned(),
        });
    }
    let validation = validation.as_ref().map(encode).transpose()?.filter(|encoded| !encoded.examples.is_empty());
    let plan = model.plan(&run.tune, run.seed)?;
    let trained_weights =
        plan.training.trainables.iter().map(|trainable| trainable.shape.iter().product::<usize>()).sum();
    let preparation = Preparation {
        records: table.ids.len(),
        truncated: encoded.truncated,
        dropped: encoded.dropped,
        trained_weights,
        steps: run.steps(encoded.examples.len()),
    };
    tracing::debug!(library = %runtime.path().display(), ?preparation, "the run is prepared");
    Ok(Prepared { preparation, model, plan, tokenizer, folder, encoded, validation })
}

fn columns(task: &Task) -> Vec<&str> {
    match task {
        Task::Classify { text, label, .. } if text == label => vec![text],
        Task::Classify { text, label, .. } => vec![text, label],
        Task::Generate { messages } => vec![messages],
    }
}

/// Reads the model's folder, or makes one with a new tokenizer and a new graph.
fn model(run: &TrainRun, table: &Table) -> Result<(ModelFolder, Model), TrainError> {
    match (&run.model, &run.task) {
        (ModelSource::Folder(folder), Task::Classify { values, .. }) => {
            let model = Model::classifier(folder, None, values, run.seed)?;
            Ok((ModelFolder::Given(folder.clone()), model))
        }
        (ModelSource::Folder(folder), Task::Generate { .. }) => {
            Ok((ModelFolder::Given(folder.clone()), Model::decoder(folder)?))
        }
        (ModelSource::NewEncoder { layers, hidden, heads, vocab }, Task::Classify { text, values, .. }) => {
            let folder = tempfile::tempdir().map_err(TrainError::io(std::env::temp_dir()))?;
            let texts = table.column(text).iter().flatten().map(String::as_str);
            let vocabulary = train_wordpiece(texts, *vocab, POSITIONS, folder.path())?;
            let encoder = Encoder { layers: *layers, hidden: *hidden, heads: *heads, vocabulary };
            let graph = encoder.build(run.seed).map_err(|error| TrainError::Settings(error.to_string()))?;
            write(&folder.path().join("config.json"), &pretty(&encoder.config()))?;
            let model = Model::classifier(folder.path(), Some(graph), values, run.seed)?;
            Ok((ModelFolder::Made(folder), model))
        }
        (ModelSource::NewEncoder { .. }, Task::Generate { .. }) => {
            Err(TrainError::Settings("an encoder cannot generate; name a decoder's folder with `onnx`".to_owned()))
        }
    }
}

/// A token beyond the embedding would be read from nowhere.
fn check_vocabulary(model: &Model, tokenizer: &Tokenizer, folder: &Path) -> Result<(), TrainError> {
    match model.vocabulary() {
        Some(size) if tokenizer.vocabulary_size() > size => Err(TrainError::ModelFile {
            path: folder.join("tokenizer.json"),
            message: format!(
                "the tokenizer has {} tokens and the model knows {size}: they do not belong together",
                tokenizer.vocabulary_size()
            ),
        }),
        Some(_) | None => Ok(()),
    }
}

/// The run's limit, which must be one that the model can take; without one, the model's own.
fn length(run: &TrainRun, model: &Model, tokenizer: &Tokenizer) -> Result<LengthLimit, TrainError> {
    // A model's positions are what its graph can do; `model_max_length` is what its tokenizer is set to.
    let able = positions(&model.config);
    let own = [able, tokenizer.model_max_length()].into_iter().flatten().min();
    let tokens = match (run.length, able) {
        (Some(asked), Some(able)) if asked > able => {
            return Err(TrainError::Settings(format!(
                "`length {asked} tokens` is more than the model's {able} positions"
            )));
        }
        (Some(0), _) => return Err(TrainError::Settings("`length` must be at least 1 token".to_owned())),
        (Some(asked), _) => asked,
        (None, _) => own.unwrap_or(usize::MAX),
    };
    Ok(LengthLimit { tokens, overflow: run.overflow })
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
        Task::Generate { messages } => encode_conversations(table, messages, folder, tokenizer, limit),
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
        let Self { model, plan, tokenizer, folder, encoded, validation, preparation: _ } = self;
        let parts = [("train", Some(&encoded)), ("validation", validation.as_ref())];
        let tokens = parts.into_iter().filter_map(|(part, encoded)| Some((part.to_owned(), json!(encoded?.lengths))));
        let tokens = tokens.collect();
        let parameters = model.parameters(&plan);
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let feeds = |graph| Feeds::of(graph, &names, tokenizer.pad_id(), folder.path());
        let validation = match validation {
            None => None,
            Some(encoded) => Some(Validation {
                session: Session::from_bytes(runtime, &encode(&plan.measuring), run.threads)?,
                feeds: feeds(&plan.measuring)?,
                examples: encoded.examples,
                parameters: Validation::shapes(&parameters),
                values: model.values.clone(),
                measured: plan.measured.clone(),
            }),
        };
        let rule = |parameter: &crate::runtime::Parameter| ParameterRule {
            rate_factor: match run.head_rate {
                Some(rate) if model.is_new_head(&parameter.name) => rate / run.schedule.rate,
                Some(_) | None => 1.0,
            },
            decays: weight_decays(&parameter.shape),
        };
        let trainer = Trainer {
            run,
            examples: &encoded.examples,
            rules: parameters.iter().map(rule).collect(),
            feeds: feeds(&plan.training.graph)?,
            session: BoundSession::new(
                runtime,
                &encode(&plan.training.graph),
                run.threads,
                parameters,
                &[plan.training.loss.as_str()],
            )?,
            validation,
        };
        let outcome = trainer.train(on_event)?;
        let (records, truncated, dropped) = (encoded.examples.len(), encoded.truncated, encoded.dropped);
        Ok((outcome, Finished { model, plan, tokenizer, folder, records, truncated, dropped, tokens }))
    }
}

impl Finished {
    /// Writes the run's folder and returns the hash of its `model.onnx`.
    pub(super) fn write(&self, run: &TrainRun, runtime: &Runtime, outcome: &Outcome) -> Result<String, TrainError> {
        let names = self.plan.training.trainables.iter().map(|trainable| trainable.name.clone());
        let values: BTreeMap<String, Vec<f32>> = names.zip(outcome.weights.iter().cloned()).collect();
        let graph = self.model.trained(&self.plan, &values)?;
        let adapter = match &run.tune {
            Tune::Lora(lora) => Some(self.model.adapter(lora, &self.plan, &values)),
            Tune::All | Tune::Head => None,
        };
        let base = match &run.model {
            ModelSource::Folder(folder) => json!({"onnx": hash_model(folder)?}),
            ModelSource::NewEncoder { layers, hidden, heads, vocab } => {
                json!({"new_encoder": {"layers": layers, "hidden": hidden, "heads": heads, "vocab": vocab}})
            }
        };
        let data = json!({
            "train": hash_file(&run.train)?,
            "validation": run.validation.as_deref().map(hash_file).transpose()?,
            "records": self.records,
            "truncated": self.truncated,
            "dropped": self.dropped,
            "order": outcome.order,
            "tokens": self.tokens,
        });
        let provenance = |hash: &str| {
            let mut file = Map::new();
            file.insert("schema".to_owned(), json!(PROVENANCE_SCHEMA));
            file.extend(run.provenance.clone());
            file.insert("model".to_owned(), base.clone());
            file.insert("tokenizer".to_owned(), json!(self.tokenizer.hash()));
            file.insert("data".to_owned(), data.clone());
            file.insert("settings".to_owned(), settings(run, outcome));
            file.insert("runtime".to_owned(), runtime_facts(runtime));
            file.insert("weights".to_owned(), json!(hash));
            if let Some(adapter) = &adapter {
                file.insert("adapter".to_owned(), adapter.provenance());
            }
            Value::Object(file)
        };
        let folder = TrainedFolder {
            graph: &graph,
            tokenizer: self.folder.path(),
            config: &self.model.trained_config(),
            adapter: adapter.as_ref(),
            metrics: &outcome.metrics,
            provenance: &provenance,
        };
        write_folder(&folder, &run.output)
    }
}

/// What decides the weights beside data and model. Of the machine: the library, its build and the instruction set.
fn runtime_facts(runtime: &Runtime) -> Value {
    json!({
        "onnxruntime": runtime.version(),
        "build": runtime.build_info(),
        "architecture": std::env::consts::ARCH,
        "annotc": env!("CARGO_PKG_VERSION"),
    })
}

fn settings(run: &TrainRun, outcome: &Outcome) -> Value {
    let task = match &run.task {
        Task::Classify { .. } => "classify",
        Task::Generate { .. } => "generate",
    };
    let tune = match &run.tune {
        Tune::All => "all",
        Tune::Head => "head",
        Tune::Lora(_) => "lora",
    };
    let epochs = match run.extent {
        Extent::Epochs(epochs) => Some(epochs),
        Extent::Steps(_) => None,
    };
    json!({
        "task": task,
        "tune": tune,
        "epochs": epochs,
        "steps": outcome.steps,
        "batch": run.batch,
        "accumulate": run.accumulate,
        "rate": run.schedule.rate,
        "head_rate": run.head_rate,
        "schedule": format!("{:?}", run.schedule.decay).to_lowercase(),
        "warmup": run.schedule.warmup_steps(outcome.steps),
        "floor": run.schedule.floor,
        "weight_decay": run.optimizer.weight_decay,
        "betas": run.optimizer.betas,
        "clip": run.clip,
        "shuffle": run.shuffle,
        "seed": run.seed,
        "length": run.length,
        "threads": run.threads,
        "best_epoch": outcome.best_epoch,
    })
}
