//! Data sets: the record's columns, the steps over them and the outputs. Blocks are already instantiated:
//! a `clean` used by two data sets stands in both, resolved against each one's record.

use super::{Expr, FieldType, LabelForm, LabelId, SourceId, Split, TemplateId};
use crate::dedup::Scheme;
use crate::dedup::pieces::Pieces;
use crate::pii::Detector;
use crate::source::Span;

/// A column of a data set's record: an index into [`Dataset::columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u32);

/// A data set.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// What its `///` lines say.
    pub doc: Option<String>,
    /// Its sources in order.
    pub sources: Vec<SourceId>,
    /// The union of the sources' fields in order of appearance, then the labels. A field that a label of the same name
    /// hides stays here (the label's value is computed from it) with `hidden` set.
    pub columns: Vec<Column>,
    /// Cleaning rules, then labels, then policy rules, then what outputs ask of each record, then samples, each block's in
    /// the order written.
    pub steps: Vec<Step>,
    /// What must hold of the whole set.
    pub requirements: Vec<Requirement>,
    /// How it is split.
    pub split: Split,
    /// What is written.
    pub outputs: Vec<Output>,
    /// What was said about personal data, for the manifest.
    pub personal: Vec<PersonalStatement>,
    /// The join of the sources' licences, as an SPDX expression.
    pub license: Option<String>,
    /// What it is for and what its licences ask for that; `None` where no `purpose` is stated.
    pub terms: Option<Terms>,
    /// The declaration.
    pub span: Span,
}

/// What a data set is for, compared with the licences of its sources.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Its purposes in the order written.
    pub purposes: Vec<Purpose>,
    /// What its sources' licences ask of who passes its records on.
    pub credits: Vec<Credit>,
}

/// What a data set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To find something out, without earning money by it.
    Research,
    /// Inside an organisation, for its business too.
    Internal,
    /// To earn money.
    Commercial,
    /// To be given to others.
    Publication,
}

impl Purpose {
    /// Its word in the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::Research => "research",
            Self::Internal => "internal",
            Self::Commercial => "commercial",
            Self::Publication => "publication",
        }
    }
}

/// What one licence of a source asks for.
#[derive(Debug, Clone)]
pub struct Credit {
    /// The source.
    pub source: SourceId,
    /// The SPDX identifier.
    pub license: String,
    /// What it asks for, in words.
    pub duty: &'static str,
}

/// A column.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as it is read (for a label: once computed).
    pub ty: FieldType,
    /// The label whose value it holds.
    pub label: Option<LabelId>,
    /// Whether a label hides it: it is not written.
    pub hidden: bool,
    /// The kinds of personal data it may hold as it is read.
    pub personal: Option<Personal>,
    /// Whether it is the record's stable identity.
    pub key: bool,
    /// Whether records with one value may never be split apart.
    pub group: bool,
}

/// The kinds of personal data that a field may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub enum Personal {
    /// A bare `@personal`.
    Any,
    /// `@personal(email, name)`
    Kinds(Vec<String>),
}

/// One step over each record.
#[derive(Debug, Clone)]
pub struct Step {
    /// The block it stands in.
    pub block: StepBlock,
    /// The block's name: of the `clean`, the `policy`, the label or the output.
    pub block_name: String,
    /// What it does.
    pub kind: StepKind,
    /// How the audit names the rule: a drop's or forbid's reason, else the statement in short, `set text`.
    pub rule: String,
    /// The rule of a pack that it is: then `span` and `line` are those of the statement that names the pack.
    pub pack: Option<FromPack>,
    /// Where it was written.
    pub span: Span,
    /// The 1-based line of the spec that it begins on.
    pub line: u32,
}

/// A rule of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromPack {
    /// The pack's name.
    pub pack: &'static str,
    /// The rule's place in it.
    pub at: usize,
    /// The statement that stands for it, with the field and the options filled in.
    pub statement: String,
}

/// The kind of block that a step comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepBlock {
    /// `clean`
    Clean,
    /// `label`
    Label,
    /// `policy`
    Policy,
    /// `write`
    Write,
    /// What the data set itself says: `sample`, `take`, `balance`, `mix`, `weight`.
    Dataset,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// Gives a column a new value.
    Set {
        /// The column.
        column: ColumnId,
        /// Its new value.
        value: Expr,
    },
    /// Drops the records for which the condition is true.
    Drop {
        /// A boolean, maybe null: null does not fire.
        condition: Expr,
    },
    /// Keeps one record of those that agree in all these columns; null is a value of its own.
    DedupExact {
        /// The columns compared.
        columns: Vec<ColumnId>,
        /// Which one.
        keep: Keep,
    },
    /// Keeps one record of each cluster of near-duplicates.
    DedupNear {
        /// The column compared.
        column: ColumnId,
        /// How.
        scheme: Scheme,
        /// Which one.
        keep: Keep,
    },
    /// Cuts what occurred before, in order of location, out of a text, and drops the records of which nothing but white space
    /// is left.
    DedupPieces {
        /// The text.
        column: ColumnId,
        /// What is compared.
        pieces: Pieces,
    },
    /// Drops the records whose text shares a run of words with what is evaluated on.
    Decontaminate {
        /// The text.
        column: ColumnId,
        /// What is evaluated on.
        against: Vec<Evaluated>,
        /// The words of a run.
        words: usize,
    },
    /// Takes some of the records, by ranks that follow from the seed and the record's id. Records of a part that takes whole
    /// sources all stay.
    Sample {
        /// Which ones.
        taken: Taken,
        /// The seed of the ranks.
        seed: u64,
    },
    /// Gives a label its value.
    Label {
        /// The label's column.
        column: ColumnId,
        /// The label.
        label: LabelId,
        /// Its raw value.
        value: Expr,
        /// What is made of it; a record whose raw value does not fit is quarantined.
        form: LabelForm,
        /// What must hold of the record: `not when or require` of each constraint. Where one is false, the record is
        /// quarantined.
        constraints: Vec<Expr>,
        /// When the mapping says `drop`.
        drop_when: Option<Expr>,
        /// Whether a null value drops the record; else it is quarantined.
        null_drops: bool,
    },
    /// Replaces personal data in these text columns.
    Redact {
        /// The columns.
        columns: Vec<ColumnId>,
        /// The detectors, in the order of the table.
        detectors: Vec<&'static Detector>,
    },
    /// A condition that no emitted record may fulfil.
    Forbid {
        /// A boolean, maybe null: null does not fire.
        condition: Expr,
        /// Whether the record is dropped; else the build fails.
        else_drop: bool,
    },
    /// What `write preference` asks: a record is quarantined where a text of its pair is blank or its two answers are the
    /// same.
    Pair {
        /// An index into [`Dataset::outputs`].
        output: usize,
    },
}

/// Which of several equal or similar records is kept.
#[derive(Debug, Clone)]
pub enum Keep {
    /// The first, in order of location.
    First,
    /// The one for which this number is the highest, the first of two with one; null comes last.
    Best(Expr),
}

/// Texts that are evaluated on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluated {
    /// Every text in the files that a path names.
    Files {
        /// The path or pattern, as written.
        path: String,
        /// The folder that it begins at, from the spec's own folder, with `/`.
        folder: String,
    },
    /// A field of a source, as it is read.
    Field {
        /// The source.
        source: SourceId,
        /// The index of the field.
        field: usize,
    },
}

/// Which records a sample takes.
#[derive(Debug, Clone)]
pub enum Taken {
    /// A share of them, above 0 and up to 1.
    Share(f64),
    /// So many, or so many for each value of a column; null is a value of its own.
    Count {
        /// How many.
        count: u64,
        /// The column.
        per: Option<ColumnId>,
    },
    /// So many for each value of a column that none has more than `times` as many as the rarest.
    Balanced {
        /// The column.
        column: ColumnId,
        /// How many times, 1 or more.
        times: f64,
    },
    /// So many of each source that these shares hold; they add up to 1.
    Mixed(Vec<(SourceId, f64)>),
    /// Each record of a source so many times in the mean, copies in `train` alone.
    Weighted {
        /// The source.
        source: SourceId,
        /// How many times, above 0.
        weight: f64,
    },
}

impl Taken {
    /// The column whose values are counted each by itself.
    pub fn by(&self) -> Option<ColumnId> {
        match self {
            Taken::Count { per, .. } => *per,
            Taken::Balanced { column, .. } => Some(*column),
            Taken::Share(_) | Taken::Mixed(_) | Taken::Weighted { .. } => None,
        }
    }
}

/// What must hold of the whole set of emitted records.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// What is counted.
    pub subject: RequireSubject,
    /// The comparison: [`super::BinaryOp`] limited to the six comparisons.
    pub comparison: super::BinaryOp,
    /// The bound: a number of records, or a share from 0 to 1.
    pub bound: f64,
    /// The column whose every value must satisfy it; else the whole set.
    pub per: Option<ColumnId>,
    /// The rule as written.
    pub rule: String,
    /// Where it was written.
    pub span: Span,
    /// The 1-based line of the spec.
    pub line: u32,
}

/// What a [`Requirement`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequireSubject {
    /// `count()`
    Count,
    /// `share()`
    Share,
}

/// One `write` statement.
#[derive(Debug, Clone)]
pub struct Output {
    /// The folder's name.
    pub name: String,
    /// The format.
    pub format: OutputFormat,
    /// The template, for the formats that need one.
    pub template: Option<TemplateId>,
    /// Where it was written.
    pub span: Span,
}

/// The formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// `{"messages":[{"role","content"}]}`
    Messages,
    /// `{"instruction","input","output"}`
    Alpaca,
    /// `{"prompt","completion"}`
    PromptCompletion,
    /// `{"prompt","chosen","rejected"}`
    Preference,
    /// The typed columns, one JSON object on each line.
    Jsonl,
    /// The typed columns.
    Parquet,
}

/// A statement about personal data, which the manifest records.
#[derive(Debug, Clone)]
pub struct PersonalStatement {
    /// The column.
    pub column: ColumnId,
    /// The reason of `allow personal … because`; else the field was redacted.
    pub because: Option<String>,
}
