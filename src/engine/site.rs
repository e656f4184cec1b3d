//! Where the chunks of a plan are worked on: on the threads of this process, or on a cluster. What is done with the
//! batches, and in which order, is the same.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::EngineError;
#[cfg(feature = "cluster")]
use super::cluster;

/// Where the passes of a build run.
#[derive(Debug, Clone, Default)]
pub enum Site {
    /// On the threads of this process.
    #[default]
    Here,
    /// On the executors of a cluster. What they make of each chunk is fetched, and written here.
    #[cfg(feature = "cluster")]
    Cluster(cluster::Address),
}

/// A [`Site`] that was reached.
#[derive(Debug, Clone)]
pub(super) enum Reached {
    Here,
    #[cfg(feature = "cluster")]
    Cluster(Arc<cluster::Client>),
}

/// A plan that is run there.
pub(super) enum Running {
    Here(Arc<dyn ExecutionPlan>, Arc<TaskContext>),
    #[cfg(feature = "cluster")]
    Cluster(Arc<cluster::Pass>),
}

impl Site {
    /// Reaches the site. Work elsewhere is given up once `cancel` is set.
    #[cfg_attr(
        not(feature = "cluster"),
        expect(unused_variables, reason = "work here is given up by whoever waits for it")
    )]
    pub(super) async fn reach(&self, cancel: &Arc<AtomicBool>) -> Result<Reached, EngineError> {
        Ok(match self {
            Self::Here => Reached::Here,
            #[cfg(feature = "cluster")]
            Self::Cluster(address) => Reached::Cluster(cluster::Client::connect(address, cancel).await?),
        })
    }
}

impl Reached {
    /// Begins to run a plan, whose partitions are the chunks.
    pub(super) fn begin(&self, plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Running {
        match self {
            Self::Here => Running::Here(plan, context),
            #[cfg(feature = "cluster")]
            Self::Cluster(client) => Running::Cluster(Arc::new(cluster::Pass::new(Arc::clone(client), plan))),
        }
    }
}

impl Running {
    /// The number of chunks.
    pub(super) fn chunks(&self) -> usize {
        match self {
            Self::Here(plan, _) => plan.output_partitioning().partition_count(),
            #[cfg(feature = "cluster")]
            Self::Cluster(pass) => pass.chunks(),
        }
    }

    /// What the plan makes of a chunk. Chunks are asked for in their order.
    pub(super) async fn chunk(&self, chunk: usize) -> Result<SendableRecordBatchStream, EngineError> {
        match self {
            Self::Here(plan, context) => Ok(plan.execute(chunk, Arc::clone(context))?),
            #[cfg(feature = "cluster")]
            Self::Cluster(pass) => pass.chunk(chunk).await,
        }
    }

    /// Ends it, whether all chunks were asked for or not.
    pub(super) async fn end(&self) {
        match self {
            Self::Here(..) => {}
            #[cfg(feature = "cluster")]
            Self::Cluster(pass) => pass.end().await,
        }
    }
}
