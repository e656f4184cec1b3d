//! From a model's folder to graphs that can be trained, measured and saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::TrainError;
use super::adapter::{AdapterFiles, ClassifierTensor, Saved, TaskType, choose, quantize};
use super::objective::{Objective, VECTORS};
use super::run::{Lora, Pooling, Tune};
use super::tags::tag_names;
use super::tokenizer::read_json;
use crate::autodiff::loss::{Softening, forward};
use crate::autodiff::{GradientRows, Operators, TrainingGraph, differentiate_beside, reaching};
use crate::onnx::encoder::normal;
use crate::onnx::import::{Imported, Linear, import};
use crate::onnx::surgery::{
    Adapter, Family, Head, add_adapters, add_classifier, add_dropout, add_pooling, add_tagger, family, fix_past,
    separate_records,
};
use crate::onnx::{Axis, ElementType, Graph, ValueInfo, load};
use crate::runtime::{GradientOutput, Parameter};

/// The output that classes and next tokens are read from.
pub(crate) const LOGITS: &str = "logits";

/// The `problem_type` of a model of whose values a text has any number.
pub(crate) const SEVERAL_VALUES: &str = "multi_label_classification";

/// The parameters of a head that we add.
const NEW_HEAD: [&str; 2] = ["classifier.weight", "classifier.bias"];

/// First parts of the paths of the heads that exporters write.
const HEAD_PATHS: [&str; 5] = ["classifier", "score", "pre_classifier", "classification_head", "head"];

/// First parts of the paths of the layers that write a vocabulary's logits.
const VOCABULARY_PATHS: [&str; 4] = ["lm_head", "embed_out", "cls", "generator_lm_head"];

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
    /// Reads a folder, or takes a new encoder's graph, and puts a head on it where it has none: with an output for each of
    /// `values`. The head reads the vector that `pooling` makes of the tokens'.
    pub(super) fn of_texts(
        folder: &Path,
        graph: Option<Graph>,
        (objective, values): (Objective, &[String]),
        pooling: Option<Pooling>,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let config = read_json(&folder.join("config.json"))?;
        let mut imported = match graph {
            Some(graph) => Imported::built(graph),
            None => import_folder(folder, &config)?,
        };
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
        let found = family(&imported.graph, &config).map_err(|error| refuse(error.to_string()))?;
        let (values, has_new_head) = match &found {
            Family::Features { output, hidden } => {
                let count = values.len();
                let weight = normal(seed, NEW_HEAD[0], count * hidden);
                let head = Head { weight, bias: vec![0.0; count] };
                let pooling = pooling.unwrap_or(Pooling::Mean);
                add_classifier(&mut imported.graph, output, pooling, &head)
                    .map_err(|error| refuse(error.to_string()))?;
                imported.refresh();
                (values.to_vec(), true)
            }
            Family::Sequence { labels } if *labels != values.len() => {
                let count = values.len();
                return Err(refuse(match objective {
                    Objective::Number => format!("its head has {labels} outputs, and a number needs one"),
                    Objective::Class
                    | Objective::Several
                    | Objective::Tags
                    | Objective::NextToken
                    | Objective::Preference { .. }
                    | Objective::Contrast => {
                        format!("its head has {labels} outputs, and the label has {count} values")
                    }
                }));
            }
            Family::Sequence { .. } if pooling.is_some() => {
                return Err(refuse("it has a head of its own, which `pooling` does not reach; take that out".into()));
            }
            Family::Sequence { .. } => (in_model_order(values, &config), false),
            Family::Tokens { .. } => {
                return Err(refuse("it classifies tokens, and the task needs one vector per text".into()));
            }
            Family::Decoder { .. } => return Err(refuse("it generates text; the task needs an encoder".into())),
        };
        let pooling = has_new_head.then(|| pooling.unwrap_or(Pooling::Mean));
        let folder = folder.to_path_buf();
        Ok(Self { folder, config, imported, family: found, objective, values, has_new_head, pooling })
    }

    /// Reads a folder, or takes a new encoder's graph, and puts a head for the tags of spans on it where it has none.
    pub(super) fn tagger(folder: &Path, graph: Option<Graph>, kinds: &[String], seed: u64) -> Result<Self, TrainError> {
        let config = read_json(&folder.join("config.json"))?;
        let mut imported = match graph {
            Some(graph) => Imported::built(graph),
            None => import_folder(folder, &config)?,
        };
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
        let found = family(&imported.graph, &config).map_err(|error| refuse(error.to_string()))?;
        let tags = tag_names(kinds);
        let count = tags.len();
        let (values, has_new_head) = match &found {
            Family::Features { output, hidden } => {
                let weight = normal(seed, NEW_HEAD[0], count * hidden);
                let head = Head { weight, bias: vec![0.0; count] };
                add_tagger(&mut imported.graph, output, &head).map_err(|error| refuse(error.to_string()))?;
                imported.refresh();
                (tags, true)
            }
            Family::Tokens { labels } if *labels != count => {
                let kinds = kinds.len();
                return Err(refuse(format!(
                    "its head has {labels} outputs, and {kinds} kinds of spans have {count} tags"
                )));
            }
            Family::Tokens { .. } => (in_model_order(&tags, &config), false),
            Family::Sequence { .. } => {
                return Err(refuse("it classifies texts, and `tag` needs a class for each token".into()));
            }
            Family::Decoder { .. } => return Err(refuse("it generates text; `tag` needs an encoder".into())),
        };
        let (folder, objective) = (folder.to_path_buf(), Objective::Tags);
        Ok(Self { folder, config, imported, family: found, objective, values, has_new_head, pooling: None })
    }

    /// Reads an encoder's folder, or takes a new encoder's graph, to make a vector of each text.
    pub(super) fn of_vectors(
        folder: &Path,
        graph: Option<Graph>,
        pooling: Option<Pooling>,
    ) -> Result<Self, TrainError> {
        let config = read_json(&folder.join("config.json"))?;
        let imported = match graph {
            Some(graph) => Imported::built(graph),
            None => import_folder(folder, &config)?,
        };
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
        let found = family(&imported.graph, &config).map_err(|error| refuse(error.to_string()))?;
        let Family::Features { .. } = found else {
            return Err(refuse(
                "it gives no vector of each token, which `embed` needs; export the encoder alone: \
                               `--task feature-extraction`"
                    .to_owned(),
            ));
        };
        let pooling = Some(pooling.unwrap_or(Pooling::Mean));
        let (folder, values) = (folder.to_path_buf(), Vec::new());
        let objective = Objective::Contrast;
        Ok(Self { folder, config, imported, family: found, objective, values, has_new_head: false, pooling })
    }

    /// Reads a decoder's folder.
    pub(super) fn decoder(folder: &Path, objective: Objective) -> Result<Self, TrainError> {
        let config = read_json(&folder.join("config.json"))?;
        let imported = import_folder(folder, &config)?;
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
        let found = family(&imported.graph, &config).map_err(|error| refuse(error.to_string()))?;
        match &found {
            Family::Decoder { .. } => {}
            Family::Features { .. } | Family::Sequence { .. } | Family::Tokens { .. } => {
                return Err(refuse("it is no decoder, and the task needs one".into()));
            }
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            config,
            imported,
            family: found,
            objective,
            values: Vec::new(),
            has_new_head: false,
            pooling: None,
        })
    }

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
        let base = quantize(tune, &graph, &self.body()).map_err(|error| refuse(error.to_string()))?;
        let (mut adapters, dropout) = match tune {
            Tune::Lora(lora) => {
                let linears = choose(lora, self.body(), &self.config)?;
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

    /// The linear layers that may be adapted and made integers: all but those that write classes or words, as PEFT and
    /// bitsandbytes have it.
    fn body(&self) -> Vec<Linear> {
        let mut linears = self.imported.linears();
        linears.retain(|linear| {
            let first = linear.module.split('.').next().unwrap_or_default();
            !HEAD_PATHS.contains(&first) && !VOCABULARY_PATHS.contains(&first)
        });
        linears
    }

    fn is_head(&self, name: &str, path: &str) -> bool {
        if self.has_new_head {
            return NEW_HEAD.contains(&name);
        }
        let first = path.split('.').next().unwrap_or_default();
        HEAD_PATHS.contains(&first)
    }

    /// Whether a parameter belongs to a head that we added, and so learns at `head_rate`.
    pub(super) fn is_new_head(&self, name: &str) -> bool {
        self.has_new_head && NEW_HEAD.contains(&name)
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

    /// The graph to save, with adapters merged into the weights.
    pub(super) fn trained(
        &self,
        plan: &TrainingPlan,
        values: &BTreeMap<String, Vec<f32>>,
    ) -> Result<Graph, TrainError> {
        let mut merged = values.clone();
        for adapter in &plan.adapters {
            let weights = self.imported.values(&adapter.linear.weight).expect("a layer's weights are 32-bit floats");
            let magnitude = adapter.magnitude.as_deref().map(|name| values[name].as_slice());
            let weights = adapter.merged(&weights, &values[&adapter.down], &values[&adapter.up], magnitude);
            merged.insert(adapter.linear.weight.clone(), weights);
            for tensor in adapter.tensors() {
                merged.remove(tensor);
            }
        }
        self.imported
            .with_values(&merged)
            .map_err(|error| TrainError::Graph { folder: self.folder.clone(), message: error.to_string() })
    }

    /// The adapter to save beside the merged graph.
    pub(super) fn adapter(
        &self,
        lora: &Lora,
        plan: &TrainingPlan,
        values: &BTreeMap<String, Vec<f32>>,
    ) -> AdapterFiles {
        let linears = self.imported.linears();
        let head = self.imported.parameters.iter().filter(|parameter| values.contains_key(&parameter.name));
        let head = head.map(|parameter| {
            let linear = linears.iter().find(|linear| linear.weight == parameter.name);
            ClassifierTensor { parameter, is_transposed: linear.is_some_and(|linear| !linear.transposed) }
        });
        let task = match self.family {
            Family::Features { .. } => TaskType::Features,
            Family::Sequence { .. } => TaskType::Sequence,
            Family::Tokens { .. } => TaskType::Tokens,
            Family::Decoder { .. } => TaskType::Decoder,
        };
        let saved = Saved { adapters: &plan.adapters, linears: &linears, head: head.collect(), values, task };
        saved.files(lora, &self.config)
    }

    /// `config.json` of the trained model: the label's values stand in it.
    pub(super) fn trained_config(&self) -> Value {
        let mut config = self.config.clone();
        if let (Some(config), false) = (config.as_object_mut(), self.values.is_empty()) {
            let names = self.values.iter().enumerate();
            let id2label: serde_json::Map<String, Value> =
                names.clone().map(|(index, name)| (index.to_string(), json!(name))).collect();
            let label2id: serde_json::Map<String, Value> =
                names.map(|(index, name)| (name.clone(), json!(index))).collect();
            config.insert("id2label".to_owned(), Value::Object(id2label));
            config.insert("label2id".to_owned(), Value::Object(label2id));
            let problem = match self.objective {
                Objective::Class | Objective::NextToken | Objective::Preference { .. } | Objective::Contrast => {
                    Some("single_label_classification")
                }
                Objective::Number => Some("regression"),
                Objective::Several => Some(SEVERAL_VALUES),
                Objective::Tags => None,
            };
            if let Some(problem) = problem {
                config.insert("problem_type".to_owned(), json!(problem));
            }
            if let (Objective::Tags, Some(name)) = (self.objective, token_architecture(config)) {
                config.insert("architectures".to_owned(), json!([name]));
            }
            if self.objective == Objective::Number {
                config.insert("num_labels".to_owned(), json!(1));
            }
            if let Some(pooling) = self.pooling {
                let word = match pooling {
                    Pooling::Mean => "mean",
                    Pooling::Cls => "cls",
                };
                config.insert("classifier_pooling".to_owned(), json!(word));
            }
        }
        config
    }
}

fn import_folder(folder: &Path, config: &Value) -> Result<Imported, TrainError> {
    let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
    let graph = load(folder).map_err(|error| refuse(error.to_string()))?;
    import(graph, config).map_err(|error| refuse(error.to_string()))
}

/// The architecture of the same model with a head for tokens: `BertForTokenClassification` of `BertModel`.
fn token_architecture(config: &serde_json::Map<String, Value>) -> Option<String> {
    let name = config.get("architectures")?.as_array()?.first()?.as_str()?;
    let stem = name.split("For").next().unwrap_or(name);
    let stem = stem.strip_suffix("Model").unwrap_or(stem);
    Some(format!("{stem}ForTokenClassification"))
}

/// The label's values in the order of a classifier's outputs: the model's own order where it knows these names, else
/// the schema's.
fn in_model_order(values: &[String], config: &Value) -> Vec<String> {
    let known = label_names(config);
    let mut sorted: (Vec<&String>, Vec<&String>) = (known.iter().collect(), values.iter().collect());
    sorted.0.sort();
    sorted.1.sort();
    if sorted.0 == sorted.1 { known } else { values.to_vec() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classifiers_own_order_of_names_is_kept() {
        let config = json!({"id2label": {"0": "b", "1": "a", "2": "c"}});
        let names = |values: &[&str]| -> Vec<String> {
            in_model_order(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>(), &config)
        };
        assert_eq!(names(&["a", "b", "c"]), ["b", "a", "c"]);
        assert_eq!(names(&["x", "y", "z"]), ["x", "y", "z"]);
        assert!(label_names(&json!({"id2label": {"0": "a", "2": "b"}})).is_empty());
    }
}
