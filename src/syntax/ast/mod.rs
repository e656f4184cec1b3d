//! The syntax tree: what was written, with spans and nothing resolved.
//!
//! One file per family of declarations. Names are plain text here; which declaration a name means, and what type an
//! expression has, is decided in `semantic`.

pub mod clean;
pub mod dataset;
pub mod expr;
pub mod label;
pub mod policy;
pub mod source;
pub mod template;
pub mod test;
pub mod train;

pub use expr::{Arm, ArmBody, BinaryOp, Expr, ExprKind, UnaryOp};

use crate::source::{Span, Spanned};

/// A name as it was written, without its backticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The characters of the name.
    pub name: String,
    /// Where it stands, backticks included.
    pub span: Span,
}

/// The text of a string after its escapes (and, for `"""`, its indentation) were undone.
pub type Text = Spanned<String>;

/// A number with its unit, as an option takes it: `20%`, `64 tokens`, `3e-4`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The number; a percentage is the number before the sign.
    pub value: f64,
    /// Whether it was written without `.` and exponent.
    pub integer: bool,
    /// Whether `%` follows.
    pub percent: bool,
    /// The unit's word.
    pub unit: Option<Ident>,
    /// The number with its unit.
    pub span: Span,
}

/// A whole `.annot` file.
#[derive(Debug, Clone)]
pub struct File {
    /// The number after the leading `annot`.
    pub edition: Option<Spanned<u32>>,
    /// The declarations that could be read, in order.
    pub decls: Vec<Decl>,
    /// The names of declarations that were lost or that lack a statement, because a mistake stands in them: what
    /// follows from their absence is no further mistake of the author.
    pub damaged: Vec<Ident>,
}

/// One top-level declaration.
#[derive(Debug, Clone)]
pub enum Decl {
    /// `source NAME { … }`
    Source(source::Source),
    /// `label NAME: TYPE`
    Label(label::Label),
    /// `clean NAME { … }`
    Clean(clean::Clean),
    /// `policy NAME { … }`
    Policy(policy::Policy),
    /// `template NAME: KIND { … }`
    Template(template::Template),
    /// `dataset NAME { … }`
    Dataset(dataset::Dataset),
    /// `model NAME { … }`
    Model(train::Model),
    /// `train NAME { … }`
    Train(train::Train),
    /// `evaluate TRAIN on DATASET.PART { … }`
    Evaluate(train::Evaluate),
    /// `test NAME "title" { … }`
    Test(test::Test),
    /// `use "file": a, b as c`
    Use(Use),
    /// `let NAME = EXPR`
    Let(Let),
    /// `fn NAME(a: T) = EXPR`
    Fn(Fn),
}

impl Decl {
    /// All of its characters, its documentation left out.
    pub fn span(&self) -> Span {
        match self {
            Self::Source(decl) => decl.span,
            Self::Label(decl) => decl.span,
            Self::Clean(decl) => decl.span,
            Self::Policy(decl) => decl.span,
            Self::Template(decl) => decl.span,
            Self::Dataset(decl) => decl.span,
            Self::Model(decl) => decl.span,
            Self::Train(decl) => decl.span,
            Self::Evaluate(decl) => decl.span,
            Self::Test(decl) => decl.span,
            Self::Use(decl) => decl.span,
            Self::Let(decl) => decl.span,
            Self::Fn(decl) => decl.span,
        }
    }
}

/// `use "pii.annot": house, bank as base`
#[derive(Debug, Clone)]
pub struct Use {
    /// The other file.
    pub path: Text,
    /// The names taken, each with the name it gets here.
    pub names: Vec<(Ident, Option<Ident>)>,
    /// The whole statement.
    pub span: Span,
}

/// `let NAME = EXPR`
#[derive(Debug, Clone)]
pub struct Let {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The constant's name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `fn NAME(a: T, …) = EXPR`
#[derive(Debug, Clone)]
pub struct Fn {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The function's name.
    pub name: Ident,
    /// Parameters with their types.
    pub params: Vec<(Ident, source::TypeExpr)>,
    /// What it gives.
    pub body: Expr,
    /// The whole statement.
    pub span: Span,
}

/// One option of a block: `rank 8`, `weight_decay 0.01`, `betas [0.9, 0.999]`, `on`.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The option's name.
    pub name: Ident,
    /// Its value, when one was given.
    pub value: Option<SettingValue>,
    /// The whole statement.
    pub span: Span,
}

/// The value of a [`Setting`].
#[derive(Debug, Clone)]
pub enum SettingValue {
    /// A number, with or without a unit.
    Quantity(Quantity),
    /// A word: `on`, `mean`, `balanced`.
    Word(Ident),
    /// A string.
    Text(Text),
    /// `["query", "value"]`
    Texts(Vec<Text>),
    /// `[0.9, 0.999]`
    List(Vec<Quantity>),
}
