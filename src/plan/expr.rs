//! Typed expressions as expressions of the query engine.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr as Plan, cast, col, in_list, lit, when};

use super::column_name;
use super::scalar::{self, Arithmetic};
use super::types::{UTC, arrow_type};
use crate::engine::read::moment::{parse_date, parse_timestamp};
use crate::hir::{BinaryOp, ColumnId, Expr, ExprKind, Literal, Type};

/// A column's value at the current step.
pub(super) fn column(id: ColumnId) -> Plan {
    col(column_name(id.0 as usize))
}

/// Lowers an expression over the columns as they are at the current step.
///
/// # Errors
/// A constant that its type cannot read: a program that `semantic` has not checked.
pub(super) fn lower(expr: &Expr) -> Result<Plan> {
    match &expr.kind {
        ExprKind::Literal(value) => literal(value, &expr.ty.ty),
        ExprKind::Column(id) => Ok(column(*id)),
        ExprKind::Call(function, arguments) => {
            Ok(scalar::call(function, arguments.iter().map(lower).collect::<Result<_>>()?))
        }
        ExprKind::Negate(value) => {
            let zero = match value.ty.ty {
                Type::Float => lit(0.0),
                _ => lit(0_i64),
            };
            Ok(scalar::arithmetic(Arithmetic::Subtract, zero, lower(value)?))
        }
        ExprKind::Not(value) => Ok(!lower(value)?),
        ExprKind::Binary(op, left, right) => binary(*op, left, right),
        ExprKind::ToFloat(value) => Ok(cast(lower(value)?, DataType::Float64)),
        ExprKind::IsNull { value, negated: false } => Ok(lower(value)?.is_null()),
        ExprKind::IsNull { value, negated: true } => Ok(lower(value)?.is_not_null()),
        ExprKind::In { value, list, negated } => {
            let list = list.iter().map(|item| literal(item, &value.ty.ty)).collect::<Result<_>>()?;
            Ok(in_list(lower(value)?, list, *negated))
        }
        ExprKind::Matches { value, pattern } => Ok(scalar::matches(lower(value)?, pattern)),
        ExprKind::Match { subject, arms, otherwise } => lower_match(expr, subject, arms, otherwise.as_deref()),
        ExprKind::Member(record, name) => Ok(scalar::member(lower(record)?, name)),
        ExprKind::Element(list, place) => Ok(scalar::element(lower(list)?, *place)),
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr) -> Result<Plan> {
    let text = left.ty.ty == Type::String || right.ty.ty == Type::String;
    let (a, b) = (lower(left)?, lower(right)?);
    Ok(match op {
        BinaryOp::Add if text => {
            datafusion::logical_expr::binary_expr(a, datafusion::logical_expr::Operator::StringConcat, b)
        }
        BinaryOp::Add => scalar::arithmetic(Arithmetic::Add, a, b),
        BinaryOp::Subtract => scalar::arithmetic(Arithmetic::Subtract, a, b),
        BinaryOp::Multiply => scalar::arithmetic(Arithmetic::Multiply, a, b),
        BinaryOp::Divide => scalar::arithmetic(Arithmetic::Divide, a, b),
        BinaryOp::Coalesce => coalesce(vec![a, b]),
        BinaryOp::Equal => a.eq(b),
        BinaryOp::NotEqual => a.not_eq(b),
        BinaryOp::Less => a.lt(b),
        BinaryOp::LessEqual => a.lt_eq(b),
        BinaryOp::Greater => a.gt(b),
        BinaryOp::GreaterEqual => a.gt_eq(b),
        BinaryOp::And => a.and(b),
        BinaryOp::Or => a.or(b),
    })
}

/// The first arm whose constants have the value; a null subject meets a `null` constant alone.
fn lower_match(whole: &Expr, subject: &Expr, arms: &[(Vec<Literal>, Expr)], otherwise: Option<&Expr>) -> Result<Plan> {
    let value = lower(subject)?;
    let mut chain = Vec::new();
    for (patterns, body) in arms {
        let (nulls, others): (Vec<&Literal>, Vec<&Literal>) = patterns.iter().partition(|one| **one == Literal::Null);
        let list = others.into_iter().map(|one| literal(one, &subject.ty.ty)).collect::<Result<Vec<_>>>()?;
        let null = (!nulls.is_empty()).then(|| value.clone().is_null());
        let listed = (!list.is_empty()).then(|| in_list(value.clone(), list, false));
        let condition = match (listed, null) {
            (Some(listed), Some(null)) => null.or(listed),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => continue,
        };
        chain.push((condition, lower(body)?));
    }
    let last = match otherwise {
        Some(expr) => lower(expr)?,
        None => lit(ScalarValue::try_from(&arrow_type(&whole.ty.ty))?),
    };
    let mut chain = chain.into_iter();
    let Some((condition, body)) = chain.next() else { return Ok(last) };
    let mut case = when(condition, body);
    for (condition, body) in chain {
        case = case.when(condition, body);
    }
    case.otherwise(last)
}

/// A constant of a type.
pub(super) fn literal(value: &Literal, ty: &Type) -> Result<Plan> {
    scalar_value(value, ty).map(lit)
}

/// A constant of a type as a value of the query engine.
///
/// # Errors
/// A text that is no date or timestamp where one is expected.
pub fn scalar_value(value: &Literal, ty: &Type) -> Result<ScalarValue> {
    let bad = || exec_datafusion_err!("a constant of the plan cannot be read as its type");
    Ok(match (value, ty) {
        (Literal::Null, ty) => ScalarValue::try_from(&arrow_type(ty))?,
        (Literal::Bool(value), _) => ScalarValue::from(*value),
        (Literal::Int(value), Type::Float) => ScalarValue::from(*value as f64),
        (Literal::Int(value), _) => ScalarValue::from(*value),
        (Literal::Float(value), _) => ScalarValue::from(*value),
        (Literal::String(text), Type::Date) => ScalarValue::Date32(Some(parse_date(text).ok_or_else(bad)?)),
        (Literal::String(text), Type::Timestamp) => {
            let moment = parse_timestamp(text).ok_or_else(bad)?;
            ScalarValue::TimestampMicrosecond(Some(moment), Some(Arc::from(UTC)))
        }
        (Literal::String(text), _) => ScalarValue::from(text.as_str()),
    })
}
