//! What a build does to the folders around it, seen from outside: entries that come, are replaced, or go.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, ExitStatus};

use crate::support::Project;

/// Something that happened to an entry. Names that a build invents stand as `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// It is there.
    Came(String),
    /// Another one has taken its place.
    Replaced(String),
    /// It is gone.
    Went(String),
}

impl Event {
    /// The entry.
    pub fn path(&self) -> &str {
        match self {
            Event::Came(path) | Event::Replaced(path) | Event::Went(path) => path,
        }
    }
}

/// The entries of a project's folder and its cache as they were last seen, each with its number in the file system.
pub struct Watch<'p> {
    project: &'p Project,
    seen: BTreeMap<String, u64>,
}

impl<'p> Watch<'p> {
    /// Begins with what is there now.
    pub fn begin(project: &'p Project) -> Self {
        Self { project, seen: look(project) }
    }

    /// What has happened since the last look.
    pub fn look(&mut self) -> Vec<Event> {
        let now = look(self.project);
        let mut events = Vec::new();
        for (path, number) in &now {
            match self.seen.get(path) {
                None => events.push(Event::Came(path.clone())),
                Some(before) if before != number => events.push(Event::Replaced(path.clone())),
                Some(_) => {}
            }
        }
        events.extend(self.seen.keys().filter(|path| !now.contains_key(*path)).cloned().map(Event::Went));
        self.seen = now;
        events
    }

    /// Looks until a process has ended, and gives what happened for the first time, in order.
    pub fn until_the_end(mut self, child: &mut Child) -> (ExitStatus, Vec<Event>) {
        let (mut known, mut events) = (BTreeSet::new(), Vec::new());
        loop {
            let ended = child.try_wait().expect("the child can be asked");
            events.extend(self.look().into_iter().filter(|event| known.insert(event.clone())));
            if let Some(status) = ended {
                return (status, events);
            }
        }
    }

    /// Looks until one of these events has happened; `false` where the process has ended before.
    pub fn until(mut self, events: &[Event], child: &mut Child) -> bool {
        loop {
            let ended = child.try_wait().expect("the child can be asked").is_some();
            if self.look().iter().any(|event| events.contains(event)) {
                return true;
            }
            if ended {
                return false;
            }
        }
    }
}

fn look(project: &Project) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    enter(&project.path("build"), "build", &mut seen);
    enter(&project.cache().join("spilled"), "spilled", &mut seen);
    // Beside the specification lie its data, which nobody changes meanwhile.
    entries(&project.path(""), "", &mut |path, name, number| {
        if path.is_file() {
            seen.insert(name, number);
        }
    });
    // The names of stages and chunks follow from the data: they are counted.
    let mut kept = BTreeMap::new();
    enter(&project.cache().join("stages"), "", &mut kept);
    for name in kept.keys() {
        let kind = match name.rsplit_once('.') {
            Some((_, "arrow")) => "chunk",
            Some((_, "json")) => "record",
            Some((folder, _)) if folder.ends_with('/') => "unfinished file",
            Some(_) | None => continue,
        };
        let count = (1..).find(|count| !seen.contains_key(&format!("stages/{kind} {count}")));
        seen.insert(format!("stages/{kind} {}", count.expect("some number is free")), 0);
    }
    seen
}

/// Sees all that lies below a folder.
fn enter(folder: &Path, name: &str, seen: &mut BTreeMap<String, u64>) {
    entries(folder, name, &mut |path, name, number| {
        if path.is_dir() {
            enter(path, &name, seen);
        }
        seen.insert(name, number);
    });
}

/// The entries of a folder, which may go while it is looked at.
fn entries(folder: &Path, name: &str, each: &mut dyn FnMut(&Path, String, u64)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let own = entry.file_name().to_string_lossy().into_owned();
        let invented = ["build-", ".annotc-unfinished-"].into_iter().find(|start| own.starts_with(start));
        let own = invented.map_or(own, |start| format!("{start}*"));
        if let Ok(metadata) = entry.path().symlink_metadata() {
            let name = if name.is_empty() { own } else { format!("{name}/{own}") };
            each(&entry.path(), name, metadata.ino());
        }
    }
}
