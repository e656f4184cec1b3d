//! The command line: the only code that prints; one file per subcommand.

mod build;
mod cache;
mod check;
#[cfg_attr(not(feature = "cluster"), path = "cluster_absent.rs")]
mod cluster;
mod context;
mod diff;
mod doctor;
mod eval;
mod explain;
mod fmt;
mod infer;
mod ink;
mod lsp;
mod memory;
mod models;
mod new;
mod out;
mod plan;
mod predict;
mod preview;
mod runtime;
mod stats;
mod terminal;
mod test;
mod trace;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use memory::MemoryArgs;
use out::Out;

use crate::hir::DeviceWish;

/// Why a command did not end well, with the exit status that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The specification is wrong, a unit test failed, or `fmt --check` found something to format; everything was said
    /// already.
    Spec,
    /// There are differences, and `--exit-code` was given.
    Different,
    /// The command line is wrong.
    Usage,
    /// A `require` or `forbid` was not met, or `--locked` found drift.
    Unmet,
    /// A file, the network or the runtime failed.
    World,
    /// The user interrupted it.
    Interrupted,
}

impl Failure {
    /// The exit status that scripts rely on.
    pub fn status(self) -> u8 {
        match self {
            Self::Spec | Self::Different => 1,
            Self::Usage => 2,
            Self::Unmet => 3,
            Self::World => 4,
            Self::Interrupted => 130,
        }
    }
}

/// Compiles data-set specifications into instruction data, fine-tuned ONNX models and their figures.
#[derive(Debug, Parser)]
#[command(name = "annotc", version, about, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 done · 1 the spec is wrong, a unit test failed, or `fmt --check` found something, or \
`diff --exit-code` found differences · 2 usage · 3 a `require` or `forbid` was not met, or `--locked` found drift · 4 a file, the network or the runtime failed · \
130 interrupted"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// How answers are printed
    #[arg(long, value_enum, default_value = "text", global = true, help_heading = "Everywhere")]
    pub format: Format,
    /// When colours are used
    #[arg(long, value_enum, default_value = "auto", global = true, help_heading = "Everywhere")]
    pub color: Color,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one JSON value on each line of standard output
    Json,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where a build reads and writes.
#[derive(Debug, Clone, Args)]
pub struct Places {
    /// The folder for what is built, or an address of an object store, `s3://bucket/folder` [default: build/ beside the spec]
    #[arg(long, value_name = "DIR")]
    pub out: Option<Out>,
    /// Where relative paths are looked for after the spec's own folder
    #[arg(long, value_name = "DIR", env = "ANNOTC_DATA")]
    pub data_root: Option<PathBuf>,
}

/// Where the onnxruntime library comes from.
#[derive(Debug, Clone, Args)]
pub struct RuntimeArgs {
    /// The onnxruntime library to load, before any other place is looked at
    #[arg(long, value_name = "FILE", global = true)]
    pub ort_lib: Option<PathBuf>,
    /// The folder for what can be fetched or made again, and for what is unpacked or outgrows the memory [default: the
    /// user's cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE", global = true)]
    pub cache: Option<PathBuf>,
    /// Never download: neither a runtime nor a file that is not in the cache
    #[arg(long, global = true)]
    pub offline: bool,
}

/// What models compute on.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// What models compute on: `cpu`, `cuda` (NVIDIA's device, or it fails), `cuda-else-cpu` [default: what a run says, else `cpu`]
    #[arg(long, value_name = "DEVICE", value_parser = parse_device)]
    pub device: Option<DeviceWish>,
}

fn parse_device(text: &str) -> Result<DeviceWish, String> {
    match text {
        "cpu" => Ok(DeviceWish::Cpu),
        "cuda" => Ok(DeviceWish::Cuda),
        "cuda-else-cpu" => Ok(DeviceWish::CudaElseCpu),
        _ => Err("write `cpu`, `cuda` or `cuda-else-cpu`".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a folder with a spec that builds, to begin with
    New(new::NewArgs),
    /// Print a `source` block for files that are there
    Infer(infer::InferArgs),
    /// Check a specification before any data is read
    Check(check::CheckArgs),
    /// Give specifications their canonical look
    Fmt(fmt::FmtArgs),
    /// Build data sets, train models, evaluate them
    Build(build::BuildArgs),
    /// Show, explain or prune what builds keep for the next one
    Cache(cache::CacheArgs),
    /// Print what a build would do: steps, passes, the way of personal data
    Plan(plan::PlanArgs),
    /// Run the unit tests that a specification holds
    Test(test::TestArgs),
    /// Show rendered records, and what each rule drops or changes
    Preview(preview::PreviewArgs),
    /// Compare two specs, builds or git revisions, in declarations and records
    Diff(diff::DiffArgs),
    /// Print what a build found: funnel, labels, lengths, duplicates, figures
    Stats(stats::StatsArgs),
    /// Print the life of one record: where it came from and what became of it
    Trace(trace::TraceArgs),
    /// Compare the evaluations of two runs, with significance tests
    Eval(eval::EvalArgs),
    /// Label texts with a trained model
    Predict(predict::PredictArgs),
    /// Explain a diagnostic code
    Explain(explain::ExplainArgs),
    /// Serve an editor: the language server, over standard input and output
    Lsp(lsp::LspArgs),
    /// Run a process of a cluster on which data sets are built
    Cluster(cluster::ClusterArgs),
    /// Show which onnxruntime is used and why, or fetch it
    Runtime(runtime::RuntimeCommand),
    /// Say what is missing on this machine and how to get it
    Doctor(doctor::DoctorArgs),
}

/// Runs one command line and gives the exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A broken pipe while help is printed is no failure of ours.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Failure::Usage.status() } else { 0 });
        }
    };
    let terminal = terminal::Terminal::new(&cli.global);
    let result = match &cli.command {
        Command::New(args) => new::run(args, &terminal),
        Command::Infer(args) => infer::run(args, &terminal),
        Command::Check(args) => check::run(args, &terminal),
        Command::Fmt(args) => fmt::run(args, &terminal),
        Command::Build(args) => build::run(args, &terminal),
        Command::Cache(args) => cache::run(args, &terminal),
        Command::Plan(args) => plan::run(args, &terminal),
        Command::Test(args) => test::run(args, &terminal),
        Command::Preview(args) => preview::run(args, &terminal),
        Command::Diff(args) => diff::run(args, &terminal),
        Command::Stats(args) => stats::run(args, &terminal),
        Command::Trace(args) => trace::run(args, &terminal),
        Command::Eval(args) => eval::run(args, &terminal),
        Command::Predict(args) => predict::run(args, &terminal),
        Command::Explain(args) => explain::run(args, &terminal),
        Command::Lsp(args) => lsp::run(args, &terminal),
        Command::Cluster(args) => cluster::run(args, &terminal),
        Command::Runtime(args) => runtime::run(args, &terminal),
        Command::Doctor(args) => doctor::run(args, &terminal),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.status()),
    }
}
