//! `set`, `drop`, `dedup` and `decontaminate`.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{BinaryExpr, Expr as Plan, Operator, cast, col};

use super::chain::Chain;
use super::expr::{column, lower};
use super::scalar::prepared::{cut, emptied, touches};
use super::types::arrow_type;
use super::{Cuts, Evaluation, column_name, scalar};
use crate::engine::read::table::LOCATION;
use crate::hir::{Column, ColumnId, Expr, Keep};

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

/// The column by which step `step`, a `dedup`, chooses what it keeps: a float, null for the last choice.
pub fn score(step: usize) -> String {
    format!("_score{step}")
}

/// The digest of the column for each value of which step `step`, a sample, takes records.
pub fn sampled_by(step: usize) -> String {
    format!("_sampled{step}")
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
pub(super) fn lower_dedup_exact(chain: Chain, step: usize, columns: &[ColumnId], keep: &Keep) -> Result<Chain> {
    let key = scalar::digest(columns.iter().copied().map(column).collect());
    chain.stage([vec![(dedup_key(step), key)], lower_score(step, keep)?].concat())
}

/// The compared text as it is at this step.
pub(super) fn lower_dedup_near(chain: Chain, step: usize, id: ColumnId, keep: &Keep) -> Result<Chain> {
    chain.stage([vec![(near_text(step), column(id))], lower_score(step, keep)?].concat())
}

fn lower_score(step: usize, keep: &Keep) -> Result<Vec<(String, Plan)>> {
    Ok(match keep {
        Keep::First => Vec::new(),
        Keep::Best(by) => vec![(score(step), cast(lower(by)?, DataType::Float64))],
    })
}

/// The text without what is cut out of it, whether it is another one then, and whether nothing is left of it: a verdict.
pub(super) fn lower_dedup_pieces(chain: Chain, step: usize, id: ColumnId, cuts: &Arc<Cuts>) -> Result<Chain> {
    let rest = format!("_rest{step}");
    let gone = emptied(cuts, col(LOCATION), column(id));
    let chain = chain.stage(vec![(rest.clone(), cut(cuts, col(LOCATION), column(id))), (verdict(step), gone)])?;
    let differs = distinct(column(id), col(&rest));
    chain.stage(vec![(changed(step), differs), (column_name(id.0 as usize), col(rest))])
}

/// A verdict column.
pub(super) fn lower_decontaminate(
    chain: Chain,
    step: usize,
    id: ColumnId,
    evaluation: &Arc<Evaluation>,
) -> Result<Chain> {
    chain.stage(vec![(verdict(step), touches(evaluation, col(LOCATION), column(id)))])
}

/// What tells the groups of a sample apart, as they are emitted.
pub(super) fn lower_sample(chain: Chain, step: usize, by: Option<ColumnId>) -> Result<Chain> {
    match by {
        Some(id) => chain.stage(vec![(sampled_by(step), scalar::digest(vec![column(id)]))]),
        None => Ok(chain),
    }
}
