//! `annotc build`: data sets, training runs, evaluations, each skipped where nothing has changed.

pub mod dataset;
mod evaluate;
pub mod inputs;
pub mod lower;
mod metrics;
pub mod outputs;
pub mod reuse;
pub mod targets;
mod train;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::cache::units;
use super::cluster::Elsewhere;
use super::context::Spec;
use super::memory::parse_bytes;
use super::models::{self, Provided, Purpose};
use super::out::Out;
use super::terminal::{Paint, Terminal};
use super::{DeviceArgs, Failure, MemoryArgs, Places, RuntimeArgs};
use crate::emit::lock::{self, Lock};
use crate::emit::{self, Digest, Manifest, file_name};
use crate::engine::stage::Stages;
use crate::engine::{MemoryLimit, Site};
use crate::hir::{self, DatasetId, DeviceWish, Program, TrainId};
use crate::plan::functions::forget_language_models;
use crate::remote::{Remote, Terms};
use crate::runtime::{Device, Runtime};
use crate::train::{Checkpoints, prune_tokens, tokens_folder};
use inputs::Roots;
use outputs::Outputs;
use targets::Targets;

/// Options of `annotc build`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct BuildArgs {
    /// The specification
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Data sets and training runs to build, with what they stand on [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    runtime: RuntimeArgs,
    /// Threads [default: the machine's cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Ask anew which commits the branches of remote repositories mean; without it those of the lockfile are read
    #[arg(long, conflicts_with = "locked")]
    refresh: bool,
    /// Measure every record again, and keep nothing for the next build
    #[arg(long)]
    no_cache: bool,
    /// The size that the cache of measures may have; what was used least recently goes
    #[arg(long, value_name = "SIZE", default_value = "5GiB", value_parser = parse_bytes)]
    cache_size: u64,
    #[command(flatten)]
    memory: MemoryArgs,
    /// The memory that a training run may take; one that needs more is refused before its first step [default: the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    training_memory: Option<u64>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Fail where sources, found label values, models or data differ from the lockfile
    #[arg(long)]
    locked: bool,
    #[command(flatten)]
    elsewhere: Elsewhere,
}

const AFTER_HELP: &str = "\
What is unchanged is not done again. A target whose declarations, files and outputs are as they were is left alone; comments, \
layout and the order of declarations do not count. What the first pass measures of each record (numbers, truths and digests, \
never a text) is kept under the cache folder: after a change of a threshold, a reason or the split the records are not read and \
cleaned for it again, and a build that was killed goes on from the chunks that it had finished. The outputs are the same bytes with a \
cold, a warm, a damaged and no cache. `annotc cache explain SPEC` says what would be reused and why the rest would not.";

/// What the stages of one build share.
pub struct Session<'a> {
    /// Where it is told.
    pub terminal: &'a Terminal,
    /// What is built.
    pub spec: &'a Spec,
    /// Where what is built goes.
    pub out: Outputs<'a>,
    /// Where relative paths are looked for.
    pub roots: Roots,
    /// How remote files are fetched.
    pub remote: Remote<'a>,
    /// Threads.
    pub jobs: usize,
    /// Where the passes of data sets run.
    pub site: Site,
    /// How much is kept in memory between the passes, and where the rest goes.
    pub memory: MemoryLimit,
    /// The memory that a training run may take, where it is said.
    pub training_memory: Option<u64>,
    /// Set when the user interrupts.
    pub cancel: Arc<AtomicBool>,
    /// Where what first passes measure is kept.
    pub stages: Option<Stages>,
    /// The lock as it was, and whether it is binding.
    pub old_lock: Option<Lock>,
    /// Whether drift is a failure.
    pub locked: bool,
    /// The lock as this build makes it.
    pub lock: Lock,
    runtime_args: &'a RuntimeArgs,
    runtime: Option<Runtime>,
    devices: Devices,
}

/// What the runs of a build compute on.
#[derive(Debug, Clone, Copy)]
struct Devices {
    /// The device that the command line says instead of the runs.
    said: Option<DeviceWish>,
    /// The strongest wish of all runs: a process opens one library, so it is known before the first is asked for.
    strongest: DeviceWish,
}

impl Devices {
    fn of(said: Option<DeviceWish>, program: &Program, trains: &[TrainId]) -> Self {
        let wishes = trains.iter().map(|id| program[*id].device).max();
        Self { said, strongest: said.or(wishes).unwrap_or_default() }
    }
}

impl Session<'_> {
    /// The runtime library, looked for or fetched when it is first needed, on the device that a run wishes for.
    pub fn runtime(&mut self, train: &hir::Train) -> Result<Runtime, Failure> {
        let runtime = match &self.runtime {
            Some(runtime) => runtime.clone(),
            None => {
                let opened = super::runtime::open(self.runtime_args, self.devices.strongest, self.terminal)?;
                let (version, device) = (opened.version(), opened.device().name());
                self.terminal.status(Paint::Green, "Using", format_args!("onnxruntime {version} on {device}"));
                self.runtime.insert(opened).clone()
            }
        };
        let device = match self.devices.said.unwrap_or(train.device) {
            DeviceWish::Cpu => Device::Cpu,
            // Where the device cannot be used, opening has failed or fallen back.
            DeviceWish::CudaElseCpu | DeviceWish::Cuda => runtime.device(),
        };
        runtime.on(device).map_err(|error| {
            self.terminal.error(error, None);
            Failure::World
        })
    }

    /// Fails where `part`, what a target was made from or came out as, differs from a binding lock.
    pub fn check_lock(&self, part: &Lock) -> Result<(), Failure> {
        if !self.locked {
            return Ok(());
        }
        let Some(old) = &self.old_lock else { return Ok(()) };
        let drifts = lock::compare(old, part);
        if drifts.is_empty() {
            return Ok(());
        }
        let path = Lock::path(&self.spec.path);
        self.terminal.error(
            format_args!("{} from `{}`", super::check::counted(drifts.len(), "difference"), path.display()),
            Some("build without `--locked` to accept the change, and commit the lockfile"),
        );
        drifts.iter().for_each(|drift| self.terminal.note(drift));
        Err(Failure::Unmet)
    }
}

/// Builds the chosen targets in the order data sets, training runs, evaluations.
pub fn run(args: &BuildArgs, terminal: &Terminal) -> Result<(), Failure> {
    let (mut spec, targets) = Targets::load(&args.spec, &args.targets, terminal)?;
    let roots = roots(args, &spec);
    let devices = Devices::of(args.device.device, &spec.program, &targets.trains);
    let runtime = models::library(&mut spec.program, &targets.datasets, &args.runtime, devices.strongest, terminal)?;
    // Measures decide which records are kept, on every machine the same: the processor makes them, whatever runs wish for.
    let processor = runtime.as_ref().and_then(|runtime| runtime.on(Device::Cpu).ok());
    let provided = models::provide(&mut spec.program, &targets.datasets, &roots, Purpose::Measure(processor.as_ref()))
        .map_err(|missing| models::fail(terminal, &missing))?;
    let mut session = open(args, &spec, runtime, devices, terminal)?;
    use_models(&mut session, provided)?;
    session.out.check(targets.names(&spec.program), terminal)?;
    emit::put_right(&session.out.folder).map_err(|error| {
        terminal.error(error, None);
        Failure::World
    })?;
    session.memory.put_right();
    Checkpoints::put_right(&session.memory.cache);
    let mut manifests: BTreeMap<DatasetId, Manifest> = BTreeMap::new();
    let built = targets.datasets.iter().try_for_each(|&id| {
        manifests.insert(id, dataset::build(&mut session, id)?);
        Ok(())
    });
    forget_language_models();
    // A build that failed has measured too.
    bound_cache(&session, args.cache_size);
    built?;
    for &id in &targets.trains {
        let train = &spec.program[id];
        let model = &spec.program[train.model];
        let files = train::files_of(&session, train)?;
        lock_model(&mut session, &model.name, files)?;
        train::train(&mut session, id, &manifests[&train.data])?;
    }
    write_lock(&session)?;
    // Every evaluation is made and shown, also after one that misses its gate.
    let mut worst = Ok(());
    for &at in &targets.evaluates {
        let manifest = &manifests[&spec.program.evaluates[at].dataset];
        match evaluate::evaluate(&mut session, at, manifest) {
            Err(Failure::Unmet) => worst = Err(Failure::Unmet),
            other => other?,
        }
    }
    for &id in &targets.trains {
        let train = &spec.program[id];
        emit::report::write_run_report(&train::folder(&session.out.folder, train)).map_err(|error| {
            terminal.error(error, None);
            Failure::World
        })?;
        session.publish(&file_name(&train.name))?;
    }
    worst
}

/// Refuses models where they were not provided, and notes those that texts are run through in the lock.
fn use_models(session: &mut Session<'_>, provided: Provided) -> Result<(), Failure> {
    if let (Some(model), false) = (provided.names.first(), session.site.is_here()) {
        session.terminal.error(
            format_args!("a measure reads the model `{model}`, and the executors of a cluster are given no models"),
            Some("build without `--cluster`, or leave out what measures with a model: `tokens`, `perplexity`"),
        );
        return Err(Failure::Usage);
    }
    provided.files.into_iter().try_for_each(|(model, files)| lock_model(session, &model, files))
}

/// Notes a model's files in the lock, where they are those of a binding one.
fn lock_model(session: &mut Session<'_>, model: &str, files: Vec<(String, Digest)>) -> Result<(), Failure> {
    let mut part = Lock::empty();
    part.add_model(model, files.clone());
    session.check_lock(&part)?;
    session.lock.add_model(model, files);
    Ok(())
}

/// Keeps the cache within its size.
fn bound_cache(session: &Session<'_>, size: u64) {
    let Some(pruned) = session.stages.as_ref().map(|stages| stages.bound(size)) else { return };
    if pruned.stages > 0 {
        let stages = super::check::counted(pruned.stages, "stage");
        let about =
            format_args!("{stages} of the cache, {}: the least recently used", units::size(pruned.bytes)).to_string();
        session.terminal.status(Paint::Dim, "Removed", about);
    }
    let (tokens, bytes, _) = prune_tokens(&tokens_folder(&session.memory.cache), |_, left| left > size);
    if tokens > 0 {
        let tables = super::check::counted(tokens, "table");
        let about = format!("tokens of {tables} from the cache, {}: the least recently used", units::size(bytes));
        session.terminal.status(Paint::Dim, "Removed", about);
    }
}

fn open<'a>(
    args: &'a BuildArgs,
    spec: &'a Spec,
    runtime: Option<Runtime>,
    devices: Devices,
    terminal: &'a Terminal,
) -> Result<Session<'a>, Failure> {
    let lock_path = Lock::path(&spec.path);
    let old_lock = Lock::read(&lock_path).map_err(|error| {
        terminal.error(error, Some("remove the lockfile and build again to make a new one"));
        Failure::World
    })?;
    if args.locked && old_lock.is_none() {
        terminal.error(
            format_args!("`--locked` needs `{}`, which is not there", lock_path.display()),
            Some("build once without `--locked` and commit the lockfile"),
        );
        return Err(Failure::Unmet);
    }
    let cancel = Arc::new(AtomicBool::new(false));
    listen(&cancel);
    let cache = super::runtime::cache_folder(args.runtime.cache.as_deref());
    let pins = old_lock.as_ref().map(|lock| lock.revisions.clone()).unwrap_or_default();
    let terms = Terms { offline: args.runtime.offline, refresh: args.refresh, pins };
    let remote = Remote::new(&cache, terms, Arc::clone(&cancel), tell_fetched(terminal));
    let out = args.places.out.clone().unwrap_or_else(|| Out::Folder(spec.out()));
    Ok(Session {
        terminal,
        spec,
        out: Outputs::open(out, &cache, (&remote, args.runtime.offline), terminal)?,
        roots: roots(args, spec),
        remote,
        jobs: jobs(args.jobs),
        site: args.elsewhere.site(terminal, &cancel)?,
        memory: args.memory.limit(args.runtime.cache.as_deref()),
        training_memory: args.training_memory,
        cancel,
        stages: (!args.no_cache).then(|| stages(&spec.path, args.runtime.cache.as_deref())),
        locked: args.locked,
        lock: Lock::empty(),
        old_lock,
        runtime_args: &args.runtime,
        runtime,
        devices,
    })
}

fn roots(args: &BuildArgs, spec: &Spec) -> Roots {
    Roots { spec: spec.folder(), data: args.places.data_root.clone() }
}

fn tell_fetched(terminal: &Terminal) -> Rc<dyn Fn(&str) + '_> {
    Rc::new(|address| terminal.status(Paint::Green, "Fetching", address))
}

/// How the remote files of a specification are fetched by a command that looks at what a build would do: as the lockfile
/// pins them. One that cannot be read pins nothing; a build says what is wrong with it.
pub fn remote<'a>(
    spec: &Path,
    cache: Option<&Path>,
    offline: bool,
    cancel: &Arc<AtomicBool>,
    terminal: &'a Terminal,
) -> Remote<'a> {
    let lock = Lock::read(&Lock::path(spec)).ok().flatten();
    let terms = Terms { offline, refresh: false, pins: lock.map(|lock| lock.revisions).unwrap_or_default() };
    let cache = super::runtime::cache_folder(cache);
    Remote::new(&cache, terms, Arc::clone(cancel), tell_fetched(terminal))
}

/// Where what first passes measure is kept for a specification.
pub fn stages(spec: &Path, cache: Option<&Path>) -> Stages {
    let spec = std::path::absolute(spec).unwrap_or_else(|_| spec.to_path_buf());
    Stages::new(&super::runtime::cache_folder(cache), spec.display().to_string())
}

/// The threads asked for, else one for each core.
pub fn jobs(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// Writes the lock, with what the old one knows of other targets. A binding lock stays as it is.
fn write_lock(session: &Session<'_>) -> Result<(), Failure> {
    if session.locked {
        return Ok(());
    }
    let lock = match &session.old_lock {
        Some(old) => session.lock.clone().keeping(old.clone(), &session.spec.program),
        None => session.lock.clone(),
    };
    lock.write(&Lock::path(&session.spec.path)).map_err(|error| {
        session.terminal.error(error, None);
        Failure::World
    })
}

/// An interrupt asks the stages to stop at the next chunk or step; a second one stops at once.
pub fn listen(cancel: &Arc<AtomicBool>) {
    let cancel = Arc::clone(cancel);
    // Only one handler can be set, and this is the only place that sets one; without it the process just dies, which the
    // staged outputs survive.
    let _ = ctrlc::set_handler(move || {
        if cancel.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Failure::Interrupted.status()));
        }
    });
}

/// Tells that the user's wish was heard.
pub fn cancelled(terminal: &Terminal) -> Failure {
    terminal.error("interrupted", Some("the last finished outputs are as they were"));
    Failure::Interrupted
}
