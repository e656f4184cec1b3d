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
        /// Which of several records is kept.
        keep: Option<Kept>,
    },
    /// `dedup lines of FIELD [at least 5 words]`
    DedupPieces {
        /// What the text is cut into.
        pieces: Pieces,
        /// The field.
        field: Ident,
        /// The length from which on a piece counts.
        at_least: Option<Quantity>,
    },
    /// `decontaminate FIELD against "eval/*.jsonl", SOURCE.FIELD by 13 words`
    Decontaminate {
        /// The field.
        field: Ident,
        /// What it may share nothing with.
        against: Vec<Evaluation>,
        /// How much in a row they may not share.
        by: Quantity,
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
    Near(Near),
}

/// `near 0.85 [over 24 characters | like datatrove]`
#[derive(Debug, Clone)]
pub struct Near {
    /// The least similarity.
    pub threshold: Quantity,
    /// What is said of the shingles and the bands.
    pub scheme: Option<NearScheme>,
    /// The whole clause.
    pub span: Span,
}

/// What is said of the shingles and the bands of a `near`.
#[derive(Debug, Clone)]
pub enum NearScheme {
    /// `over 24 characters`
    Over(Quantity),
    /// `like datatrove`
    Like(Ident),
}

/// `keep …`
#[derive(Debug, Clone)]
pub struct Kept {
    /// Which record it is.
    pub which: KeptWhich,
    /// The whole clause.
    pub span: Span,
}

/// Which of several records is kept.
#[derive(Debug, Clone)]
pub enum KeptWhich {
    /// `first`
    First,
    /// `longest`
    Longest,
    /// `best by EXPR`
    Best(Expr),
}

/// What a text is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pieces {
    /// `lines`
    Lines,
    /// `sentences`
    Sentences,
    /// `substrings`
    Substrings,
}

impl Pieces {
    /// Its word in the language.
    pub fn word(self) -> &'static str {
        match self {
            Pieces::Lines => "lines",
            Pieces::Sentences => "sentences",
            Pieces::Substrings => "substrings",
        }
    }
}

/// Texts that are evaluated on.
#[derive(Debug, Clone)]
pub enum Evaluation {
    /// `"eval/*.jsonl"`: every text in these files.
    Files(Text),
    /// `SOURCE.FIELD`
    Field(Ident, Ident),
}
