//! `annotc check`: everything that can be known before data is read.

use std::path::PathBuf;

use clap::Args;

use super::terminal::{Paint, Terminal};
use super::{Failure, context};

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
