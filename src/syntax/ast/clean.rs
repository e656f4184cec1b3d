//! `clean` declarations.

use super::{Expr, Ident, Quantity, Setting, Text};
use crate::source::Span;

/// `clean NAME { … }`
#[derive(Debug, Clone)]
pub struct Clean {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The block's name.
    pub name: Ident,
    /// Its rules in order.
    pub rules: Vec<Rule>,
    /// The whole declaration.
    pub span: Span,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it does.
    pub kind: RuleKind,
    /// The whole statement.
    pub span: Span,
}

/// The rules of a `clean` block.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// `set FIELD = EXPR`
    Set {
        /// The field that gets the value.
        field: Ident,
        /// The value.
        value: Expr,
    },
    /// `drop "reason" when CONDITION`
    Drop {
        /// What the audit says.
        reason: Text,
        /// When the record goes.
        condition: Expr,
    },
    /// `dedup FIELD, … exactly` or `near 0.85`
    Dedup {
        /// The fields compared.
        fields: Vec<Ident>,
        /// How they are compared.
        how: DedupHow,
    },
    /// `pack NAME of FIELD { … }`
    Pack {
        /// The pack's name.
        name: Ident,
        /// The field that it reads; `text` where none is named.
        field: Option<Ident>,
        /// Its options.
        settings: Vec<Setting>,
    },
}

/// How a `dedup` compares.
#[derive(Debug, Clone)]
pub enum DedupHow {
    /// `exactly`
    Exactly(Span),
    /// `near 0.85`
    Near(Quantity),
}
