//! The resolved program: ids, types, typed expressions. Nothing in it can be wrong any more: `semantic` builds it only
//! from what it has proved, and every later stage matches it without a fallback.

pub mod dataset;
pub mod evaluate;
pub mod expr;
pub mod format;
pub mod label;
pub mod split;
pub mod template;
pub mod test;
pub mod train;
pub mod types;

pub use dataset::{
    Column, ColumnId, Credit, Dataset, Evaluated, FromPack, Keep, Output, OutputFormat, Personal, PersonalStatement,
    Purpose, RequireSubject, Requirement, Step, StepBlock, StepKind, Taken, Terms,
};
pub use evaluate::{Evaluate, Gate, Generation, MetricRef, Sampling, Slice};
pub use expr::{BinaryOp, Expr, ExprKind, Literal};
pub use format::{
    ColumnKind, Compression, Dialect, FORMATS, FormatOption, FormatRow, ReadOptions, SourceFormat, TextUnit, extension,
};
pub use label::{Choices, DeclaredSchema, Label, LabelForm, LabelSchema, LabelValue, LabelValues, ScalarSchema, Spans};
pub use split::{FixedPart, Period, Split, SplitRule, TimeOrder};
pub use template::{Template, TemplateKind, Turn};
pub use test::{Expect, Subject, Test, TestCase, TestKind, TestUse, Value};
pub use train::{
    Architecture, Base, DeviceWish, Every, Lora, Model, ModelOrigin, Optimizer, Overflow, Patience, Pooling, Precision,
    Schedule, Selection, Stretch, Task, Train, TrainLength, Tune,
};
pub use types::{FieldType, Type};

use crate::source::Span;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident => $list:ident: $of:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            #[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
            pub struct $name(pub u32);

            impl std::ops::Index<$name> for Program {
                type Output = $of;
                fn index(&self, id: $name) -> &$of {
                    &self.$list[id.0 as usize]
                }
            }
        )*
    };
}

ids! {
    /// A source of the program.
    SourceId => sources: Source;
    /// A label of the program.
    LabelId => labels: Label;
    /// A template of the program.
    TemplateId => templates: Template;
    /// A data set of the program.
    DatasetId => datasets: Dataset;
    /// A model of the program.
    ModelId => models: Model;
    /// A training run of the program.
    TrainId => trains: Train;
}

/// A whole program.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Sources in order of declaration.
    pub sources: Vec<Source>,
    /// Labels in order of declaration.
    pub labels: Vec<Label>,
    /// Templates in order of declaration.
    pub templates: Vec<Template>,
    /// Data sets in order of declaration.
    pub datasets: Vec<Dataset>,
    /// Models in order of declaration.
    pub models: Vec<Model>,
    /// Training runs in order of declaration.
    pub trains: Vec<Train>,
    /// Evaluations in order of declaration.
    pub evaluates: Vec<Evaluate>,
    /// Unit tests in order of declaration.
    pub tests: Vec<Test>,
}

/// Where records come from.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct Source {
    /// Its name.
    pub name: String,
    /// What its `///` lines say.
    pub doc: Option<String>,
    /// File patterns in order, as written.
    pub paths: Vec<String>,
    /// The folder that they begin at, from the spec's own folder, with `/`: empty for a source of the spec itself.
    pub folder: String,
    /// How its files are read.
    pub format: SourceFormat,
    /// What is said of the format.
    pub options: ReadOptions,
    /// The longest row in bytes; the engine's own limit where nothing is said.
    pub longest_row: Option<u64>,
    /// Its fields in order.
    pub fields: Vec<SourceField>,
    /// The SPDX expression.
    pub license: Option<String>,
    /// Where it was taken from.
    pub origin: Option<String>,
    /// On what ground it may be used.
    pub consent: Option<String>,
    /// What a bad row does.
    pub on_bad_row: OnBadRow,
    /// The declaration.
    pub span: Span,
    /// The `path` statement.
    pub path_span: Span,
}

impl Source {
    /// Whether a field has the name of the record's file.
    pub fn reads_name(&self) -> bool {
        let is_made = self.format.row().columns.iter().any(|(name, _)| *name == "path");
        is_made && self.fields.iter().any(|field| field.column == ["path"])
    }
}

/// A field as a source has it.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct SourceField {
    /// The name that the program uses.
    pub name: String,
    /// What its `///` lines say.
    pub doc: Option<String>,
    /// The path of keys in the source: the name itself, or `@column("data.q")` split at the dots.
    pub column: Vec<String>,
    /// Its type.
    pub ty: FieldType,
    /// The kinds of personal data it may hold.
    pub personal: Option<Personal>,
    /// Whether it is the record's stable identity.
    pub key: bool,
    /// Whether records with one value may never be split apart.
    pub group: bool,
    /// Where it was declared.
    pub span: Span,
}

/// What a row that cannot be read does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub enum OnBadRow {
    /// It goes to the quarantine with its place and reason.
    Quarantine,
    /// It fails the build.
    Fail,
}
