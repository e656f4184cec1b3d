//! What a build will do, as a graph: which rule reads and writes which fields, in which pass it runs, and where personal data
//! flows. It is drawn from the same resolved program that a build lowers, before any data is read.

mod dataset;
mod graph;
mod targets;

#[cfg(test)]
mod tests;

pub use graph::{to_dot, to_mermaid};

use crate::hir::{DatasetId, Program, TrainId};
use crate::source::Span;

/// The steps of some targets and what goes from one to the next.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// The steps, each after those that it needs.
    pub nodes: Vec<Node>,
    /// What goes from one step to another.
    pub edges: Vec<Edge>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// The data set, run or model that it belongs to.
    pub target: String,
    /// The block of rules that it stands in: `clean tidy`.
    pub block: Option<String>,
    /// The step in short, as the audit names it.
    pub rule: String,
    /// Of a rule of a pack the statement that stands for it; others are written where `span` says.
    pub statement: Option<String>,
    /// Where it is written.
    pub span: Span,
    /// The fields that it reads.
    pub reads: Vec<String>,
    /// The fields that it gives a value.
    pub writes: Vec<String>,
    /// The fields that may hold personal data behind it, with the kinds where they are said: `text (email, phone)`.
    pub personal: Vec<String>,
    /// When it runs.
    pub passes: Vec<Pass>,
    /// What of it outlives the pass that it runs in.
    pub kept: Kept,
    /// What it goes by that is not written: how near-duplicates are looked for.
    pub note: Option<String>,
}

/// The kinds of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// Files are read.
    Source,
    /// `set`
    Set,
    /// `drop`
    Drop,
    /// `dedup`
    Dedup,
    /// `decontaminate`
    Decontaminate,
    /// `sample`, `take`, `balance`, `mix`, `weight`
    Sample,
    /// `label`
    Label,
    /// `redact`
    Redact,
    /// `forbid`
    Forbid,
    /// `split`
    Split,
    /// `require` of the whole set
    Require,
    /// `write`
    Output,
    /// `model`
    Model,
    /// `train`
    Train,
    /// `evaluate`
    Evaluate,
}

impl NodeKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Set => "set",
            Self::Drop => "drop",
            Self::Dedup => "dedup",
            Self::Decontaminate => "decontaminate",
            Self::Sample => "sample",
            Self::Label => "label",
            Self::Redact => "redact",
            Self::Forbid => "forbid",
            Self::Split => "split",
            Self::Require => "require",
            Self::Output => "write",
            Self::Model => "model",
            Self::Train => "train",
            Self::Evaluate => "evaluate",
        }
    }
}

/// When a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass {
    /// Each file is hashed and cut into chunks.
    Survey,
    /// Every record is decided about.
    First,
    /// The texts of a near-duplicate search are compared.
    Compare,
    /// What was decided is put together: duplicates, label values, the split, what must hold of the whole set.
    Between,
    /// The records that are emitted are computed again and written.
    Second,
    /// Weights are learnt.
    Training,
    /// Figures are measured.
    Evaluation,
}

impl Pass {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::First => "pass 1",
            Self::Compare => "compare",
            Self::Between => "between",
            Self::Second => "pass 2",
            Self::Training => "training",
            Self::Evaluation => "evaluation",
        }
    }
}

/// What of a step outlives the pass that it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Nothing: it is computed again where it is needed.
    Nothing,
    /// Its verdict, key or value of each record, up to the end of the build.
    ToTheEnd,
    /// Its result, from one build to the next while nothing that it depends on has changed.
    BetweenBuilds,
}

impl Kept {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "computed anew",
            Self::ToTheEnd => "kept between the passes",
            Self::BetweenBuilds => "kept between builds",
        }
    }
}

/// What goes from one step to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// An index into [`Outline::nodes`].
    pub from: usize,
    /// An index into [`Outline::nodes`].
    pub to: usize,
    /// The fields with it that may hold personal data, as in [`Node::personal`].
    pub personal: Vec<String>,
}

/// The outline of some targets: the data sets first, then the runs with their models, then the evaluations, which are
/// indices into the program's.
pub fn outline(program: &Program, datasets: &[DatasetId], trains: &[TrainId], evaluates: &[usize]) -> Outline {
    let mut outline = Outline::default();
    let mut ends = Vec::new();
    for id in datasets {
        ends.push((*id, dataset::add(&mut outline, program, *id)));
    }
    targets::add(&mut outline, program, &ends, trains, evaluates);
    outline
}

impl Outline {
    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn connect(&mut self, from: usize, to: usize) {
        let personal = self.nodes[from].personal.clone();
        self.edges.push(Edge { from, to, personal });
    }
}
