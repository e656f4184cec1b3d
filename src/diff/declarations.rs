//! Two syntax trees, declaration by declaration and statement by statement.

use super::entries::{Declared, Entry, declared};
use crate::syntax::ast::File;

/// What became of a declaration or a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is in the second alone.
    Added,
    /// It is in the first alone.
    Removed,
    /// It is in both and says something else.
    Changed,
}

/// A declaration that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclChange {
    /// What became of it.
    pub change: Change,
    /// `source`, `clean` …
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its statements that differ; none of a declaration that was added or removed.
    pub entries: Vec<EntryChange>,
    /// Whether statements whose order counts stand in another one.
    pub reordered: bool,
}

/// A statement that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryChange {
    /// How it is called: a rule as the audit names it.
    pub key: String,
    /// What it said.
    pub before: Option<String>,
    /// What it says.
    pub after: Option<String>,
}

impl EntryChange {
    /// What became of it.
    pub fn change(&self) -> Change {
        match (&self.before, &self.after) {
            (None, _) => Change::Added,
            (Some(_), None) => Change::Removed,
            (Some(_), Some(_)) => Change::Changed,
        }
    }
}

/// What differs between two specifications: in the order of the first, then what the second adds. Names of declarations are
/// unique in a specification; of two tests with one title the first counts.
pub fn compare_declarations(before: &[File], after: &[File]) -> Vec<DeclChange> {
    let collect = |files: &[File]| files.iter().flat_map(|file| file.decls.iter().map(declared)).collect();
    let (old, new): (Vec<Declared>, Vec<Declared>) = (collect(before), collect(after));
    let same = |a: &Declared, b: &Declared| a.kind == b.kind && a.name == b.name;
    let whole = |change, declared: &Declared| DeclChange {
        change,
        kind: declared.kind,
        name: declared.name.clone(),
        entries: Vec::new(),
        reordered: false,
    };
    let mut changes = Vec::new();
    for one in &old {
        match new.iter().find(|other| same(one, other)) {
            None => changes.push(whole(Change::Removed, one)),
            Some(other) => changes.extend(compare_entries(one, other)),
        }
    }
    let added = new.iter().filter(|one| !old.iter().any(|other| same(one, other)));
    changes.extend(added.map(|one| whole(Change::Added, one)));
    changes
}

fn compare_entries(before: &Declared, after: &Declared) -> Option<DeclChange> {
    let find = |entries: &[Entry], key: &str| entries.iter().find(|entry| entry.key == key).cloned();
    let mut entries = Vec::new();
    for old in &before.entries {
        let new = find(&after.entries, &old.key).map(|entry| entry.text);
        if new.as_ref() != Some(&old.text) {
            entries.push(EntryChange { key: old.key.clone(), before: Some(old.text.clone()), after: new });
        }
    }
    for new in &after.entries {
        if find(&before.entries, &new.key).is_none() {
            entries.push(EntryChange { key: new.key.clone(), before: None, after: Some(new.text.clone()) });
        }
    }
    let in_both = |entries: &[Entry], other: &[Entry]| -> Vec<String> {
        let common = entries.iter().filter(|entry| entry.ordered && find(other, &entry.key).is_some());
        common.map(|entry| entry.key.clone()).collect()
    };
    let reordered = in_both(&before.entries, &after.entries) != in_both(&after.entries, &before.entries);
    let differs = reordered || !entries.is_empty();
    differs.then(|| DeclChange {
        change: Change::Changed,
        kind: before.kind,
        name: before.name.clone(),
        entries,
        reordered,
    })
}
