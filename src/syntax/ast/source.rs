//! `source` declarations and types.

use super::{Ident, Text};
use crate::source::Span;

/// `source NAME { … }`
#[derive(Debug, Clone)]
pub struct Source {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The source's name.
    pub name: Ident,
    /// Its statements in order.
    pub items: Vec<SourceItem>,
    /// The whole declaration.
    pub span: Span,
}

/// A statement of a `source` block.
#[derive(Debug, Clone)]
pub struct SourceItem {
    /// What it says.
    pub kind: SourceItemKind,
    /// The whole statement.
    pub span: Span,
}

/// The statements that a `source` block can hold.
#[derive(Debug, Clone)]
pub enum SourceItemKind {
    /// `path "…"`, one or several.
    Path(Vec<Text>),
    /// `annotations "…"`, one or several.
    Annotations(Vec<Text>),
    /// `format csv`, with options in a block.
    Format(Ident, Vec<super::Setting>),
    /// `license "…"`
    License(Text),
    /// `origin "…"`
    Origin(Text),
    /// `consent "…"`
    Consent(Text),
    /// `on_bad_row quarantine`
    OnBadRow(Ident),
    /// `row at most 8 MiB`
    Row(super::Quantity),
    /// `fields { … }`
    Fields(Vec<Field>),
}

/// `name: type @attribute`
#[derive(Debug, Clone)]
pub struct Field {
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// The field's name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// The whole statement.
    pub span: Span,
}

/// `@personal`, `@personal(email, name)`, `@column("data.q")`
#[derive(Debug, Clone)]
pub struct Attribute {
    /// The word after `@`.
    pub name: Ident,
    /// The arguments in parentheses.
    pub args: Vec<AttributeArg>,
    /// The whole attribute.
    pub span: Span,
}

/// An argument of an attribute.
#[derive(Debug, Clone)]
pub enum AttributeArg {
    /// A word.
    Name(Ident),
    /// A string.
    Text(Text),
}

/// A type as it was written.
#[derive(Debug, Clone)]
pub struct TypeExpr {
    /// Its form, without the `?`.
    pub kind: TypeExprKind,
    /// Whether `?` follows.
    pub nullable: bool,
    /// All of its characters.
    pub span: Span,
}

/// The forms of a type.
#[derive(Debug, Clone)]
pub enum TypeExprKind {
    /// `string`, `int`, a label's name …
    Name(Ident),
    /// `list<T>`
    List(Box<TypeExpr>),
    /// `{ role: string, content: string }`
    Record(Vec<(Ident, TypeExpr)>),
}
