//! What a graph is made for, and making it fit what is to be trained.

mod dropout;
mod head;
mod learnt;
mod lora;
mod past;
mod quantize;
mod raise;
mod segments;

use super::{Axis, ElementType, Graph};
pub use dropout::{DROPOUT_KEYS, PRIME, add_dropout};
pub use head::{HEAD, Head, Pooling, add_classifier, add_pooling, add_tagger};
pub use learnt::{LEARNT, PLACES, pick_learnt};
pub use lora::{Adapter, AdapterShape, add_adapters};
pub use past::{PastInput, fix_past, past_inputs};
pub use quantize::{QuantizedBase, Width};
pub use raise::raise_opset;
pub use segments::{SEGMENTS, separate_records};

/// The families of graphs that can be trained, told apart by their outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Family {
    /// An encoder: `last_hidden_state` `[batch, sequence, hidden]`. `add_classifier` makes a classifier of it.
    Features {
        /// The output's name.
        output: String,
        /// The size of its last axis.
        hidden: usize,
    },
    /// One class per text: `logits` `[batch, labels]`.
    Sequence {
        /// The number of classes.
        labels: usize,
    },
    /// One class per token: `logits` `[batch, sequence, labels]`.
    Tokens {
        /// The number of classes.
        labels: usize,
    },
    /// A language model that predicts the next token: `logits` `[batch, sequence, vocabulary]`.
    Decoder {
        /// The number of tokens.
        vocabulary: usize,
        /// The key and value inputs, which are bound with length zero in training.
        past: Vec<PastInput>,
    },
}

/// Why a graph does not fit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurgeryError {
    /// No output that the crate knows what to do with.
    #[error("the graph returns {outputs}; annotc trains graphs that return `logits` or `last_hidden_state`")]
    Family {
        /// The outputs that it has.
        outputs: String,
    },
    /// The graph lacks an input.
    #[error("the graph has no input `{name}`, which the mean of the tokens needs")]
    NoInput {
        /// The input.
        name: String,
    },
    /// A name that is in use.
    #[error("the graph has a value `{name}` already, which a new head or adapter needs for itself")]
    Taken {
        /// The name.
        name: String,
    },
    /// Records that share a row would see each other.
    #[error(
        "records cannot share a row in it: {reason}; take `pack on` out, or export it with `optimum-cli export onnx`, whose \
             decoders have masks and positions that can be given"
    )]
    Inseparable {
        /// The reason, with the node's name.
        reason: String,
    },
    /// A weight that no level is near.
    #[error("weight `{name}` has numbers that are not finite, which integers cannot stand for")]
    NotFinite {
        /// The weight.
        name: String,
    },
    /// Nothing to quantize.
    #[error("it has no frozen linear layer of at least {} weights that `base` could quantize", quantize::SMALLEST)]
    NoBase,
    /// A node that may mean something else in a newer operator set.
    #[error(
        "node `{node}`: `{operator}` may mean something else in operator set {to}, which a quantized base needs, than in {from}; \
             export the model again at opset {to}, or take `base` out"
    )]
    Opset {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
        /// The version that the graph has.
        from: i64,
        /// The version that it is to have.
        to: i64,
    },
    /// Dropout that no key can be told for.
    #[error("`{node}` has no row of features for each token or text, which dropout needs; take `dropout` out")]
    NoTokens {
        /// The node or input.
        node: String,
    },
    /// A head of another size than the features.
    #[error("the head has {found} weights; {labels} labels over {hidden} features need {needed}", needed = labels * hidden)]
    HeadSize {
        /// The number of classes.
        labels: usize,
        /// The number of features.
        hidden: usize,
        /// The number of weights given.
        found: usize,
    },
}

/// What the graph is made for. `config` is the model's `config.json` (or `null`): it tells a language model without
/// past inputs from a tagger.
pub fn family(graph: &Graph, config: &serde_json::Value) -> Result<Family, SurgeryError> {
    let past = past_inputs(graph);
    if let Some(axes) = float_axes(graph, "logits") {
        match axes {
            [_, Axis::Fixed(labels)] => return Ok(Family::Sequence { labels: *labels }),
            [_, _, Axis::Fixed(size)] if !past.is_empty() || is_language_model(config) => {
                return Ok(Family::Decoder { vocabulary: *size, past });
            }
            [_, _, Axis::Fixed(labels)] => return Ok(Family::Tokens { labels: *labels }),
            _ => {}
        }
    }
    for output in ["last_hidden_state", "token_embeddings"] {
        if let Some([_, _, Axis::Fixed(hidden)]) = float_axes(graph, output) {
            return Ok(Family::Features { output: output.to_owned(), hidden: *hidden });
        }
    }
    let outputs: Vec<String> = graph.outputs.iter().map(|output| format!("`{}`", output.name)).collect();
    Err(SurgeryError::Family { outputs: outputs.join(", ") })
}

fn float_axes<'a>(graph: &'a Graph, output: &str) -> Option<&'a [Axis]> {
    let output = graph.output(output).filter(|output| output.element == ElementType::Float)?;
    output.shape.as_deref()
}

fn is_language_model(config: &serde_json::Value) -> bool {
    let architectures = config.get("architectures").and_then(serde_json::Value::as_array);
    let names = architectures.into_iter().flatten().filter_map(serde_json::Value::as_str);
    names.into_iter().any(|name| name.ends_with("ForCausalLM") || name.ends_with("LMHeadModel"))
}

#[cfg(test)]
mod tests;
