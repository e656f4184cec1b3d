//! `set`, `drop` and `dedup`.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{BinaryExpr, Expr as Plan, Operator, col};

use super::chain::Chain;
use super::expr::{column, lower};
use super::types::arrow_type;
use super::{column_name, scalar};
use crate::hir::{Column, ColumnId, Expr};

/// The column that says whether step `step`, a `set`, changed the record.
pub fn changed(step: usize) -> String {
    format!("_changed{step}")
}

/// The column that says whether the condition of step `step` holds: a verdict.
pub fn verdict(step: usize) -> String {
    format!("_verdict{step}")
}

/// The column by which step `step`, a `dedup … exactly`, compares.
pub fn dedup_key(step: usize) -> String {
    format!("_key{step}")
}

/// The column with the text that step `step`, a `dedup … near`, compares.
pub fn near_text(step: usize) -> String {
    format!("_near{step}")
}

/// A new value, and whether it differs from the old one.
pub(super) fn lower_set(
    chain: Chain,
    step: usize,
    columns: &[Column],
    target: ColumnId,
    value: &Expr,
) -> Result<Chain> {
    let fresh = format!("_new{step}");
    let name = column_name(target.0 as usize);
    let chain = chain.stage(vec![(fresh.clone(), lower(value)?)])?;
    let differs = match arrow_type(&columns[target.0 as usize].ty.ty) {
        // The engine compares no nested values, so their digests are compared.
        DataType::List(_) | DataType::Struct(_) => {
            scalar::digest(vec![col(&name)]).not_eq(scalar::digest(vec![col(&fresh)]))
        }
        _ => distinct(col(&name), col(&fresh)),
    };
    chain.stage(vec![(changed(step), differs), (name, col(fresh))])
}

fn distinct(a: Plan, b: Plan) -> Plan {
    Plan::BinaryExpr(BinaryExpr::new(Box::new(a), Operator::IsDistinctFrom, Box::new(b)))
}

/// A verdict column.
pub(super) fn lower_condition(chain: Chain, step: usize, condition: &Expr) -> Result<Chain> {
    chain.stage(vec![(verdict(step), lower(condition)?)])
}

/// A digest of the compared columns as they are at this step.
pub(super) fn lower_dedup_exact(chain: Chain, step: usize, columns: &[ColumnId]) -> Result<Chain> {
    chain.stage(vec![(dedup_key(step), scalar::digest(columns.iter().copied().map(column).collect()))])
}

/// The compared text as it is at this step.
pub(super) fn lower_dedup_near(chain: Chain, step: usize, id: ColumnId) -> Result<Chain> {
    chain.stage(vec![(near_text(step), column(id))])
}
