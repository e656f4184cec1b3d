//! `element`: a value of a list by its place, from 0, or from the end where it is negative; null where there is none.

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_datafusion_err};

pub(super) fn result_type(list: &DataType) -> Result<DataType> {
    match list {
        DataType::List(item) => Ok(item.data_type().clone()),
        _ => Err(internal_datafusion_err!("an element of no list")),
    }
}

/// The element of each list at `place`, which a constant text holds.
pub(super) fn evaluate(list: &ArrayRef, place: &str) -> Result<ArrayRef> {
    let place: i64 = place.parse().map_err(|_| internal_datafusion_err!("a place is a whole number"))?;
    let list = list.as_list_opt::<i32>().ok_or_else(|| internal_datafusion_err!("an element of no list"))?;
    let offsets = list.value_offsets();
    let places: UInt64Array = (0..list.len())
        .map(|row| {
            let (start, end) = (i64::from(offsets[row]), i64::from(offsets[row + 1]));
            let at = if place < 0 { end.checked_add(place)? } else { start.checked_add(place)? };
            let is_there = list.is_valid(row) && (start..end).contains(&at);
            is_there.then(|| u64::try_from(at).ok()).flatten()
        })
        .collect();
    Ok(take(list.values(), &places, None)?)
}
