//! A cluster: one process schedules, others run the passes over their chunks, and the build that asked for it fetches what
//! came of each chunk, in order, and goes on as if it had come from a thread of its own. Apache Ballista carries plans,
//! tasks and results; this folder is the only door to it.
//!
//! A build plans its passes itself and sends physical plans, so that there is one planner and one plan, whoever runs it. A
//! pass goes out as a series of jobs, each over a run of chunks: what lies on executors and is not fetched yet stays
//! bounded, and what is lost is asked for again.

mod client;
mod codec;
mod error;
mod executor;
mod pass;
mod scheduler;
mod tls;

use std::net::{IpAddr, SocketAddr};

pub use client::{Client, probe};
pub use codec::release;
pub use error::ClusterError;
pub use executor::{ExecutorOptions, serve_executor};
pub(in crate::engine) use pass::placed;
pub use scheduler::{SchedulerOptions, serve_scheduler};
pub use tls::Tls;

/// The largest message between the processes: a job's plan with the records to keep of its chunks, or a batch.
const MESSAGE_BYTES: usize = 64 << 20;

/// Where a scheduler listens.
#[derive(Debug, Clone)]
pub struct Address {
    /// A name, or an IP address, in brackets where it has colons.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What proves who both sides are; without it nothing is encrypted.
    pub tls: Option<Tls>,
}

impl Address {
    /// `HOST:PORT`, or with the scheme `df://` before it.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let place = text.strip_prefix("df://").unwrap_or(text);
        let place = place.strip_suffix('/').unwrap_or(place);
        let parts = place.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains('/'));
        let (host, port) = parts.ok_or_else(|| format!("`{text}` is no address: write `df://HOST:PORT`"))?;
        let port = port.parse().map_err(|_| format!("`{port}` is no port: write a number up to 65535"))?;
        Ok(Self { host: host.to_owned(), port, tls: None })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Refuses to listen where other machines can reach what is neither encrypted nor checked.
///
/// # Errors
/// [`ClusterError::Exposed`], unless the address is one of this machine alone, certificates are asked for, or the caller
/// says that it is meant.
fn check_exposure(listen: SocketAddr, tls: Option<&Tls>, insecure: bool) -> Result<(), ClusterError> {
    let alone = match listen.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback(),
    };
    if alone || tls.is_some() || insecure { Ok(()) } else { Err(ClusterError::Exposed { listen }) }
}
