//! Expressions as people read them, in the words of the language. Two expressions that differ may be shown alike: the name
//! of a column does not say what it holds by then.

use crate::hir::{BinaryOp, Dataset, Expr, ExprKind, Literal};
use crate::syntax::{written_name, written_text};

/// An expression on one line.
pub(in crate::plan) fn shown(dataset: &Dataset, expr: &Expr) -> String {
    Shown { dataset }.expr(expr, 0)
}

struct Shown<'a> {
    dataset: &'a Dataset,
}

/// How tightly a form binds; what stands in a tighter place is put in parentheses.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const COALESCE: u8 = 5;
const SUM: u8 = 6;
const PRODUCT: u8 = 7;
const SIGN: u8 = 8;
const POSTFIX: u8 = 9;

impl Shown<'_> {
    /// An expression in a place that takes forms of at least this tightness.
    fn expr(&self, expr: &Expr, least: u8) -> String {
        let (tightness, text) = self.form(expr);
        if tightness < least { format!("({text})") } else { text }
    }

    fn form(&self, expr: &Expr) -> (u8, String) {
        match &expr.kind {
            ExprKind::Literal(value) => (POSTFIX, literal(value)),
            ExprKind::Column(id) => (POSTFIX, named(&self.dataset.columns[id.0 as usize].name)),
            ExprKind::Call(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(|one| self.expr(one, 0)).collect();
                (POSTFIX, format!("{}({})", function.name, arguments.join(", ")))
            }
            ExprKind::Negate(of) => (SIGN, format!("-{}", self.expr(of, SIGN))),
            ExprKind::Not(of) => (NOT, format!("not {}", self.expr(of, NOT))),
            ExprKind::ToFloat(of) => self.form(of),
            ExprKind::Binary(op, left, right) => {
                let (tightness, sign) = operator(*op);
                let (left, right) = (self.expr(left, tightness), self.expr(right, tightness + 1));
                (tightness, format!("{left} {sign} {right}"))
            }
            ExprKind::IsNull { value, negated } => {
                let not = if *negated { "not " } else { "" };
                (COMPARISON, format!("{} is {not}null", self.expr(value, COALESCE)))
            }
            ExprKind::In { value, list, negated } => {
                let not = if *negated { "not " } else { "" };
                let list: Vec<String> = list.iter().map(literal).collect();
                (COMPARISON, format!("{} {not}in [{}]", self.expr(value, COALESCE), list.join(", ")))
            }
            ExprKind::Matches { value, pattern } => {
                (COMPARISON, format!("{} matches /{}/", self.expr(value, COALESCE), pattern.replace('/', "\\/")))
            }
            ExprKind::Match { subject, arms, otherwise } => {
                let mut shown: Vec<String> = arms
                    .iter()
                    .map(|(patterns, body)| {
                        let patterns: Vec<String> = patterns.iter().map(literal).collect();
                        format!("{} => {}", patterns.join(", "), self.expr(body, 0))
                    })
                    .collect();
                shown.extend(otherwise.as_ref().map(|body| format!("else => {}", self.expr(body, 0))));
                (COMPARISON, format!("{} match {{ {} }}", self.expr(subject, COALESCE), shown.join("; ")))
            }
            ExprKind::Member(of, name) => (POSTFIX, format!("{}.{}", self.expr(of, POSTFIX), named(name))),
            ExprKind::Element(of, place) => (POSTFIX, format!("{}[{place}]", self.expr(of, POSTFIX))),
        }
    }
}

fn operator(op: BinaryOp) -> (u8, &'static str) {
    match op {
        BinaryOp::Add => (SUM, "+"),
        BinaryOp::Subtract => (SUM, "-"),
        BinaryOp::Multiply => (PRODUCT, "*"),
        BinaryOp::Divide => (PRODUCT, "/"),
        BinaryOp::Coalesce => (COALESCE, "??"),
        BinaryOp::Equal => (COMPARISON, "=="),
        BinaryOp::NotEqual => (COMPARISON, "!="),
        BinaryOp::Less => (COMPARISON, "<"),
        BinaryOp::LessEqual => (COMPARISON, "<="),
        BinaryOp::Greater => (COMPARISON, ">"),
        BinaryOp::GreaterEqual => (COMPARISON, ">="),
        BinaryOp::And => (AND, "and"),
        BinaryOp::Or => (OR, "or"),
    }
}

/// A name as it is written.
pub(in crate::plan) fn named(name: &str) -> String {
    written_name(name).map_or_else(|| written_text(name), |name| name.into_owned())
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Float(value) => format!("{value:?}"),
        Literal::String(text) => written_text(text),
    }
}
