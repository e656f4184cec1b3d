//! The process that knows the executors, hands them the chunks of jobs, and hands a lost executor's chunks to others.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::ConnectInfo;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use ballista_core::serde::{BallistaCodec, BallistaLogicalExtensionCodec};
use ballista_core::utils::default_session_builder;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::metrics::default_metrics_collector;
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion::execution::SessionState;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

use super::codec::Codec;
use super::{ClusterError, MESSAGE_BYTES, Tls, check_exposure, release, tls};

/// A request with this key is refused while there is no executor.
pub(super) const NEEDS_EXECUTORS: &str = "annotc-needs-executors";

/// How long an executor may be silent; one at work asks every 5 s.
const SILENCE: u64 = 15;

/// How long results stay that a build neither fetched nor had deleted.
const RESULTS: u64 = 3600;

/// How long a job that has ended is known; a build asks for its state many times a second until then.
const ENDED: u64 = 300;

/// How a scheduler is started.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Where it listens; the system chooses a port for 0.
    pub listen: SocketAddr,
    /// How its clients and executors prove who they are.
    pub tls: Option<Tls>,
    /// Whether other machines may reach it without that.
    pub insecure: bool,
}

/// Serves until `cancel` is set. `started` is told where it listens.
///
/// # Errors
/// An address that cannot be had, or must not.
pub fn serve_scheduler(
    options: &SchedulerOptions,
    cancel: &AtomicBool,
    started: &mut dyn FnMut(SocketAddr),
) -> Result<(), ClusterError> {
    check_exposure(options.listen, options.tls.as_ref(), options.insecure)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("annotc-scheduler").build();
    let runtime = runtime.map_err(|error| ClusterError::Setup(error.to_string()))?;
    runtime.block_on(serve(options, cancel, started))
}

async fn serve(
    options: &SchedulerOptions,
    cancel: &AtomicBool,
    started: &mut dyn FnMut(SocketAddr),
) -> Result<(), ClusterError> {
    let refused =
        |reason: &dyn std::fmt::Display| ClusterError::Listen { listen: options.listen, reason: reason.to_string() };
    let mut server = tls::server(options.tls.as_ref())?;
    let listener = TcpListener::bind(options.listen).await.map_err(|error| refused(&error))?;
    let listen = listener.local_addr().map_err(|error| refused(&error))?;
    let scheduler = scheduler(listen).await.map_err(|error| ClusterError::Setup(error.to_string()))?;
    let known = scheduler.clone();
    let door = move |mut request: Request<()>| {
        // Ballista asks for it where an executor does not say its own address.
        if let Some(from) = request.remote_addr() {
            request.extensions_mut().insert(ConnectInfo(from));
        }
        match request.metadata().get(NEEDS_EXECUTORS) {
            Some(_) if !known.is_ready() => Err(Status::failed_precondition("no executor has joined")),
            _ => Ok(request),
        }
    };
    let service = SchedulerGrpcServer::new(scheduler)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    started(listen);
    server
        .add_service(InterceptedService::new(service, door))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), cancelled(cancel))
        .await
        .map_err(|error| refused(&tls::words(&error)))
}

/// Comes to its end once somebody has set the flag.
pub(super) async fn cancelled(cancel: &AtomicBool) {
    while !cancel.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

type Scheduler = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

async fn scheduler(listen: SocketAddr) -> ballista_core::error::Result<Scheduler> {
    let config = SchedulerConfig {
        external_host: listen.ip().to_string(),
        bind_host: listen.ip().to_string(),
        bind_port: listen.port(),
        // Executors ask for work: that needs no port of theirs but the one for results.
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        executor_timeout_seconds: SILENCE,
        expire_dead_executor_interval_seconds: 2,
        no_executors_grace_period_seconds: 2 * SILENCE,
        finished_job_data_clean_up_interval_seconds: RESULTS,
        finished_job_state_clean_up_interval_seconds: ENDED,
        grpc_server_max_decoding_message_size: MESSAGE_BYTES as u32,
        grpc_server_max_encoding_message_size: MESSAGE_BYTES as u32,
        override_session_builder: Some(Arc::new(session)),
        min_ready_executors: 1,
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    // Builds send physical plans; of logical ones there are none of ours to read.
    let codec = BallistaCodec::new(
        Arc::new(BallistaLogicalExtensionCodec::default()),
        Arc::new(Codec::new("the scheduler", release())),
    );
    let metrics = default_metrics_collector()?;
    let mut scheduler = SchedulerServer::new(listen.to_string(), cluster, codec, Arc::new(config), metrics);
    scheduler.init().await?;
    Ok(scheduler)
}

/// A session that knows the functions of plans.
pub(super) fn session(config: SessionConfig) -> datafusion::common::Result<SessionState> {
    let mut state = default_session_builder(config)?;
    for udf in crate::plan::registry() {
        state.register_udf(Arc::new(udf))?;
    }
    Ok(state)
}
