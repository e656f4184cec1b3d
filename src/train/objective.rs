//! What the outputs of a model are held against.

use crate::autodiff::loss::{
    Alignment, Loss, LossError, Softening, binary_cross_entropy, cross_entropy, soft_cross_entropy, squared_error,
};
use crate::onnx::Graph;

use super::model::LOGITS;

/// What a model learns to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl Objective {
    /// Adds the loss that is learnt.
    pub(super) fn add_loss(self, graph: &mut Graph, softening: &Softening) -> Result<Loss, LossError> {
        match self {
            Self::Class | Self::Tags => soft_cross_entropy(graph, LOGITS, Alignment::Same, softening),
            Self::Several => binary_cross_entropy(graph, LOGITS, softening.weights.as_deref()),
            Self::Number => squared_error(graph, LOGITS),
            Self::NextToken => soft_cross_entropy(graph, LOGITS, Alignment::Next, softening),
        }
    }

    /// Adds what a validation reads, where the model does not give it itself, and returns the output's name.
    pub(super) fn add_measure(self, graph: &mut Graph) -> Result<String, LossError> {
        match self {
            Self::Class | Self::Several | Self::Number | Self::Tags => Ok(LOGITS.to_owned()),
            Self::NextToken => cross_entropy(graph, LOGITS, Alignment::Next).map(|loss| loss.loss),
        }
    }
}
