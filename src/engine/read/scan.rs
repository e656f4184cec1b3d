//! The chunks as a table of the query engine: one partition for each chunk.

#[cfg(feature = "cluster")]
pub(in crate::engine) mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};

use super::Sizes;
use super::chunk::ChunkReader;
use super::shape::RowShape;
use super::survey::{Chunk, FileSurvey, Survey};
use super::table::table_schema;
use crate::engine::EngineError;
use crate::engine::leaf::leaf;
use crate::hir::{Column, Source, SourceId};

/// Says which records are read, where not all are.
pub trait Keep: fmt::Debug + Send + Sync {
    /// The byte offsets in order of the records of a chunk that are read.
    ///
    /// # Errors
    /// What says so could not be read.
    fn offsets(&self, chunk: &Chunk) -> std::result::Result<Arc<[u64]>, EngineError>;
}

/// The table of a data set's rows.
#[derive(Debug, Clone)]
pub struct ChunkTable {
    inner: Arc<Inner>,
    schema: SchemaRef,
    keep: Option<Arc<dyn Keep>>,
}

#[derive(Debug)]
struct Inner {
    chunks: Vec<Chunk>,
    sizes: Sizes,
    /// The files that the chunks lie in, by their numbers.
    files: BTreeMap<usize, (Arc<FileSurvey>, Arc<RowShape>)>,
    columns: Arc<[Column]>,
    cancel: Arc<AtomicBool>,
}

impl ChunkTable {
    /// The rows of surveyed files with the columns of a data set. `source` gives each file's source.
    pub fn new<'p>(
        survey: Survey,
        columns: &[Column],
        source: impl Fn(SourceId) -> &'p Source,
        cancel: Arc<AtomicBool>,
    ) -> Self {
        let files = survey.files.into_iter().enumerate().map(|(number, file)| {
            let shape = RowShape::new(source(file.source), columns);
            (number, (Arc::new(file), Arc::new(shape)))
        });
        let (files, columns) = (files.collect(), Arc::from(columns));
        Self::over(Inner { files, chunks: survey.chunks, sizes: survey.sizes, columns, cancel })
    }

    /// The same table with these records alone.
    pub fn keeping(&self, keep: Arc<dyn Keep>) -> Self {
        Self { inner: Arc::clone(&self.inner), schema: Arc::clone(&self.schema), keep: Some(keep) }
    }

    fn over(inner: Inner) -> Self {
        Self { schema: table_schema(&inner.columns), inner: Arc::new(inner), keep: None }
    }
}

#[async_trait]
impl TableProvider for ChunkTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
        let projection: Arc<[usize]> =
            projection.map_or_else(|| (0..self.schema.fields().len()).collect(), |columns| columns.as_slice().into());
        let chunks = (0..self.inner.chunks.len()).collect();
        Ok(Arc::new(ChunkScan::new(self.clone(), projection, chunks)?))
    }
}

/// Reads chunks of a [`ChunkTable`].
#[derive(Debug)]
pub struct ChunkScan {
    table: ChunkTable,
    projection: Arc<[usize]>,
    /// The chunk that each partition reads.
    chunks: Arc<[usize]>,
    properties: Arc<PlanProperties>,
}

impl ChunkScan {
    fn new(table: ChunkTable, projection: Arc<[usize]>, chunks: Arc<[usize]>) -> Result<Self> {
        let schema = Arc::new(table.schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(chunks.len().max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { table, projection, chunks, properties: Arc::new(properties) })
    }
}

impl DisplayAs for ChunkScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.properties.eq_properties.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "ChunkScan: columns=[{}]", columns.join(", "))
    }
}

impl ExecutionPlan for ChunkScan {
    fn name(&self) -> &str {
        "ChunkScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    leaf!("a chunk scan");

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (inner, schema) = (&self.table.inner, self.schema());
        let Some(&at) = self.chunks.get(partition) else {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::empty())));
        };
        let chunk = inner.chunks[at];
        let (file, shape) = &inner.files[&chunk.file];
        #[cfg(feature = "cluster")]
        let file = &wire::with_table(file, &chunk)?;
        let keep = self.table.keep.as_ref().map(|keep| keep.offsets(&chunk)).transpose()?;
        let mut reader = ChunkReader::new(
            Arc::clone(shape),
            Arc::clone(file),
            chunk,
            inner.sizes,
            Arc::clone(&inner.columns),
            Arc::clone(&self.projection),
            keep,
        );
        let cancel = Arc::clone(&inner.cancel);
        let batches = std::iter::from_fn(move || {
            if cancel.load(Ordering::Relaxed) {
                return Some(Err(EngineError::Interrupted.into()));
            }
            reader.next_batch().map_err(Into::into).transpose()
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches))))
    }
}
