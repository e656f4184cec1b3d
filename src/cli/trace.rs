//! `annotc trace`: the life of one record.

use std::path::{Path, PathBuf};

use clap::Args;

use super::terminal::{Paint, Terminal};
use super::{Failure, context};
use crate::emit::trace::{Traced, trace};
use crate::plan::normal::declaration;

/// Options of `annotc trace`.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The record's id, as the audit, the quarantine or an evaluation names it, or its first digits
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: String,
    /// The specification whose build is searched, and in which the rules' lines are looked up
    #[arg(long, value_name = "SPEC")]
    spec: Option<PathBuf>,
    /// The folder that was built into [default: build/ beside the spec, or here]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints every record whose id begins so; none is a failure.
pub fn run(args: &TraceArgs, terminal: &Terminal) -> Result<(), Failure> {
    let beside = |spec: &PathBuf| context::out_beside(spec);
    let out = args.out.clone().or_else(|| args.spec.as_ref().map(beside)).unwrap_or_else(|| PathBuf::from("build"));
    let mut traced = trace(&out, &args.id).map_err(|error| {
        terminal.error(error, None);
        Failure::World
    })?;
    if traced.lives.is_empty() {
        let (message, help) = if out.is_dir() {
            (
                format!("no record in `{}` has an id that begins with {}", out.display(), args.id),
                "ids stand in audit/records.parquet and quarantine.jsonl",
            )
        } else {
            (
                format!("there is no folder `{}`", out.display()),
                "name the spec with `--spec`, or the folder that was built into with `--out`",
            )
        };
        terminal.error(message, Some(help));
        return Err(Failure::Spec);
    }
    if let Some(path) = args.spec.as_ref().filter(|path| path.is_file()) {
        place(&mut traced, path, terminal)?;
    }
    if terminal.json() {
        for life in &traced.lives {
            terminal.answer(serde_json::to_string(life).expect("a life has only names and numbers"));
        }
    } else {
        terminal.answer(traced.to_text().trim_end());
    }
    Ok(())
}

/// Says on which lines of a specification the rules stand, where it still says what it said when the data set was made.
fn place(traced: &mut Traced, path: &Path, terminal: &Terminal) -> Result<(), Failure> {
    let spec = context::load(path, terminal)?;
    let program = &spec.program;
    let changed = std::cell::Cell::new(false);
    traced.place(&|name, declared, step| {
        let dataset = program.datasets.iter().find(|dataset| dataset.name == name)?;
        if declaration(program, dataset) != declared {
            changed.set(true);
            return None;
        }
        // The first step of a manifest is the reading.
        dataset.steps.get(step.checked_sub(1)?).map(|step| step.line)
    });
    if changed.get() {
        let about = format_args!("`{}` says something else now: no lines are named", path.display()).to_string();
        terminal.status(Paint::Yellow, "Note", about);
    }
    Ok(())
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
