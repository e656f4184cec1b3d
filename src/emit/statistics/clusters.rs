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

/// Repeated records that are counted at once.
const AT_ONCE: u64 = 1 << 20;
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
    largest: BTreeSet<(Reverse<u64>, String)>,
}

/// What each rule found that dropped `repeats` records in all as duplicates of others, in their order.
pub(in crate::emit) fn duplicates(audit: &Path, repeats: u64) -> Result<Vec<DuplicatesEntry>, EmitError> {
    count(audit, repeats, AT_ONCE)
}

fn count(audit: &Path, repeats: u64, at_once: u64) -> Result<Vec<DuplicatesEntry>, EmitError> {
    let mut found: Vec<Found> = Vec::new();
    let shares = repeats.div_ceil(at_once);
    for share in 0..shares {
        let mut sizes: HashMap<(usize, String), u64> = HashMap::new();
        each_batch(audit, &["rule", "step", "duplicate_of"], &mut |batch| {
            let (rules, places) = (batch["rule"].as_string::<i32>(), batch["step"].as_primitive::<Int32Type>());
            for (row, of) in batch["duplicate_of"].as_string::<i32>().iter().enumerate() {
                let Some(of) = of.filter(|of| share_of(of, shares) == share) else { continue };
                let place = if places.is_valid(row) { places.value(row).unsigned_abs() } else { 0 };
                let at = rule_of(&mut found, rules.value(row), place);
                *sizes.entry((at, of.to_owned())).or_insert(1) += 1;
            }
        })?;
        for ((at, id), size) in sizes {
            let found = &mut found[at];
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

/// Ids are hashes, so that their first digits spread them evenly.
fn share_of(id: &str, shares: u64) -> u64 {
    let first = id.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
    (first * shares) >> 32
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
    let named = found.iter().flat_map(|found| &found.largest).map(|(_, id)| (id.clone(), (String::new(), 0)));
    let mut places: HashMap<String, (String, u64)> = named.collect();
    if !places.is_empty() {
        each_batch(audit, &["id", "file", "line"], &mut |batch| {
            let (files, lines) = (batch["file"].as_string::<i32>(), batch["line"].as_primitive::<Int64Type>());
            for (row, id) in batch["id"].as_string::<i32>().iter().enumerate() {
                if let Some(place) = id.and_then(|id| places.get_mut(id)) {
                    *place = (files.value(row).to_owned(), lines.value(row).unsigned_abs());
                }
            }
        })?;
    }
    let cluster = |(Reverse(size), id): &(Reverse<u64>, String)| {
        let (file, line) = places[id].clone();
        ClusterEntry { id: id.clone(), file, line, records: *size }
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
