//! `annotc stats`: what a build found, in figures, from the files that it left. No data is read.

mod fields;
mod grid;
mod runs;
mod show;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::Failure;
use super::build::targets::Targets;
use super::context::{self, Spec};
use super::out::{Files, Out, Reached};
use super::plan::{State, state};
use super::terminal::{Paint, Terminal};
use crate::emit::report;
use crate::emit::runs::RunFiles;
use crate::emit::{EmitError, Manifest, Statistics, file_name, write_atomically};
use crate::hir::Dataset;

/// Options of `annotc stats`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is shown comes from manifest.json and statistics.json beside the data, and from the files of the runs; the same stands in \
report.html there, which any browser opens.

  annotc stats shop.annot                        all that was built
  annotc stats shop.annot helpdesk --format json
  annotc stats shop.annot helpdesk --html page.html   one page with the data set and its runs")]
pub struct StatsArgs {
    /// The specification
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Data sets and training runs [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// The folder that was built into, or its address in an object store [default: build/ beside the spec]
    #[arg(long, value_name = "DIR")]
    out: Option<Out>,
    /// Write one page with a data set and its runs, or with a run, instead
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The folder into which files of an address are fetched [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE")]
    cache: Option<PathBuf>,
}

/// What was built of a data set.
struct Found {
    folder: PathBuf,
    manifest: Manifest,
    statistics: Statistics,
    /// The runs that were trained on it as it is.
    runs: Vec<RunFiles>,
    /// Whether a build by the spec as it is now would keep it, unless a file has changed.
    current: bool,
}

/// Shows each target; one that is not there fails the command after all others were shown.
pub fn run(args: &StatsArgs, terminal: &Terminal) -> Result<(), Failure> {
    let spec = context::load_checked(&args.spec, terminal)?;
    let chosen = Targets::choose(&spec.program, &args.targets, terminal)?;
    let asked = |name: &str| args.targets.is_empty() || args.targets.iter().any(|target| target == name);
    let out = args.out.clone().unwrap_or_else(|| Out::Folder(spec.out()));
    let reached = out.reach(Files::Figures, args.cache.as_deref(), terminal)?;
    let looked = Looked { spec: &spec, out: &reached, terminal };
    let datasets = chosen.datasets.iter().map(|&id| &spec.program[id]).filter(|dataset| asked(&dataset.name));
    let trains = chosen.trains.iter().map(|&id| &spec.program[id]).filter(|train| asked(&train.name));
    if let Some(file) = &args.html {
        let datasets: Vec<&Dataset> = datasets.collect();
        // Runs are part of their data set's page unless one of them was named.
        let trains: Vec<&str> =
            if args.targets.is_empty() { Vec::new() } else { trains.map(|train| train.name.as_str()).collect() };
        return looked.write_page(file, &datasets, &trains);
    }
    let mut result = Ok(());
    for dataset in datasets {
        match looked.dataset(dataset) {
            Ok(found) if terminal.json() => terminal.answer(found.to_json()),
            Ok(found) => {
                show::dataset(&found, terminal);
                // The runs that are shown by themselves come behind.
                found.runs.iter().filter(|run| !asked(&run.name)).for_each(|run| runs::show(run, terminal));
            }
            Err(failure) => result = Err(failure),
        }
    }
    for train in trains {
        match looked.run(&train.name) {
            Ok(run) if terminal.json() => terminal.answer(runs::to_json(&run)),
            Ok(run) => runs::show(&run, terminal),
            Err(failure) => result = Err(failure),
        }
    }
    result
}

/// Where targets are looked for.
struct Looked<'l> {
    spec: &'l Spec,
    out: &'l Reached,
    terminal: &'l Terminal,
}

impl Looked<'_> {
    fn dataset(&self, dataset: &Dataset) -> Result<Found, Failure> {
        let (out, shown) = (self.out.folder(), self.shown(&dataset.name));
        let folder = out.join(file_name(&dataset.name));
        let world = |error: EmitError| self.world(&error);
        let Some(manifest) = Manifest::read(&folder).map_err(world)? else {
            return Err(self.not_built("data set", &dataset.name, &shown));
        };
        let Some(statistics) = Statistics::read(&folder).map_err(world)? else {
            let message = format!("`{}` was built by a version that left no statistics", shown.display());
            self.terminal.error(message, Some(&self.how_to_build(&dataset.name)));
            return Err(Failure::Spec);
        };
        let mut runs = RunFiles::all(out).map_err(world)?;
        runs.retain(|run| run.is_of(&manifest.fingerprint));
        let current = state(&self.spec.program, dataset, out) == State::Same;
        if !current {
            let about = format_args!("{}: it was built by other rules than the spec has now", dataset.name);
            self.terminal.status(Paint::Yellow, "Note", about);
        }
        Ok(Found { folder: shown, manifest, statistics, runs, current })
    }

    fn run(&self, name: &str) -> Result<RunFiles, Failure> {
        let found = RunFiles::read(&self.out.folder().join(file_name(name))).map_err(|error| self.world(&error))?;
        found.ok_or_else(|| self.not_built("training run", name, &self.shown(name)))
    }

    /// The folder of a target as messages call it.
    fn shown(&self, name: &str) -> PathBuf {
        self.out.named(&self.out.folder().join(file_name(name)))
    }

    /// Writes the page of the one data set or run that is asked for.
    fn write_page(&self, file: &Path, datasets: &[&Dataset], trains: &[&str]) -> Result<(), Failure> {
        let page = match (datasets, trains) {
            ([dataset], []) => {
                let found = self.dataset(dataset)?;
                report::page(&found.manifest, Some(&found.statistics), &found.runs)
            }
            ([], [train]) => report::run_page(&self.run(train)?),
            _ => {
                self.terminal
                    .error("`--html` writes the page of one target", Some("name a data set or a training run"));
                return Err(Failure::Usage);
            }
        };
        write_atomically(file, page.as_bytes()).map_err(|error| self.world(&error))?;
        self.terminal.status(Paint::Green, "Wrote", file.display());
        Ok(())
    }

    fn not_built(&self, kind: &str, name: &str, folder: &Path) -> Failure {
        let message = format!("{kind} `{name}` is not built: there is nothing in `{}`", folder.display());
        self.terminal.error(message, Some(&self.how_to_build(name)));
        Failure::Spec
    }

    fn how_to_build(&self, name: &str) -> String {
        format!("build it first: `annotc build {} {name}`", self.spec.path.display())
    }

    fn world(&self, error: &EmitError) -> Failure {
        self.terminal.error(error, None);
        Failure::World
    }
}

impl Found {
    fn to_json(&self) -> serde_json::Value {
        let Manifest { fingerprint, license, steps, splits, certificate, personal, .. } = &self.manifest;
        let Statistics { parts, taken, errors, duplicates, .. } = &self.statistics;
        json!({
            "schema": "annotc.stats/1",
            "kind": "dataset",
            "name": self.manifest.dataset,
            "folder": self.folder,
            "current": self.current,
            "fingerprint": fingerprint,
            "license": license,
            "steps": steps,
            "splits": splits,
            "fields": parts,
            "taken": taken,
            "errors": errors,
            "duplicates": duplicates,
            "personal": personal,
            "certificate": certificate,
            "runs": self.runs.iter().map(|run| &run.name).collect::<Vec<_>>(),
        })
    }
}

/// A count as it is shown: nothing is a point.
fn figure(number: u64) -> String {
    if number == 0 { "·".to_owned() } else { crate::emit::count(number) }
}

/// A share in per cent.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// `1 record`, `1,234 records`.
fn counted(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", crate::emit::count(number))
}
