//! `label` declarations.

use super::{Expr, Ident, Quantity, Text};
use crate::source::Span;

/// `label NAME: TYPE`
#[derive(Debug, Clone)]
pub struct Label {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The label's name.
    pub name: Ident,
    /// Its schema.
    pub schema: Schema,
    /// The whole declaration.
    pub span: Span,
}

/// The schemas that a label can have.
#[derive(Debug, Clone)]
pub enum Schema {
    /// `choice { … }` and `choice from …`
    Choice(Values),
    /// `choices(1..3) { … }`
    Choices {
        /// The least and the greatest number of values.
        count: Option<(Quantity, Quantity)>,
        /// The values.
        values: Values,
    },
    /// `spans over FIELD { … } overlap no`
    Spans {
        /// The field that the spans refer to.
        field: Ident,
        /// The kinds of span.
        values: Values,
        /// The word after `overlap`.
        overlap: Option<Ident>,
    },
    /// `scale 1..5 { constraints }`
    Scale {
        /// The lowest value.
        low: Quantity,
        /// The highest value.
        high: Quantity,
        /// `when … require …`
        constraints: Vec<Constraint>,
    },
    /// `json { name: type; … }`
    Json(Vec<super::source::Field>),
    /// `number`, `flag`, `text`, `rank`, `preference`
    Simple(Ident),
}

/// Where the values of a label come from.
#[derive(Debug, Clone)]
pub enum Values {
    /// Written out.
    Listed(Vec<Value>),
    /// `from SOURCE.FIELD`
    Field {
        /// The source's name.
        source: Ident,
        /// The field's name.
        field: Ident,
    },
    /// `from "labels/intents.yaml"`
    File(Text),
}

/// One value of a label, with those below it in a tree.
#[derive(Debug, Clone)]
pub struct Value {
    /// The guideline: the text of the `///` lines before it.
    pub doc: Option<String>,
    /// The value's name.
    pub name: Ident,
    /// The title that people read.
    pub title: Option<Text>,
    /// The key that labels it.
    pub key: Option<Text>,
    /// The values below it.
    pub children: Vec<Value>,
    /// The whole statement.
    pub span: Span,
}

/// `when CONDITION require CONDITION`
#[derive(Debug, Clone)]
pub struct Constraint {
    /// When it applies.
    pub when: Expr,
    /// What must hold then.
    pub require: Expr,
    /// The whole statement.
    pub span: Span,
}
