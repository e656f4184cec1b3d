//! Runs plans chunk by chunk on worker threads and hands the results over in order of the chunks, so that nothing depends
//! on the threads.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionConfig;
use futures::{StreamExt, TryStreamExt};
use tokio::runtime::Runtime;

use super::EngineError;
use super::site::{Reached, Site};

/// Worker threads, a session of the query engine, and where records are read.
pub struct Workers {
    runtime: Runtime,
    session: SessionContext,
    site: Reached,
    jobs: usize,
    cancel: Arc<AtomicBool>,
}

/// What is done with the batches of one chunk: it is given the chunk and all its batches as they come, on a worker.
pub trait ChunkWork: Send + Sync + 'static {
    /// What is known of a chunk while its batches come.
    type Chunk: Send + Sync + 'static;
    /// What becomes of a batch.
    type Piece: Send + 'static;

    /// Before the first batch of a chunk.
    fn begin(&self, chunk: usize) -> Result<Self::Chunk, EngineError>;

    /// Works on a batch of a chunk; `first` is the number of the chunk's rows before it.
    fn batch(&self, chunk: &Self::Chunk, first: usize, batch: RecordBatch) -> Result<Self::Piece, EngineError>;
}

/// Batches as they are.
pub struct Batches;

impl ChunkWork for Batches {
    type Chunk = ();
    type Piece = RecordBatch;

    fn begin(&self, _: usize) -> Result<(), EngineError> {
        Ok(())
    }

    fn batch(&self, (): &(), _: usize, batch: RecordBatch) -> Result<RecordBatch, EngineError> {
        Ok(batch)
    }
}

impl Workers {
    /// Starts as many threads as there are jobs, and reaches the site.
    pub fn start(jobs: NonZeroUsize, site: &Site, cancel: Arc<AtomicBool>) -> Result<Self, EngineError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(jobs.get())
            .thread_name("annotc-worker")
            .enable_all()
            .build()
            .map_err(|error| EngineError::Workers(error.to_string()))?;
        // The partitions of a plan are the chunks; the engine is to add none of its own.
        let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
        crate::plan::registry().into_iter().for_each(|udf| session.register_udf(udf));
        let site = runtime.block_on(site.reach(&cancel))?;
        Ok(Self { runtime, session, site, jobs: jobs.get(), cancel })
    }

    /// The number of threads.
    pub fn jobs(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.jobs).expect("there is a thread at least")
    }

    /// The optimized physical plan, which reads records where the site is.
    pub fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>, EngineError> {
        let plan = self.runtime.block_on(self.session.state().create_physical_plan(plan))?;
        Ok(self.site.placed(plan))
    }

    /// Runs a plan over all chunks. `each` is given a chunk and what became of its batches, in order of the chunks.
    pub fn run<W: ChunkWork>(
        &self,
        plan: &LogicalPlan,
        work: Arc<W>,
        each: &mut dyn FnMut(usize, Vec<W::Piece>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let plan = self.physical(plan)?;
        let chunks = plan.output_partitioning().partition_count();
        self.runtime.block_on(async {
            // One chunk more than there are threads is under way, so that a slow one lets nobody wait.
            let mut pieces = futures::stream::iter(0..chunks)
                .map(|chunk| {
                    // A plan keeps figures of its own for each chunk that it has run: each chunk has a copy, so that they go
                    // with it.
                    let stream = reset_plan_states(Arc::clone(&plan))
                        .and_then(|plan| plan.execute(chunk, self.session.task_ctx()));
                    let work = Arc::clone(&work);
                    tokio::spawn(async move {
                        let (mut batches, mut pieces, mut first) = (stream?, Vec::new(), 0);
                        let begun = work.begin(chunk)?;
                        while let Some(batch) = batches.try_next().await? {
                            let rows = batch.num_rows();
                            pieces.push(work.batch(&begun, first, batch)?);
                            first += rows;
                        }
                        Ok::<_, EngineError>(pieces)
                    })
                })
                .buffered(self.jobs + 1);
            for chunk in 0..chunks {
                if self.cancel.load(Ordering::Relaxed) {
                    return Err(EngineError::Interrupted);
                }
                let Some(done) = pieces.next().await else { break };
                let done = done.map_err(|error| EngineError::Workers(error.to_string()))?;
                each(chunk, done?)?;
            }
            Ok(())
        })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.site.leave(&self.runtime);
    }
}

/// The scan of a table.
pub fn scan(table: Arc<dyn TableProvider>) -> Result<LogicalPlan, EngineError> {
    Ok(LogicalPlanBuilder::scan("rows", provider_as_source(table), None)?.build()?)
}
