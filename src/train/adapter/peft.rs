//! Adapters as PEFT reads them: `adapter_model.safetensors` and `adapter_config.json`. The only door to `safetensors`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use super::{matches, patterns};
use crate::onnx::Tensor;
use crate::onnx::import::{Linear, Parameter};
use crate::onnx::surgery::{Adapter, Width};
use crate::train::TrainError;
use crate::train::run::Lora;
use crate::train::tokenizer::{pretty, write};

/// PEFT wraps the model twice before it names its tensors.
const PREFIX: &str = "base_model.model";

/// Architectures whose layers are `Conv1D`, with weights `[inputs, outputs]`.
const CONV1D: [&str; 2] = ["gpt2", "openai-gpt"];

/// A whole number as one, for PEFT declares it so.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value < 1e15 { json!(value as i64) } else { json!(value) }
}

/// What the model is for, by PEFT's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::train) enum TaskType {
    Features,
    Sequence,
    Tokens,
    Decoder,
}

/// A tensor of a classification head that was trained as a whole.
pub(in crate::train) struct ClassifierTensor<'a> {
    pub(in crate::train) parameter: &'a Parameter,
    /// Whether the graph has the transpose of PyTorch's `[outputs, inputs]`.
    pub(in crate::train) is_transposed: bool,
}

/// What a run leaves of its adapters.
pub(in crate::train) struct Saved<'a> {
    pub(in crate::train) adapters: &'a [Adapter],
    /// All linear layers of the model.
    pub(in crate::train) linears: &'a [Linear],
    pub(in crate::train) head: Vec<ClassifierTensor<'a>>,
    /// Biases of the head that an exporter left out, for they were zero, with their sizes: PEFT's module has them.
    pub(in crate::train) lost_biases: Vec<(String, usize)>,
    /// The trained values by the names of the graph.
    pub(in crate::train) values: &'a BTreeMap<String, Vec<f32>>,
    pub(in crate::train) task: TaskType,
}

/// The files of the folder `adapter`.
pub(in crate::train) struct AdapterFiles {
    weights: Vec<u8>,
    config: Value,
    /// The integers that the base was made of. That is no matter of the adapter, and so not of PEFT's configuration.
    base: Option<Width>,
}

impl Saved<'_> {
    pub(in crate::train) fn files(&self, lora: &Lora, config: &Value) -> AdapterFiles {
        let tensors = self.tensors();
        let views = tensors.iter().map(|(name, tensor)| {
            let view = TensorView::new(Dtype::F32, tensor.shape().to_vec(), tensor.data());
            (name, view.expect("as many bytes as the shape has elements"))
        });
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let weights = safetensors::serialize(views, Some(metadata)).expect("names are strings and sizes are known");
        AdapterFiles { weights, config: self.config(lora, config), base: lora.base }
    }

    /// The tensors in PyTorch's layout, by PEFT's names.
    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let mut tensors = BTreeMap::new();
        let matrix = |shape: [usize; 2], name: &str| {
            Tensor::from_f32(&shape, &self.values[name]).transposed().expect("a tensor of rank 2")
        };
        for adapter in self.adapters {
            let Linear { inputs, outputs, .. } = adapter.linear;
            let rank = adapter.shape.rank;
            tensors.insert(format!("{PREFIX}.{}", adapter.down), matrix([inputs, rank], &adapter.down));
            tensors.insert(format!("{PREFIX}.{}", adapter.up), matrix([rank, outputs], &adapter.up));
            if let Some(name) = &adapter.magnitude {
                tensors.insert(format!("{PREFIX}.{name}"), Tensor::from_f32(&[outputs], &self.values[name]));
            }
        }
        for ClassifierTensor { parameter, is_transposed } in &self.head {
            let tensor = Tensor::from_f32(&parameter.shape, &self.values[&parameter.name]);
            let tensor = if *is_transposed { tensor.transposed().unwrap_or(tensor) } else { tensor };
            tensors.insert(format!("{PREFIX}.{}", parameter.path), tensor);
        }
        for (path, size) in &self.lost_biases {
            tensors.insert(format!("{PREFIX}.{path}"), Tensor::from_f32(&[*size], &vec![0.0; *size]));
        }
        tensors
    }

    fn config(&self, lora: &Lora, model: &Value) -> Value {
        let architecture = model.get("model_type").and_then(Value::as_str).unwrap_or_default();
        // A head that was put on features is no module of the model that PEFT loads; its tensors are in the file.
        let heads = match self.task {
            TaskType::Features | TaskType::Decoder => Vec::new(),
            TaskType::Sequence | TaskType::Tokens => self.heads(),
        };
        json!({
            "peft_type": "LORA",
            "task_type": match self.task {
                TaskType::Features => "FEATURE_EXTRACTION",
                TaskType::Sequence => "SEQ_CLS",
                TaskType::Tokens => "TOKEN_CLS",
                TaskType::Decoder => "CAUSAL_LM",
            },
            "base_model_name_or_path": null,
            "r": lora.rank,
            "lora_alpha": number(lora.alpha),
            "lora_dropout": lora.dropout,
            "target_modules": self.targets(lora, architecture),
            "modules_to_save": if heads.is_empty() { Value::Null } else { json!(heads) },
            "bias": "none",
            "fan_in_fan_out": CONV1D.contains(&architecture),
            "use_rslora": lora.rank_stabilized,
            "use_dora": lora.has_magnitude,
            "init_lora_weights": true,
            "inference_mode": true,
        })
    }

    /// The modules of the trained head, each once.
    fn heads(&self) -> Vec<&str> {
        let mut heads: Vec<&str> =
            self.head.iter().filter_map(|tensor| tensor.parameter.path.split('.').next()).collect();
        heads.sort_unstable();
        heads.dedup();
        heads
    }

    /// Names that PEFT finds the adapted layers by, which are those whose paths end so: the run's own where they name
    /// these layers and no other, else the whole paths.
    fn targets(&self, lora: &Lora, architecture: &str) -> Vec<String> {
        let patterns = patterns(&lora.targets, architecture);
        let named =
            self.linears.iter().filter(|linear| patterns.iter().any(|pattern| matches(pattern, &linear.module)));
        if named.count() == self.adapters.len() && patterns.iter().all(|pattern| !pattern.contains('*')) {
            return patterns;
        }
        self.adapters.iter().map(|adapter| adapter.linear.module.clone()).collect()
    }
}

impl AdapterFiles {
    /// Writes the folder.
    pub(in crate::train) fn write(&self, folder: &Path) -> Result<(), TrainError> {
        std::fs::create_dir(folder).map_err(TrainError::io(folder))?;
        let weights = folder.join("adapter_model.safetensors");
        std::fs::write(&weights, &self.weights).map_err(TrainError::io(&weights))?;
        write(&folder.join("adapter_config.json"), &pretty(&self.config))
    }

    /// What the provenance of the run says of the adapter.
    pub(in crate::train) fn provenance(&self) -> Value {
        let of = |key: &str| self.config[key].clone();
        json!({
            "weights": blake3::hash(&self.weights).to_hex().to_string(),
            "rank": of("r"),
            "alpha": of("lora_alpha"),
            "targets": of("target_modules"),
            "rslora": of("use_rslora"),
            "dora": of("use_dora"),
            "dropout": of("lora_dropout"),
            "base": match self.base {
                None => "float32",
                Some(Width::Int8) => "int8",
                Some(Width::Int4) => "int4",
            },
        })
    }
}
