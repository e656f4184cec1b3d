//! `annotc cluster` and `--cluster` of an annotc that was compiled without clusters: they say how to get one with them.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::Failure;
use super::terminal::Terminal;
use crate::engine::Site;

/// Options of `annotc cluster`.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Whatever is asked for
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    asked: Vec<OsString>,
}

/// Where the passes of a build run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Clusters")]
pub struct Elsewhere {
    /// Run the passes of data sets on a cluster; this annotc was compiled without
    #[arg(long, value_name = "df://HOST:PORT")]
    cluster: Option<String>,
}

impl Elsewhere {
    /// The site, which can only be this process.
    pub fn site(&self, terminal: &Terminal, _: &Arc<AtomicBool>) -> Result<Site, Failure> {
        if self.cluster.is_some() { Err(absent(terminal, "`--cluster`")) } else { Ok(Site::Here) }
    }
}

/// Says what is missing.
pub fn run(args: &ClusterArgs, terminal: &Terminal) -> Result<(), Failure> {
    let asked = args.asked.first().map_or_else(String::new, |word| format!(" {}", word.to_string_lossy()));
    Err(absent(terminal, &format!("`annotc cluster{asked}`")))
}

fn absent(terminal: &Terminal, what: &str) -> Failure {
    terminal.error(
        format_args!("{what} needs an annotc that was compiled with clusters, which this one was not"),
        Some("`cargo install annotc --features cluster`, or `--path .` in place of the name in a clone"),
    );
    Failure::Usage
}
