//! Arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    annotc::cli::run(std::env::args_os())
}
