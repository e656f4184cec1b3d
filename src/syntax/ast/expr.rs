//! Expressions.

use super::Ident;
use crate::source::{Span, Spanned};

/// An expression with its place.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// All of its characters.
    pub span: Span,
}

/// The forms of an expression. Precedence is settled; `x |> f(a)` is already `f(x, a)`.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1_000`
    Int(i64),
    /// `0.5`, `3e-4`
    Float(f64),
    /// `20%`: the number before the sign.
    Percent(f64),
    /// `"…"` or `"""…"""`
    Text(String),
    /// `/…/i`: pattern and flags.
    Regex {
        /// The pattern, `\/` undone.
        pattern: String,
        /// Letters out of `i`, `s`, `x`.
        flags: String,
    },
    /// A name.
    Name(Ident),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{ a: 1, b: 2 }`
    Record(Vec<(Ident, Expr)>),
    /// `a.b`
    Member(Box<Expr>, Ident),
    /// `a[0]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, b)`, and `a |> f(b)` with `piped` set.
    Call {
        /// The function's name.
        function: Ident,
        /// The arguments, a piped one first.
        args: Vec<Expr>,
        /// Whether the first argument came through `|>`.
        piped: bool,
    },
    /// `by gender`, as an argument of a metric: `gap(accuracy, by gender)`
    By(Box<Expr>),
    /// `-a`, `not a`
    Unary(Spanned<UnaryOp>, Box<Expr>),
    /// `a + b`
    Binary(Spanned<BinaryOp>, Box<Expr>, Box<Expr>),
    /// `a is null`, `a is not null`
    IsNull {
        /// What is asked.
        value: Box<Expr>,
        /// Whether `not` stands between.
        negated: bool,
    },
    /// `a in [b, c]`, `a not in [b, c]`
    In {
        /// What is looked for.
        value: Box<Expr>,
        /// Where it is looked for.
        list: Box<Expr>,
        /// Whether `not` stands before `in`.
        negated: bool,
    },
    /// `a matches /…/`
    Matches {
        /// The text searched.
        value: Box<Expr>,
        /// The pattern, a regex literal or a constant.
        pattern: Box<Expr>,
    },
    /// `a match { 1, 2 => x; else => y }`
    Match {
        /// What is compared.
        subject: Box<Expr>,
        /// The arms in order.
        arms: Vec<Arm>,
    },
}

/// One arm of a `match`.
#[derive(Debug, Clone)]
pub struct Arm {
    /// The patterns before `=>`; empty for `else`.
    pub patterns: Vec<Expr>,
    /// What it gives.
    pub body: ArmBody,
    /// The whole arm.
    pub span: Span,
}

/// What stands after `=>`.
#[derive(Debug, Clone)]
pub enum ArmBody {
    /// A value.
    Value(Expr),
    /// The action `drop`.
    Drop(Span),
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `??`
    Coalesce,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `and`
    And,
    /// `or`
    Or,
}

impl BinaryOp {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Coalesce => "??",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => "and",
            Self::Or => "or",
        }
    }
}
