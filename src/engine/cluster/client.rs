//! A build's side: jobs are submitted, waited for, given up, and their results fetched.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use arrow::array::RecordBatch;
use ballista_core::client::BallistaClient;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::execute_query_failure_result::Failure;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::execute_query_result::Result as Submitted;
use ballista_core::serde::protobuf::job_status::Status as State;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobStatusParams, PartitionLocation,
};
use ballista_core::version::insert_version_header;
use datafusion::common::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::TryStreamExt;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::codec::Codec;
use super::error::Told;
use super::scheduler::NEEDS_EXECUTORS;
use super::{Address, ClusterError, MESSAGE_BYTES, release, tls};
use crate::engine::EngineError;

/// How long a build waits for the first executor.
const EXECUTORS: Duration = Duration::from_secs(10);

/// How often a job's state is asked for.
const ASK: Duration = Duration::from_millis(25);

/// How long a scheduler may be away, or not know a job, before the build gives up.
const AWAY: Duration = Duration::from_secs(10);

/// A connection to a scheduler.
#[derive(Debug)]
pub struct Client {
    address: Address,
    scheduler: SchedulerGrpcClient<Channel>,
    codec: Codec,
    session: String,
    jobs: AtomicU64,
    /// The jobs that the cluster knows of, and whether each has ended.
    known: Mutex<BTreeMap<String, bool>>,
    /// What waits for jobs that nobody has asked for yet.
    ahead: Mutex<Vec<JoinHandle<()>>>,
    /// Whether the build is over.
    over: AtomicBool,
    cancel: Arc<AtomicBool>,
}

/// A job that came to its end: where the results of its partitions lie.
#[derive(Debug)]
pub struct Done {
    /// Its id.
    pub job: String,
    /// Each partition by its number.
    pub partitions: Vec<Option<PartitionLocation>>,
}

/// Asks whether a build can run there, before it reads its files.
///
/// # Errors
/// [`ClusterError::Nobody`], [`ClusterError::NoExecutors`].
pub fn probe(address: &Address, cancel: &Arc<AtomicBool>) -> Result<(), ClusterError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ClusterError::Setup(error.to_string()))?;
    runtime.block_on(Client::connect(address, cancel)).map(drop)
}

impl Client {
    /// Connects, and waits a little for an executor.
    pub(in crate::engine) async fn connect(
        address: &Address,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Arc<Self>, ClusterError> {
        let scheduler = SchedulerGrpcClient::new(tls::connect(address).await?)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let client = Self {
            address: address.clone(),
            scheduler,
            codec: Codec::new("the build", release()),
            session: format!("annotc-{}-{}", std::process::id(), since.as_nanos()),
            jobs: AtomicU64::new(0),
            known: Mutex::default(),
            ahead: Mutex::default(),
            over: AtomicBool::new(false),
            cancel: Arc::clone(cancel),
        };
        client.wait_for_executors().await?;
        Ok(Arc::new(client))
    }

    async fn wait_for_executors(&self) -> Result<(), ClusterError> {
        let begin = Instant::now();
        loop {
            let mut request = Request::new(GetJobStatusParams { job_id: "none".to_owned() });
            request.metadata_mut().insert(NEEDS_EXECUTORS, "1".parse().expect("a digit is ASCII"));
            match self.scheduler.clone().get_job_status(request).await {
                Ok(_) => return Ok(()),
                Err(status) if status.code() == Code::FailedPrecondition => {}
                Err(status) => return Err(self.lost(&status)),
            }
            if begin.elapsed() >= EXECUTORS {
                return Err(ClusterError::NoExecutors {
                    address: self.address.to_string(),
                    seconds: EXECUTORS.as_secs(),
                });
            }
            self.pause(Duration::from_millis(200)).await?;
        }
    }

    /// Runs a plan as one job, to its end.
    pub(super) async fn run(&self, plan: Arc<dyn ExecutionPlan>, partitions: usize) -> Result<Done, ClusterError> {
        let job = self.submit(plan).await?;
        locked(&self.known).insert(job.clone(), false);
        let mut last_known = Instant::now();
        loop {
            self.pause(ASK).await?;
            let status = self.scheduler.clone().get_job_status(GetJobStatusParams { job_id: job.clone() }).await;
            let state = match status {
                Ok(answer) => answer.into_inner().status.and_then(|status| status.status),
                Err(status) if last_known.elapsed() >= AWAY => return Err(self.lost(&status)),
                Err(_) => continue,
            };
            match state {
                None if last_known.elapsed() >= AWAY => {
                    return Err(self.lost(&Status::not_found("it does not know the job any more")));
                }
                None => continue,
                Some(State::Queued(_) | State::Running(_)) => last_known = Instant::now(),
                Some(State::Failed(failed)) => return Err(self.failed("an executor", &failed.error)),
                Some(State::Successful(done)) => {
                    let mut found = vec![None; partitions];
                    for location in done.partition_location {
                        let at = location.partition_id.as_ref().map(|id| id.partition_id as usize);
                        if let Some(slot) = at.and_then(|at| found.get_mut(at)) {
                            *slot = Some(location);
                        }
                    }
                    locked(&self.known).insert(job.clone(), true);
                    return Ok(Done { job, partitions: found });
                }
            }
        }
    }

    async fn submit(&self, plan: Arc<dyn ExecutionPlan>) -> Result<String, ClusterError> {
        let unsaid = |error: DataFusionError| match EngineError::from(error) {
            EngineError::Cluster(own) => own,
            other => ClusterError::Setup(other.to_string()),
        };
        let plan = PhysicalPlanNode::try_from_physical_plan(plan, &self.codec).map_err(unsaid)?;
        let mut bytes = Vec::new();
        plan.try_encode(&mut bytes).map_err(unsaid)?;
        let number = self.jobs.fetch_add(1, Ordering::Relaxed);
        let mut request = Request::new(ExecuteQueryParams {
            query: Some(Query::PhysicalPlan(bytes)),
            settings: Vec::new(),
            session_id: self.session.clone(),
            operation_id: format!("{}-{number}", self.session),
        });
        insert_version_header(request.metadata_mut());
        let answer = self.scheduler.clone().execute_query(request).await;
        match answer.map_err(|status| self.refused(&status))?.into_inner().result {
            Some(Submitted::Success(success)) => Ok(success.job_id),
            Some(Submitted::Failure(failure)) => Err(self.failed(
                "the scheduler",
                &match failure.failure {
                    Some(
                        Failure::PlanParsingFailure(text)
                        | Failure::SessionNotFound(text)
                        | Failure::SqlParsingFailure(text),
                    ) => text,
                    None => String::new(),
                },
            )),
            None => Err(self.failed("the scheduler", "an empty answer")),
        }
    }

    /// Takes care of a task that waits for a job.
    pub(super) fn ahead(&self, task: JoinHandle<()>) {
        locked(&self.ahead).push(task);
    }

    /// Has the results of a job deleted. Nothing is done about a scheduler that does not listen: it has results deleted by
    /// itself in time.
    pub(super) async fn forget(&self, job: &str) {
        locked(&self.known).remove(job);
        let params = CleanJobDataParams { job_id: job.to_owned(), remove_stage_ids: Vec::new() };
        let _ = self.scheduler.clone().clean_job_data(params).await;
    }

    /// Gives up what still runs, and has the results deleted that nobody fetched.
    pub(in crate::engine) async fn leave(&self) {
        self.over.store(true, Ordering::Relaxed);
        let ahead = std::mem::take(&mut *locked(&self.ahead));
        ahead.iter().for_each(JoinHandle::abort);
        let known = std::mem::take(&mut *locked(&self.known));
        for (job, ended) in known {
            if !ended {
                let params = CancelJobParams { job_id: job.clone() };
                let _ = self.scheduler.clone().cancel_job(params).await;
            }
            self.forget(&job).await;
        }
    }

    /// The batches of one partition, all of them or none.
    pub(super) async fn fetch(&self, location: &PartitionLocation) -> Result<Vec<RecordBatch>, ClusterError> {
        let lost = |reason: &dyn std::fmt::Display| self.unfetched(reason);
        let (Some(executor), Some(partition)) = (&location.executor_meta, &location.partition_id) else {
            return Err(lost(&"the scheduler does not say where they are"));
        };
        let certificates = self.address.tls.clone();
        let settle = BallistaConfigGrpcEndpoint::new(Arc::new(move |endpoint: Endpoint| {
            Ok(tls::endpoint(endpoint, certificates.as_ref())?)
        }));
        let (host, port) = (executor.host.as_str(), executor.port as u16);
        let tls = self.address.tls.is_some();
        let mut client = BallistaClient::try_new(host, port, MESSAGE_BYTES, tls, Some(Arc::new(settle)), 1, 100, 0, 0)
            .await
            .map_err(|error| lost(&error))?;
        let partition = partition.clone().into();
        let batches = client
            .fetch_partition(&executor.id, &partition, location.file_id, location.layout(), true)
            .await
            .map_err(|error| lost(&error))?;
        let batches: Vec<RecordBatch> = batches.try_collect().await.map_err(|error| lost(&error))?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        match &location.partition_stats {
            Some(stats) if stats.num_rows == rows as i64 => Ok(batches),
            _ => Err(lost(&"they are not those that were written")),
        }
    }

    /// Results that the scheduler says nothing of, or that are not where it says.
    pub(super) fn unfetched(&self, reason: &dyn std::fmt::Display) -> ClusterError {
        ClusterError::Fetch { address: self.address.to_string(), reason: reason.to_string() }
    }

    /// Waits, unless the build is interrupted or over.
    async fn pause(&self, time: Duration) -> Result<(), ClusterError> {
        if self.cancel.load(Ordering::Relaxed) || self.over.load(Ordering::Relaxed) {
            return Err(ClusterError::Interrupted);
        }
        tokio::time::sleep(time).await;
        Ok(())
    }

    /// What a job's failure means.
    fn failed(&self, who: &'static str, text: &str) -> ClusterError {
        let address = self.address.to_string();
        match Told::find(text) {
            Some(told) => ClusterError::Told(told.to_owned()),
            None if text.contains("Could not deserialize") => {
                ClusterError::Stranger { who, address, reason: text.trim().to_owned() }
            }
            None => ClusterError::Job { address, reason: text.trim().to_owned() },
        }
    }

    fn refused(&self, status: &Status) -> ClusterError {
        match status.code() {
            Code::FailedPrecondition | Code::InvalidArgument => self.failed("the scheduler", status.message()),
            _ => self.lost(status),
        }
    }

    fn lost(&self, status: &Status) -> ClusterError {
        ClusterError::Lost { address: self.address.to_string(), reason: status.message().to_owned() }
    }
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
