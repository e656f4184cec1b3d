//! `annotc check`: everything that can be known before data is read.

use std::path::PathBuf;

use clap::Args;

use super::terminal::{Paint, Terminal};
use super::{Failure, context};
use crate::semantic;

/// Options of `annotc check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The specifications
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
}

/// Checks each specification and shows its findings.
pub fn run(args: &CheckArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut worst = Ok(());
    for path in &args.specs {
        match context::load_checked(path, terminal) {
            Ok(spec) if !terminal.json() => {
                let program = &spec.program;
                let refused = semantic::check_supported(&spec.parsed, None);
                terminal.status(
                    Paint::Green,
                    "Checked",
                    format_args!(
                        "{}: {}, {}, {}, {}",
                        path.display(),
                        counted(program.sources.len(), "source"),
                        counted(program.datasets.len(), "data set"),
                        counted(program.trains.len(), "training run"),
                        counted(program.tests.len(), "test"),
                    ),
                );
                if !refused.is_empty() {
                    let about = format!("{} that a build refuses today", counted(refused.len(), "statement"));
                    terminal.status(Paint::Yellow, "Note", about);
                    for finding in &refused {
                        let line = finding.labels.first().map(|label| spec.sources.line(label.span));
                        let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
                        terminal.note(format_args!("{line}{}", finding.message));
                    }
                }
            }
            Ok(_) => {}
            Err(failure) => worst = Err(failure),
        }
    }
    worst
}

/// `1 test`, `2 tests`.
pub fn counted(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}
