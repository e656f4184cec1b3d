//! A run's folder, after its last step.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::TrainError;
use super::custody::{RECORDS, TrainedRecord, outputs};
use super::folder::{Held, TrainedFolder, Weights, hash_file, hash_model, write_folder};
use super::model::{Model, TrainingPlan};
use super::optimizer::Optimizer;
use super::origin::ModelFolder;
use super::run::{Extent, ModelSource, Task, TrainRun, Tune};
use super::tokenizer::Tokenizer;
use super::trainer::Outcome;
use crate::runtime::Runtime;

/// The schema of `provenance.json`.
const PROVENANCE_SCHEMA: &str = "annotc.provenance/1";

/// What is left of a run when its weights are there.
pub(super) struct Finished {
    pub(super) model: Model,
    pub(super) plan: TrainingPlan,
    pub(super) tokenizer: Tokenizer,
    pub(super) folder: ModelFolder,
    /// The records that were trained on, in the table's order.
    pub(super) records: Vec<TrainedRecord>,
    pub(super) truncated: usize,
    pub(super) muted: usize,
    pub(super) dropped: usize,
    /// Of a tagger: the spans that were cut off, and those that do not begin and end with words.
    pub(super) spans: Option<(usize, usize)>,
    /// For each part that was read, the lengths of its records in tokens.
    pub(super) tokens: Map<String, Value>,
}

impl Finished {
    /// Writes the run's folder and returns the hash of its `model.onnx`.
    pub(super) fn write(&self, run: &TrainRun, runtime: &Runtime, outcome: &Outcome) -> Result<String, TrainError> {
        let with = |weights: &[Vec<f32>]| -> Result<Weights, TrainError> {
            let names = self.plan.training.trainables.iter().map(|trainable| trainable.name.clone());
            let values: BTreeMap<String, Vec<f32>> = names.zip(weights.iter().cloned()).collect();
            let adapter = match &run.tune {
                Tune::Lora(lora) => Some(self.model.adapter(lora, &self.plan, &values)),
                Tune::All | Tune::Head => None,
            };
            Ok(Weights { graph: self.model.trained(&self.plan, &values)?, adapter })
        };
        let weights = with(&outcome.weights)?;
        let others: Vec<Weights> = outcome.others.iter().map(|other| with(&other.weights)).collect::<Result<_, _>>()?;
        let base = match &run.model {
            ModelSource::Folder(folder) => json!({"onnx": hash_model(folder)?}),
            ModelSource::NewEncoder { layers, hidden, heads, vocab } => {
                json!({"new_encoder": {"layers": layers, "hidden": hidden, "heads": heads, "vocab": vocab}})
            }
        };
        let mut data = json!({
            "train": hash_file(&run.train)?,
            "validation": run.validation.as_deref().map(hash_file).transpose()?,
            "records": self.records.len(),
            "truncated": self.truncated,
            "answers_cut": self.muted,
            "dropped": self.dropped,
            "order": outcome.order,
            "tokens": self.tokens,
        });
        if let Some((lost, inexact)) = self.spans {
            data["spans"] = json!({"lost": lost, "inexact": inexact});
        }
        let config = self.model.trained_config();
        let outputs = outputs(&config, &self.model.values);
        let provenance = |rank: usize, held: &Held| {
            let other = rank.checked_sub(2).and_then(|at| outcome.others.iter().zip(&others).nth(at));
            let mut file = Map::new();
            file.insert("schema".to_owned(), json!(PROVENANCE_SCHEMA));
            file.extend(run.provenance.clone());
            file.insert("model".to_owned(), base.clone());
            file.insert("tokenizer".to_owned(), json!(self.tokenizer.hash()));
            file.insert("files".to_owned(), json!(held.files));
            if let Some(outputs) = &outputs {
                file.insert("outputs".to_owned(), outputs.clone());
            }
            file.insert("records".to_owned(), json!({"file": RECORDS, "blake3": held.records}));
            file.insert("data".to_owned(), data.clone());
            let mut settings = settings(run, outcome);
            if let Some((other, _)) = other {
                settings["best_step"] = json!(other.step);
            }
            file.insert("settings".to_owned(), settings);
            file.insert("runtime".to_owned(), runtime_facts(runtime));
            file.insert("weights".to_owned(), json!(held.weights));
            file.insert("rank".to_owned(), json!(rank));
            if let Some(adapter) = &other.map_or(&weights, |(_, weights)| weights).adapter {
                file.insert("adapter".to_owned(), adapter.provenance());
            }
            Value::Object(file)
        };
        let folder = TrainedFolder {
            weights: &weights,
            others: &others,
            tokenizer: self.folder.path(),
            config: &config,
            vectors: self.model.vectors(),
            metrics: &outcome.metrics,
            records: &self.records,
            provenance: &provenance,
        };
        write_folder(&folder, &run.output)
    }
}

/// What decides the weights beside data and model. Of the machine: the library, its build and the instruction set.
fn runtime_facts(runtime: &Runtime) -> Value {
    json!({
        "onnxruntime": runtime.version(),
        "device": runtime.device().name(),
        "build": runtime.build_info(),
        "architecture": std::env::consts::ARCH,
        "annotc": env!("CARGO_PKG_VERSION"),
    })
}

fn settings(run: &TrainRun, outcome: &Outcome) -> Value {
    let task = match &run.task {
        Task::Classify { .. } => "classify",
        Task::Choose { .. } => "classify several",
        Task::Tag { .. } => "tag",
        Task::Regress { .. } => "regress",
        Task::Prefer { .. } => "prefer",
        Task::Embed { .. } => "embed",
        Task::Generate { .. } => "generate",
    };
    let beta = match &run.task {
        Task::Prefer { beta, .. } => Some(*beta),
        Task::Classify { .. }
        | Task::Choose { .. }
        | Task::Tag { .. }
        | Task::Regress { .. }
        | Task::Embed { .. }
        | Task::Generate { .. } => None,
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
        "beta": beta,
        "pooling": run.pooling.map(|pooling| format!("{pooling:?}").to_lowercase()),
        "tune": tune,
        "epochs": epochs,
        "steps": outcome.steps,
        "batch": run.batch,
        "accumulate": run.accumulate,
        "rate": run.schedule.rate,
        "head_rate": run.head_rate,
        "schedule": run.schedule.decay.name(),
        "warmup": run.schedule.warmup_steps(outcome.steps),
        "decay": run.schedule.decay_steps(outcome.steps),
        "floor": run.schedule.floor,
        "optimizer": optimizer(&run.optimizer),
        "clip": run.clip,
        "smooth": run.smooth,
        "weights": if run.balanced { "balanced" } else { "none" },
        "pack": run.pack,
        "recompute": run.recompute,
        "precision": run.precision.name(),
        "shuffle": run.shuffle,
        "seed": run.seed,
        "length": run.length,
        "threads": run.threads,
        "selected_by": run.validation.is_some().then(|| run.selection.by.to_string()),
        "best_step": outcome.best_step,
        "other_best_steps": outcome.others.iter().map(|other| other.step).collect::<Vec<_>>(),
    })
}

fn optimizer(optimizer: &Optimizer) -> Value {
    let name = optimizer.name();
    match optimizer {
        Optimizer::AdamW(adamw) => json!({
            "name": name, "weight_decay": adamw.weight_decay, "betas": adamw.betas, "epsilon": adamw.epsilon,
        }),
        Optimizer::Sgd(sgd) => json!({
            "name": name, "weight_decay": sgd.weight_decay, "momentum": sgd.momentum, "nesterov": sgd.nesterov,
        }),
        Optimizer::Lion(lion) => json!({"name": name, "weight_decay": lion.weight_decay, "betas": lion.betas}),
        Optimizer::Adafactor(adafactor) => json!({"name": name, "weight_decay": adafactor.weight_decay}),
    }
}
