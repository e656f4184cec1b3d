//! `dataset` declarations.

use super::clean::Near;
use super::{Expr, Ident, Quantity, Setting, Text};
use crate::source::Span;

/// `dataset NAME { … }`
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The data set's name.
    pub name: Ident,
    /// Its statements in the order written.
    pub items: Vec<Item>,
    /// The whole declaration.
    pub span: Span,
}

/// A statement with its place.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it says.
    pub kind: ItemKind,
    /// The whole statement.
    pub span: Span,
}

/// The statements of a `dataset` block.
#[derive(Debug, Clone)]
pub enum ItemKind {
    /// `from a, b`
    From(Vec<Ident>),
    /// `purpose "commercial"`
    Purpose(Text),
    /// `clean a, b`
    Clean(Vec<Ident>),
    /// `policy a, b`
    Policy(Vec<Ident>),
    /// `label NAME = EXPR [else drop]` or `label NAME { … }`
    Label {
        /// The label's name.
        name: Ident,
        /// Where its values come from.
        body: LabelBody,
    },
    /// `sample 10% [seed 7]`
    Sample {
        /// The share of the records.
        share: Quantity,
        /// The seed.
        seed: Option<Quantity>,
    },
    /// `take 1000 [per FIELD] [seed 7]`
    Take {
        /// The number of records.
        count: Quantity,
        /// The field for each value of which so many are taken.
        per: Option<Ident>,
        /// The seed.
        seed: Option<Quantity>,
    },
    /// `balance FIELD [at most 3 times] [seed 7]`
    Balance {
        /// The field whose values are balanced.
        field: Ident,
        /// How many times the rarest value each other one may occur.
        at_most: Option<Quantity>,
        /// The seed.
        seed: Option<Quantity>,
    },
    /// `mix SOURCE 70%, SOURCE 30% [seed 7]`
    Mix {
        /// The sources with their shares.
        shares: Vec<(Ident, Quantity)>,
        /// The seed.
        seed: Option<Quantity>,
    },
    /// `weight SOURCE 0.5 [seed 7]`
    Weight {
        /// The source.
        source: Ident,
        /// How often each of its records occurs in the mean.
        weight: Quantity,
        /// The seed.
        seed: Option<Quantity>,
    },
    /// `split …`
    Split(Split),
    /// `write FORMAT [from TEMPLATE] [as NAME] [{ options }]`
    Write {
        /// The format's name.
        format: Ident,
        /// The template.
        template: Option<Ident>,
        /// The folder's name, when it is not the format's.
        name: Option<Ident>,
        /// Options.
        settings: Vec<Setting>,
    },
}

/// How a data set's label gets its value.
#[derive(Debug, Clone)]
pub enum LabelBody {
    /// `= EXPR [else drop]`
    Value {
        /// A raw value or a `match`.
        value: Expr,
        /// The place of `else drop`.
        else_drop: Option<Span>,
    },
    /// `{ from …; resolve …; require … }`
    Block(Vec<LabelItem>),
}

/// A statement of a label block.
#[derive(Debug, Clone)]
pub struct LabelItem {
    /// What it says.
    pub kind: LabelItemKind,
    /// The whole statement.
    pub span: Span,
}

/// The statements of a label block.
#[derive(Debug, Clone)]
pub enum LabelItemKind {
    /// `from EXPR [else drop]`: gold.
    From {
        /// The raw value.
        value: Expr,
        /// The place of `else drop`.
        else_drop: Option<Span>,
    },
    /// `from annotations "a.jsonl", …`
    FromAnnotations(Vec<Text>),
    /// `from rule "name" when CONDITION => VALUE`
    FromRule {
        /// The rule's name.
        name: Text,
        /// When it votes.
        condition: Expr,
        /// What it votes for.
        value: Expr,
    },
    /// `from model NAME when CONDITION [vote]`
    FromModel {
        /// The training run.
        model: Ident,
        /// When it suggests.
        condition: Option<Expr>,
        /// Whether it votes.
        vote: Option<Span>,
    },
    /// `resolve METHOD [else drop]`
    Resolve {
        /// `majority`, `unanimous`, `first`, `dawid_skene`, `label_model`.
        method: Ident,
        /// The place of `else drop`.
        else_drop: Option<Span>,
    },
    /// `require CONDITION`
    Require(Expr),
}

/// `split test from heldout, train 90%, validation 10% by text near 0.85 stratify intent seed 7`, or `split as part`
#[derive(Debug, Clone)]
pub struct Split {
    /// The field of `split as FIELD`.
    pub by_field: Option<Ident>,
    /// The parts in order.
    pub parts: Vec<Part>,
    /// `by …`
    pub by: Option<SplitBy>,
    /// `check FIELD near 0.85`: near-duplicates that stand in two parts are counted.
    pub check: Option<Box<(Ident, Near)>>,
    /// `stratify LABEL`
    pub stratify: Option<Ident>,
    /// `seed 7`
    pub seed: Option<Quantity>,
}

/// What a split goes by.
#[derive(Debug, Clone)]
pub enum SplitBy {
    /// `by FIELD`: records with one value stay together.
    Field(Ident),
    /// `by FIELD near 0.85`: near-duplicates stay together.
    Near(Ident, Near),
    /// `by time FIELD`: the parts follow each other in time.
    Time(Ident),
}

impl SplitBy {
    /// The field.
    pub fn field(&self) -> &Ident {
        match self {
            SplitBy::Field(field) | SplitBy::Near(field, _) | SplitBy::Time(field) => field,
        }
    }
}

/// One part of a split.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: Ident,
    /// What goes into it.
    pub what: PartKind,
    /// The whole part.
    pub span: Span,
}

/// What goes into a part.
#[derive(Debug, Clone)]
pub enum PartKind {
    /// `test from heldout`
    From(Vec<Ident>),
    /// `train 90%`
    Share(Quantity),
    /// `validation from "2024-01-01" before "2024-07-01"`
    Period {
        /// The first moment that belongs to it.
        from: Option<Text>,
        /// The first moment that belongs to it no more.
        before: Option<Text>,
    },
}
