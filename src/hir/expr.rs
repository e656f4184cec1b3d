//! Typed expressions. Names, overloads, conversions and regexes are settled.

use super::{ColumnId, FieldType};
use crate::plan::functions::Function;
use crate::source::Span;

/// An expression with its type and place.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: FieldType,
    /// Where it was written.
    pub span: Span,
}

impl Expr {
    /// Calls `visit` with this expression and every one inside it.
    pub fn visit(&self, visit: &mut impl FnMut(&Expr)) {
        visit(self);
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Column(_) => {}
            ExprKind::Call(_, arguments) => arguments.iter().for_each(|argument| argument.visit(visit)),
            ExprKind::Negate(of)
            | ExprKind::Not(of)
            | ExprKind::ToFloat(of)
            | ExprKind::Member(of, _)
            | ExprKind::Element(of, _) => of.visit(visit),
            ExprKind::Binary(_, left, right) => {
                left.visit(visit);
                right.visit(visit);
            }
            ExprKind::IsNull { value, .. } | ExprKind::In { value, .. } | ExprKind::Matches { value, .. } => {
                value.visit(visit);
            }
            ExprKind::Match { subject, arms, otherwise } => {
                subject.visit(visit);
                arms.iter().for_each(|(_, body)| body.visit(visit));
                if let Some(otherwise) = otherwise {
                    otherwise.visit(visit);
                }
            }
        }
    }

    /// The same expression as if it had been written, with all that is inside it, at one place.
    pub fn at(self, span: Span) -> Self {
        let at = |of: Box<Expr>| Box::new(of.at(span));
        let kind = match self.kind {
            kind @ (ExprKind::Literal(_) | ExprKind::Column(_)) => kind,
            ExprKind::Call(function, arguments) => {
                ExprKind::Call(function, arguments.into_iter().map(|argument| argument.at(span)).collect())
            }
            ExprKind::Negate(of) => ExprKind::Negate(at(of)),
            ExprKind::Not(of) => ExprKind::Not(at(of)),
            ExprKind::ToFloat(of) => ExprKind::ToFloat(at(of)),
            ExprKind::Member(of, name) => ExprKind::Member(at(of), name),
            ExprKind::Element(of, place) => ExprKind::Element(at(of), place),
            ExprKind::Binary(op, left, right) => ExprKind::Binary(op, at(left), at(right)),
            ExprKind::IsNull { value, negated } => ExprKind::IsNull { value: at(value), negated },
            ExprKind::In { value, list, negated } => ExprKind::In { value: at(value), list, negated },
            ExprKind::Matches { value, pattern } => ExprKind::Matches { value: at(value), pattern },
            ExprKind::Match { subject, arms, otherwise } => ExprKind::Match {
                subject: at(subject),
                arms: arms.into_iter().map(|(patterns, body)| (patterns, body.at(span))).collect(),
                otherwise: otherwise.map(at),
            },
        };
        Self { kind, ty: self.ty, span }
    }

    /// Calls `visit` with each column that it reads, once for each place.
    pub fn visit_columns(&self, visit: &mut impl FnMut(ColumnId)) {
        self.visit(&mut |part| {
            if let ExprKind::Column(column) = part.kind {
                visit(column);
            }
        });
    }
}

/// The forms of an expression. Nulls are three-valued: an operator with a null operand gives null, `and`/`or` as in SQL.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A column's value at this step.
    Column(ColumnId),
    /// A scalar function of the language.
    Call(&'static Function, Vec<Expr>),
    /// `-a` of a number.
    Negate(Box<Expr>),
    /// `not a`
    Not(Box<Expr>),
    /// Both sides have one type (an int beside a float is in an [`ExprKind::ToFloat`]).
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// The only conversion: int to float.
    ToFloat(Box<Expr>),
    /// `a is null`, or `a is not null` when negated.
    IsNull {
        /// What is asked.
        value: Box<Expr>,
        /// Whether `not` stands between.
        negated: bool,
    },
    /// `a in [ … ]`
    In {
        /// What is looked for.
        value: Box<Expr>,
        /// Constants of the same type.
        list: Vec<Literal>,
        /// Whether `not` stands before `in`.
        negated: bool,
    },
    /// `a matches /…/`: whether the pattern is found anywhere. The pattern compiles in the `regex` crate; flags stand in it as `(?i)`.
    Matches {
        /// The text searched.
        value: Box<Expr>,
        /// The pattern.
        pattern: String,
    },
    /// `a match { … }`: the body of the first arm that has the value; `otherwise`, else null.
    Match {
        /// What is compared.
        subject: Box<Expr>,
        /// Constants and what they give.
        arms: Vec<(Vec<Literal>, Expr)>,
        /// What `else` gives.
        otherwise: Option<Box<Expr>>,
    },
    /// `a.b` of a record.
    Member(Box<Expr>, String),
    /// `a[0]` of a list, `a[-1]` from its end; null where the list is shorter.
    Element(Box<Expr>, i64),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text, or a label value's name.
    String(String),
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+` of numbers; of texts, joining them.
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`: always a float; division by zero is null.
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
