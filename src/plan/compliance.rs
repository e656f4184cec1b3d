//! `redact` and `forbid`.

use datafusion::common::Result;
use datafusion::logical_expr::col;

use super::chain::Chain;
use super::expr::{column, lower};
use super::{cleaning, column_name, scalar};
use crate::hir::{ColumnId, Expr};
use crate::pii::Detector;

/// The column that says how much step `step`, a `redact`, found in a column of the record.
pub fn found(step: usize, column: ColumnId) -> String {
    format!("_personal{step}_{}", column.0)
}

/// The column that says whether a record fulfils step `step`, a `forbid` that fails the build.
pub fn forbidden(step: usize) -> String {
    format!("_forbidden{step}")
}

/// The redacted columns, and what was found in each.
pub(super) fn lower_redact(
    chain: Chain,
    step: usize,
    columns: &[ColumnId],
    detectors: &[&'static Detector],
) -> Result<Chain> {
    let pair = |id: &ColumnId| format!("_redacted{step}_{}", id.0);
    let chain = chain.stage(columns.iter().map(|id| (pair(id), scalar::redact(column(*id), detectors))).collect())?;
    let mut values = Vec::new();
    for id in columns {
        values.push((column_name(id.0 as usize), scalar::member(col(pair(id)), scalar::redact::TEXT)));
        values.push((found(step, *id), scalar::member(col(pair(id)), scalar::redact::FOUND)));
    }
    chain.stage(values)
}

/// A verdict column of a `forbid`: of a dropping one like a `drop`'s, else one of its own.
pub(super) fn lower_forbid(chain: Chain, step: usize, condition: &Expr, else_drop: bool) -> Result<Chain> {
    let name = if else_drop { cleaning::verdict(step) } else { forbidden(step) };
    chain.stage(vec![(name, lower(condition)?)])
}
