//! How tightly operators bind, the loosest first.

use super::{Pair, Rule, only};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};

/// How tightly an operator binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::syntax) enum Level {
    Or,
    And,
    Not,
    Compare,
    Coalesce,
    Sum,
    Product,
    Negate,
}

/// Whether the outermost operator of an expression compares.
pub(super) fn is_comparison(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(operator, ..) => operator_level(operator.node) == Level::Compare,
        ExprKind::IsNull { .. } | ExprKind::In { .. } | ExprKind::Matches { .. } | ExprKind::Match { .. } => true,
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Percent(_)
        | ExprKind::Text(_)
        | ExprKind::Regex { .. }
        | ExprKind::Name(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Call { .. }
        | ExprKind::By(_)
        | ExprKind::Unary(..) => false,
    }
}

pub(in crate::syntax) fn infix_level(operator: &Pair) -> Level {
    let sign = only(operator);
    match sign.as_rule() {
        Rule::k_in | Rule::not_in | Rule::k_matches => Level::Compare,
        _ => operator_level(binary_op(&sign)),
    }
}

fn operator_level(operator: BinaryOp) -> Level {
    match operator {
        BinaryOp::Or => Level::Or,
        BinaryOp::And => Level::And,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual => Level::Compare,
        BinaryOp::Coalesce => Level::Coalesce,
        BinaryOp::Add | BinaryOp::Subtract => Level::Sum,
        BinaryOp::Multiply | BinaryOp::Divide => Level::Product,
    }
}

/// The level just above: the right side of an operator that joins to the left.
pub(super) fn tighter(level: Level) -> Level {
    match level {
        Level::Or => Level::And,
        Level::And => Level::Not,
        Level::Not => Level::Compare,
        Level::Compare => Level::Coalesce,
        Level::Coalesce => Level::Sum,
        Level::Sum => Level::Product,
        Level::Product | Level::Negate => Level::Negate,
    }
}

pub(super) fn binary_op(sign: &Pair) -> BinaryOp {
    match sign.as_str().trim_end() {
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Subtract,
        "*" => BinaryOp::Multiply,
        "/" => BinaryOp::Divide,
        "??" => BinaryOp::Coalesce,
        "==" => BinaryOp::Equal,
        "!=" => BinaryOp::NotEqual,
        "<" => BinaryOp::Less,
        "<=" => BinaryOp::LessEqual,
        ">" => BinaryOp::Greater,
        ">=" => BinaryOp::GreaterEqual,
        "and" => BinaryOp::And,
        "or" => BinaryOp::Or,
        sign => unreachable!("the grammar has no operator {sign}"),
    }
}
