//! What goes wrong between processes, and how a failure of one is told by another.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use ballista_core::error::BallistaError;
use datafusion::error::DataFusionError;

use super::release;
use crate::engine::EngineError;

/// A failure of a cluster. None holds a record's text.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// No scheduler listens there.
    #[error("no scheduler answers at {address}: {reason}")]
    Nobody {
        /// Where it was looked for.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// A scheduler without executors.
    #[error("the scheduler at {address} has no executor, after a wait of {seconds} s")]
    NoExecutors {
        /// The scheduler.
        address: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A scheduler that answered before does so no more.
    #[error("the scheduler at {address} was lost: {reason}")]
    Lost {
        /// The scheduler.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// What an executor or the scheduler says of itself.
    #[error("{0}")]
    Told(String),
    /// A process of the cluster that cannot read plans of annotc at all.
    #[error("{who} of the cluster at {address} does not know the plans of annotc {}: {reason}", release())]
    Stranger {
        /// Which kind of process.
        who: &'static str,
        /// The scheduler.
        address: String,
        /// What it says.
        reason: String,
    },
    /// A job that failed for a reason that is not ours.
    #[error("the cluster at {address} failed: {reason}")]
    Job {
        /// The scheduler.
        address: String,
        /// What it says.
        reason: String,
    },
    /// Results that cannot be had, time and again.
    #[error("what executors of the cluster at {address} computed cannot be fetched: {reason}")]
    Fetch {
        /// The scheduler.
        address: String,
        /// What went wrong the last time.
        reason: String,
    },
    /// An address that cannot be listened on.
    #[error("cannot listen on {listen}: {reason}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// An address that other machines can reach, without certificates.
    #[error("other machines can reach {listen}, and whoever reaches it runs plans with the rights of this process")]
    Exposed {
        /// The address.
        listen: SocketAddr,
    },
    /// A certificate or key that cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What a build has fetched, unpacked or converted, and an executor cannot read.
    #[error(
        "cannot read {}, the build's copy of {}: {reason}; executors must find the folder of `--cache` under the same path",
        copy.display(), path.display()
    )]
    Copy {
        /// The file, or its address.
        path: PathBuf,
        /// Its copy.
        copy: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Somebody asked the build to stop.
    #[error("interrupted")]
    Interrupted,
    /// A process that could not be set up.
    #[error("the process could not be set up: {0}")]
    Setup(String),
}

impl ClusterError {
    /// How to mend it, where there is one way.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Nobody { .. } => Some("start one with `annotc cluster scheduler`, and mind the port and `--tls-…`"),
            Self::NoExecutors { .. } => Some("start some with `annotc cluster executor --scheduler HOST:PORT`"),
            Self::Exposed { .. } => {
                Some("give `--tls-cert`, `--tls-key` and `--tls-ca`; or `--insecure` in a network you trust")
            }
            Self::Stranger { .. } => Some("a cluster is made of `annotc cluster` processes of one release"),
            Self::Lost { .. } | Self::Fetch { .. } => Some("nothing was written; build again once the cluster is up"),
            Self::Told(_)
            | Self::Job { .. }
            | Self::Listen { .. }
            | Self::Certificate { .. }
            | Self::Copy { .. }
            | Self::Interrupted
            | Self::Setup(_) => None,
        }
    }
}

impl From<ClusterError> for EngineError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Interrupted => EngineError::Interrupted,
            other => EngineError::Cluster(other),
        }
    }
}

/// A failure in the words of this process. A scheduler passes errors on as they are printed for debugging, so that is
/// where these words stand, between marks by which the client finds them again.
pub struct Told(String);

/// No text of ours and no path holds these marks.
const MARKS: [char; 2] = ['\u{27e6}', '\u{27e7}'];

impl Told {
    /// An error of this process for another one.
    pub fn error(text: impl fmt::Display) -> DataFusionError {
        DataFusionError::External(Box::new(Self(text.to_string())))
    }

    /// A failure of a task, with the place where it ran.
    pub fn of_task(error: &DataFusionError, place: &str) -> DataFusionError {
        match own(error) {
            Some(own) => Self::error(format_args!("{own} (on the executor {place})")),
            None => Self::error(format_args!("{error} (on the executor {place})")),
        }
    }

    /// The words of the other process in what a scheduler passed on.
    pub fn find(text: &str) -> Option<&str> {
        let (_, rest) = text.split_once(MARKS[0])?;
        rest.split_once(MARKS[1]).map(|(told, _)| told)
    }
}

/// An error of ours inside the wrapping of both engines.
fn own(error: &DataFusionError) -> Option<&EngineError> {
    match error {
        DataFusionError::Shared(inner) => own(inner),
        DataFusionError::Context(_, inner) => own(inner),
        DataFusionError::External(inner) => match inner.downcast_ref::<BallistaError>() {
            Some(BallistaError::DataFusionError(inner)) => own(inner),
            _ => inner.downcast_ref::<EngineError>(),
        },
        _ => None,
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", MARKS[0], self.0, MARKS[1])
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Told {}
