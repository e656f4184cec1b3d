//! One pass over a data set's chunks as a series of jobs. The next job runs while the results of one are fetched, so that
//! executors have work; what is not fetched yet is bounded by two jobs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::TryStreamExt;
use tokio::sync::OnceCell;

use super::ClusterError;
use super::client::{Client, Done};
use crate::engine::EngineError;
use crate::engine::leaf::leaf;
use crate::engine::read::scan::ChunkScan;

/// The chunks of a job: 256 MiB of a source at most.
const JOB_CHUNKS: usize = 64;

/// How often a chunk is computed again whose result was lost with its executor.
const TRIES: usize = 3;

/// The plan that has a cluster do what this one does, if it reads records; else the plan itself.
pub(in crate::engine) fn placed(client: &Arc<Client>, plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let reads = plan.exists(|node| Ok(node.is::<ChunkScan>()));
    if !reads.expect("no look at a node fails") {
        return plan;
    }
    let chunks = plan.output_partitioning().partition_count();
    let jobs = (0..chunks).step_by(JOB_CHUNKS).map(|first| Job {
        asked: AtomicBool::new(false),
        done: OnceCell::new(),
        left: AtomicUsize::new(JOB_CHUNKS.min(chunks - first)),
    });
    let pass = Pass { client: Arc::clone(client), plan, chunks, jobs: jobs.collect() };
    Arc::new(ClusterExec { pass: Arc::new(pass) })
}

/// A plan and its jobs.
#[derive(Debug)]
struct Pass {
    client: Arc<Client>,
    plan: Arc<dyn ExecutionPlan>,
    chunks: usize,
    jobs: Vec<Job>,
}

#[derive(Debug)]
struct Job {
    /// Whether a chunk of it was asked for.
    asked: AtomicBool,
    done: OnceCell<Result<Done, ClusterError>>,
    /// The chunks that were not fetched yet.
    left: AtomicUsize,
}

impl Pass {
    /// What executors made of a chunk.
    async fn chunk(self: &Arc<Self>, chunk: usize) -> Result<Vec<RecordBatch>, ClusterError> {
        let (at, within) = (chunk / JOB_CHUNKS, chunk % JOB_CHUNKS);
        if !self.jobs[at].asked.swap(true, Ordering::Relaxed) && at + 1 < self.jobs.len() {
            let pass = Arc::clone(self);
            // A failure is met again by whoever asks for these chunks.
            self.client.ahead(tokio::spawn(async move { drop(pass.done(at + 1).await) }));
        }
        let done = self.done(at).await?;
        let mut fetched = self.fetch(done, within).await;
        for _ in 0..TRIES {
            match fetched {
                // Whatever became of the executor: what it computed comes out the same elsewhere.
                Err(ClusterError::Fetch { .. }) => {}
                _ => break,
            }
            let again = self.run(&[chunk]).await?;
            fetched = self.fetch(&again, 0).await;
            self.client.forget(&again.job).await;
        }
        let batches = fetched?;
        if self.jobs[at].left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.client.forget(&done.job).await;
        }
        Ok(batches)
    }

    async fn done(&self, at: usize) -> Result<&Done, ClusterError> {
        let chunks: Vec<usize> = (at * JOB_CHUNKS..self.chunks.min((at + 1) * JOB_CHUNKS)).collect();
        self.jobs[at].done.get_or_init(|| self.run(&chunks)).await.as_ref().map_err(ClusterError::clone)
    }

    /// Runs the plan over some chunks.
    async fn run(&self, chunks: &[usize]) -> Result<Done, ClusterError> {
        let plan = over(&self.plan, chunks).map_err(|error| ClusterError::Setup(error.to_string()))?;
        self.client.run(plan, chunks.len()).await
    }

    async fn fetch(&self, done: &Done, partition: usize) -> Result<Vec<RecordBatch>, ClusterError> {
        let location = done.partitions.get(partition).and_then(Option::as_ref);
        let location = location.ok_or_else(|| self.client.unfetched(&"the scheduler does not say where they are"))?;
        self.client.fetch(location).await
    }
}

/// The same plan over some partitions of its scan.
pub(super) fn over(plan: &Arc<dyn ExecutionPlan>, partitions: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
    let narrowed = Arc::clone(plan).transform_up(|node| match node.downcast_ref::<ChunkScan>() {
        Some(scan) => Ok(Transformed::yes(Arc::new(scan.of_partitions(partitions)?) as _)),
        None => Ok(Transformed::no(node)),
    })?;
    Ok(narrowed.data)
}

/// A pass as a node of a plan: each of its partitions is a chunk that a cluster has worked on.
#[derive(Debug)]
struct ClusterExec {
    pass: Arc<Pass>,
}

impl DisplayAs for ClusterExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterExec: {} jobs", self.pass.jobs.len())
    }
}

impl ExecutionPlan for ClusterExec {
    fn name(&self) -> &str {
        "ClusterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.pass.plan.properties()
    }

    // The plan that travels is finished and nobody else's to change.
    leaf!("a pass on a cluster");

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let pass = Arc::clone(&self.pass);
        let batches = futures::stream::once(async move {
            let batches = pass.chunk(partition).await.map_err(EngineError::from)?;
            Ok::<_, DataFusionError>(futures::stream::iter(batches.into_iter().map(Ok)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten())))
    }
}
