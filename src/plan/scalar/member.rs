//! `member`: a field of a record. The query engine's own `get_field` is moved below projections, where it would make
//! another function be computed twice.

use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_datafusion_err};

pub(super) fn result_type(record: &DataType, name: &str) -> Result<DataType> {
    match record {
        DataType::Struct(fields) => fields.find(name).map(|(_, field)| field.data_type().clone()),
        _ => None,
    }
    .ok_or_else(|| internal_datafusion_err!("no such member"))
}

/// The field of each record, null of null.
pub(super) fn evaluate(record: &ArrayRef, name: &str) -> Result<ArrayRef> {
    let record = record.as_struct_opt().ok_or_else(|| internal_datafusion_err!("a member of no record"))?;
    let column = record.column_by_name(name).ok_or_else(|| internal_datafusion_err!("no such member"))?;
    let nulls = NullBuffer::union(record.nulls(), column.nulls());
    Ok(make_array(column.to_data().into_builder().nulls(nulls).build()?))
}
