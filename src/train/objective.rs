//! What the outputs of a model are held against.

use super::model::LOGITS;
use crate::autodiff::loss::{
    Alignment, LossError, Softening, binary_cross_entropy, contrast, cross_entropy, preference, soft_cross_entropy,
    squared_error,
};
use crate::onnx::Graph;

/// What a model learns to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Objective {
    /// One of several values, by the cross-entropy.
    Class,
    /// Any number of several values, each by its own cross-entropy.
    Several,
    /// A number, by the squared error.
    Number,
    /// A tag for each word, by the cross-entropy.
    Tags,
    /// The next token, by the cross-entropy.
    NextToken,
    /// The better one of two answers, by direct preference optimization.
    Preference {
        /// The weight of the reference.
        beta: f64,
    },
    /// Which texts belong together, by the cosines of their vectors.
    Contrast,
}

/// The output with the vector of each text.
pub(super) const VECTORS: &str = "sentence_embedding";

/// What cosines are multiplied by before they compete.
pub(super) const SCALE: f32 = 20.0;

/// What is learnt, and what a step tells beside the loss.
pub(super) struct Learnt {
    /// A value of rank 0.
    pub(super) loss: String,
    /// Values of rank 0 which, like the loss, add up over micro-batches.
    pub(super) beside: Vec<String>,
}

impl Objective {
    /// Adds the loss that is learnt.
    pub(super) fn add_loss(self, graph: &mut Graph, softening: &Softening) -> Result<Learnt, LossError> {
        let alone = |loss| Learnt { loss, beside: Vec::new() };
        match self {
            Self::Class | Self::Tags => {
                soft_cross_entropy(graph, LOGITS, Alignment::Same, softening).map(|loss| alone(loss.loss))
            }
            Self::Several => {
                binary_cross_entropy(graph, LOGITS, softening.weights.as_deref()).map(|loss| alone(loss.loss))
            }
            Self::Number => squared_error(graph, LOGITS).map(|loss| alone(loss.loss)),
            Self::NextToken => {
                soft_cross_entropy(graph, LOGITS, Alignment::Next, softening).map(|loss| alone(loss.loss))
            }
            Self::Preference { beta } => preference(graph, LOGITS, beta as f32)
                .map(|names| Learnt { loss: names.loss, beside: vec![names.accuracy, names.margin] }),
            Self::Contrast => contrast(graph, VECTORS, SCALE).map(alone),
        }
    }

    /// Adds what is measured, where the model does not give it itself, and returns the output's name.
    pub(super) fn add_measure(self, graph: &mut Graph) -> Result<String, LossError> {
        match self {
            Self::Class | Self::Several | Self::Number | Self::Tags => Ok(LOGITS.to_owned()),
            Self::NextToken => cross_entropy(graph, LOGITS, Alignment::Next).map(|loss| loss.loss),
            Self::Preference { beta } => preference(graph, LOGITS, beta as f32).map(|names| names.answers),
            Self::Contrast => Ok(VECTORS.to_owned()),
        }
    }
}
