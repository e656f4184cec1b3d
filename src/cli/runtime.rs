//! `annotc runtime`: which onnxruntime is used and why; `annotc runtime install` fetches it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::terminal::{Paint, Terminal};
use super::{Failure, RuntimeArgs};
use crate::hir::DeviceWish;
use crate::runtime::{
    self, Build, Device, Driver, FetchProgress, Found, Options, Outcome, Place, Runtime, RuntimeError, Toolkit,
    Variant, version,
};

/// Options of `annotc runtime`.
#[derive(Debug, Args)]
pub struct RuntimeCommand {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Fetch the pinned library into the cache, unless it is there; with `--offline` only say whether it is
    Install {
        /// The build for NVIDIA's devices, with the libraries of CUDA that it needs: of the release that the driver runs, or of the
        /// one given
        #[arg(long, value_name = "RELEASE", num_args = 0..=1, default_missing_value = "auto")]
        cuda: Option<CudaRelease>,
    },
}

/// A release of CUDA, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CudaRelease {
    /// The newest that the driver runs
    Auto,
    /// CUDA 12
    #[value(name = "12")]
    Twelve,
    /// CUDA 13
    #[value(name = "13")]
    Thirteen,
}

/// Shows the search, or fetches the library.
pub fn run(args: &RuntimeCommand, terminal: &Terminal) -> Result<(), Failure> {
    let options = options(&args.runtime);
    match args.action {
        Some(Action::Install { cuda }) => install(&options, cuda, args.runtime.offline, terminal),
        None => show(&options, terminal),
    }
}

/// The library for a command that needs one, whose sessions compute on the first device that can be used.
pub fn open(args: &RuntimeArgs, wish: DeviceWish, terminal: &Terminal) -> Result<Runtime, Failure> {
    match wish {
        DeviceWish::Cpu => open_cpu(args, terminal),
        DeviceWish::Cuda => open_cuda(args).map_err(|error| fail(&error, terminal)),
        DeviceWish::CudaElseCpu => match open_cuda(args) {
            Ok(runtime) => Ok(runtime),
            Err(error) => {
                terminal.status(Paint::Yellow, "Device", format_args!("cpu: {error}"));
                // A process opens one library: where the one with CUDA is open already, its processor computes.
                match Runtime::loaded() {
                    Some(runtime) => Ok(runtime),
                    None => open_cpu(args, terminal),
                }
            }
        },
    }
}

/// Gigabytes are not fetched unasked: where there is no library with CUDA, the error says how to get one.
fn open_cuda(args: &RuntimeArgs) -> Result<Runtime, RuntimeError> {
    let found = runtime::find(&options(args).with_cuda())?.ok_or(RuntimeError::NoCuda)?;
    Runtime::load(&found)?.on(Device::Cuda)
}

/// Found, or fetched with a progress line, and loaded.
fn open_cpu(args: &RuntimeArgs, terminal: &Terminal) -> Result<Runtime, Failure> {
    let options = options(args);
    let found = runtime::find(&options).map_err(|error| fail(&error, terminal))?;
    let found = match found {
        Some(found) => found,
        None if args.offline => {
            terminal.error(
                "no onnxruntime library was found, and `--offline` forbids fetching one",
                Some("`annotc runtime` shows where it was looked for; name one with `--ort-lib`"),
            );
            return Err(Failure::World);
        }
        None => fetch(&options, Variant::Cpu, terminal)?,
    };
    Runtime::load(&found).map_err(|error| fail(&error, terminal))
}

/// The search options that the command line and the environment give.
pub fn options(args: &RuntimeArgs) -> Options {
    Options::from_environment(args.ort_lib.clone(), cache_folder(args.cache.as_deref()))
}

/// The folder for what can be fetched or made again: `--cache`, else the user's cache folder.
pub fn cache_folder(given: Option<&std::path::Path>) -> PathBuf {
    match given {
        Some(folder) => folder.to_path_buf(),
        None => dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("annotc"),
    }
}

fn install(options: &Options, cuda: Option<CudaRelease>, offline: bool, terminal: &Terminal) -> Result<(), Failure> {
    let variant = match cuda {
        None => Variant::Cpu,
        Some(CudaRelease::Twelve) => Variant::Cuda(Toolkit::Cuda12),
        Some(CudaRelease::Thirteen) => Variant::Cuda(Toolkit::Cuda13),
        Some(CudaRelease::Auto) => Variant::Cuda(newest_that_runs(terminal)?),
    };
    let found = if offline { in_cache(options, variant, terminal)? } else { fetch(options, variant, terminal)? };
    if terminal.json() {
        terminal.answer(json!({ "installed": found.path }));
    }
    Ok(())
}

/// The library as an earlier call has installed it.
fn in_cache(options: &Options, variant: Variant, terminal: &Terminal) -> Result<Found, Failure> {
    let build = Build::of_machine(variant).map_err(|error| fail(&error, terminal))?;
    runtime::installed(options, build).ok_or_else(|| {
        let (library, size) = (build.library(), build.bytes() as f64 / 1e6);
        terminal.error(
            format_args!(
                "{} {} is not in the cache, and `--offline` forbids fetching its {size:.0} MB",
                library.package, library.version
            ),
            Some("leave `--offline` out once, or name a library that is there with `--ort-lib`"),
        );
        Failure::World
    })
}

/// The release of CUDA that the driver runs; the newest where no driver tells of itself.
fn newest_that_runs(terminal: &Terminal) -> Result<Toolkit, Failure> {
    let Some(driver) = Driver::of_machine() else {
        let toolkit = Toolkit::Cuda13;
        terminal.status(Paint::Yellow, "Note", "no NVIDIA driver is loaded here; without one CUDA cannot be used");
        return Ok(toolkit);
    };
    Toolkit::of_driver(driver).ok_or_else(|| {
        terminal.error(
            format_args!("the NVIDIA driver is {driver}, too old for CUDA 12"),
            Some("install a newer driver, 525 or later"),
        );
        Failure::World
    })
}

fn fetch(options: &Options, variant: Variant, terminal: &Terminal) -> Result<Found, Failure> {
    let mut progress = |event: FetchProgress| match event {
        FetchProgress::Waiting => {
            terminal.status(Paint::Dim, "Waiting", "for another process that fetches onnxruntime")
        }
        FetchProgress::Downloading { wheel, bytes, client } => terminal.status(
            Paint::Green,
            "Fetching",
            format_args!("{wheel} ({:.1} MB) with `{client}`", bytes as f64 / 1e6),
        ),
        FetchProgress::Unpacking => terminal.status(Paint::Green, "Unpacking", "after checking its SHA-256"),
        FetchProgress::Installed { path } => terminal.status(Paint::Green, "Installed", path.display()),
    };
    runtime::fetch(options, variant, &mut progress).map_err(|error| fail(&error, terminal))
}

fn fail(error: &RuntimeError, terminal: &Terminal) -> Failure {
    let help = match error {
        RuntimeError::NoCuda | RuntimeError::Device { .. } => {
            "with `--device cuda-else-cpu` the processor takes its place"
        }
        _ => "`annotc doctor` says what is missing on this machine",
    };
    terminal.error(error, Some(help));
    Failure::World
}

fn show(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    let report = runtime::locate(options);
    let chosen = report.chosen.as_ref();
    if terminal.json() {
        let places: Vec<_> = report
            .places
            .iter()
            .map(|place| {
                json!({
                    "place": place.kind.name(),
                    "looked_at": place.looked_at,
                    "found": verdict(place, chosen),
                })
            })
            .collect();
        terminal.answer(json!({
            "chosen": chosen.map(|found| json!({
                "path": found.path, "version": found.version.map(|version| version.to_string()),
            })),
            "places": places,
        }));
        return Ok(());
    }
    for place in &report.places {
        let name = format!("{:<18}", place.kind.name());
        terminal.answer(format_args!("{} {}", terminal.paint_answer(Paint::Bold, &name), verdict(place, chosen)));
        for path in &place.looked_at {
            terminal.answer(terminal.paint_answer(Paint::Dim, &format!("{:<18}   {}", "", path.display())));
        }
    }
    let conclusion = match (chosen, report.fetchable) {
        (Some(found), _) => format!("used: {}", found.path.display()),
        (None, Some(_)) => format!(
            "none found: `annotc runtime install` fetches onnxruntime {}, and so does the first command that needs it",
            runtime::PINNED_VERSION
        ),
        (None, None) => "none found, and none is published for this machine: build onnxruntime and name it with \
                         `--ort-lib`"
            .to_string(),
    };
    terminal.answer(format_args!("\n{conclusion}"));
    Ok(())
}

/// One line for what a place had.
fn verdict(place: &Place, chosen: Option<&Found>) -> String {
    match &place.outcome {
        Outcome::NotSet => "not set".to_string(),
        Outcome::Absent => "no library".to_string(),
        Outcome::TooOld { path, found } => {
            format!("too old: {found} at {}, {} or newer is needed", path.display(), version::MINIMUM)
        }
        Outcome::WithoutCuda { path } => format!("without CUDA: {}", path.display()),
        Outcome::Usable(found) => {
            let version = found.version.map_or("version unknown until it is opened".to_string(), |v| v.to_string());
            let used = if chosen == Some(found) { "used" } else { "usable, but an earlier place has one" };
            format!("{version} at {} ({used})", found.path.display())
        }
    }
}
