//! Models, training runs and evaluations.

use super::{ColumnId, DatasetId, LabelId, MetricRef, ModelId, TemplateId};
use crate::source::Span;

/// A model to start from.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: ModelOrigin,
    /// How token vectors become one vector, where it is said, for a model without a head; else their mean.
    pub pooling: Option<Pooling>,
    /// The declaration.
    pub span: Span,
}

/// Where a model comes from.
#[derive(Debug, Clone)]
pub enum ModelOrigin {
    /// A folder as Hugging Face Optimum exports it; the path as written.
    Folder {
        /// The path as written.
        path: String,
        /// The folder that it begins at, from the spec's own folder, with `/`: empty for a model of the spec itself.
        base: String,
        /// Where it was written.
        span: Span,
    },
    /// A graph and a tokenizer of our own making.
    New(Architecture),
}

/// A new encoder or decoder, and its sizes. Decoders are read and refused by builds.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Whether it is a decoder.
    pub decodes: bool,
    /// Transformer blocks.
    pub layers: u32,
    /// Width of the token vectors.
    pub hidden: u32,
    /// Attention heads; they divide `hidden`.
    pub heads: u32,
    /// The greatest number of word pieces.
    pub vocab: u32,
}

/// How token vectors become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean over the attention mask.
    Mean,
    /// The first token's.
    Cls,
}

/// A training run.
#[derive(Debug, Clone)]
pub struct Train {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: ModelId,
    /// The data set.
    pub data: DatasetId,
    /// What is learnt.
    pub task: Task,
    /// What is trained.
    pub tune: Tune,
    /// The longest record and what happens to longer ones.
    pub length: TrainLength,
    /// Passes over `train`; else [`Train::steps`] is set.
    pub epochs: Option<f64>,
    /// Optimizer steps; else [`Train::epochs`] is set.
    pub steps: Option<u64>,
    /// Records in a micro-batch.
    pub batch: u32,
    /// Micro-batches in a step.
    pub accumulate: u32,
    /// The learning rate's course.
    pub schedule: Schedule,
    /// The highest learning rate.
    pub rate: f64,
    /// The highest learning rate of a new head, when it has one of its own.
    pub head_rate: Option<f64>,
    /// Steps during which the rate rises.
    pub warmup: Stretch,
    /// The lowest learning rate at the end.
    pub floor: f64,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// The greatest norm of the whole gradient.
    pub clip: Option<f64>,
    /// The share of the target that is spread over all classes.
    pub smooth: f64,
    /// Whether each value of the label weighs the same, however often it stands in `train`.
    pub balanced: bool,
    /// Whether records share rows, which they never see each other in.
    pub pack: bool,
    /// Whether the backward part computes values of the forward part again (gradient checkpointing).
    pub recompute: bool,
    /// The floats that products of matrices read and give.
    pub precision: Precision,
    /// Whether each epoch has a keyed order of its own; else source order.
    pub shuffle: bool,
    /// The seed of all randomness.
    pub seed: u64,
    /// What is selected on the part `validation`.
    pub selection: Selection,
    /// How often the run's state is kept, where the run says it.
    pub checkpoint: Option<Every>,
    /// What it computes on.
    pub device: DeviceWish,
    /// The declaration.
    pub span: Span,
}

/// The floats of products of matrices; all else is computed in 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// IEEE's 16 bits, with a scaled loss.
    F16,
    /// 16 bits with the range of 32.
    Bf16,
}

/// What a run wishes to compute on, the strongest wish last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum DeviceWish {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA's device where one can be used, else the processor.
    CudaElseCpu,
    /// NVIDIA's device; without one the run fails.
    Cuda,
}

/// What a run selects on the part `validation`.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// How often the part is measured.
    pub every: Every,
    /// The metric that is looked at; without one, the loss.
    pub by: Option<MetricRef>,
    /// How long the run goes on without gain; without it, to its end.
    pub patience: Option<Patience>,
    /// How many of the best weights are kept; without it, the last ones are.
    pub keep_best: Option<u32>,
}

/// A distance between two moments of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// So many optimizer steps.
    Steps(u64),
    /// So many passes over `train`.
    Epochs(u64),
}

/// How long a run goes on without gain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// So many measurements of the part `validation`.
    Validations(u64),
    /// So many passes over `train`.
    Epochs(u64),
}

/// What a run learns.
#[derive(Debug, Clone)]
pub enum Task {
    /// A label from a text.
    Classify {
        /// The label.
        label: LabelId,
        /// Its column in the data set.
        label_column: ColumnId,
        /// The text's column.
        text: ColumnId,
    },
    /// The spans of a text.
    Tag {
        /// The label.
        label: LabelId,
        /// Its column in the data set.
        label_column: ColumnId,
        /// The column of the text that the spans are of.
        text: ColumnId,
    },
    /// A number from a text.
    Regress {
        /// The label.
        label: LabelId,
        /// Its column in the data set.
        label_column: ColumnId,
        /// The text's column.
        text: ColumnId,
    },
    /// Which of two answers is better.
    Prefer {
        /// A preference.
        template: TemplateId,
        /// The weight of what the model was before.
        beta: f64,
    },
    /// Vectors that are near for the two texts of a template.
    Embed {
        /// A completion: a text and its partner.
        template: TemplateId,
    },
    /// The answers of a template.
    Generate {
        /// A chat or a completion.
        template: TemplateId,
    },
}

/// What is trained.
#[derive(Debug, Clone, PartialEq)]
pub enum Tune {
    /// Every parameter.
    All,
    /// The head that was added.
    Head,
    /// Adapters beside frozen layers, and the head of a classifier.
    Lora(Lora),
}

/// Low-rank adapters.
#[derive(Debug, Clone, PartialEq)]
pub struct Lora {
    /// The rank.
    pub rank: u32,
    /// The product is scaled by it over the rank.
    pub alpha: f64,
    /// Names of the layers that are adapted; empty for those that are usual for the architecture.
    pub targets: Vec<String>,
    /// Whether the scale is over the root of the rank instead.
    pub rank_stabilized: bool,
    /// Whether each output has a magnitude of its own.
    pub has_magnitude: bool,
    /// The share of what an adapter reads that is lost in each step.
    pub dropout: f64,
    /// What frozen layers are made of while the run goes on.
    pub base: Base,
}

/// What frozen layers are made of while adapters are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The model's own numbers.
    Float32,
    /// Integers of 8 bits, with scales.
    Int8,
    /// Integers of 4 bits, with scales.
    Int4,
}

/// The longest record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainLength {
    /// Tokens, special ones included.
    pub tokens: u32,
    /// What a longer one gives up.
    pub overflow: Overflow,
}

/// What a record that is too long gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// It is an error.
    Error,
    /// Its end.
    KeepStart,
    /// Its start.
    KeepEnd,
    /// All of it: it is dropped and counted.
    Drop,
}

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Adam with decoupled weight decay.
    AdamW {
        /// Decoupled weight decay.
        weight_decay: f64,
        /// Decay of the moments.
        betas: (f64, f64),
    },
    /// Gradient descent.
    Sgd {
        /// Decay of the velocity; 0 for none.
        momentum: f64,
        /// Whether the step looks ahead along the velocity.
        nesterov: bool,
        /// A multiple of the weights that is added to the gradient.
        weight_decay: f64,
    },
    /// The sign of an interpolated momentum.
    Lion {
        /// Decoupled weight decay.
        weight_decay: f64,
        /// The interpolation, and the decay of the momentum.
        betas: (f64, f64),
    },
    /// Adam whose second moments are kept as sums of rows and columns.
    Adafactor {
        /// Decoupled weight decay.
        weight_decay: f64,
    },
}

/// The learning rate's course after the warmup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The peak throughout.
    Constant,
    /// A straight line to the floor.
    Linear,
    /// Half a cosine to the floor.
    Cosine,
    /// The peak, and a straight line to the floor over the last stretch.
    WarmupStableDecay(Stretch),
}

/// A part of a run, at its start or its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stretch {
    /// So many steps.
    Steps(u64),
    /// A share of all steps, 0 to 1.
    Share(f64),
}
