//! What conditions speak of: each subject once, with the values that it can have whatever the record holds.

use std::collections::HashMap;
use std::fmt::Write;

use super::Demand;
use super::formula::Atom;
use crate::hir::{BinaryOp, ColumnId, Expr, ExprKind, Label, LabelSchema, LabelValues, Literal, Type};
use crate::plan::functions::{self, Eval};
use crate::semantic::ranges::{Ranges, Value};

/// The values that a subject can have.
#[derive(Debug, Clone)]
pub(in crate::semantic) struct Domain<'e> {
    pub(in crate::semantic) values: Ranges<'e>,
    /// Whether it may be null.
    pub(in crate::semantic) null: bool,
}

impl<'e> Domain<'e> {
    /// What is left where an atom meets a demand.
    pub(in crate::semantic) fn narrowed(&self, atom: &Atom<'e>, demand: Demand) -> Self {
        let values = if demand.is_positive() {
            self.values.intersect(&atom.holds)
        } else {
            self.values.intersect(&atom.holds.clone().complement())
        };
        Self { values, null: self.null && demand.takes(atom.of_null) }
    }

    /// Whether nothing is left.
    pub(in crate::semantic) fn is_empty(&self) -> bool {
        !self.null && self.values.is_empty()
    }
}

/// The subjects of a data set's conditions. Two expressions are one subject when they read the same columns in the same
/// way and none of these was given a new value in between.
pub(in crate::semantic) struct Subjects<'e> {
    labels: &'e [Label],
    by_key: HashMap<String, usize>,
    domains: Vec<Domain<'e>>,
    /// What each of them is the value of; `None` for a comparison of two values.
    exprs: Vec<Option<&'e Expr>>,
    /// How often each column was given a new value.
    versions: HashMap<ColumnId, u32>,
}

impl<'e> Subjects<'e> {
    pub(in crate::semantic) fn new(labels: &'e [Label]) -> Self {
        let (domains, exprs) = (Vec::new(), Vec::new());
        Self { labels, by_key: HashMap::new(), domains, exprs, versions: HashMap::new() }
    }

    /// From here on the column holds another value.
    pub(in crate::semantic) fn renew(&mut self, column: ColumnId) {
        *self.versions.entry(column).or_default() += 1;
    }

    /// What a subject can be by itself.
    pub(in crate::semantic) fn domain(&self, subject: usize) -> &Domain<'e> {
        &self.domains[subject]
    }

    /// The expression whose value a subject is, as it was first met; `None` for a comparison of two values.
    pub(in crate::semantic) fn expr(&self, subject: usize) -> Option<&'e Expr> {
        self.exprs[subject]
    }

    /// The subject of an expression's value.
    pub(super) fn of(&mut self, expr: &'e Expr) -> usize {
        let key = self.key(expr);
        if let Some(subject) = self.by_key.get(&key) {
            return *subject;
        }
        let domain = Domain { values: self.values(expr), null: may_be_null(expr) };
        self.add(key, domain, Some(expr))
    }

    /// The subject of how one expression's value stands to another's.
    pub(super) fn of_order(&mut self, left: &'e Expr, right: &'e Expr) -> usize {
        let key = format!("order({},{})", self.key(left), self.key(right));
        if let Some(subject) = self.by_key.get(&key) {
            return *subject;
        }
        let values = Ranges::points([-1, 0, 1].map(Value::Int));
        self.add(key, Domain { values, null: may_be_null(left) || may_be_null(right) }, None)
    }

    fn add(&mut self, key: String, domain: Domain<'e>, expr: Option<&'e Expr>) -> usize {
        let subject = self.domains.len();
        self.by_key.insert(key, subject);
        self.domains.push(domain);
        self.exprs.push(expr);
        subject
    }

    /// The values that an expression can have besides null.
    fn values(&self, expr: &'e Expr) -> Ranges<'e> {
        if let ExprKind::Call(function, _) = &expr.kind {
            match function.eval {
                Eval::Count(_) | Eval::CountOrNull(_) => return Ranges::between(Value::Int(0), Value::Int(i64::MAX)),
                Eval::Ratio(_) => return Ranges::between(Value::Float(0.0), Value::Float(1.0)),
                Eval::Amount(_) => {
                    return Ranges::compared(BinaryOp::GreaterEqual, Value::Float(0.0)).unwrap_or_else(Ranges::all);
                }
                Eval::Judged(_) => {
                    return Ranges::compared(BinaryOp::GreaterEqual, Value::Float(1.0)).unwrap_or_else(Ranges::all);
                }
                Eval::Text(_) | Eval::TextOrNull(_) => {}
            }
            if let Some(values) = functions::values(function) {
                return Ranges::points(values.map(Value::Text));
            }
        }
        match &expr.ty.ty {
            Type::Bool => booleans(),
            // No text comes before the empty one.
            Type::String => Ranges::compared(BinaryOp::GreaterEqual, Value::Text("")).unwrap_or_else(Ranges::all),
            Type::Label(id) => match &self.labels[id.0 as usize].schema {
                LabelSchema::Choice(LabelValues::Listed(values)) => {
                    Ranges::points(values.iter().map(|value| Value::Text(&value.name)))
                }
                LabelSchema::Choice(LabelValues::Found { .. })
                | LabelSchema::Choices(_)
                | LabelSchema::Scalar(_)
                | LabelSchema::Spans(_)
                | LabelSchema::Declared(_) => Ranges::all(),
            },
            Type::Int | Type::Float | Type::Date | Type::Timestamp | Type::List(_) | Type::Record(_) => Ranges::all(),
        }
    }

    /// A text that two expressions share when they are one subject.
    pub(super) fn key(&self, expr: &Expr) -> String {
        let mut key = String::new();
        self.write_key(expr, &mut key);
        key
    }

    fn write_key(&self, expr: &Expr, key: &mut String) {
        let one = |subjects: &Self, name: &str, of: &Expr, key: &mut String| {
            key.push_str(name);
            key.push('(');
            subjects.write_key(of, key);
            key.push(')');
        };
        match &expr.kind {
            ExprKind::Literal(literal) => write_literals(std::slice::from_ref(literal), key),
            ExprKind::Column(column) => {
                let version = self.versions.get(column).copied().unwrap_or_default();
                write!(key, "#{}.{version}", column.0).expect("a string takes every write");
            }
            ExprKind::Call(function, arguments) => {
                key.push_str(function.name);
                for argument in arguments {
                    one(self, "", argument, key);
                }
            }
            ExprKind::Negate(of) => one(self, "-", of, key),
            ExprKind::Not(of) => one(self, "!", of, key),
            ExprKind::ToFloat(of) => one(self, "float", of, key),
            ExprKind::Member(of, member) => one(self, &format!(".{member:?}"), of, key),
            ExprKind::Element(of, place) => one(self, &format!("[{place}]"), of, key),
            ExprKind::Binary(op, left, right) => {
                one(self, &format!("{op:?}"), left, key);
                one(self, "", right, key);
            }
            ExprKind::IsNull { value, negated } => one(self, if *negated { "some" } else { "null" }, value, key),
            ExprKind::In { value, list, negated } => {
                one(self, if *negated { "out" } else { "in" }, value, key);
                write_literals(list, key);
            }
            ExprKind::Matches { value, pattern } => one(self, &format!("/{pattern:?}/"), value, key),
            ExprKind::Match { subject, arms, otherwise } => {
                one(self, "match", subject, key);
                for (patterns, body) in arms {
                    write_literals(patterns, key);
                    one(self, "", body, key);
                }
                if let Some(otherwise) = otherwise {
                    one(self, "else", otherwise, key);
                }
            }
        }
    }
}

fn write_literals(literals: &[Literal], key: &mut String) {
    write!(key, "{literals:?}").expect("a string takes every write");
}

fn booleans<'e>() -> Ranges<'e> {
    Ranges::points([false, true].map(Value::Bool))
}

/// Whether a value may be null when the record is read: its type says so, or a number may leave its range.
pub(in crate::semantic) fn may_be_null(expr: &Expr) -> bool {
    let mut may = expr.ty.nullable;
    expr.visit(&mut |part| {
        may |= match &part.kind {
            ExprKind::Negate(_) => true,
            ExprKind::Binary(op, ..) => {
                matches!(op, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide)
                    && part.ty.ty != Type::String
            }
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Call(..)
            | ExprKind::Not(_)
            | ExprKind::ToFloat(_)
            | ExprKind::IsNull { .. }
            | ExprKind::In { .. }
            | ExprKind::Matches { .. }
            | ExprKind::Match { .. }
            | ExprKind::Member(..)
            | ExprKind::Element(..) => false,
        };
    });
    may
}
