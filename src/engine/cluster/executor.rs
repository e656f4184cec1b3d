//! A process that works on chunks: it asks the scheduler for tasks, runs them, and keeps the results until they are fetched.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use arrow_flight::flight_service_server::FlightServiceServer;
use async_trait::async_trait;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::protobuf::executor_resource::Resource;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    ExecutorOperatingSystemSpecification, ExecutorRegistration, ExecutorResource, ExecutorSpecification,
    ExecutorStoppedParams, GetJobStatusParams, ShuffleWritePartition,
};
use ballista_core::serde::{BallistaCodec, BallistaLogicalExtensionCodec};
use ballista_core::{BALLISTA_PROTOCOL_VERSION, JobId};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use ballista_executor::execution_loop::poll_loop;
use ballista_executor::executor::Executor;
use ballista_executor::flight_service::BallistaFlightService;
use ballista_executor::health::ExecutorHealth;
use ballista_executor::metrics::LoggingMetricsCollector;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

use super::codec::Codec;
use super::error::Told;
use super::pass::over;
use super::scheduler::cancelled;
use super::{Address, ClusterError, MESSAGE_BYTES, check_exposure, tls};

/// How an executor is started.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// The scheduler that it works for; its certificates are the executor's too.
    pub scheduler: Address,
    /// Where builds fetch results; the system chooses a port for 0.
    pub listen: SocketAddr,
    /// The name by which builds reach it.
    pub host: String,
    /// How many chunks it works on at a time.
    pub cores: NonZeroUsize,
    /// The folder that results lie in until they are fetched.
    pub work_dir: PathBuf,
    /// Whether other machines may reach it without certificates.
    pub insecure: bool,
    /// The [`release`](super::release) that it is.
    pub release: String,
}

/// Serves until `cancel` is set. `started` is told where results are fetched.
///
/// # Errors
/// No scheduler, or an address that cannot be had, or must not.
pub fn serve_executor(
    options: &ExecutorOptions,
    cancel: &AtomicBool,
    started: &mut dyn FnMut(SocketAddr),
) -> std::result::Result<(), ClusterError> {
    check_exposure(options.listen, options.scheduler.tls.as_ref(), options.insecure)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("annotc-executor").build();
    let runtime = runtime.map_err(|error| ClusterError::Setup(error.to_string()))?;
    let result = runtime.block_on(serve(options, cancel, started));
    // Tasks that still run lose their reader: nobody waits for them.
    runtime.shutdown_background();
    result
}

async fn serve(
    options: &ExecutorOptions,
    cancel: &AtomicBool,
    started: &mut dyn FnMut(SocketAddr),
) -> std::result::Result<(), ClusterError> {
    let refused =
        |reason: &dyn fmt::Display| ClusterError::Listen { listen: options.listen, reason: reason.to_string() };
    let mut server = tls::server(options.scheduler.tls.as_ref())?;
    let listener = TcpListener::bind(options.listen).await.map_err(|error| refused(&error))?;
    let listen = listener.local_addr().map_err(|error| refused(&error))?;
    let mut scheduler = SchedulerGrpcClient::new(tls::connect(&options.scheduler).await?)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    let lost = |status: tonic::Status| ClusterError::Lost {
        address: options.scheduler.to_string(),
        reason: status.message().to_owned(),
    };
    // Whatever else listens there does not know this call.
    scheduler.get_job_status(GetJobStatusParams { job_id: "none".to_owned() }).await.map_err(lost)?;
    let place = format!("{}:{}", options.host, listen.port());
    let executor = Arc::new(executor(options, listen, &place));
    let codec: BallistaCodec<LogicalPlanNode, PhysicalPlanNode> = BallistaCodec::new(
        Arc::new(BallistaLogicalExtensionCodec::default()),
        Arc::new(Codec::new(&format!("the executor {place}"), &options.release)),
    );
    let results = FlightServiceServer::new(BallistaFlightService::new(executor.work_dir.clone()))
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    let id = executor.metadata.id.clone();
    let work = poll_loop(scheduler.clone(), executor, codec, None, None, ExecutorHealth::new());
    let serving = server.add_service(results).serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
    started(listen);
    tokio::select! {
        ended = work => ended.map_err(|error| ClusterError::Setup(error.to_string())),
        ended = serving => ended.map_err(|error| refused(&tls::words(&error))),
        () = cancelled(cancel) => {
            let params = ExecutorStoppedParams { executor_id: id, reason: "it was stopped".to_owned() };
            // A scheduler that is gone needs no notice; another misses the executor after a while.
            let _ = scheduler.executor_stopped(params).await;
            Ok(())
        }
    }
}

fn executor(options: &ExecutorOptions, listen: SocketAddr, place: &str) -> Executor {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let cores = options.cores.get();
    let metadata = ExecutorRegistration {
        id: format!("{place}-{}-{}", std::process::id(), since.as_nanos()),
        host: Some(options.host.clone()),
        port: u32::from(listen.port()),
        // Nobody calls an executor but for results: it asks for work itself.
        grpc_port: 0,
        specification: Some(ExecutorSpecification {
            resources: vec![ExecutorResource { resource: Some(Resource::Vcores(cores as u32)) }],
        }),
        os_info: Some(ExecutorOperatingSystemSpecification::default()),
        ballista_protocol_version: BALLISTA_PROTOCOL_VERSION,
    };
    let mut functions = BallistaFunctionRegistry::default();
    let own = crate::plan::registry().into_iter().map(|udf| (udf.name().to_owned(), Arc::new(udf)));
    functions.scalar_functions.extend(own);
    let spill: Arc<Path> = options.work_dir.as_path().into();
    Executor::new(
        metadata,
        &options.work_dir.to_string_lossy(),
        Arc::new(move |_: &SessionConfig| {
            Ok(Arc::new(RuntimeEnvBuilder::new().with_temp_file_path(spill.as_ref()).build()?))
        }),
        Arc::new(SessionConfig::new_with_ballista),
        Arc::new(functions),
        Arc::new(LoggingMetricsCollector::default()),
        cores,
        Arc::new(Engine { stages: DefaultExecutionEngine::new(), place: place.to_owned() }),
    )
}

/// Runs stages as Ballista does, over the chunks of a task alone: Ballista does not know how to narrow a scan of ours, and
/// leaves all of the job's chunks in each task's plan.
struct Engine {
    stages: DefaultExecutionEngine,
    place: String,
}

impl ExecutionEngine for Engine {
    fn create_query_stage_exec(
        &self,
        job: JobId,
        stage: usize,
        task: usize,
        partitions: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let plan = over(&plan, &partitions)?;
        let inner = self.stages.create_query_stage_exec(job, stage, task, partitions, plan, work_dir, config)?;
        Ok(Arc::new(Stage { inner, place: self.place.clone() }))
    }
}

/// A stage whose failures are told in our words.
#[derive(Debug)]
struct Stage {
    inner: Arc<dyn QueryStageExecutor>,
    place: String,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl QueryStageExecutor for Stage {
    async fn execute_query_stage(&self, task: usize, context: Arc<TaskContext>) -> Result<Vec<ShuffleWritePartition>> {
        let result = self.inner.execute_query_stage(task, context).await;
        result.map_err(|error| Told::of_task(&error, &self.place))
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.inner.collect_plan_metrics()
    }
}
