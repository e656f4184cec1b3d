//! `annotc cluster`: the processes of a cluster; and where a build's passes run.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Failure;
use super::build::{cancelled, jobs, listen};
use super::terminal::{Paint, Terminal};
use crate::engine::Site;
use crate::engine::cluster::{
    Address, ClusterError, ExecutorOptions, SchedulerOptions, Tls, probe, release, serve_executor, serve_scheduler,
};

/// Options of `annotc cluster`.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    #[command(subcommand)]
    process: Process,
}

#[derive(Debug, Subcommand)]
enum Process {
    /// Hand the chunks of builds to executors
    Scheduler(SchedulerArgs),
    /// Work on the chunks of builds
    Executor(ExecutorArgs),
}

#[derive(Debug, Args)]
struct SchedulerArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:50050")]
    listen: SocketAddr,
    #[command(flatten)]
    trust: Trust,
}

#[derive(Debug, Args)]
struct ExecutorArgs {
    /// The scheduler to work for
    #[arg(long, value_name = "HOST:PORT", value_parser = Address::parse)]
    scheduler: Address,
    /// Where builds fetch results; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value_t = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))]
    listen: SocketAddr,
    /// The name or address by which builds reach this machine [default: the address listened on]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Chunks to work on at a time [default: the machine's cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    cores: Option<u16>,
    /// The folder under which results lie until they are fetched [default: the system's for temporary files]
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

#[derive(Debug, Args)]
struct Trust {
    #[command(flatten)]
    certificates: Certificates,
    /// Let other machines reach this process without certificates: whoever reaches it runs plans with its rights
    #[arg(long)]
    insecure: bool,
}

/// How processes prove who they are to each other.
#[derive(Debug, Clone, Args)]
struct Certificates {
    /// The certificate of this process, as PEM
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "tls_ca"])]
    tls_cert: Option<PathBuf>,
    /// The key of its certificate, as PEM
    #[arg(long, value_name = "FILE", requires_all = ["tls_cert", "tls_ca"])]
    tls_key: Option<PathBuf>,
    /// The authority that has signed the certificates of all processes, as PEM
    #[arg(long, value_name = "FILE", requires_all = ["tls_cert", "tls_key"])]
    tls_ca: Option<PathBuf>,
}

impl Certificates {
    fn read(&self) -> Result<Option<Tls>, ClusterError> {
        match (&self.tls_cert, &self.tls_key, &self.tls_ca) {
            (Some(certificate), Some(key), Some(authority)) => Tls::read(certificate, key, authority).map(Some),
            _ => Ok(None),
        }
    }
}

/// Where the passes of a build run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Clusters")]
pub struct Elsewhere {
    /// Run the passes of data sets on the cluster of this scheduler
    #[arg(long, value_name = "df://HOST:PORT", value_parser = Address::parse)]
    cluster: Option<Address>,
    #[command(flatten)]
    certificates: Certificates,
}

impl Elsewhere {
    /// The site, where somebody must answer.
    pub fn site(&self, terminal: &Terminal, cancel: &Arc<AtomicBool>) -> Result<Site, Failure> {
        let Some(address) = self.cluster.clone() else {
            if self.certificates.tls_cert.is_none() {
                return Ok(Site::Here);
            }
            terminal.error(
                "`--tls-cert`, `--tls-key` and `--tls-ca` are of a cluster",
                Some("say which: `--cluster df://HOST:PORT`"),
            );
            return Err(Failure::Usage);
        };
        let tls = self.certificates.read().map_err(|error| fail(terminal, &error))?;
        let address = Address { tls, ..address };
        probe(&address, cancel).map_err(|error| fail(terminal, &error))?;
        terminal.status(Paint::Green, "Using", format_args!("the cluster at {address}"));
        Ok(Site::Cluster(address))
    }
}

/// Runs one process of a cluster until it is interrupted.
pub fn run(args: &ClusterArgs, terminal: &Terminal) -> Result<(), Failure> {
    let cancel = Arc::new(AtomicBool::new(false));
    listen(&cancel);
    let result = match &args.process {
        Process::Scheduler(args) => scheduler(args, terminal, &cancel),
        Process::Executor(args) => executor(args, terminal, &cancel),
    };
    result.map_err(|error| fail(terminal, &error))
}

fn scheduler(args: &SchedulerArgs, terminal: &Terminal, cancel: &AtomicBool) -> Result<(), ClusterError> {
    let tls = args.trust.certificates.read()?;
    let options = SchedulerOptions { listen: args.listen, tls, insecure: args.trust.insecure };
    serve_scheduler(&options, cancel, &mut |listen| started(terminal, "scheduler", listen))
}

fn executor(args: &ExecutorArgs, terminal: &Terminal, cancel: &AtomicBool) -> Result<(), ClusterError> {
    let tls = args.trust.certificates.read()?;
    // A folder of its own, which only this user can read, and which goes when the process ends in order.
    let mut folder = tempfile::Builder::new();
    let folder = folder.prefix("annotc-executor-");
    let folder = match &args.work_dir {
        Some(parent) => folder.tempdir_in(parent),
        None => folder.tempdir(),
    };
    let folder = folder.map_err(|error| ClusterError::Setup(error.to_string()))?;
    let ip = args.listen.ip();
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let options = ExecutorOptions {
        scheduler: Address { tls, ..args.scheduler.clone() },
        listen: args.listen,
        host: args.host.clone().unwrap_or(host),
        cores: NonZeroUsize::new(jobs(args.cores)).unwrap_or(NonZeroUsize::MIN),
        work_dir: folder.path().to_owned(),
        insecure: args.trust.insecure,
        release: release().to_owned(),
    };
    serve_executor(&options, cancel, &mut |listen| started(terminal, "executor", listen))
}

/// Tells where a process listens: for programs as an answer, because a port may have been chosen by the system.
fn started(terminal: &Terminal, process: &str, listen: SocketAddr) {
    terminal.status(Paint::Green, "Listening", format_args!("{listen}: the {process} of annotc {}", release()));
    if terminal.json() {
        terminal.answer(json!({ "process": process, "listen": listen, "release": release() }));
    }
}

fn fail(terminal: &Terminal, error: &ClusterError) -> Failure {
    if matches!(error, ClusterError::Interrupted) {
        return cancelled(terminal);
    }
    terminal.error(error, error.help());
    if matches!(error, ClusterError::Exposed { .. }) { Failure::Usage } else { Failure::World }
}
