//! Clusters of duplicates, counted from the audit: by the record that the others repeat. So many records are counted at
//! once as fit into a fixed memory; where more are repeated the audit is read again for the next share of them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{ClusterEntry, DuplicatesEntry};
use crate::emit::error::{AtPath, EmitError};
use crate::statistics::Histogram;

/// Repeated records that are counted at once: they take some 15 MB.
const AT_ONCE: u64 = 1 << 18;
/// The largest clusters that are named.
const NAMED: usize = 10;

/// What a rule found.
struct Found {
    rule: String,
    place: u32,
    clusters: u64,
    repeats: u64,
    sizes: Histogram,
    /// The largest, by size and then by id: the last one is the first to go.
    largest: BTreeSet<(Reverse<u64>, u128)>,
}

/// What each rule found that dropped `repeats` records in all as duplicates of others, in their order.
pub(in crate::emit) fn duplicates(audit: &Path, repeats: u64) -> Result<Vec<DuplicatesEntry>, EmitError> {
    count(audit, repeats, AT_ONCE)
}

fn count(audit: &Path, repeats: u64, at_once: u64) -> Result<Vec<DuplicatesEntry>, EmitError> {
    let mut found: Vec<Found> = Vec::new();
    let shares = repeats.div_ceil(at_once);
    for share in 0..shares {
        let mut sizes: HashMap<(u32, u128), u64> = HashMap::new();
        each_batch(audit, &["rule", "step", "duplicate_of"], &mut |batch| {
            let (rules, places) = (batch["rule"].as_string::<i32>(), batch["step"].as_primitive::<Int32Type>());
            for (row, of) in batch["duplicate_of"].as_string::<i32>().iter().enumerate() {
                let Some(of) = of.and_then(number).filter(|of| share_of(*of, shares) == share) else { continue };
                let place = if places.is_valid(row) { places.value(row).unsigned_abs() } else { 0 };
                let at = rule_of(&mut found, rules.value(row), place);
                *sizes.entry((at as u32, of)).or_insert(1) += 1;
            }
        })?;
        for ((at, id), size) in sizes {
            let found = &mut found[at as usize];
            found.clusters += 1;
            found.repeats += size - 1;
            found.sizes.add(size);
            found.largest.insert((Reverse(size), id));
            if found.largest.len() > NAMED {
                found.largest.pop_last();
            }
        }
    }
    // The first rows of the audit decide in which order rules were met; their places do not depend on the data.
    found.sort_by_key(|found| found.place);
    with_places(audit, found)
}

/// An id, 32 hexadecimal digits, as a number: many of them are held at once.
fn number(id: &str) -> Option<u128> {
    u128::from_str_radix(id, 16).ok()
}

/// Ids are hashes, so that their first digits spread them evenly.
fn share_of(id: u128, shares: u64) -> u64 {
    (((id >> 96) as u64) * shares) >> 32
}

fn rule_of(found: &mut Vec<Found>, rule: &str, place: u32) -> usize {
    found.iter().position(|known| known.place == place).unwrap_or_else(|| {
        let rule = rule.to_owned();
        let (sizes, largest) = (Histogram::default(), BTreeSet::new());
        found.push(Found { rule, place, clusters: 0, repeats: 0, sizes, largest });
        found.len() - 1
    })
}

/// Adds the places of the records that the largest clusters are named by.
fn with_places(audit: &Path, found: Vec<Found>) -> Result<Vec<DuplicatesEntry>, EmitError> {
    let named = found.iter().flat_map(|found| &found.largest).map(|(_, id)| (*id, (String::new(), 0)));
    let mut places: HashMap<u128, (String, u64)> = named.collect();
    if !places.is_empty() {
        each_batch(audit, &["id", "file", "line"], &mut |batch| {
            let (files, lines) = (batch["file"].as_string::<i32>(), batch["line"].as_primitive::<Int64Type>());
            for (row, id) in batch["id"].as_string::<i32>().iter().enumerate() {
                if let Some(place) = id.and_then(number).and_then(|id| places.get_mut(&id)) {
                    *place = (files.value(row).to_owned(), lines.value(row).unsigned_abs());
                }
            }
        })?;
    }
    let cluster = |(Reverse(size), id): &(Reverse<u64>, u128)| {
        let (file, line) = places[id].clone();
        ClusterEntry { id: format!("{id:032x}"), file, line, records: *size }
    };
    let entry = |found: Found| DuplicatesEntry {
        largest: found.largest.iter().map(cluster).collect(),
        rule: found.rule,
        place: found.place,
        clusters: found.clusters,
        repeats: found.repeats,
        sizes: found.sizes,
    };
    Ok(found.into_iter().map(entry).collect())
}

/// Reads some columns of the audit, whose shape is ours.
fn each_batch(audit: &Path, columns: &[&str], each: &mut dyn FnMut(&RecordBatch)) -> Result<(), EmitError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(audit).at("open", audit)?).at("read", audit)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    for batch in builder.with_projection(mask).build().at("read", audit)? {
        each(&batch.map_err(parquet::errors::ParquetError::from).at("read", audit)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};

    use super::*;
    use crate::emit::table::TableFile;

    #[test]
    fn clusters_are_counted_in_any_number_of_shares() {
        let id = |n: u64| format!("{:032x}", u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let (rows, of) = (0..300_u64, |n: u64| (!n.is_multiple_of(3)).then(|| id(n - n % 30)));
        let texts =
            |of: &dyn Fn(u64) -> Option<String>| Arc::new(rows.clone().map(of).collect::<StringArray>()) as ArrayRef;
        let batch = RecordBatch::try_from_iter([
            ("id", texts(&|n| Some(id(n)))),
            ("file", texts(&|n| Some(format!("{}.csv", n % 2)))),
            ("line", Arc::new(rows.clone().map(|n| n as i64).collect::<Int64Array>())),
            ("rule", texts(&|n| of(n).map(|_| ["first", "second"][n as usize % 2].to_owned()))),
            ("step", Arc::new(rows.clone().map(|n| of(n).map(|_| 1 + n as i32 % 2)).collect::<Int32Array>())),
            ("duplicate_of", texts(&of)),
        ]);
        let batch = batch.expect("the columns are of one length");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let audit = folder.path().join("records.parquet");
        let mut file = TableFile::create(&audit, &batch.schema()).expect("created");
        file.append(&batch).expect("appended");
        file.finish().expect("finished");
        let whole = count(&audit, 200, 1000).expect("counted");
        assert_eq!(
            whole.iter().map(|entry| (entry.clusters, entry.repeats)).collect::<Vec<_>>(),
            [(10, 100), (10, 100)]
        );
        assert_eq!((whole[0].largest.len(), whole[0].largest[0].records), (10, 11));
        for at_once in [1, 7, 199] {
            assert_eq!(count(&audit, 200, at_once).expect("counted"), whole, "{at_once}");
        }
    }
}
