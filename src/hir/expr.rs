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
        self.visit_parts(&mut |part| part.visit(visit));
    }

    /// Calls `visit` with the parts of this expression, and not with theirs.
    pub fn visit_parts(&self, visit: &mut dyn FnMut(&Expr)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Column(_) => {}
            ExprKind::Call(_, arguments) => arguments.iter().for_each(visit),
            ExprKind::Negate(of)
            | ExprKind::Not(of)
            | ExprKind::ToFloat(of)
            | ExprKind::Member(of, _)
            | ExprKind::Element(of, _) => visit(of),
            ExprKind::Binary(_, left, right) => {
                visit(left);
                visit(right);
            }
            ExprKind::IsNull { value, .. } | ExprKind::In { value, .. } | ExprKind::Matches { value, .. } => {
                visit(value);
            }
            ExprKind::Match { subject, arms, otherwise } => {
                visit(subject);
                arms.iter().for_each(|(_, body)| visit(body));
                if let Some(otherwise) = otherwise {
                    visit(otherwise);
                }
            }
        }
    }

    /// The same expression with other parts; `None` where `part` gives none for one of them.
    pub fn with_parts(&self, part: &mut dyn FnMut(&Expr) -> Option<Expr>) -> Option<Expr> {
        let mut one = |of: &Expr| part(of).map(Box::new);
        let kind = match &self.kind {
            ExprKind::Literal(_) | ExprKind::Column(_) => self.kind.clone(),
            ExprKind::Call(function, arguments) => {
                ExprKind::Call(function, arguments.iter().map(part).collect::<Option<_>>()?)
            }
            ExprKind::Negate(of) => ExprKind::Negate(one(of)?),
            ExprKind::Not(of) => ExprKind::Not(one(of)?),
            ExprKind::ToFloat(of) => ExprKind::ToFloat(one(of)?),
            ExprKind::Member(of, name) => ExprKind::Member(one(of)?, name.clone()),
            ExprKind::Element(of, place) => ExprKind::Element(one(of)?, *place),
            ExprKind::Binary(op, left, right) => ExprKind::Binary(*op, one(left)?, one(right)?),
            ExprKind::IsNull { value, negated } => ExprKind::IsNull { value: one(value)?, negated: *negated },
            ExprKind::In { value, list, negated } => {
                ExprKind::In { value: one(value)?, list: list.clone(), negated: *negated }
            }
            ExprKind::Matches { value, pattern } => ExprKind::Matches { value: one(value)?, pattern: pattern.clone() },
            ExprKind::Match { subject, arms, otherwise } => ExprKind::Match {
                subject: one(subject)?,
                otherwise: match otherwise {
                    Some(otherwise) => Some(one(otherwise)?),
                    None => None,
                },
                arms: arms
                    .iter()
                    .map(|(patterns, body)| Some((patterns.clone(), part(body)?)))
                    .collect::<Option<_>>()?,
            },
        };
        Some(Expr { kind, ty: self.ty.clone(), span: self.span })
    }

    /// The same expression as if it had been written, with all that is inside it, at one place.
    pub fn at(&self, span: Span) -> Self {
        self.map(&mut |part| Self { span, ..part })
    }

    /// The expression with each part replaced by what `change` makes of it, from the inside out.
    pub fn map(&self, change: &mut dyn FnMut(Expr) -> Expr) -> Self {
        let inside = self.with_parts(&mut |part| Some(part.map(change))).expect("each part has another");
        change(inside)
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
