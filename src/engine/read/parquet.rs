//! Parquet: the rows of a chunk out of the row groups that they lie in.

use std::ops::Range;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::OFFSET_BITS;
use super::guard::guarded;
use super::rows::Batches;
use super::spool::Cursor;

/// What the footer says. The Arrow schema that a writer may have left in it is not looked at: the columns' own types say
/// what there is.
pub(super) fn metadata(cursor: &Cursor) -> Result<ArrowReaderMetadata, String> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = guarded(|| ArrowReaderMetadata::load(cursor, options).map_err(|error| error.to_string()))?;
    let mut rows = metadata.metadata().row_groups().iter().map(|group| u64::try_from(group.num_rows()).ok());
    // A sum beyond what a location can name is no number of rows of a file.
    let sum = rows.try_fold(0_u64, |sum, rows| sum.checked_add(rows?).filter(|sum| *sum < 1 << OFFSET_BITS));
    if sum.is_none() { Err("its row groups have impossible numbers of rows".to_owned()) } else { Ok(metadata) }
}

/// The batches of some rows with some columns.
pub(super) fn read(
    cursor: Cursor,
    metadata: &ArrowReaderMetadata,
    rows: Range<u64>,
    columns: &[usize],
    batch_rows: usize,
) -> Result<Batches, String> {
    let mut groups = Vec::new();
    let (mut at, mut before) = (0, 0);
    for (number, group) in metadata.metadata().row_groups().iter().enumerate() {
        let end = at + u64::try_from(group.num_rows()).unwrap_or(0);
        if end > rows.start && at < rows.end {
            if groups.is_empty() {
                before = rows.start - at;
            }
            groups.push(number);
        }
        at = end;
    }
    let mask = ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied());
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(cursor, metadata.clone())
        .with_row_groups(groups)
        .with_projection(mask)
        .with_offset(before as usize)
        .with_limit((rows.end - rows.start) as usize)
        .with_batch_size(batch_rows);
    let mut reader = guarded(|| builder.build().map_err(|error| error.to_string()))?;
    Ok(Box::new(std::iter::from_fn(move || {
        guarded(|| reader.next().transpose().map_err(|error| error.to_string())).transpose()
    })))
}
