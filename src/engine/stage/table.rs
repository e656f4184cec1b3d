//! The measures of a data set's chunks as a table of the query engine: one partition for each chunk, read from the cache
//! where it is there, measured and kept where it is not.

use std::fmt;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{SchemaRef, UInt64Type};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::TryStreamExt;

use super::chunk_file::{self, Found};
use super::{Reuse, Stages, Wanted};
use crate::engine::leaf::leaf;
use crate::engine::read::table::LOCATION;
use crate::engine::read::{file_and_offset, location};

/// The measures of all chunks.
#[derive(Debug, Clone)]
pub struct MeasureTable {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Takes the measures of a chunk.
    measuring: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    /// The name and the file of each chunk.
    chunks: Vec<(String, usize)>,
    /// The folders that may have a chunk; new ones go into the first.
    folders: Vec<Folder>,
    /// Whether nothing is written or removed.
    looks: bool,
    reused: AtomicUsize,
    damaged: AtomicUsize,
    failure: Mutex<Option<String>>,
}

/// A folder that may have a chunk.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Whether its record says that this build uses it.
    noted: AtomicBool,
}

impl MeasureTable {
    /// The measures of a stage's chunks; `measuring` is the physical plan that takes them.
    pub fn new(stages: &Stages, wanted: &Wanted<'_>, measuring: Arc<dyn ExecutionPlan>) -> Self {
        let failure = stages.note(wanted).err().map(|error| error.to_string());
        let files = wanted.survey.chunks.iter().map(|chunk| chunk.file);
        // The record of the stage's own folder was just written.
        let folder = |(at, path)| Folder { path, noted: AtomicBool::new(at == 0 || stages.looks) };
        let inner = Inner {
            schema: measuring.schema(),
            measuring,
            chunks: wanted.chunk_keys().into_iter().zip(files).collect(),
            folders: stages.holding(wanted).into_iter().enumerate().map(folder).collect(),
            looks: stages.looks,
            reused: AtomicUsize::new(0),
            damaged: AtomicUsize::new(0),
            failure: Mutex::new(failure),
        };
        Self { inner: Arc::new(inner) }
    }

    /// How much was there already, of the chunks that were asked for so far.
    pub fn reuse(&self) -> Reuse {
        Reuse {
            chunks: self.inner.chunks.len(),
            reused: self.inner.reused.load(Ordering::Relaxed),
            damaged: self.inner.damaged.load(Ordering::Relaxed),
            failure: self.inner.failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ..Reuse::default()
        }
    }
}

impl Folder {
    /// Makes the stage one that was used now, so that it is not taken for one that nobody needs.
    fn note(&self) {
        if !self.noted.swap(true, Ordering::Relaxed) {
            // What cannot be noted can be read all the same.
            let record = File::options().append(true).open(self.path.join(super::record::NAME));
            let _ = record.and_then(|record| record.set_modified(SystemTime::now()));
        }
    }
}

impl Inner {
    /// The measures of a chunk that are in the cache. A file that is not whole is removed.
    fn read(&self, chunk: usize) -> Option<Vec<RecordBatch>> {
        let (key, file) = self.chunks.get(chunk)?;
        for folder in &self.folders {
            let path = folder.path.join(chunk_file::name(key));
            match chunk_file::read(&path, &self.schema) {
                Found::Absent => {}
                Found::Whole(batches) => {
                    folder.note();
                    self.reused.fetch_add(1, Ordering::Relaxed);
                    return Some(batches.into_iter().map(|batch| moved(&batch, *file)).collect());
                }
                Found::Damaged => {
                    self.damaged.fetch_add(1, Ordering::Relaxed);
                    if !self.looks {
                        // What cannot be removed is replaced when the chunk is measured.
                        let _ = fs::remove_file(&path);
                    }
                }
            }
        }
        None
    }

    /// Keeps the measures of a chunk.
    fn write(&self, chunk: usize, batches: &[RecordBatch]) {
        let (Some((key, _)), Some(folder), false) = (self.chunks.get(chunk), self.folders.first(), self.looks) else {
            return;
        };
        let placed: Vec<RecordBatch> = batches.iter().map(|batch| moved(batch, 0)).collect();
        if let Err(error) = chunk_file::write(&folder.path.join(chunk_file::name(key)), &self.schema, &placed) {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
        }
    }
}

/// The same rows in a file of this number: in the cache all files have the number 0.
pub(super) fn moved(batch: &RecordBatch, file: usize) -> RecordBatch {
    let schema = batch.schema();
    let at = schema.index_of(LOCATION).expect("every measure has its location");
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    let locations = columns[at].as_primitive::<UInt64Type>().values().iter();
    columns[at] = Arc::new(UInt64Array::from_iter_values(locations.map(|of| location(file, file_and_offset(*of).1))));
    RecordBatch::try_new(schema, columns).expect("the columns are as long as before")
}

#[async_trait]
impl TableProvider for MeasureTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.inner.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.inner.schema.fields().len()).collect();
        let projection: Arc<[usize]> = projection.map_or_else(all, |columns| columns.as_slice().into());
        let schema = Arc::new(self.inner.schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(self.inner.measuring.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(MeasureScan { inner: Arc::clone(&self.inner), projection, properties: Arc::new(properties) }))
    }
}

/// Reads the chunks of a [`MeasureTable`].
#[derive(Debug)]
struct MeasureScan {
    inner: Arc<Inner>,
    projection: Arc<[usize]>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for MeasureScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.properties.eq_properties.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "MeasureScan: columns=[{}]", columns.join(", "))
    }
}

impl ExecutionPlan for MeasureScan {
    fn name(&self) -> &str {
        "MeasureScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    // The plan that measures is finished and nobody else's to change.
    leaf!("a scan of measures");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (inner, projection) = (Arc::clone(&self.inner), Arc::clone(&self.projection));
        // All is done when the stream is read, on the thread that reads it.
        let batches = futures::stream::once(async move {
            let batches = match inner.read(partition) {
                Some(batches) => batches,
                None => {
                    let measured = inner.measuring.execute(partition, context)?;
                    let batches: Vec<RecordBatch> = measured.try_collect().await?;
                    inner.write(partition, &batches);
                    batches
                }
            };
            let projected = batches.into_iter().map(move |batch| Ok(batch.project(&projection)?));
            Ok::<_, datafusion::error::DataFusionError>(futures::stream::iter(projected))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten())))
    }
}
