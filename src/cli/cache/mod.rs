//! `annotc cache`: what builds keep for the next one; why it can be used or not; less of it.

mod explain;
mod show;
pub mod units;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Failure;
use super::memory::parse_bytes;
use super::runtime::cache_folder;
use super::terminal::{Paint, Terminal};
use crate::engine::stage::{DEFAULT_BYTES, Prune, prune, root};
use crate::train::{Checkpoints, StoredTokens, prune_tokens, stored_tokens, tokens_folder};

/// Options of `annotc cache`.
#[derive(Debug, Args)]
#[command(after_help = "\
A build keeps what its first pass measures of each record: numbers, truths, digests and values that a specification lists, \
never a text. A build with another threshold decides by them and does not read and clean the records again; one that was \
killed goes on from the chunks that it had finished. A training run keeps the tokens of its tables for the next one, where they may \
hold nothing personal; its owner alone can read them. The outputs are the same bytes with and without the cache.")]
pub struct CacheArgs {
    #[command(subcommand)]
    action: Action,
    /// The folder for what can be fetched or made again [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE", global = true)]
    cache: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what is kept: for which data sets, how much, how old, what it depends on
    Show,
    /// Say for each stage of a build whether it would be reused, and why not
    Explain(explain::ExplainArgs),
    /// Remove what is old, or what was used least recently
    Prune(PruneArgs),
}

/// Options of `annotc cache prune`.
#[derive(Debug, Args)]
#[command(after_help = "Without an option, what was used least recently goes until 5 GiB are left, as after a build.")]
struct PruneArgs {
    /// Remove what was not used for so long: 30d, 12h, 45m, 2w
    #[arg(long, value_name = "AGE", value_parser = units::parse_age)]
    older_than: Option<Duration>,
    /// Remove what was used least recently until so much is left: 500MB, 5GiB
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    max_size: Option<u64>,
    /// Remove everything, the states of interrupted training runs too
    #[arg(long, conflicts_with_all = ["older_than", "max_size"])]
    all: bool,
}

/// Shows, explains or prunes.
pub fn run(args: &CacheArgs, terminal: &Terminal) -> Result<(), Failure> {
    let cache = cache_folder(args.cache.as_deref());
    match &args.action {
        Action::Show => {
            show::show(&root(&cache), &stored_tokens(&tokens_folder(&cache)), terminal);
            Ok(())
        }
        Action::Explain(options) => explain::run(options, args.cache.as_deref(), terminal),
        Action::Prune(options) => {
            run_prune(options, &cache, terminal);
            if options.all { remove_checkpoints(&Checkpoints::folder(&cache), terminal) } else { Ok(()) }
        }
    }
}

/// Removes the states of training runs that were interrupted: each is gone by itself when its run is done.
fn remove_checkpoints(folder: &Path, terminal: &Terminal) -> Result<(), Failure> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            terminal.error(format_args!("`{}`: {error}", folder.display()), None);
            Err(Failure::World)
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn run_prune(options: &PruneArgs, cache: &Path, terminal: &Terminal) {
    let PruneArgs { older_than, max_size, all } = *options;
    let plain = older_than.is_none() && !all;
    let max_bytes = max_size.or(plain.then_some(DEFAULT_BYTES));
    let pruned = prune(&root(cache), Prune { older_than, max_bytes, all, spare_since: None });
    let old = |tokens: &StoredTokens| older_than.is_some_and(|age| tokens.used.elapsed().is_ok_and(|past| past > age));
    let (tokens, bytes, left) = prune_tokens(&tokens_folder(cache), |tokens, left| {
        all || old(tokens) || max_bytes.is_some_and(|most| left > most)
    });
    let (bytes, left) = (pruned.bytes + bytes, pruned.left + left);
    if terminal.json() {
        let removed = json!({ "stages": pruned.stages, "tokens": tokens, "bytes": bytes });
        terminal.answer(json!({ "removed": removed, "left": left }));
        return;
    }
    let mut about = super::check::counted(pruned.stages, "stage");
    if tokens > 0 {
        about.push_str(&format!(", the tokens of {}", super::check::counted(tokens, "table")));
    }
    let about = format!("{about}, {}; {} are left", units::size(bytes), units::size(left));
    terminal.status(Paint::Green, "Removed", about);
}
