//! What the split and the requirements must know of each record.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::cast;

use super::chain::Chain;
use super::expr::column;
use super::scalar;
use crate::hir::{ColumnId, Dataset, Requirement, SplitRule, Type};

/// The part that a field names.
pub const PART: &str = "_part";
/// The digest of the unit's column, null of null.
pub const BY: &str = "_by";
/// The text by which near-duplicates are found.
pub const NEAR: &str = "_unit_text";
/// The digest of the stratum.
pub const STRATUM: &str = "_stratum";
/// The moment by which the parts follow each other: microseconds since 1970-01-01T00:00:00Z.
pub const TIME: &str = "_time";

/// The digest of a `@group` column as it was read, null of null.
pub fn group(id: ColumnId) -> String {
    format!("_group{}", id.0)
}

/// The value of a requirement's `per` column, as a text.
pub fn per(requirement: usize) -> String {
    format!("_per{requirement}")
}

/// The `@group` columns of a data set.
pub fn groups(dataset: &Dataset) -> Vec<ColumnId> {
    let ids = (0..).map(ColumnId).zip(&dataset.columns);
    ids.filter(|(_, column)| column.group).map(|(id, _)| id).collect()
}

/// The columns of requirements with `per`, but for labels whose values are names: those are known from the label's own column.
pub fn pers(dataset: &Dataset) -> Vec<(usize, ColumnId)> {
    let with_per = |(at, requirement): (usize, &Requirement)| requirement.per.map(|id| (at, id));
    let columns = dataset.requirements.iter().enumerate().filter_map(with_per);
    columns.filter(|(_, id)| !matches!(dataset.columns[id.0 as usize].ty.ty, Type::Label(_))).collect()
}

/// Groups are set aside as they are read: a redacted name would make one group of everybody.
pub(super) fn lower_groups(chain: Chain, dataset: &Dataset) -> Result<Chain> {
    let ids = groups(dataset);
    if ids.is_empty() {
        return Ok(chain);
    }
    chain.stage(ids.into_iter().map(|id| (group(id), scalar::key(column(id)))).collect())
}

/// The unit's column is set aside when it is clean and before a policy touches it, for the same reason.
pub(super) fn lower_by(chain: Chain, dataset: &Dataset) -> Result<Chain> {
    match dataset.split.rule {
        SplitRule::Shares { by: Some(id), .. } => chain.stage(vec![(BY.to_owned(), scalar::key(column(id)))]),
        SplitRule::Shares { by: None, .. } | SplitRule::AllTrain | SplitRule::ByField(_) => Ok(chain),
    }
}

/// The other columns have the values that are emitted: near-duplicates are such in what is written.
pub(super) fn lower_split(chain: Chain, dataset: &Dataset) -> Result<Chain> {
    let mut values = Vec::new();
    match &dataset.split.rule {
        SplitRule::AllTrain => {}
        SplitRule::ByField(id) => values.push((PART.to_owned(), cast(column(*id), DataType::Utf8))),
        SplitRule::Shares { stratify, time, .. } => {
            if let Some(time) = time {
                let moment = cast(column(time.column), DataType::Timestamp(TimeUnit::Microsecond, None));
                values.push((TIME.to_owned(), cast(moment, DataType::Int64)));
            }
            if let Some(id) = stratify {
                values.push((STRATUM.to_owned(), scalar::digest(vec![column(*id)])));
            }
        }
    }
    if let Some((id, _)) = dataset.split.near() {
        values.push((NEAR.to_owned(), column(id)));
    }
    for (at, id) in pers(dataset) {
        values.push((per(at), cast(column(id), DataType::Utf8)));
    }
    if values.is_empty() { Ok(chain) } else { chain.stage(values) }
}
