//! A scan as bytes, for another process: the chunks of its partitions, their files and sources, and the records to keep.
//! Of the other chunks nothing travels.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::common::{Result, internal_datafusion_err};
use serde::{Deserialize, Serialize};

use super::{ChunkScan, ChunkTable, Inner, Keep};
use crate::engine::EngineError;
use crate::engine::read::Sizes;
use crate::engine::read::shape::RowShape;
use crate::engine::read::survey::wire::Travelling;
use crate::engine::read::survey::{Chunk, ChunkKind, FileSurvey};
use crate::hir::{Column, Source, SourceId};

/// All of a scan but the records to keep, which follow it.
#[derive(Serialize, Deserialize)]
struct Head {
    sizes: Sizes,
    columns: Vec<Column>,
    projection: Vec<usize>,
    chunks: Vec<Chunk>,
    /// By their numbers, which locations name: a chunk's file is not looked for by its place here.
    files: Vec<(usize, Travelling)>,
    sources: Vec<(SourceId, Source)>,
    keeps: bool,
}

impl ChunkScan {
    /// The same scan with these of its partitions, in this order.
    ///
    /// # Errors
    /// A partition that it does not have.
    pub fn of_partitions(&self, partitions: &[usize]) -> Result<Self> {
        // A scan without chunks has one partition all the same, which is empty.
        let chunk = |&at: &usize| self.chunks.get(at).copied();
        let chunks: Option<Vec<usize>> = match self.chunks.is_empty() {
            true => Some(Vec::new()),
            false => partitions.iter().map(chunk).collect(),
        };
        let chunks = chunks.ok_or_else(|| internal_datafusion_err!("the scan has {} partitions", self.chunks.len()))?;
        Self::new(self.table.clone(), Arc::clone(&self.projection), chunks.into())
    }

    /// The scan as bytes.
    ///
    /// # Errors
    /// A path that is no UTF-8; records to keep that cannot be read.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let inner = &self.table.inner;
        let chunks: Vec<Chunk> = self.chunks.iter().map(|&at| inner.chunks[at]).collect();
        let (mut files, mut sources) = (BTreeMap::new(), BTreeMap::new());
        for chunk in &chunks {
            let (file, shape) = &inner.files[&chunk.file];
            sources.insert(file.source, shape.source.clone());
            files.insert(chunk.file, file.travelling()?);
        }
        let head = Head {
            sizes: inner.sizes,
            columns: inner.columns.to_vec(),
            projection: self.projection.to_vec(),
            chunks,
            files: files.into_iter().collect(),
            sources: sources.into_iter().collect(),
            keeps: self.table.keep.is_some(),
        };
        let head =
            serde_json::to_vec(&head).map_err(|error| internal_datafusion_err!("a scan cannot travel: {error}"))?;
        let mut bytes = Vec::new();
        push_number(&mut bytes, head.len() as u64);
        bytes.extend_from_slice(&head);
        if let Some(keep) = &self.table.keep {
            for &at in self.chunks.iter() {
                push_ascending(&mut bytes, &keep.offsets(&inner.chunks[at])?);
            }
        }
        Ok(bytes)
    }

    /// The scan that these bytes stand for.
    ///
    /// # Errors
    /// Bytes that [`ChunkScan::encode`] of this release has not made.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        let bad = || internal_datafusion_err!("a scan that travelled cannot be read");
        let length = take_number(&mut bytes).ok_or_else(bad)?;
        let head = bytes.split_off(..usize::try_from(length).map_err(|_| bad())?).ok_or_else(bad)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| bad())?;
        let sources: BTreeMap<SourceId, Source> = head.sources.into_iter().collect();
        let mut files = BTreeMap::new();
        for (number, file) in head.files {
            let file = file.arrived().ok_or_else(bad)?;
            let shape = RowShape::new(sources.get(&file.source).ok_or_else(bad)?, &head.columns);
            files.insert(number, (Arc::new(file), Arc::new(shape)));
        }
        let partitions = 0..head.chunks.len();
        let mut keep: Option<Arc<dyn Keep>> = None;
        if head.keeps {
            let mut kept = Kept::default();
            for chunk in &head.chunks {
                kept.0.insert((chunk.file, chunk.start), take_ascending(&mut bytes).ok_or_else(bad)?.into());
            }
            keep = Some(Arc::new(kept));
        }
        if !bytes.is_empty() || head.chunks.iter().any(|chunk| !files.contains_key(&chunk.file)) {
            return Err(bad());
        }
        // Nobody sets this flag: the process that runs the plan is asked to stop by other means.
        let cancel = Arc::new(AtomicBool::new(false));
        let inner = Inner { chunks: head.chunks, sizes: head.sizes, files, columns: head.columns.into(), cancel };
        let table = ChunkTable { keep, ..ChunkTable::over(inner) };
        Self::new(table, head.projection.into(), partitions.collect())
    }
}

/// The file of a chunk with the table that it is, where that is a table and did not travel.
///
/// # Errors
/// A file that cannot be read here, or is not the one that was surveyed.
pub(super) fn with_table(file: &Arc<FileSurvey>, chunk: &Chunk) -> Result<Arc<FileSurvey>> {
    match chunk.kind {
        ChunkKind::Rows if file.rows().is_none() => Ok(Arc::new(file.with_table()?)),
        ChunkKind::Records | ChunkKind::Overlong | ChunkKind::Rows => Ok(Arc::clone(file)),
    }
}

/// The records to keep that travelled with a scan, by the file and the beginning of their chunk.
#[derive(Debug, Default)]
struct Kept(HashMap<(usize, u64), Arc<[u64]>>);

impl Keep for Kept {
    fn offsets(&self, chunk: &Chunk) -> std::result::Result<Arc<[u64]>, EngineError> {
        Ok(self.0.get(&(chunk.file, chunk.start)).cloned().unwrap_or_default())
    }
}

/// Seven bits in each byte, the lowest first; the eighth says that more follow (LEB128).
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// How many there are, the first, and the distance of each from the one before: two bytes for most records.
fn push_ascending(bytes: &mut Vec<u8>, numbers: &[u64]) {
    push_number(bytes, numbers.len() as u64);
    let mut before = 0;
    for &number in numbers {
        push_number(bytes, number - before);
        before = number;
    }
}

fn take_ascending(bytes: &mut &[u8]) -> Option<Vec<u64>> {
    let count = take_number(bytes)?;
    let mut numbers = Vec::new();
    let mut at: u64 = 0;
    for _ in 0..count {
        at = at.checked_add(take_number(bytes)?)?;
        numbers.push(at);
    }
    Some(numbers)
}
