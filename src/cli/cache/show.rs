//! `annotc cache show`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::units;
use crate::cli::check::counted;
use crate::cli::terminal::{Paint, Terminal};
use crate::engine::stage::{Holds, Input, Record, Stored, stored};
use crate::train::StoredTokens;

/// Characters of a stage's name that tell it from others.
const SHORT: usize = 12;

/// Lists the stages and the tokens of tables, each the ones used last first.
pub(super) fn show(root: &Path, tokens: &[StoredTokens], terminal: &Terminal) {
    let stages = stored(root);
    if terminal.json() {
        stages.iter().for_each(|stage| terminal.answer(to_json(stage)));
        tokens.iter().for_each(|tokens| terminal.answer(tokens_to_json(tokens)));
        return;
    }
    for stage in &stages {
        show_stage(stage, terminal);
    }
    for one in tokens {
        let head = terminal.paint_answer(Paint::Bold, &format!("tokens {}", short(&one.key)));
        let records = one.records.map_or("damaged".to_owned(), |records| counted(records as usize, "record"));
        let age = units::age(one.used.elapsed().unwrap_or_default());
        terminal.answer(format_args!("{head}  {records}, {}, used {age} ago\n", units::size(one.bytes)));
    }
    let bytes = stages.iter().map(|stage| stage.bytes).sum();
    terminal.answer(format_args!("{}, {} in {}", counted(stages.len(), "stage"), units::size(bytes), root.display()));
    if !tokens.is_empty() {
        let bytes = tokens.iter().map(|tokens| tokens.bytes).sum();
        terminal.answer(format_args!("tokens of {}, {}", counted(tokens.len(), "table"), units::size(bytes)));
    }
}

fn tokens_to_json(tokens: &StoredTokens) -> Value {
    json!({
        "stage": "tokens",
        "key": tokens.key,
        "file": tokens.path,
        "records": tokens.records,
        "bytes": tokens.bytes,
        "used": tokens.used.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        "age_seconds": tokens.used.elapsed().unwrap_or_default().as_secs(),
    })
}

/// A stage's name in short.
pub(super) fn short(key: &str) -> &str {
    key.get(..SHORT).unwrap_or(key)
}

/// A path from the folder that the command runs in, where it lies below it.
fn from_here(path: &str) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| Some(Path::new(path).strip_prefix(here).ok()?.display().to_string()));
    below.unwrap_or_else(|| path.to_string())
}

fn age(stage: &Stored) -> Duration {
    stage.used.elapsed().unwrap_or_default()
}

/// The word of what a stage's files hold.
fn holds(record: Option<&Record>) -> &'static str {
    match record.map(|record| record.holds) {
        Some(Holds::Measures) | None => "measures",
        Some(Holds::Cuts) => "cuts",
    }
}

fn show_stage(stage: &Stored, terminal: &Terminal) {
    let word = holds(stage.record.as_ref());
    let head = terminal.paint_answer(Paint::Bold, &format!("{word} {}", short(&stage.key)));
    let (chunks, size) = (counted(stage.chunks, "chunk"), units::size(stage.bytes));
    terminal.answer(format_args!("{head}  {chunks}, {size}, used {} ago", units::age(age(stage))));
    let Some(record) = &stage.record else {
        terminal.answer("  its record is damaged: the next build that needs it writes another\n");
        return;
    };
    for of in record.uses.iter().rev() {
        terminal.answer(format_args!("  for       {} of {}", of.dataset, from_here(&of.spec)));
    }
    let inputs: Vec<String> = inputs(record).into_iter().map(|(source, files)| format!("{source}: {files}")).collect();
    terminal.answer(format_args!("  files     {}", inputs.join("; ")));
    let versions: Vec<String> = record.versions().iter().map(|(name, version)| format!("{name} {version}")).collect();
    let versions = if versions.is_empty() { String::new() } else { format!("; {}", versions.join(", ")) };
    terminal.answer(format_args!("  versions  annotc {}{versions}", record.annotc));
    for (at, node) in record.measures.iter().enumerate() {
        let head = if at == 0 { word } else { "" };
        terminal.answer(format_args!("  {head:<8}  {}", node.what));
    }
    terminal.answer("");
}

/// The files of the last use, by source.
fn inputs(record: &Record) -> BTreeMap<&str, String> {
    let mut by_source: BTreeMap<&str, Vec<&Input>> = BTreeMap::new();
    for input in record.uses.last().into_iter().flat_map(|of| &of.inputs) {
        by_source.entry(&input.source).or_default().push(input);
    }
    let shown = |files: Vec<&Input>| match files.as_slice() {
        [one] => format!("{} ({})", one.file, units::size(one.bytes)),
        [first, .., last] => {
            let bytes = files.iter().map(|file| file.bytes).sum();
            format!("{} … {} ({} files, {})", first.file, last.file, files.len(), units::size(bytes))
        }
        [] => String::new(),
    };
    by_source.into_iter().map(|(source, files)| (source, shown(files))).collect()
}

fn to_json(stage: &Stored) -> Value {
    let used = stage.used.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let record = stage.record.as_ref();
    let measures = record.map(|record| record.measures.iter().map(|node| &node.what).collect::<Vec<_>>());
    let uses = record.map(|record| {
        let of = |one: &crate::engine::stage::Use| {
            let files: Vec<Value> = one
                .inputs
                .iter()
                .map(|file| json!({ "source": file.source, "file": file.file, "blake3": file.blake3, "bytes": file.bytes, "chunks": file.chunks }))
                .collect();
            json!({ "spec": one.spec, "dataset": one.dataset, "files": files })
        };
        record.uses.iter().map(of).collect::<Vec<_>>()
    });
    json!({
        "stage": holds(record),
        "key": stage.key,
        "folder": stage.folder,
        "chunks": stage.chunks,
        "bytes": stage.bytes,
        "used": used,
        "age_seconds": age(stage).as_secs(),
        "annotc": record.map(|record| &record.annotc),
        "versions": record.map(Record::versions),
        "measures": measures,
        "uses": uses,
    })
}
