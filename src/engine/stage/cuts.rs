//! The places that a step cuts out of texts, as a stage of their own: of each chunk the records of which something is cut,
//! with their places. They stand for all chunks together or not at all, since each record may repeat any other.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, LargeBinaryBuilder, RecordBatch, UInt64Array, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};

use super::chunk_file::{self, Found};
use super::table::moved;
use super::{Stages, Wanted};
use crate::engine::read::table::LOCATION;
use crate::engine::read::{Chunk, location};
use crate::plan::Cuts;

/// The bytes of a place: where it begins and where it ends.
const PLACE: usize = 8;

/// The files of what a step cuts out.
#[derive(Debug)]
pub struct KeptCuts {
    /// The chunks with their files.
    chunks: Vec<(Chunk, PathBuf)>,
    schema: SchemaRef,
    looks: bool,
}

impl KeptCuts {
    /// The files of a stage whose one measure is what is cut out, and why it cannot be kept, where its record could not be
    /// written.
    pub fn of(stages: &Stages, wanted: &Wanted<'_>) -> (Self, Option<String>) {
        let failure = stages.note(wanted).err().map(|error| error.to_string());
        let folder = stages.folder(wanted);
        let paths = wanted.chunk_keys().into_iter().map(|key| folder.join(chunk_file::name(&key)));
        let place = Field::new(LOCATION, DataType::UInt64, false);
        let cut = wanted.measures.columns().into_iter().map(|name| Field::new(name, DataType::LargeBinary, false));
        let schema = Arc::new(Schema::new(std::iter::once(place).chain(cut).collect::<Vec<_>>()));
        let chunks = wanted.survey.chunks.iter().copied().zip(paths).collect();
        (Self { chunks, schema, looks: stages.looks }, failure)
    }

    /// What is cut, where every file is there and whole, and how many were damaged; these are removed.
    pub fn read(&self) -> (Option<Cuts>, usize) {
        let mut cuts = Cuts::default();
        for (chunk, path) in &self.chunks {
            match chunk_file::read(path, &self.schema) {
                Found::Absent => return (None, 0),
                Found::Whole(batches) => batches.iter().for_each(|batch| push(&mut cuts, &moved(batch, chunk.file))),
                Found::Damaged => {
                    if !self.looks {
                        // What cannot be removed is replaced when the places are found again.
                        let _ = fs::remove_file(path);
                    }
                    return (None, 1);
                }
            }
        }
        (Some(cuts), 0)
    }

    /// Keeps what is cut.
    ///
    /// # Errors
    /// What the file system says, in words.
    pub fn write(&self, cuts: &Cuts) -> Result<(), String> {
        if self.looks {
            return Ok(());
        }
        self.chunks.iter().try_for_each(|(chunk, path)| {
            let batch = moved(&self.batch(chunk, cuts), 0);
            chunk_file::write(path, &self.schema, &[batch]).map_err(|error| error.to_string())
        })
    }

    /// What is cut out of a chunk's records.
    fn batch(&self, chunk: &Chunk, cuts: &Cuts) -> RecordBatch {
        let (mut locations, mut places) = (UInt64Builder::new(), LargeBinaryBuilder::new());
        let mut bytes = Vec::new();
        for (record, cut) in cuts.within(location(chunk.file, chunk.start)..location(chunk.file, chunk.end)) {
            bytes.clear();
            for place in cut {
                bytes.extend(place.start.to_le_bytes());
                bytes.extend(place.end.to_le_bytes());
            }
            locations.append_value(record);
            places.append_value(&bytes);
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(locations.finish()), Arc::new(places.finish())];
        RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("the columns are those of the schema")
    }
}

/// Adds what is cut out of a batch's records.
fn push(cuts: &mut Cuts, batch: &RecordBatch) {
    let locations: &UInt64Array = batch.column(0).as_primitive::<UInt64Type>();
    for (record, places) in locations.values().iter().zip(batch.column(1).as_binary::<i64>()) {
        let places = places.unwrap_or_default().as_chunks::<PLACE>().0.iter();
        cuts.push(
            *record,
            places.map(|[a, b, c, d, e, f, g, h]| {
                u32::from_le_bytes([*a, *b, *c, *d])..u32::from_le_bytes([*e, *f, *g, *h])
            }),
        );
    }
}
