//! From a model's folder to graphs that can be trained, measured and saved.

mod read;
mod trained;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::TrainError;
use super::adapter::{choose, quantize};
use super::objective::{Objective, VECTORS};
use super::run::{ModelSource, Pooling, Tune};
use crate::autodiff::loss::{Softening, forward};
use crate::autodiff::{GradientRows, Operators, TrainingGraph, differentiate_beside, reaching};
use crate::onnx::encoder::Encoder;
use crate::onnx::import::{HEAD_PATHS, Imported, Linear, VOCABULARY_PATHS};
use crate::onnx::surgery::{
    Adapter, Family, add_adapters, add_dropout, add_pooling, fix_past, pick_learnt, separate_records,
};
use crate::onnx::{Axis, ElementType, Graph, ValueInfo};
use crate::runtime::{GradientOutput, Parameter};

/// The output that classes and next tokens are read from.
pub(crate) const LOGITS: &str = "logits";

/// The `problem_type` of a model of whose values a text has any number.
pub(crate) const SEVERAL_VALUES: &str = "multi_label_classification";

/// The parameters of a head that we add.
const NEW_HEAD: [&str; 2] = ["classifier.weight", "classifier.bias"];

/// A model as read from its folder, with the head that its task needs.
pub(super) struct Model {
    folder: PathBuf,
    pub(super) config: Value,
    imported: Imported,
    family: Family,
    pub(super) objective: Objective,
    /// The label's values in the order of the logits; of a number the label's name; empty for a decoder.
    pub(super) values: Vec<String>,
    /// Whether the head is a fresh one of ours.
    has_new_head: bool,
    /// How a fresh head of ours is fed, or how the vector of a text is made; `None` where the model has its own head, or one that
    /// reads each token.
    pooling: Option<Pooling>,
}

/// The graphs of a run.
pub(super) struct TrainingPlan {
    /// Loss and gradients.
    pub(super) training: TrainingGraph,
    /// Scalars of `training` beside the loss.
    pub(super) beside: Vec<String>,
    /// What a validation reads: the logits or vectors of texts, the log-probabilities of answers, the summed loss of a decoder.
    /// Trainable tensors are inputs.
    pub(super) measuring: Graph,
    /// The output of `measuring`.
    pub(super) measured: String,
    /// The adapters that are trained, and the first values of their tensors.
    adapters: Vec<Adapter>,
    fresh: BTreeMap<String, Vec<f32>>,
}

impl Model {
    /// How many numbers its embedding knows; a tokenizer with more is another model's.
    pub(super) fn vocabulary(&self) -> Option<usize> {
        match &self.family {
            Family::Decoder { vocabulary, .. } => Some(*vocabulary),
            Family::Features { .. } | Family::Sequence { .. } | Family::Tokens { .. } => {
                usize::try_from(self.config.get("vocab_size")?.as_u64()?).ok()
            }
        }
    }

    /// Loss, gradients and what a validation measures. The loss that is learnt is softened, the one that is measured
    /// never is. Fresh adapters are keyed by `seed`. With `pack`, records that share a row are kept apart in training.
    pub(super) fn plan(
        &self,
        tune: &Tune,
        softening: &Softening,
        seed: u64,
        pack: bool,
        operators: Operators,
    ) -> Result<TrainingPlan, TrainError> {
        let refuse = |message: String| TrainError::Graph { folder: self.folder.clone(), message };
        let mut graph = self.imported.graph.clone();
        let base = quantize(tune, &graph, &body(&self.imported)).map_err(|error| refuse(error.to_string()))?;
        let (mut adapters, dropout) = match tune {
            Tune::Lora(lora) => {
                let linears = choose(&lora.targets, body(&self.imported), &self.config)?;
                if let (Some(base), true) = (&base, lora.has_magnitude) {
                    // A magnitude starts with the norm of the weights that the run computes with.
                    base.round(&mut graph);
                }
                let adapters = add_adapters(&mut graph, linears, lora.shape(), seed);
                (adapters.map_err(|error| refuse(error.to_string()))?, lora.dropout)
            }
            Tune::All | Tune::Head => (Vec::new(), 0.0),
        };
        let decodes = matches!(self.family, Family::Decoder { .. });
        if decodes {
            fix_past(&mut graph);
        }
        if let (Objective::Contrast, Family::Features { output, .. }) = (self.objective, &self.family) {
            let pooling = self.pooling.unwrap_or(Pooling::Mean);
            add_pooling(&mut graph, output, pooling, VECTORS).map_err(|error| refuse(error.to_string()))?;
        }
        let mut plain = graph.clone();
        if pack {
            let parameters: Vec<&str> = self.imported.parameters.iter().map(|one| one.name.as_str()).collect();
            separate_records(&mut graph, &parameters).map_err(|error| refuse(error.to_string()))?;
        }
        if dropout > 0.0 {
            add_dropout(&mut graph, &adapters, dropout, seed).map_err(|error| refuse(error.to_string()))?;
        }
        if decodes {
            pick_learnt(&mut graph, LOGITS);
            pick_learnt(&mut plain, LOGITS);
        }
        let loss = self.objective.add_loss(&mut graph, softening).map_err(|error| refuse(error.to_string()))?;
        let measured = self.objective.add_measure(&mut plain).map_err(|error| refuse(error.to_string()))?;
        let chosen = self
            .imported
            .parameters
            .iter()
            .filter(|parameter| *tune == Tune::All || (!decodes && self.is_head(&parameter.name, &parameter.path)))
            .map(|parameter| parameter.name.as_str());
        let wanted: Vec<String> = adapters.iter().flat_map(Adapter::tensors).chain(chosen).map(str::to_owned).collect();
        let names = reaching(&graph, &loss.loss, &wanted);
        if names.is_empty() {
            return Err(refuse(
                "it has no classification head that `tune head` could train; use `tune all`".to_owned(),
            ));
        }
        let beside: Vec<&str> = loss.beside.iter().map(String::as_str).collect();
        let training = differentiate_beside(&graph, &loss.loss, &beside, &names, operators);
        let mut training = training.map_err(|error| refuse(error.to_string()))?;
        let mut measuring = forward(&plain, &[measured.as_str()]);
        for trainable in &training.trainables {
            let axes: Vec<Axis> = trainable.shape.iter().map(|size| Axis::Fixed(*size)).collect();
            measuring.initializers.remove(&trainable.name);
            measuring.inputs.push(ValueInfo::new(&trainable.name, ElementType::Float, &axes));
        }
        for graph in [&mut training.graph, &mut measuring] {
            base.as_ref().map_or(Ok(()), |base| base.replace(graph)).map_err(|error| refuse(error.to_string()))?;
        }
        adapters.retain(|adapter| names.contains(&adapter.up));
        let fresh = adapters.iter().flat_map(Adapter::tensors).map(|name| {
            let values = graph.initializers[name].to_f32().expect("an adapter's tensors are 32-bit floats");
            (name.to_owned(), values)
        });
        let fresh = fresh.collect();
        Ok(TrainingPlan { training, beside: loss.beside, measuring, measured, adapters, fresh })
    }

    fn is_head(&self, name: &str, path: &str) -> bool {
        if self.has_new_head {
            return NEW_HEAD.contains(&name);
        }
        let first = path.split('.').next().unwrap_or_default();
        HEAD_PATHS.contains(&first)
    }

    /// Whether a parameter belongs to the head, a fresh one or the model's own, and so learns at `head_rate`: what `tune head` trains.
    pub(super) fn is_of_head(&self, name: &str) -> bool {
        let mut parameters = self.imported.parameters.iter();
        parameters.any(|parameter| parameter.name == name && self.is_head(name, &parameter.path))
    }

    /// How the vector of a text is made, of a model that makes one.
    pub(super) fn vectors(&self) -> Option<(Pooling, usize)> {
        match (self.objective, &self.family, self.pooling) {
            (Objective::Contrast, Family::Features { hidden, .. }, Some(pooling)) => Some((pooling, *hidden)),
            _ => None,
        }
    }

    /// The trainable tensors with their first values, as a session binds them.
    pub(super) fn parameters(&self, plan: &TrainingPlan) -> Vec<Parameter> {
        plan.training
            .trainables
            .iter()
            .map(|trainable| Parameter {
                name: trainable.name.clone(),
                shape: trainable.shape.clone(),
                values: plan
                    .fresh
                    .get(&trainable.name)
                    .cloned()
                    .or_else(|| self.imported.values(&trainable.name))
                    .expect("a trainable tensor was an initializer of 32-bit floats"),
                gradient: match &trainable.rows {
                    None => GradientOutput::Whole(trainable.gradient.clone()),
                    Some(GradientRows { places, rows }) => {
                        GradientOutput::Rows { places: places.clone(), rows: rows.clone() }
                    }
                },
            })
            .collect()
    }
}

/// The linear layers that may be adapted and made integers: all but those that write classes or words, as PEFT and
/// bitsandbytes have it.
fn body(imported: &Imported) -> Vec<Linear> {
    let mut linears = imported.linears();
    linears.retain(|linear| {
        let first = linear.module.split('.').next().unwrap_or_default();
        !HEAD_PATHS.contains(&first) && !VOCABULARY_PATHS.contains(&first)
    });
    linears
}

/// Whether the model has the layers that a run's adapters name: known without data, and so before any other run is trained.
///
/// # Errors
/// A folder that is no model, and layers that it does not have.
pub fn check_targets(model: &ModelSource, targets: &[String]) -> Result<(), TrainError> {
    let (config, imported) = match model {
        ModelSource::Folder(folder) => read::open(folder, None).map(|(config, imported, _)| (config, imported))?,
        &ModelSource::NewEncoder { layers, hidden, heads, vocab } => {
            let encoder = Encoder { layers, hidden, heads, vocabulary: vocab };
            let graph = encoder.build(0).map_err(|error| TrainError::Settings(error.to_string()))?;
            (encoder.config(), Imported::built(graph))
        }
    };
    choose(targets, body(&imported), &config).map(|_| ())
}

/// The most positions that a configuration gives its model.
pub(crate) fn positions(config: &Value) -> Option<usize> {
    let key = ["max_position_embeddings", "n_positions"].into_iter().find_map(|key| config.get(key)?.as_u64())?;
    // RoBERTa's positions start behind its padding token.
    let reserved = match config.get("model_type").and_then(Value::as_str) {
        Some("roberta" | "xlm-roberta" | "camembert") => 2,
        Some(_) | None => 0,
    };
    usize::try_from(key).ok().map(|positions| positions.saturating_sub(reserved))
}

/// `id2label` of a configuration in the order of its numbers; empty where there is none or numbers are missing.
pub(crate) fn label_names(config: &Value) -> Vec<String> {
    let Some(names) = config.get("id2label").and_then(Value::as_object) else { return Vec::new() };
    (0..names.len())
        .map(|index| names.get(&index.to_string())?.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .unwrap_or_default()
}
