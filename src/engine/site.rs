//! Where records are read and worked on: by the threads of this process, or on a cluster. What is done with the batches,
//! and in which order, is the same.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::physical_plan::ExecutionPlan;
use tokio::runtime::Runtime;

use super::EngineError;
#[cfg(feature = "cluster")]
use super::cluster;
use super::read::Scratch;
#[cfg(feature = "cluster")]
use super::spool::Folder;

/// Where the passes of a build read records.
#[derive(Debug, Clone, Default)]
pub enum Site {
    /// In this process.
    #[default]
    Here,
    /// On the executors of a cluster. What they make of each chunk is fetched, and written here.
    #[cfg(feature = "cluster")]
    Cluster(cluster::Address),
}

/// A [`Site`] that was reached.
#[derive(Debug)]
pub(super) enum Reached {
    Here,
    #[cfg(feature = "cluster")]
    Cluster(Arc<cluster::Client>),
}

impl Site {
    /// Where a build that reads records there puts what it unpacks for that: where whoever reads it finds it.
    ///
    /// # Errors
    /// A cache that cannot be written.
    pub(super) fn scratch(&self, cache: &Path) -> Result<Scratch, EngineError> {
        match self {
            Self::Here => Ok(Scratch::Unnamed(cache.join("scratch"))),
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => Ok(Scratch::Named(Arc::new(Folder::create(cache)?))),
        }
    }

    /// Whether the passes run in this process, which has what was provided for their measures.
    pub fn is_here(&self) -> bool {
        match self {
            Self::Here => true,
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => false,
        }
    }

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
    /// The plan that gives what this one does, and reads records there.
    pub(super) fn placed(&self, plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        match self {
            Self::Here => plan,
            #[cfg(feature = "cluster")]
            Self::Cluster(client) => cluster::placed(client, plan),
        }
    }

    /// Gives up what still runs there.
    #[cfg_attr(not(feature = "cluster"), expect(unused_variables, reason = "what runs here ends with its threads"))]
    pub(super) fn leave(&self, runtime: &Runtime) {
        match self {
            Self::Here => {}
            #[cfg(feature = "cluster")]
            Self::Cluster(client) => runtime.block_on(client.leave()),
        }
    }
}
