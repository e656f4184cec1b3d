//! Reading a model's folder, and the head that a task puts on it.

use std::path::Path;

use serde_json::Value;

use super::{Model, NEW_HEAD, label_names};
use crate::onnx::encoder::normal;
use crate::onnx::import::{Imported, import};
use crate::onnx::surgery::{Family, Head, add_classifier, add_tagger, family};
use crate::onnx::{Graph, load};
use crate::train::TrainError;
use crate::train::objective::Objective;
use crate::train::run::Pooling;
use crate::train::tags::tag_names;
use crate::train::tokenizer::read_json;

impl Model {
    /// Reads a folder, or takes a new encoder's graph, and puts a head on it where it has none: with an output for each of
    /// `values`. The head reads the vector that `pooling` makes of the tokens'.
    pub(in crate::train) fn of_texts(
        folder: &Path,
        graph: Option<Graph>,
        (objective, values): (Objective, &[String]),
        pooling: Option<Pooling>,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let (config, mut imported, found) = open(folder, graph)?;
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
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
    pub(in crate::train) fn tagger(
        folder: &Path,
        graph: Option<Graph>,
        kinds: &[String],
        seed: u64,
    ) -> Result<Self, TrainError> {
        let (config, mut imported, found) = open(folder, graph)?;
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
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
    pub(in crate::train) fn of_vectors(
        folder: &Path,
        graph: Option<Graph>,
        pooling: Option<Pooling>,
    ) -> Result<Self, TrainError> {
        let (config, imported, found) = open(folder, graph)?;
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
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
    pub(in crate::train) fn decoder(folder: &Path, objective: Objective) -> Result<Self, TrainError> {
        let (config, imported, found) = open(folder, None)?;
        let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
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
}

/// The configuration of a folder, and its graph, or the new one that goes with it, as what it is.
pub(super) fn open(folder: &Path, graph: Option<Graph>) -> Result<(Value, Imported, Family), TrainError> {
    let config = read_json(&folder.join("config.json"))?;
    let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
    let imported = match graph {
        Some(graph) => Imported::built(graph),
        None => {
            let graph = load(folder).map_err(|error| refuse(error.to_string()))?;
            import(graph, &config).map_err(|error| refuse(error.to_string()))?
        }
    };
    let found = family(&imported.graph, &config).map_err(|error| refuse(error.to_string()))?;
    Ok((config, imported, found))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

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
