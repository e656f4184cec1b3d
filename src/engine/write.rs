//! The second pass: the emitted records of each chunk, rendered on the workers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt64Type};

use super::EngineError;
use super::build::Decided;
use super::outcome::RecordId;
use super::passes::ChunkWork;
use super::read::table::LOCATION;
use super::read::{Chunk, Keep, file_and_offset};
use super::training::{TableError, TableWriter};
use crate::emit::statistics::ColumnMeasure;
use crate::emit::{RenderError, Rendered, Renderer};
use crate::hir::{Dataset, StepKind};
use crate::plan::dataset::extra;
use crate::plan::types::arrow_type;
use crate::plan::{column_name, compliance};
use crate::statistics::Measured;

/// A record that is emitted.
#[derive(Debug, Clone)]
pub struct Emitted {
    /// Where it begins.
    pub location: u64,
    /// Its 1-based line.
    pub line: u64,
    /// Its identity.
    pub id: RecordId,
    /// Its part.
    pub part: u16,
    /// How often it is written.
    pub copies: u32,
}

/// What becomes of a batch.
#[derive(Default)]
pub struct Piece {
    /// Rows of an output and a part.
    pub rendered: Vec<(usize, usize, Rendered)>,
    /// Rows of a training table and a part.
    pub training: Vec<(usize, usize, RecordBatch)>,
    /// What was measured of rows of a part.
    pub measured: Vec<(usize, Vec<Measured>)>,
    /// For each redacted column in order of the steps: how much each detector found.
    pub found: Vec<Vec<u64>>,
}

/// All that a worker needs.
pub struct Write {
    /// The data set.
    pub dataset: Arc<Dataset>,
    /// One for each output.
    pub renderers: Vec<Renderer>,
    pub(super) tables: Vec<TableWriter>,
    /// How the emitted columns are measured.
    pub measures: Vec<ColumnMeasure>,
    /// The number of extra columns.
    pub extras: usize,
    /// The records that are emitted.
    pub(super) emission: Arc<Emission>,
    /// The chunks.
    pub chunks: Vec<Chunk>,
    /// The files' names.
    pub files: Vec<String>,
}

/// The emitted records, looked up chunk by chunk.
#[derive(Debug)]
pub(super) struct Emission(pub(super) Arc<Decided>);

impl Emission {
    /// Those of a chunk, in order.
    fn records(&self, chunk: &Chunk) -> Result<Vec<Emitted>, EngineError> {
        let Decided { narrow, fates, parts, .. } = &*self.0;
        let rows = narrow.rows_of(chunk)?;
        let (mut line, mut ids) = (narrow.line.iter_from(rows.start)?, fates.ids.iter_from(rows.start)?);
        let mut location = narrow.location.iter_from(rows.start)?;
        let mut emitted = Vec::new();
        for part in parts.iter_from(rows.start)?.take((rows.end - rows.start) as usize) {
            const EACH: &str = "every column has a value for each row";
            let (location, line) = (location.next().expect(EACH)?, line.next().expect(EACH)?);
            let id = ids.next().expect(EACH)?;
            emitted.extend(part?.map(|part| {
                let copies = self.0.copies.count(location, id, part);
                Emitted { location, line, id, part, copies }
            }));
        }
        Ok(emitted)
    }
}

impl Keep for Emission {
    fn offsets(&self, chunk: &Chunk) -> Result<Arc<[u64]>, EngineError> {
        Ok(self.records(chunk)?.iter().map(|one| file_and_offset(one.location).1).collect())
    }
}

/// The schema that is rendered: the id, then the columns that no label hides.
pub fn rendered_schema(dataset: &Dataset) -> SchemaRef {
    let visible = dataset.columns.iter().filter(|column| !column.hidden);
    let columns = visible.map(|column| Field::new(&column.name, arrow_type(&column.ty.ty), true));
    let id = Field::new("id", DataType::Utf8, false);
    Arc::new(Schema::new([id].into_iter().chain(columns).collect::<Vec<_>>()))
}

/// What is rendered of a batch of the second pass.
pub fn visible(dataset: &Dataset, batch: &RecordBatch, ids: StringArray) -> RecordBatch {
    let visible = dataset.columns.iter().enumerate().filter(|(_, column)| !column.hidden);
    let columns = visible.map(|(at, _)| Arc::clone(&batch[column_name(at).as_str()]));
    let columns: Vec<ArrayRef> = [Arc::new(ids) as ArrayRef].into_iter().chain(columns).collect();
    RecordBatch::try_new(rendered_schema(dataset), columns)
        .expect("the plan's columns have the types of the data set's")
}

/// The redacted columns in order of the steps, each with its detectors' names.
pub fn redacted(dataset: &Dataset) -> Vec<(usize, crate::hir::ColumnId, Vec<&'static str>)> {
    let mut columns = Vec::new();
    for (at, step) in dataset.steps.iter().enumerate() {
        if let StepKind::Redact { columns: ids, detectors } = &step.kind {
            let kinds: Vec<&'static str> = detectors.iter().map(|detector| detector.name).collect();
            columns.extend(ids.iter().map(|id| (at, *id, kinds.clone())));
        }
    }
    columns
}

impl ChunkWork for Write {
    type Chunk = (usize, Vec<Emitted>);
    type Piece = (Piece, Vec<(usize, u64)>);

    fn begin(&self, chunk: usize) -> Result<Self::Chunk, EngineError> {
        // A data set without a chunk has one without a record.
        let Some(chunk) = self.chunks.get(chunk) else { return Ok((0, Vec::new())) };
        Ok((chunk.file, self.emission.records(chunk)?))
    }

    fn batch(&self, chunk: &Self::Chunk, first: usize, batch: RecordBatch) -> Result<Self::Piece, EngineError> {
        let (file, emitted) = chunk;
        let emitted = emitted.get(first..first + batch.num_rows()).unwrap_or(&[]);
        let locations = batch[LOCATION].as_primitive::<UInt64Type>().values();
        let same = emitted.len() == locations.len()
            && emitted.iter().zip(locations.iter()).all(|(emitted, location)| emitted.location == *location);
        if !same {
            return Err(EngineError::Changed { path: self.files[*file].clone().into() });
        }
        let ids = emitted.iter().map(|one| Some(one.id.to_string())).collect();
        let visible = visible(&self.dataset, &batch, ids);
        let extras: Vec<ArrayRef> = (0..self.extras).map(|at| Arc::clone(&batch[extra(at).as_str()])).collect();
        let mut piece = Piece::default();
        for part in 0..self.dataset.split.parts.len() {
            let of_part = (0..).zip(emitted).filter(|(_, one)| usize::from(one.part) == part);
            let rows: Vec<u32> = of_part.flat_map(|(row, one)| std::iter::repeat_n(row, one.copies as usize)).collect();
            if !rows.is_empty() {
                self.render(part, &rows, &visible, &extras, &mut piece)
                    .map_err(|error| self.place(*file, emitted, &rows, error))?;
            }
        }
        let (found, changed) = self.found(&batch);
        piece.found = found;
        Ok((piece, changed))
    }
}

/// The ids of some rows; a further copy of a row has its number behind the id.
fn numbered(ids: &StringArray, rows: &[u32]) -> StringArray {
    let mut copy = 0;
    let mut before = None;
    let id = |row: &u32| {
        copy = if before.replace(*row) == Some(*row) { copy + 1 } else { 1 };
        let id = ids.value(*row as usize);
        if copy == 1 { id.to_owned() } else { format!("{id}+{copy}") }
    };
    StringArray::from_iter_values(rows.iter().map(id))
}

impl Write {
    fn render(
        &self,
        part: usize,
        rows: &[u32],
        visible: &RecordBatch,
        extras: &[ArrayRef],
        piece: &mut Piece,
    ) -> Result<(), TableError> {
        let (mut batch, mut extras) = (visible.clone(), extras.to_vec());
        if rows.len() != visible.num_rows() || rows.windows(2).any(|pair| pair[0] == pair[1]) {
            let numbered = numbered(visible.column(0).as_string(), rows);
            let rows = UInt32Array::from(rows.to_vec());
            let chosen = |column: &ArrayRef| take(column, &rows, None).expect("the rows are those of the batch");
            let others = batch.columns()[1..].iter().map(chosen);
            let columns = std::iter::once(Arc::new(numbered) as ArrayRef).chain(others).collect();
            batch = RecordBatch::try_new(batch.schema(), columns).expect("all columns were cut alike");
            extras = extras.iter().map(chosen).collect();
        }
        for (output, renderer) in self.renderers.iter().enumerate() {
            piece.rendered.push((output, part, renderer.render(&batch).map_err(TableError::Render)?));
        }
        for (at, table) in self.tables.iter().enumerate() {
            piece.training.push((at, part, table.rows(&self.dataset, &batch, &extras)?));
        }
        let measured = self.measures.iter().map(|column| column.measure.of(batch.column(column.place)));
        piece.measured.push((part, measured.collect()));
        Ok(())
    }

    /// An error with the place of its record.
    fn place(&self, file: usize, emitted: &[Emitted], rows: &[u32], error: TableError) -> EngineError {
        match error {
            TableError::Engine(error) => error,
            TableError::Render(RenderError { row, message }) => {
                let one = &emitted[rows[row] as usize];
                let (file, line, id) = (self.files[file].clone(), one.line, one.id.to_string());
                EngineError::Render { file, line, id, message }
            }
        }
    }

    /// How much was found in each redacted column, and how many records each `redact` changed.
    fn found(&self, batch: &RecordBatch) -> (Vec<Vec<u64>>, Vec<(usize, u64)>) {
        let mut found = Vec::new();
        let mut changed: Vec<(usize, Vec<bool>)> = Vec::new();
        for (step, column, kinds) in redacted(&self.dataset) {
            let counts = batch[compliance::found(step, column).as_str()].as_list::<i32>();
            let mut sums = vec![0; kinds.len()];
            if changed.last().is_none_or(|(last, _)| *last != step) {
                changed.push((step, vec![false; batch.num_rows()]));
            }
            for row in (0..batch.num_rows()).filter(|&row| counts.is_valid(row)) {
                let values = counts.value(row);
                for (sum, count) in sums.iter_mut().zip(values.as_primitive::<Int64Type>().values()) {
                    *sum += *count as u64;
                    if *count > 0
                        && let Some((_, flags)) = changed.last_mut()
                    {
                        flags[row] = true;
                    }
                }
            }
            found.push(sums);
        }
        let count = |flags: Vec<bool>| flags.into_iter().filter(|flag| *flag).count() as u64;
        (found, changed.into_iter().map(|(step, flags)| (step, count(flags))).collect())
    }
}
