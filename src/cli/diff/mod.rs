//! `annotc diff`: two specs, builds or git revisions, in declarations and in records.

mod show;
mod sides;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::terminal::Terminal;
use crate::diff::{DeclChange, RecordDiff, compare_declarations, compare_records};
use crate::emit::snapshot::Snapshot;
use sides::Side;

/// Options of `annotc diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Specs are compared by meaning: spaces, comments and the order of statements that have none make no difference. Where a \
spec's `build/` beside it was made from it, the records are compared as well. Builds are compared record by record, by \
their ids: what was added, removed, dropped or kept otherwise, moved to another part, relabelled, or changed in its \
values. Records are named by their ids; no text of one is printed.

  annotc diff shop.annot other.annot            two specs
  annotc diff HEAD~1:shop.annot shop.annot      since a git revision
  annotc diff build-old build                   two folders of `build --out`
  annotc diff build-old/helpdesk build/helpdesk

A record's id comes from its `@key`, or else from its raw fields: without a key, a record whose raw text was edited is \
one that was removed and one that was added.

Exit status: 0 done, with or without differences · 1 a spec cannot be read, or with `--exit-code` there are differences \
· 2 usage · 4 a file or git failed")]
pub struct DiffArgs {
    /// A spec, a build's folder, a data set's folder in it, the address of either in an object store, or REVISION:SPEC
    #[arg(value_name = "A")]
    before: String,
    /// What it is compared with
    #[arg(value_name = "B")]
    after: String,
    /// End with status 1 where there are differences
    #[arg(long)]
    exit_code: bool,
    /// How many ids of each kind of difference are shown; `--format json` has all
    #[arg(long, value_name = "N", default_value_t = 3)]
    ids: u16,
    /// The folder into which files of an address are fetched [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE")]
    cache: Option<PathBuf>,
}

/// What was compared of one data set.
pub struct Compared {
    /// Its name in the first and in the second build.
    pub names: (String, String),
    /// What differs.
    pub diff: RecordDiff,
}

/// All that was compared.
pub struct Differences {
    /// The two sides as they were named.
    pub sides: (String, String),
    /// Declarations, where both sides are specs.
    pub declarations: Option<Vec<DeclChange>>,
    /// Data sets that both sides have.
    pub datasets: Vec<Compared>,
    /// Data sets that one side has alone.
    pub alone: (Vec<String>, Vec<String>),
    /// Why records were not compared.
    pub notes: Vec<String>,
}

impl Differences {
    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.declarations.as_ref().is_some_and(|changes| !changes.is_empty())
            || self.datasets.iter().any(|compared| compared.diff.differs())
            || !(self.alone.0.is_empty() && self.alone.1.is_empty())
    }
}

/// Compares the sides and tells what differs.
pub fn run(args: &DiffArgs, terminal: &Terminal) -> Result<(), Failure> {
    let before = Side::open(&args.before, args.cache.as_deref(), terminal)?;
    let after = Side::open(&args.after, args.cache.as_deref(), terminal)?;
    let differences = compare(args, &before, &after, terminal)?;
    if terminal.json() {
        terminal.answer(facts(&differences));
    } else {
        show::show(&differences, usize::from(args.ids), terminal);
    }
    if args.exit_code && differences.any() { Err(Failure::Different) } else { Ok(()) }
}

fn compare(args: &DiffArgs, before: &Side, after: &Side, terminal: &Terminal) -> Result<Differences, Failure> {
    let mut differences = Differences {
        sides: (args.before.clone(), args.after.clone()),
        declarations: match (before.tree(), after.tree()) {
            (Some(old), Some(new)) => Some(compare_declarations(std::slice::from_ref(old), std::slice::from_ref(new))),
            _ => None,
        },
        datasets: Vec::new(),
        alone: (Vec::new(), Vec::new()),
        notes: Vec::new(),
    };
    // What one side lacks, the other need not be asked for.
    let old = before.built(&mut differences.notes);
    let new = if old.is_empty() { Vec::new() } else { after.built(&mut differences.notes) };
    if old.is_empty() || new.is_empty() {
        return Ok(differences);
    }
    let read = |folder: &std::path::Path| {
        Snapshot::read(folder).map_err(|error| {
            terminal.error(error, Some("build it again"));
            Failure::World
        })
    };
    let single = before.is_dataset() && after.is_dataset();
    for (name, folder) in &old {
        let other = new.iter().find(|(other, _)| single || other == name);
        match other {
            None => differences.alone.0.push(name.clone()),
            Some((other, other_folder)) => {
                if let (Some(old), Some(new)) = (read(folder)?, read(other_folder)?) {
                    let names = (name.clone(), other.clone());
                    differences.datasets.push(Compared { names, diff: compare_records(&old, &new) });
                }
            }
        }
    }
    let known = |name: &String| single || old.iter().any(|(other, _)| other == name);
    differences.alone.1 = new.iter().map(|(name, _)| name.clone()).filter(|name| !known(name)).collect();
    Ok(differences)
}

fn facts(differences: &Differences) -> Value {
    let declarations =
        differences.declarations.as_ref().map(|changes| changes.iter().map(decl_facts).collect::<Vec<_>>());
    json!({
        "before": differences.sides.0,
        "after": differences.sides.1,
        "differs": differences.any(),
        "declarations": declarations,
        "datasets": differences.datasets.iter().map(dataset_facts).collect::<Vec<_>>(),
        "only_before": differences.alone.0,
        "only_after": differences.alone.1,
        "notes": differences.notes,
    })
}

fn decl_facts(change: &DeclChange) -> Value {
    let entry = |entry: &crate::diff::EntryChange| {
        json!({
            "change": show::word(entry.change()), "name": entry.key, "before": entry.before, "after": entry.after,
        })
    };
    json!({
        "change": show::word(change.change),
        "kind": change.kind,
        "name": change.name,
        "statements": change.entries.iter().map(entry).collect::<Vec<_>>(),
        "reordered": change.reordered,
    })
}

fn dataset_facts(compared: &Compared) -> Value {
    let diff = &compared.diff;
    let by_fate = |records: &std::collections::BTreeMap<String, Vec<crate::emit::snapshot::Id>>| {
        records.iter().map(|(fate, ids)| json!({ "fate": fate, "ids": ids_of(ids) })).collect::<Vec<_>>()
    };
    let between = |records: &std::collections::BTreeMap<(String, String), Vec<crate::emit::snapshot::Id>>| {
        let one =
            |((from, to), ids): (&(String, String), &Vec<_>)| json!({ "from": from, "to": to, "ids": ids_of(ids) });
        records.iter().map(one).collect::<Vec<_>>()
    };
    let relabelled: Vec<Value> = diff
        .relabelled
        .iter()
        .map(|((label, from, to), ids)| json!({ "label": label, "from": from, "to": to, "ids": ids_of(ids) }))
        .collect();
    let rewritten: Vec<Value> = diff
        .rewritten
        .iter()
        .map(|one| json!({ "output": one.output, "of": one.of, "ids": ids_of(&one.records) }))
        .collect();
    let counts = |counts: &[crate::diff::Count]| {
        let count = |count: &crate::diff::Count| json!({ "of": count.of, "what": count.what, "before": count.before, "after": count.after });
        counts.iter().map(count).collect::<Vec<_>>()
    };
    json!({
        "dataset": compared.names.1,
        "rows": [diff.rows.0, diff.rows.1],
        "records": [diff.emitted.0, diff.emitted.1],
        "added": by_fate(&diff.added),
        "removed": by_fate(&diff.removed),
        "verdicts": between(&diff.verdicts),
        "moved": between(&diff.moved),
        "relabelled": relabelled,
        "changed": diff.changed.as_ref().map(|ids| ids_of(ids)),
        "columns": { "only_before": diff.columns.0, "only_after": diff.columns.1 },
        "outputs": rewritten,
        "labels": counts(&diff.labels),
        "rules": counts(&diff.rules),
    })
}

fn ids_of(ids: &[crate::emit::snapshot::Id]) -> Vec<&str> {
    ids.iter().map(|id| &**id).collect()
}
