//! From a resolved condition to a formula over subjects.

use super::subjects::{Subjects, may_be_null};
use crate::hir::{BinaryOp, Expr, ExprKind, Literal};
use crate::plan::functions::{Constants, Eval, Function};
use crate::semantic::ranges::{Ranges, Value};

/// A condition over subjects.
#[derive(Debug, Clone)]
pub(in crate::semantic) enum Formula<'e> {
    /// The same for every record; `None` is null.
    Constant(Option<bool>),
    Atom(Atom<'e>),
    Not(Box<Formula<'e>>),
    And(Vec<Formula<'e>>),
    Or(Vec<Formula<'e>>),
}

/// What is asked of one subject.
#[derive(Debug, Clone)]
pub(in crate::semantic) struct Atom<'e> {
    pub(in crate::semantic) subject: usize,
    /// The values for which it is true; for the others it is false.
    pub(in crate::semantic) holds: Ranges<'e>,
    /// What it is for null.
    pub(in crate::semantic) of_null: Option<bool>,
}

impl<'e> Formula<'e> {
    /// The subjects that it speaks of.
    pub(in crate::semantic) fn visit_atoms(&self, visit: &mut impl FnMut(&Atom<'e>)) {
        match self {
            Self::Constant(_) => {}
            Self::Atom(atom) => visit(atom),
            Self::Not(of) => of.visit_atoms(visit),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.visit_atoms(visit)),
        }
    }

    /// `a and b and …` or `a or b or …`: parts of the same kind are taken in, and atoms of one subject become one.
    fn joined(parts: Vec<Self>, all: bool) -> Self {
        let mut flat: Vec<Self> = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::And(inner) if all => flat.extend(inner),
                Self::Or(inner) if !all => flat.extend(inner),
                part => flat.push(part),
            }
        }
        let mut joined: Vec<Self> = Vec::with_capacity(flat.len());
        for part in flat {
            let same = |other: &&mut Self| match (&part, &**other) {
                (Self::Atom(a), Self::Atom(b)) => a.subject == b.subject && a.of_null == b.of_null,
                _ => false,
            };
            match (joined.iter_mut().find(same), &part) {
                (Some(Self::Atom(first)), Self::Atom(atom)) if all => first.holds = first.holds.intersect(&atom.holds),
                (Some(Self::Atom(first)), Self::Atom(atom)) => {
                    first.holds = first.holds.clone().union(atom.holds.clone());
                }
                _ => joined.push(part),
            }
        }
        match joined.len() {
            1 => joined.remove(0),
            _ if all => Self::And(joined),
            _ => Self::Or(joined),
        }
    }
}

impl<'e> Subjects<'e> {
    /// The formula of a condition, over the columns as they are now.
    pub(in crate::semantic) fn formula(&mut self, condition: &'e Expr) -> Formula<'e> {
        match &condition.kind {
            ExprKind::Literal(Literal::Bool(value)) => Formula::Constant(Some(*value)),
            ExprKind::Literal(_) => Formula::Constant(None),
            ExprKind::Not(of) => Formula::Not(Box::new(self.formula(of))),
            ExprKind::Binary(BinaryOp::And, left, right) => {
                Formula::joined(vec![self.formula(left), self.formula(right)], true)
            }
            ExprKind::Binary(BinaryOp::Or, left, right) => {
                Formula::joined(vec![self.formula(left), self.formula(right)], false)
            }
            ExprKind::Binary(
                op @ (BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterEqual),
                left,
                right,
            ) => self.comparison(*op, left, right),
            ExprKind::IsNull { value, negated } => self.null_test(value, *negated),
            ExprKind::In { value, list, negated } => {
                let listed = Ranges::points(list.iter().filter_map(constant).filter(|one| may_be(value, one)));
                self.atom(value, if *negated { listed.complement() } else { listed })
            }
            ExprKind::Column(_)
            | ExprKind::Call(..)
            | ExprKind::Negate(_)
            | ExprKind::ToFloat(_)
            | ExprKind::Matches { .. }
            | ExprKind::Match { .. }
            | ExprKind::Member(..)
            | ExprKind::Element(..)
            | ExprKind::Binary(
                BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Coalesce,
                ..,
            ) => self.atom(condition, Ranges::points([Value::Bool(true)])),
        }
    }

    fn comparison(&mut self, op: BinaryOp, left: &'e Expr, right: &'e Expr) -> Formula<'e> {
        match (literal(left), literal(right)) {
            (Some(left), Some(right)) => {
                Formula::Constant(constant(left).zip(constant(right)).and_then(|(left, right)| {
                    let holds = Ranges::compared(op, right)?;
                    Some(!holds.intersect(&Ranges::points([left])).is_empty())
                }))
            }
            (None, Some(with)) => self.compared(op, left, with),
            (Some(with), None) => self.compared(flipped(op), right, with),
            (None, None) => self.question(op, left, right),
        }
    }

    fn compared(&mut self, op: BinaryOp, of: &'e Expr, with: &'e Literal) -> Formula<'e> {
        let Some(value) = constant(with) else { return Formula::Constant(None) };
        let holds = match op {
            BinaryOp::Equal if !may_be(of, &value) => Some(Ranges::none()),
            BinaryOp::NotEqual if !may_be(of, &value) => Some(Ranges::all()),
            op => Ranges::compared(op, value),
        };
        holds.map_or(Formula::Constant(None), |holds| self.atom(of, holds))
    }

    /// Two values that depend on the record. How the first stands to the second is a subject of its own: -1, 0 or 1.
    fn question(&mut self, op: BinaryOp, left: &'e Expr, right: &'e Expr) -> Formula<'e> {
        let (left_key, right_key) = (self.key(left), self.key(right));
        if left_key == right_key {
            let same = matches!(op, BinaryOp::Equal | BinaryOp::LessEqual | BinaryOp::GreaterEqual);
            return self.atom(left, if same { Ranges::all() } else { Ranges::none() });
        }
        let (op, left, right) = if left_key > right_key { (flipped(op), right, left) } else { (op, left, right) };
        let Some(holds) = Ranges::compared(op, Value::Int(0)) else { return Formula::Constant(None) };
        Formula::Atom(Atom { subject: self.of_order(left, right), holds, of_null: None })
    }

    fn null_test(&mut self, value: &'e Expr, negated: bool) -> Formula<'e> {
        match &value.kind {
            ExprKind::ToFloat(of) => self.null_test(of, negated),
            // Such a function is null of a null text alone; what else it takes is constant.
            ExprKind::Call(Function { eval: Eval::Text(_) | Eval::Count(_), .. }, arguments)
                if let Some(text) = arguments.first() =>
            {
                self.null_test(text, negated)
            }
            _ if !may_be_null(value) => Formula::Constant(Some(negated)),
            _ => {
                let holds = if negated { Ranges::all() } else { Ranges::none() };
                Formula::Atom(Atom { subject: self.of(value), holds, of_null: Some(!negated) })
            }
        }
    }

    /// What is asked of a value, as what is asked of what it is made from: a default is what null is taken for, and a
    /// whole number is compared as one.
    fn atom(&mut self, value: &'e Expr, holds: Ranges<'e>) -> Formula<'e> {
        let (mut value, mut holds, mut of_null) = (value, holds, None);
        loop {
            match &value.kind {
                ExprKind::Binary(BinaryOp::Coalesce, of, default)
                    if let Some(constant) = literal(default).and_then(constant) =>
                {
                    of_null = Some(!holds.intersect(&Ranges::points([constant])).is_empty());
                    value = of;
                }
                ExprKind::ToFloat(of) if let Some(whole) = holds.whole_numbers() => {
                    holds = whole;
                    value = of;
                }
                _ => break,
            }
        }
        Formula::Atom(Atom { subject: self.of(value), holds, of_null })
    }
}

fn flipped(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEqual => BinaryOp::GreaterEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEqual => BinaryOp::LessEqual,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Coalesce
        | BinaryOp::And
        | BinaryOp::Or => op,
    }
}

fn literal(expr: &Expr) -> Option<&Literal> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(literal),
        _ => None,
    }
}

/// A constant as a value of a set; null is none.
fn constant(literal: &Literal) -> Option<Value<'_>> {
    match literal {
        Literal::Null => None,
        Literal::Bool(value) => Some(Value::Bool(*value)),
        Literal::Int(value) => Some(Value::Int(*value)),
        Literal::Float(value) => Some(Value::Float(*value)),
        Literal::String(text) => Some(Value::Text(text)),
    }
}

/// Functions that leave alone what they have made: a text that they would change is none of theirs.
const SETTLED: [&str; 4] = ["nfc", "nfkc", "collapse_whitespace", "lowercase"];

/// Whether an expression can have a constant as its value, as far as its outermost function says.
fn may_be(expr: &Expr, value: &Value<'_>) -> bool {
    match (&expr.kind, value) {
        (ExprKind::Call(Function { name, eval: Eval::Text(eval), .. }, _), Value::Text(text)) => {
            !SETTLED.contains(name) || eval(text, &Constants::NONE) == *text
        }
        _ => true,
    }
}
