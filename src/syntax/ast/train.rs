//! `model`, `train` and `evaluate` declarations.

use super::{Expr, Ident, Quantity, Setting, Text};
use crate::source::Span;

/// `model NAME { onnx "…" }` or `model NAME { new encoder { … } }`
#[derive(Debug, Clone)]
pub struct Model {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The model's name.
    pub name: Ident,
    /// Its statements.
    pub items: Vec<ModelItem>,
    /// The whole declaration.
    pub span: Span,
}

/// A statement of a `model` block.
#[derive(Debug, Clone)]
pub enum ModelItem {
    /// `onnx "folder"`
    Onnx(Text, Span),
    /// `new encoder { layers 2; … }`
    New {
        /// The architecture's word.
        architecture: Ident,
        /// Its sizes.
        settings: Vec<Setting>,
        /// The whole statement.
        span: Span,
    },
    /// `pooling mean`
    Setting(Setting),
}

/// `train NAME { … }`
#[derive(Debug, Clone)]
pub struct Train {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The run's name.
    pub name: Ident,
    /// Its statements in order.
    pub items: Vec<TrainItem>,
    /// The whole declaration.
    pub span: Span,
}

/// A statement with its place.
#[derive(Debug, Clone)]
pub struct TrainItem {
    /// What it says.
    pub kind: TrainItemKind,
    /// The whole statement.
    pub span: Span,
}

/// The statements of a `train` block.
#[derive(Debug, Clone)]
pub enum TrainItemKind {
    /// `model NAME`
    Model(Ident),
    /// `data NAME`
    Data(Ident),
    /// `task classify L from F`
    Task(Task),
    /// `tune all`, `tune head`, `tune lora { … }`
    Tune(Ident, Vec<Setting>),
    /// `length 64 tokens [else keep start]`
    Length {
        /// The longest record.
        limit: Quantity,
        /// `start` or `end` of `else keep …`; `drop` of `else drop`.
        otherwise: Option<Ident>,
    },
    /// `epochs 3`
    Epochs(Quantity),
    /// `steps 2000`
    Steps(Quantity),
    /// `batch 32 [accumulate 4]`
    Batch {
        /// Records in a micro-batch.
        size: Quantity,
        /// Micro-batches in a step.
        accumulate: Option<Quantity>,
    },
    /// `rate 3e-4 cosine warmup 10% floor 1e-6`
    Rate {
        /// The highest rate.
        peak: Quantity,
        /// `constant`, `linear`, `cosine`, `wsd`.
        schedule: Option<Ident>,
        /// Steps or a share of them.
        warmup: Option<Quantity>,
        /// Steps of the fall at the end, or a share of them.
        decay: Option<Quantity>,
        /// The lowest rate.
        floor: Option<Quantity>,
    },
    /// `optimizer adamw { … }`
    Optimizer(Ident, Vec<Setting>),
    /// `validate every 500 steps by f1.macro`
    Validate {
        /// How often.
        every: Option<Quantity>,
        /// The figure looked at.
        by: Option<Expr>,
    },
    /// `stop after 2 validations without gain`
    Stop(Quantity),
    /// `keep best 2`
    KeepBest(Option<Quantity>),
    /// `checkpoint every 500 steps`
    Checkpoint(Quantity),
    /// `device cuda else cpu`
    Device(Ident, Option<Ident>),
    /// `clip 1.0`, `seed 7`, `smooth 0.1`, `shuffle off`, `pack on`, `recompute on`, `precision f16`, `weights balanced`
    Setting(Setting),
}

/// What a run learns.
#[derive(Debug, Clone)]
pub struct Task {
    /// `classify`, `tag`, `regress`, `generate`, `prefer`, `embed`
    pub kind: Ident,
    /// The label.
    pub label: Option<Ident>,
    /// The field or the template after `from`.
    pub from: Option<Ident>,
}

/// `evaluate TRAIN on DATASET.PART { … }`
#[derive(Debug, Clone)]
pub struct Evaluate {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The training run.
    pub run: Ident,
    /// The data set.
    pub dataset: Ident,
    /// The part of it.
    pub part: Ident,
    /// Statements in order.
    pub items: Vec<EvaluateItem>,
    /// The whole declaration.
    pub span: Span,
}

/// A statement of an `evaluate` block.
#[derive(Debug, Clone)]
pub enum EvaluateItem {
    /// `report accuracy, f1`
    Report(Vec<Ident>, Span),
    /// `by EXPR [at [10, 20]]`
    By {
        /// What records are grouped by.
        value: Expr,
        /// The bounds between groups of a number.
        at: Option<Vec<Quantity>>,
        /// The whole statement.
        span: Span,
    },
    /// `generate greedy { tokens 64 }`
    Generate {
        /// `greedy` or `sampled`.
        method: Ident,
        /// Its options.
        settings: Vec<Setting>,
        /// The whole statement.
        span: Span,
    },
    /// `require f1.macro >= 0.85`
    Require(Expr, Span),
}
