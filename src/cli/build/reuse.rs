//! How much of a build was in the cache.

use serde_json::{Value, json};

use crate::cli::check::counted;
use crate::cli::terminal::{Paint, Terminal};
use crate::engine::stage::{CutsFrom, CutsReuse, Reuse};

/// Tells how much of the first pass was there already, and what was wrong with the cache.
pub(super) fn tell_reuse(terminal: &Terminal, reuse: &Reuse) {
    if let Some(why) = &reuse.withheld {
        return terminal.status(Paint::Dim, "Not kept", format_args!("the measures of the first pass: {why}"));
    }
    let Reuse { chunks, reused, damaged, failure, withheld: _, cuts } = reuse;
    for CutsReuse { rule, chunks, reused, from } in cuts.iter().filter(|cuts| cuts.reused > 0) {
        let cut = match from {
            CutsFrom::Cache => "what it cuts is in the cache",
            CutsFrom::Measures => "what it cuts is decided again",
            CutsFrom::Texts => "the texts that reach it were read again",
        };
        let chunks = counted(*chunks, "chunk");
        terminal.status(
            Paint::Dim,
            "Reused",
            format_args!("before `{rule}`: {reused} of {chunks} from the cache; {cut}"),
        );
    }
    if *reused > 0 {
        terminal.status(
            Paint::Dim,
            "Reused",
            format_args!("first pass: {reused} of {} from the cache", counted(*chunks, "chunk")),
        );
    }
    if *damaged > 0 {
        let files = counted(*damaged, "file");
        terminal.status(Paint::Yellow, "Note", format_args!("{files} of the cache were damaged and made again"));
    }
    if let Some(failure) = failure {
        terminal.status(Paint::Yellow, "Note", format_args!("measures could not be kept in the cache: {failure}"));
    }
}

/// The same for programs.
pub(super) fn first_pass(reuse: &Reuse) -> Value {
    let cut = |cuts: &CutsReuse| json!({ "rule": cuts.rule, "chunks": cuts.chunks, "reused": cuts.reused, "from": word(cuts.from) });
    let mut answer = json!({ "chunks": reuse.chunks, "reused": reuse.reused });
    if !reuse.cuts.is_empty() {
        answer["cuts"] = reuse.cuts.iter().map(cut).collect();
    }
    answer
}

/// The word of where what is cut comes from.
pub(in crate::cli) fn word(from: CutsFrom) -> &'static str {
    match from {
        CutsFrom::Cache => "cache",
        CutsFrom::Measures => "measures",
        CutsFrom::Texts => "texts",
    }
}
