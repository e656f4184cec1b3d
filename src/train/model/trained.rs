//! What a run leaves of a model: its graph, its configuration and its adapter.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Model, SEVERAL_VALUES, TrainingPlan};
use crate::onnx::Graph;
use crate::onnx::surgery::Family;
use crate::train::TrainError;
use crate::train::adapter::{AdapterFiles, ClassifierTensor, Saved, TaskType};
use crate::train::objective::Objective;
use crate::train::run::{Lora, Pooling};

impl Model {
    /// The graph to save, with adapters merged into the weights.
    pub(in crate::train) fn trained(
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
    pub(in crate::train) fn adapter(
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
        let lost =
            linears.iter().filter(|linear| values.contains_key(&linear.weight) && self.imported.lost_bias(linear));
        let lost_biases = lost.map(|linear| (format!("{}.bias", linear.module), linear.outputs)).collect();
        let task = match self.family {
            Family::Features { .. } => TaskType::Features,
            Family::Sequence { .. } => TaskType::Sequence,
            Family::Tokens { .. } => TaskType::Tokens,
            Family::Decoder { .. } => TaskType::Decoder,
        };
        let head = head.collect();
        let saved = Saved { adapters: &plan.adapters, linears: &linears, head, lost_biases, values, task };
        saved.files(lora, &self.config)
    }

    /// `config.json` of the trained model: the label's values stand in it.
    pub(in crate::train) fn trained_config(&self) -> Value {
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

/// The architecture of the same model with a head for tokens: `BertForTokenClassification` of `BertModel`.
fn token_architecture(config: &serde_json::Map<String, Value>) -> Option<String> {
    let name = config.get("architectures")?.as_array()?.first()?.as_str()?;
    let stem = name.split("For").next().unwrap_or(name);
    let stem = stem.strip_suffix("Model").unwrap_or(stem);
    Some(format!("{stem}ForTokenClassification"))
}
