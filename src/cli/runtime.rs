//! `annotc runtime`: which onnxruntime is used and why; `annotc runtime install` fetches it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::terminal::{Paint, Terminal};
use super::{Failure, RuntimeArgs};
use crate::runtime::{self, FetchProgress, Found, Options, Outcome, Place, Runtime, RuntimeError, version};

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
    /// Fetch the pinned library into the cache, unless it is there
    Install,
}

/// Shows the search, or fetches the library.
pub fn run(args: &RuntimeCommand, terminal: &Terminal) -> Result<(), Failure> {
    let options = options(&args.runtime);
    match args.action {
        Some(Action::Install) => install(&options, terminal),
        None => show(&options, terminal),
    }
}

/// The library for a command that needs one: found, or fetched with a progress line, and loaded.
pub fn open(args: &RuntimeArgs, terminal: &Terminal) -> Result<Runtime, Failure> {
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
        None => fetch(&options, terminal)?,
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

fn install(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    let found = fetch(options, terminal)?;
    if terminal.json() {
        terminal.answer(json!({ "installed": found.path }));
    }
    Ok(())
}

fn fetch(options: &Options, terminal: &Terminal) -> Result<Found, Failure> {
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
    runtime::fetch(options, &mut progress).map_err(|error| fail(&error, terminal))
}

fn fail(error: &RuntimeError, terminal: &Terminal) -> Failure {
    terminal.error(error, Some("`annotc doctor` says what is missing on this machine"));
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
        Outcome::Usable(found) => {
            let version = found.version.map_or("version unknown until it is opened".to_string(), |v| v.to_string());
            let used = if chosen == Some(found) { "used" } else { "usable, but an earlier place has one" };
            format!("{version} at {} ({used})", found.path.display())
        }
    }
}
