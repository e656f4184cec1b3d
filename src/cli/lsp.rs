//! `annotc lsp`: the language server, over standard input and output.

use std::io::{BufReader, stdin, stdout};
use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::context::plain;
use super::terminal::Terminal;
use crate::lsp::{self, Ended};

/// Options of `annotc lsp`.
#[derive(Debug, Args)]
pub struct LspArgs {
    /// Taken and without effect, because some editors give it: messages always go over standard input and output
    #[arg(long, hide = true)]
    stdio: bool,
    /// Where the files of sources are looked for after the spec's own folder, for sample values
    #[arg(long, value_name = "DIR", env = "ANNOTC_DATA")]
    data_root: Option<PathBuf>,
}

/// Serves an editor until it leaves. One that leaves without a word is no failure of the file that is worked on, and is
/// told by the exit status that the protocol gives for it.
pub fn run(args: &LspArgs, terminal: &Terminal) -> Result<(), Failure> {
    match lsp::serve(BufReader::new(stdin()), &mut stdout().lock(), args.data_root.clone()) {
        Ok(Ended::InOrder) => Ok(()),
        Ok(Ended::Abruptly) => Err(Failure::Spec),
        Err(error) => {
            terminal.error(format_args!("the editor cannot be written to: {}", plain(&error)), None);
            Err(Failure::World)
        }
    }
}
