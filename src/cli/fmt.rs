//! `annotc fmt`: gives specifications their canonical look.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use similar::TextDiff;

use super::check::counted;
use super::terminal::{Paint, Terminal};
use super::{Failure, context};
use crate::emit::write_atomically;
use crate::source::{SourceFile, SourceMap};
use crate::syntax;

/// How long the smallest difference is looked for; a file that was changed all over gets a coarser one then.
const DIFF_TIME: Duration = Duration::from_secs(5);

/// Options of `annotc fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Specifications, or folders in which every `.annot` file is one; `-` reads standard input and writes standard
    /// output
    #[arg(value_name = "SPEC", default_value = ".")]
    specs: Vec<PathBuf>,
    /// Change nothing; list the files that would change, and fail if there is one
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    diff: bool,
}

/// A text, its name and where it is written back.
struct Spec {
    path: PathBuf,
    text: String,
    is_input: bool,
}

/// What became of the texts.
#[derive(Default)]
struct Sums {
    changed: usize,
    unchanged: usize,
}

/// Formats each specification. One that cannot be read stays as it is, and the others are formatted all the same.
pub fn run(args: &FmtArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut worst: Option<Failure> = None;
    let mut sums = Sums::default();
    let mut note = |failure: Failure| {
        worst = worst.into_iter().chain([failure]).max_by_key(|failure| failure.status());
    };
    for path in &args.specs {
        let found = if path.is_dir() { specs_in(path, terminal) } else { Ok(vec![path.clone()]) };
        match found {
            Ok(paths) => {
                for path in paths {
                    let done = read(path, terminal).and_then(|spec| format(args, &spec, &mut sums, terminal));
                    done.unwrap_or_else(&mut note);
                }
            }
            Err(failure) => note(failure),
        }
    }
    summarize(args, &sums, terminal);
    match worst {
        Some(failure) => Err(failure),
        None if args.check && sums.changed > 0 => Err(Failure::Spec),
        None => Ok(()),
    }
}

fn read(path: PathBuf, terminal: &Terminal) -> Result<Spec, Failure> {
    if path.as_os_str() != "-" {
        let text = context::read(&path, terminal)?;
        return Ok(Spec { path, text, is_input: false });
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| {
        terminal.error(format_args!("cannot read standard input: {}", context::plain(&error)), None);
        Failure::World
    })?;
    let path = PathBuf::from("<stdin>");
    let text = context::utf8(&path, bytes, terminal)?;
    Ok(Spec { path, text, is_input: true })
}

/// Formats one specification and writes or shows it.
fn format(args: &FmtArgs, spec: &Spec, sums: &mut Sums, terminal: &Terminal) -> Result<(), Failure> {
    let formatted = syntax::format(&spec.text).map_err(|findings| {
        let mut sources = SourceMap::default();
        sources.add(SourceFile::new(&spec.path, spec.text.as_str()));
        terminal.report(&sources, &findings);
        Failure::Spec
    })?;
    let changed = formatted != spec.text;
    let writes = !args.check && !args.diff;
    if changed && writes && !spec.is_input {
        write(&spec.path, &formatted, terminal)?;
    }
    sums.changed += usize::from(changed);
    sums.unchanged += usize::from(!changed);
    let diff = args.diff.then(|| unified(spec, &formatted));
    if terminal.json() {
        let status = match (changed, writes) {
            (false, _) => "unchanged",
            (true, true) => "formatted",
            (true, false) => "unformatted",
        };
        let mut answer = json!({ "path": spec.path, "status": status });
        if let Some(diff) = diff {
            answer["diff"] = diff.into();
        }
        if spec.is_input && writes {
            answer["text"] = formatted.into();
        }
        terminal.answer(answer);
    } else if let Some(diff) = diff {
        show(&diff, terminal);
    } else if spec.is_input && writes {
        // The answer ends its last line itself.
        terminal.answer(formatted.strip_suffix('\n').unwrap_or(&formatted));
    } else if changed && args.check {
        terminal.answer(spec.path.display());
    } else if changed {
        terminal.status(Paint::Green, "Formatted", spec.path.display());
    }
    Ok(())
}

/// Replaces a file in one step. A link stays one: what it leads to is replaced.
fn write(path: &Path, text: &str, terminal: &Terminal) -> Result<(), Failure> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    write_atomically(&target, text.as_bytes()).map_err(|error| {
        terminal.error(error, None);
        Failure::World
    })
}

/// The difference between a text and its canonical look, as `patch` reads it; empty if there is none.
fn unified(spec: &Spec, formatted: &str) -> String {
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(spec.text.as_str(), formatted);
    let name = spec.path.display().to_string();
    diff.unified_diff().context_radius(3).header(&name, &name).to_string()
}

fn show(diff: &str, terminal: &Terminal) {
    for line in diff.lines() {
        let paint = match line.as_bytes().first() {
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => Some(Paint::Bold),
            Some(b'+') => Some(Paint::Green),
            Some(b'-') => Some(Paint::Red),
            Some(b'@' | b'\\') => Some(Paint::Dim),
            _ => None,
        };
        match paint {
            Some(paint) => terminal.answer(terminal.paint_answer(paint, line)),
            None => terminal.answer(line),
        }
    }
}

fn summarize(args: &FmtArgs, sums: &Sums, terminal: &Terminal) {
    let Sums { changed, unchanged } = *sums;
    if terminal.json() || changed + unchanged == 0 || args.specs.iter().any(|path| path.as_os_str() == "-") {
        return;
    }
    match (changed, args.check || args.diff) {
        (0, _) => terminal.status(Paint::Green, "Unchanged", counted(unchanged, "file")),
        (_, false) => {
            terminal.status(Paint::Green, "Finished", format_args!("{changed} formatted, {unchanged} unchanged"))
        }
        (_, true) => {
            let all = counted(changed + unchanged, "file");
            terminal.status(
                Paint::Yellow,
                "Unformatted",
                format_args!("{changed} of {all}; `annotc fmt` formats them"),
            );
        }
    }
}

/// The specifications in a folder and those below it, sorted; what was built and hidden folders are left out, and links to
/// folders are not followed.
fn specs_in(folder: &Path, terminal: &Terminal) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| {
            terminal.error(format_args!("cannot read `{}`: {}", folder.display(), context::plain(&error)), None);
            Failure::World
        };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let skipped = name == "build" || name.as_encoded_bytes().starts_with(b".");
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                if !skipped {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "annot") && path.is_file() {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        terminal.error(
            format_args!("there is no `.annot` file in `{}`", folder.display()),
            Some("name a file, or a folder that holds one"),
        );
        return Err(Failure::World);
    }
    found.sort();
    Ok(found.into_iter().map(|path| path.strip_prefix("./").map(Path::to_path_buf).unwrap_or(path)).collect())
}
