//! `annotc trace`: the life of one record.

mod model;
mod reread;
mod show;

use std::path::PathBuf;

use clap::Args;

use super::check::counted;
use super::out::{Files, Out};
use super::terminal::{Paint, Terminal};
use super::{Failure, context};
use crate::emit::trace::{Life, Traced, Wanted, trace};
use crate::engine::replay::Extent;
use reread::Reread;

/// Options of `annotc trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
A record is named by its id, as the audit, the quarantine, an evaluation or a report has it, or by the line of a file that it \
stands on:

  annotc trace 3f9a --spec shop.annot                        what became of it, and why
  annotc trace data/tickets.jsonl:17 --spec shop.annot       why is this row not in my data?
  annotc trace 3f9a --spec shop.annot --show-personal        with its texts before and behind each step
  annotc trace 3f9a --model build/sorter                     in which steps a finished run was trained on it

With a spec the record is read again from its source, which tells what each step changed, as long as spec and file are those \
that were built from. Texts that are or were personal are not shown unless `--show-personal` says so.")]
pub struct TraceArgs {
    /// The record's id or its first digits, or FILE:LINE
    #[arg(value_name = "ID", value_parser = parse_wanted)]
    wanted: Wanted,
    /// The specification [default: the only one in this folder]
    #[arg(long, value_name = "SPEC")]
    spec: Option<PathBuf>,
    /// A folder that was built into, or its address in an object store; may be given several times [default: build/ beside
    /// the spec, or here]
    #[arg(long, value_name = "DIR")]
    out: Vec<Out>,
    /// The folder of a trained model, or its address: in which epochs, steps and micro-batches the record was used, with the files of the
    /// folder held against its provenance
    #[arg(long, value_name = "DIR", conflicts_with_all = ["spec", "out", "show_personal"])]
    model: Option<Out>,
    /// Show values that are or were personal, too
    #[arg(long)]
    show_personal: bool,
    /// Where relative paths are looked for after the spec's own folder
    #[arg(long, value_name = "DIR", env = "ANNOTC_DATA")]
    data_root: Option<PathBuf>,
    /// The folder for what was fetched, and for what is unpacked [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE")]
    cache: Option<PathBuf>,
}

/// Prints every record that is meant; none is a failure.
pub fn run(args: &TraceArgs, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(folder) = &args.model {
        let reached = folder.reach(Files::All, args.cache.as_deref(), terminal)?;
        return model::run(&reached, &args.wanted, terminal);
    }
    let spec = args.spec.clone().or_else(|| args.out.is_empty().then(context::only_spec).flatten());
    let beside = || Out::Folder(spec.as_ref().map_or_else(|| PathBuf::from("build"), |spec| context::out_beside(spec)));
    let outs = if args.out.is_empty() { vec![beside()] } else { args.out.clone() };
    let reread = match &spec {
        Some(path) => Some(Reread::open(path, args.data_root.clone(), args.cache.as_deref(), terminal)?),
        None => None,
    };
    let mut nothing = Traced::default();
    let (mut shown, mut beyond) = (0, None);
    for out in &outs {
        let reached = out.reach(Files::Records, args.cache.as_deref(), terminal)?;
        let mut traced = trace(reached.folder(), &args.wanted).map_err(|error| {
            terminal.error(error, None);
            Failure::World
        })?;
        for life in &mut traced.lives {
            if let Some(reread) = &reread {
                if let Some(here) = Beyond::of(&args.wanted, life, reread) {
                    beyond = Some(here);
                    continue;
                }
                reread.place(life);
            }
            if outs.len() > 1 && !terminal.json() {
                terminal.answer(terminal.paint_answer(Paint::Dim, &format!("{out}:")));
            }
            tell(args, life, reread.as_ref(), terminal);
            shown += 1;
        }
        if traced.more > 0 && !terminal.json() {
            terminal.answer(format_args!("{} more records have an id that begins so", traced.more));
        }
        nothing.near.extend(traced.near);
        nothing.files.extend(traced.files);
        nothing.datasets.extend(traced.datasets);
    }
    if shown > 0 {
        return Ok(());
    }
    let (message, help) = match &beyond {
        Some(beyond) => beyond.told(),
        None => not_found(&args.wanted, &outs, &nothing),
    };
    terminal.error(message, Some(&help));
    Err(Failure::Spec)
}

fn tell(args: &TraceArgs, life: &Life, reread: Option<&Reread<'_>>, terminal: &Terminal) {
    let replayed = reread.map(|reread| reread.life(life));
    let shown = show::Shown { terminal, wanted: &args.wanted, show_personal: args.show_personal };
    if terminal.json() {
        terminal.answer(shown.to_json(life, replayed.as_ref()));
    } else {
        shown.life(life, replayed.as_ref());
    }
}

/// A place behind the end of its file.
struct Beyond {
    file: String,
    line: u64,
    /// How long the file is.
    end: Extent,
    /// The line on which its last record begins.
    last: u64,
}

impl Beyond {
    /// Whether the file of the last record before a place ends before that place.
    fn of(wanted: &Wanted, life: &Life, reread: &Reread<'_>) -> Option<Self> {
        let (file, line) = match wanted {
            Wanted::Place { file, line } => (file.clone(), *line),
            Wanted::Id(_) => return None,
        };
        // A record may take several lines.
        let end = (life.is_last && life.line < line).then(|| reread.extent(life)).flatten()?;
        let (Extent::Lines(length) | Extent::Rows(length)) = end;
        (length < line).then_some(Self { file, line, end, last: life.line })
    }

    /// What to say of it.
    fn told(&self) -> (String, String) {
        let Self { file, line, end, last } = self;
        let (word, length) = match end {
            Extent::Lines(length) => ("line", *length),
            Extent::Rows(length) => ("row", *length),
        };
        let has = counted(length as usize, word);
        (format!("`{file}` has no {word} {line}: it has {has}"), format!("its last record begins on {word} {last}"))
    }
}

/// What to say where no record is meant, and what might help.
fn not_found(wanted: &Wanted, outs: &[Out], nothing: &Traced) -> (String, String) {
    let folders: Vec<String> = outs.iter().map(|out| format!("`{out}`")).collect();
    let folders = folders.join(", ");
    if nothing.datasets.is_empty() {
        let message = format!("no data set was built in {folders}");
        return (message, "build one, or name the spec with `--spec`, or the folder with `--out`".to_owned());
    }
    let listed = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match wanted {
        Wanted::Id(id) => {
            let help = if nothing.near.is_empty() {
                "ids stand in audit/records.parquet, quarantine.jsonl and report.html; FILE:LINE names a record as well"
                    .to_owned()
            } else {
                format!("did you mean {}?", listed(&nothing.near).replace(", ", " or "))
            };
            (format!("no record in {folders} has an id that begins with {id}"), help)
        }
        Wanted::Place { file, line } => {
            let mut files = nothing.files.clone();
            files.sort();
            files.dedup();
            files.truncate(8);
            let known = files.iter().any(|known| crate::emit::trace::is_same_file(file, known));
            if known {
                let help = "the first line of a CSV file is its header";
                return (format!("no record of `{file}` begins on line {line} or before it"), help.to_owned());
            }
            let message = format!("no data set in {folders} was read from `{file}`");
            (message, format!("they were read from {}", listed(&files)))
        }
    }
}

/// What is looked for: an id, the beginning of one, or a place.
fn parse_wanted(text: &str) -> Result<Wanted, String> {
    if let Some((file, line)) = text.rsplit_once(':')
        && let Ok(line) = line.parse()
        && line > 0
        && !file.is_empty()
    {
        return Ok(Wanted::Place { file: file.to_owned(), line });
    }
    parse_id(text).map(Wanted::Id).map_err(|reason| format!("{reason}; a place is written as FILE:LINE"))
}

/// An id, or the beginning of one.
pub fn parse_id(text: &str) -> Result<String, String> {
    let id = text.trim().to_ascii_lowercase();
    if (4..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(id)
    } else {
        Err("an id has 4 to 32 hexadecimal digits".to_string())
    }
}
