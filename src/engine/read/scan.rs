//! The chunks as a table of the query engine: one partition for each chunk.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};

use super::chunk::ChunkReader;
use super::shape::RowShape;
use super::survey::Survey;
use super::table::table_schema;
use super::{Chunk, FileSurvey};
use crate::engine::EngineError;
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
    survey: Survey,
    files: Vec<(Arc<FileSurvey>, Arc<RowShape>)>,
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
        let files = survey.files.iter().map(|file| {
            let shape = RowShape::new(source(file.source), columns);
            (Arc::new(file.clone()), Arc::new(shape))
        });
        let files = files.collect();
        let inner = Inner { files, columns: columns.into(), cancel, survey };
        Self { schema: table_schema(columns), inner: Arc::new(inner), keep: None }
    }

    /// The same table with these records alone.
    pub fn keeping(&self, keep: Arc<dyn Keep>) -> Self {
        Self { inner: Arc::clone(&self.inner), schema: Arc::clone(&self.schema), keep: Some(keep) }
    }

    /// The files and chunks.
    pub fn survey(&self) -> &Survey {
        &self.inner.survey
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
        let schema = Arc::new(self.schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(self.inner.survey.chunks.len().max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(ChunkScan { table: self.clone(), projection, properties: Arc::new(properties) }))
    }
}

/// Reads the chunks of a [`ChunkTable`].
#[derive(Debug)]
struct ChunkScan {
    table: ChunkTable,
    projection: Arc<[usize]>,
    properties: Arc<PlanProperties>,
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

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a chunk scan has no children") }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (inner, schema) = (&self.table.inner, self.schema());
        let Some(&chunk) = inner.survey.chunks.get(partition) else {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::empty())));
        };
        let (file, shape) = &inner.files[chunk.file];
        let keep = self.table.keep.as_ref().map(|keep| keep.offsets(&chunk)).transpose()?;
        let mut reader = ChunkReader::new(
            Arc::clone(shape),
            Arc::clone(file),
            chunk,
            inner.survey.sizes,
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
