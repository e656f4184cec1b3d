//! One pass over a data set's chunks as a series of jobs. The next job runs while the results of one are fetched, so that
//! executors have work; what is not fetched yet is bounded by two jobs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;

use super::ClusterError;
use super::client::{Client, Done};
use crate::engine::EngineError;
use crate::engine::read::scan::ChunkScan;

/// The chunks of a job: 256 MiB of a source at most.
const JOB_CHUNKS: usize = 64;

/// How often a chunk is computed again whose result was lost with its executor.
const TRIES: usize = 3;

/// A plan that runs on a cluster.
#[derive(Debug)]
pub struct Pass {
    client: Arc<Client>,
    plan: Arc<dyn ExecutionPlan>,
    chunks: usize,
    jobs: Vec<Job>,
    /// The jobs that the cluster knows of, and whether each has ended.
    known: Mutex<BTreeMap<String, bool>>,
    ahead: Mutex<Vec<AbortHandle>>,
}

#[derive(Debug)]
struct Job {
    done: OnceCell<Result<Done, ClusterError>>,
    /// The chunks that were not fetched yet.
    left: AtomicUsize,
}

impl Pass {
    /// A pass over the chunks that are the partitions of a plan.
    pub(in crate::engine) fn new(client: Arc<Client>, plan: Arc<dyn ExecutionPlan>) -> Self {
        let chunks = plan.output_partitioning().partition_count();
        let jobs = (0..chunks)
            .step_by(JOB_CHUNKS)
            .map(|first| Job { done: OnceCell::new(), left: AtomicUsize::new(JOB_CHUNKS.min(chunks - first)) });
        Self { client, plan, chunks, jobs: jobs.collect(), known: Mutex::default(), ahead: Mutex::default() }
    }

    /// The number of chunks.
    pub(in crate::engine) fn chunks(&self) -> usize {
        self.chunks
    }

    /// What executors made of a chunk.
    pub(in crate::engine) async fn chunk(
        self: &Arc<Self>,
        chunk: usize,
    ) -> Result<SendableRecordBatchStream, EngineError> {
        let (at, within) = (chunk / JOB_CHUNKS, chunk % JOB_CHUNKS);
        if within == 0 && at + 1 < self.jobs.len() {
            let pass = Arc::clone(self);
            let next = tokio::spawn(async move { drop(pass.done(at + 1).await) });
            self.ahead.lock().unwrap_or_else(PoisonError::into_inner).push(next.abort_handle());
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
            self.forget(&again.job).await;
        }
        let batches = fetched?;
        if self.jobs[at].left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.forget(&done.job).await;
        }
        let batches = futures::stream::iter(batches.into_iter().map(Ok));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.plan.schema(), batches)))
    }

    /// Gives up what still runs, and has the results deleted that nobody fetched.
    pub(in crate::engine) async fn end(&self) {
        let ahead = std::mem::take(&mut *self.ahead.lock().unwrap_or_else(PoisonError::into_inner));
        ahead.iter().for_each(AbortHandle::abort);
        let known = std::mem::take(&mut *self.known());
        for (job, ended) in known {
            self.client.forget(&job, !ended).await;
        }
    }

    async fn done(&self, at: usize) -> Result<&Done, ClusterError> {
        let chunks: Vec<usize> = (at * JOB_CHUNKS..self.chunks.min((at + 1) * JOB_CHUNKS)).collect();
        self.jobs[at].done.get_or_init(|| self.run(&chunks)).await.as_ref().map_err(ClusterError::clone)
    }

    /// Runs the plan over some chunks.
    async fn run(&self, chunks: &[usize]) -> Result<Done, ClusterError> {
        let plan = over(&self.plan, chunks).map_err(|error| ClusterError::Setup(error.to_string()))?;
        let known = |job: &str| {
            self.known().insert(job.to_owned(), false);
        };
        let done = self.client.run(plan, chunks.len(), known).await?;
        if let Some(ended) = self.known().get_mut(&done.job) {
            *ended = true;
        }
        Ok(done)
    }

    async fn fetch(&self, done: &Done, partition: usize) -> Result<Vec<RecordBatch>, ClusterError> {
        let location = done.partitions.get(partition).and_then(Option::as_ref);
        let location = location.ok_or_else(|| self.client.unfetched(&"the scheduler does not say where they are"))?;
        self.client.fetch(location).await
    }

    async fn forget(&self, job: &str) {
        self.known().remove(job);
        self.client.forget(job, false).await;
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, bool>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same plan over some partitions of its scan.
pub(super) fn over(
    plan: &Arc<dyn ExecutionPlan>,
    partitions: &[usize],
) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
    let narrowed = Arc::clone(plan).transform_up(|node| match node.downcast_ref::<ChunkScan>() {
        Some(scan) => Ok(Transformed::yes(Arc::new(scan.of_partitions(partitions)?) as _)),
        None => Ok(Transformed::no(node)),
    })?;
    Ok(narrowed.data)
}
