//! `policy` declarations.

use super::{Expr, Ident, Quantity, Text};
use crate::source::Span;

/// `policy NAME { … }`
#[derive(Debug, Clone)]
pub struct Policy {
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
    /// What it demands.
    pub kind: RuleKind,
    /// The whole statement.
    pub span: Span,
}

/// The rules of a `policy` block.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// `redact @personal: email, phone` or `redact text: email`
    Redact {
        /// The fields, or `@personal`.
        targets: Vec<Target>,
        /// The kinds of personal data.
        kinds: Vec<Ident>,
    },
    /// `forbid "reason" when CONDITION [else drop]`
    Forbid {
        /// What the report says.
        reason: Text,
        /// When it is violated.
        condition: Expr,
        /// The place of `else drop`: the record goes and the build goes on.
        else_drop: Option<Span>,
    },
    /// `allow license in [ … ]`
    AllowLicense(Vec<Text>),
    /// `allow personal FIELD, … because "…"`
    AllowPersonal {
        /// The fields.
        fields: Vec<Ident>,
        /// The reason, which the manifest records.
        because: Text,
    },
    /// `require AGGREGATE CMP BOUND [per NAME]`
    Require {
        /// A comparison of `count()` or `share()` with a number.
        condition: Expr,
        /// The label or field whose every value must satisfy it.
        per: Option<Ident>,
    },
    /// `keep for 24 months from created`
    KeepFor {
        /// How long.
        age: Quantity,
        /// The field that says since when.
        field: Ident,
    },
    /// `k_anonymous 5 over (age, region)`
    KAnonymous {
        /// The least number of records that look alike.
        k: Quantity,
        /// The fields looked at.
        fields: Vec<Ident>,
    },
    /// `pack hipaa.safe_harbor`
    Pack(Vec<Ident>),
}

/// What a `redact` works on.
#[derive(Debug, Clone)]
pub enum Target {
    /// `@personal`: every field that may hold personal data.
    Personal(Span),
    /// One field.
    Field(Ident),
}
