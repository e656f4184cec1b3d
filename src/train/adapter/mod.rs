//! Adapters: which layers get one, and what of them is saved.

mod peft;
mod targets;

use serde_json::Value;

use super::TrainError;
use super::run::{Lora, Tune};
use crate::onnx::Graph;
use crate::onnx::import::Linear;
use crate::onnx::surgery::{AdapterShape, QuantizedBase, SurgeryError};

pub(super) use peft::{AdapterFiles, ClassifierTensor, Saved, TaskType};

impl Lora {
    /// What the adapters are like in the graph.
    pub(super) fn shape(&self) -> AdapterShape {
        let rank = self.rank as f64;
        let divisor = if self.rank_stabilized { rank.sqrt() } else { rank };
        AdapterShape { rank: self.rank, scale: (self.alpha / divisor) as f32, has_magnitude: self.has_magnitude }
    }
}

/// The layers that the run names, or those that are usual for the architecture.
pub(super) fn choose(targets: &[String], linears: Vec<Linear>, config: &Value) -> Result<Vec<Linear>, TrainError> {
    let architecture = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let patterns = patterns(targets, architecture);
    if patterns.is_empty() {
        return Err(TrainError::Settings(format!(
            "`tune lora` knows no usual layers of the architecture `{architecture}`; name them: `targets [\"…\"]`; {}",
            layers(&linears)
        )));
    }
    let stranger = patterns.iter().find(|pattern| !linears.iter().any(|linear| matches(pattern, &linear.module)));
    if let Some(pattern) = stranger {
        return Err(TrainError::Settings(format!(
            "`targets`: the model has no linear layer `{pattern}` that can be adapted; {}",
            layers(&linears)
        )));
    }
    let is_chosen = |linear: &Linear| patterns.iter().any(|pattern| matches(pattern, &linear.module));
    Ok(linears.into_iter().filter(is_chosen).collect())
}

/// These layers of a graph as integers, where the run asks for them.
pub(super) fn quantize(tune: &Tune, graph: &Graph, frozen: &[Linear]) -> Result<Option<QuantizedBase>, SurgeryError> {
    let width = match tune {
        Tune::Lora(lora) => lora.base,
        Tune::All | Tune::Head => None,
    };
    width.map(|width| QuantizedBase::of(graph, frozen, width)).transpose()
}

/// What the run names, else what is usual.
fn patterns(named: &[String], architecture: &str) -> Vec<String> {
    if named.is_empty() {
        targets::usual(architecture).iter().map(|&name| name.to_owned()).collect()
    } else {
        named.to_vec()
    }
}

/// Whether a module's path ends with the parts of a pattern.
fn matches(pattern: &str, module: &str) -> bool {
    let mut parts = module.rsplit('.');
    pattern.rsplit('.').all(|pattern| parts.next().is_some_and(|part| is_like(pattern, part)))
}

/// Whether a name is a pattern's, in which `*` stands for any characters.
fn is_like(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| is_like(rest, &name[at..]))
        }),
    }
}

/// At most this many whole paths stand in a message.
const PATHS_SHOWN: usize = 3;

/// The last names of the layers that there are, in their order, and the first of their paths, for patterns are the ends of these.
fn layers(linears: &[Linear]) -> String {
    let mut names: Vec<String> = Vec::new();
    for linear in linears {
        let name = format!("`{}`", linear.module.rsplit('.').next().unwrap_or_default());
        if !names.contains(&name) && names.len() < 12 {
            names.push(name);
        }
    }
    if names.is_empty() {
        return "it has none".to_owned();
    }
    let paths: Vec<String> = linears.iter().take(PATHS_SHOWN).map(|linear| format!("`{}`", linear.module)).collect();
    format!("it has {}, the first of them at {}", names.join(", "), paths.join(", "))
}

#[cfg(test)]
mod tests;
