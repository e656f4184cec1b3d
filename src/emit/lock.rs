//! `spec.annot.lock`: what a spec's targets were made from and what came out, one line for each file, in an order that
//! makes a change of one thing a change of one line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{AtPath, EmitError};
use super::file::{Digest, write_atomically};
use super::manifest::Manifest;
use crate::hir::{LabelSchema, LabelValues, Program, Source};
use crate::remote::Address;

const SCHEMA: &str = "annotc.lock/1";
const HEAD: &str = "# Written by annotc: what the targets were made from and what came out. Made to be committed.\n";

/// A lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    schema: String,
    /// The files of each source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Files>,
    /// The commits that branches of repositories meant, by the repositories' addresses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revisions: BTreeMap<String, String>,
    /// The values of labels that were found in the data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Vec<String>>,
    /// What decided the outputs of each data set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stages: BTreeMap<String, Decided>,
    /// The outputs of each data set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub datasets: BTreeMap<String, Files>,
    /// The files of each model that training starts from or that texts are run through, its tokenizer among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, Files>,
}

/// What decided a data set's outputs. It is for the reader and not compared: another text may mean the same data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// BLAKE3 of what the spec says of it, whatever its layout, its comments and the order of its declarations.
    pub declared: String,
    /// BLAKE3 of that, the files read, and the versions of annotc, its functions and its detectors.
    pub built: String,
}

/// Files by path.
pub type Files = BTreeMap<String, LockedFile>;

/// A file's digest on one line: BLAKE3 and length in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LockedFile(pub Digest);

/// A difference between a lock and what a build found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What differs: ``source `questions`, data/train.csv``.
    pub what: String,
    /// What the lock says; `None` when it does not know it.
    pub was: Option<String>,
    /// What the build found; `None` when it is gone.
    pub is: Option<String>,
}

impl Lock {
    /// A lock without targets.
    pub fn empty() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            sources: BTreeMap::new(),
            revisions: BTreeMap::new(),
            labels: BTreeMap::new(),
            stages: BTreeMap::new(),
            datasets: BTreeMap::new(),
            models: BTreeMap::new(),
        }
    }

    /// Where the lock of a spec lies: beside it, with `.lock` after its name.
    pub fn path(spec: &Path) -> PathBuf {
        let mut name = spec.as_os_str().to_owned();
        name.push(".lock");
        name.into()
    }

    /// Adds a data set, built now or found unchanged: its sources, the label values found in them, its outputs.
    pub fn add_dataset(&mut self, program: &Program, manifest: &Manifest) {
        let locked = |digest: &Digest| LockedFile(digest.clone());
        for source in &manifest.sources {
            let files = source.files.iter().map(|file| (file.path.clone(), locked(&file.digest))).collect();
            self.sources.insert(source.name.clone(), files);
        }
        let decided = Decided { declared: manifest.spec.clone(), built: manifest.fingerprint.clone() };
        self.stages.insert(manifest.dataset.clone(), decided);
        let outputs = manifest.outputs.iter().map(|file| (file.path.clone(), locked(&file.digest)));
        self.datasets.insert(manifest.dataset.clone(), outputs.collect());
        for (name, values) in manifest.splits.iter().take(1).flat_map(|(_, part)| part.labels.iter()) {
            let found = program.labels.iter().any(|label| {
                label.name == name && matches!(label.schema, LabelSchema::Choice(LabelValues::Found { .. }))
            });
            if found {
                self.labels.insert(name.to_owned(), values.iter().map(|(value, _)| value.to_owned()).collect());
            }
        }
    }

    /// Adds a model's files, by their paths in its folder.
    pub fn add_model(&mut self, model: &str, files: impl IntoIterator<Item = (String, Digest)>) {
        let files = files.into_iter().map(|(path, digest)| (path, LockedFile(digest))).collect();
        self.models.insert(model.to_owned(), files);
    }

    /// Keeps what `old` knows of declarations that this build did not touch.
    pub fn keeping(mut self, old: Lock, program: &Program) -> Self {
        fn keep<T>(new: &mut BTreeMap<String, T>, old: BTreeMap<String, T>, declared: &BTreeSet<&str>) {
            for (name, entry) in old {
                if declared.contains(name.as_str()) {
                    new.entry(name).or_insert(entry);
                }
            }
        }
        keep(&mut self.sources, old.sources, &program.sources.iter().map(|source| source.name.as_str()).collect());
        let repositories: Vec<String> = program.sources.iter().flat_map(repositories).collect();
        let read: BTreeSet<&str> = repositories.iter().map(String::as_str).collect();
        keep(&mut self.revisions, old.revisions, &read);
        keep(&mut self.labels, old.labels, &program.labels.iter().map(|label| label.name.as_str()).collect());
        let datasets = program.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
        keep(&mut self.stages, old.stages, &datasets);
        keep(&mut self.datasets, old.datasets, &datasets);
        keep(&mut self.models, old.models, &program.models.iter().map(|model| model.name.as_str()).collect());
        self
    }

    /// Reads a lock; `None` when there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, EmitError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.at("read", path)?,
        };
        let unreadable = |reason: String| EmitError::Unreadable { path: path.to_owned(), reason };
        let lock: Lock = serde_yaml::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if lock.schema != SCHEMA {
            return Err(unreadable(format!("its schema is `{}`, this version reads `{SCHEMA}`", lock.schema)));
        }
        Ok(Some(lock))
    }

    /// Writes the lock in one step; a file that says the same already is left alone.
    pub fn write(&self, path: &Path) -> Result<(), EmitError> {
        let text = self.to_yaml();
        if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
            return Ok(());
        }
        write_atomically(path, text.as_bytes())
    }

    /// The file's text.
    pub fn to_yaml(&self) -> String {
        let yaml = serde_yaml::to_string(self).expect("names and texts are valid YAML");
        format!("{HEAD}{yaml}")
    }
}

/// What a build found otherwise than the lock has it. Only what `is` has was built; the rest of `was` is not compared. What
/// decided the data is no data: another way to say the same is no drift.
pub fn compare(was: &Lock, is: &Lock) -> Vec<Drift> {
    let mut drifts = Vec::new();
    compare_files("source", &was.sources, &is.sources, &mut drifts);
    for (repository, commit) in &is.revisions {
        let old = was.revisions.get(repository);
        if old != Some(commit) {
            drifts.push(Drift { what: repository.clone(), was: old.cloned(), is: Some(commit.clone()) });
        }
    }
    for (name, values) in &is.labels {
        let old = was.labels.get(name);
        if old != Some(values) {
            drifts.push(Drift {
                what: format!("label `{name}`"),
                was: old.map(|old| described(old, values)),
                is: Some(described(values, old.map_or(&[], Vec::as_slice))),
            });
        }
    }
    compare_files("model", &was.models, &is.models, &mut drifts);
    compare_files("data set", &was.datasets, &is.datasets, &mut drifts);
    drifts
}

/// The addresses of the repositories that a source reads.
fn repositories(source: &Source) -> Vec<String> {
    let repository = |path: &String| match Address::parse(path)? {
        Ok(Address::Hub(address)) => Some(address.repository()),
        Ok(Address::Http(_) | Address::Cloud(_)) | Err(_) => None,
    };
    source.paths.iter().filter_map(repository).collect()
}

fn compare_files(kind: &str, was: &BTreeMap<String, Files>, is: &BTreeMap<String, Files>, drifts: &mut Vec<Drift>) {
    let none = Files::new();
    for (name, files) in is {
        let old = was.get(name).unwrap_or(&none);
        let paths: BTreeSet<&String> = old.keys().chain(files.keys()).collect();
        for path in paths {
            if old.get(path) != files.get(path) {
                drifts.push(Drift {
                    what: format!("{kind} `{name}`, {path}"),
                    was: old.get(path).map(ToString::to_string),
                    is: files.get(path).map(ToString::to_string),
                });
            }
        }
    }
}

/// A list of values by its length and the first few that the other does not have.
fn described(values: &[String], other: &[String]) -> String {
    const SHOWN: usize = 3;
    let own: Vec<_> = values.iter().filter(|value| !other.contains(value)).collect();
    let mut text = format!("{} values", values.len());
    if !own.is_empty() && !other.is_empty() {
        let shown: Vec<_> = own.iter().take(SHOWN).map(|value| format!("`{value}`")).collect();
        let more = if own.len() > SHOWN { ", …" } else { "" };
        text.push_str(&format!(" with {}{more}", shown.join(", ")));
    }
    text
}

impl fmt::Display for LockedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.blake3, self.0.bytes)
    }
}

impl From<LockedFile> for String {
    fn from(file: LockedFile) -> Self {
        file.to_string()
    }
}

impl TryFrom<String> for LockedFile {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digest = text.split_once(' ').and_then(|(blake3, bytes)| {
            let hexadecimal = blake3.len() == 64 && blake3.bytes().all(|byte| byte.is_ascii_hexdigit());
            Some(Digest { blake3: hexadecimal.then(|| blake3.to_owned())?, bytes: bytes.parse().ok()? })
        });
        digest.map(Self).ok_or_else(|| format!("`{text}` is no BLAKE3 hash with a length in bytes"))
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: locked {}, found {}", self.what, side(&self.was), side(&self.is))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::{Label, LabelValue, Model, ModelOrigin};
    use crate::source::{FileId, Span};

    fn lock(files: &[(&str, &str)], values: &[&str]) -> Lock {
        let mut lock = Lock::empty();
        let file = |(path, content): &(&str, &str)| ((*path).to_owned(), LockedFile(Digest::of(content.as_bytes())));
        lock.sources.insert("questions".to_owned(), files.iter().map(file).collect());
        let decided = Decided { declared: "5".repeat(64), built: "7".repeat(64) };
        lock.stages.insert("bank".to_owned(), decided);
        lock.labels.insert("intent".to_owned(), values.iter().map(|value| (*value).to_owned()).collect());
        lock
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Lock::path(&folder.path().join("spec.annot"));
        assert!(path.ends_with("spec.annot.lock"));
        assert_eq!(Lock::read(&path).expect("no lock yet"), None);
        let written = lock(&[("b: #.csv", "1"), ("a.csv", "2")], &["no", "1", "- x", "naïve \"q\""]);
        written.write(&path).expect("written");
        assert_eq!(Lock::read(&path).expect("read"), Some(written.clone()));
        // One line for each file, in order of path.
        let hash = Digest::of(b"2").blake3;
        let yaml = written.to_yaml();
        assert!(yaml.contains(&format!("  questions:\n    a.csv: {hash} 1\n")), "{yaml}");

        fs::write(&path, yaml.replace(SCHEMA, "annotc.lock/9")).expect("written");
        assert!(matches!(Lock::read(&path), Err(EmitError::Unreadable { .. })));
        fs::write(&path, yaml.replace(&hash, "12")).expect("written");
        assert!(matches!(Lock::read(&path), Err(EmitError::Unreadable { .. })));
    }

    #[test]
    fn drift_is_told_for_what_was_built() {
        let old = lock(&[("a.csv", "1"), ("b.csv", "2")], &["x", "y"]);
        let what = |new: &Lock| compare(&old, new).into_iter().map(|drift| drift.what).collect::<Vec<_>>();
        let none: [&str; 0] = [];
        assert_eq!(what(&old), none);
        let mut other_words = old.clone();
        other_words.stages.get_mut("bank").expect("it was made").declared = "6".repeat(64);
        assert_eq!(what(&other_words), none);
        assert_eq!(what(&Lock::empty()), none);
        let new = lock(&[("a.csv", "1"), ("b.csv", "3"), ("c.csv", "4")], &["x", "z"]);
        assert_eq!(what(&new), ["source `questions`, b.csv", "source `questions`, c.csv", "label `intent`"]);
        let drifts = compare(&old, &new);
        assert_eq!((drifts[1].was.as_ref(), drifts[2].was.as_deref()), (None, Some("2 values with `y`")));
        assert_eq!(drifts[2].is.as_deref(), Some("2 values with `z`"));
    }

    #[test]
    fn entries_of_other_targets_are_kept_and_of_removed_ones_not() {
        let span = Span::new(FileId(0), 0, 0);
        let listed = LabelValue { name: "x".to_owned(), title: "x".to_owned(), guideline: None };
        let program = Program {
            labels: vec![Label {
                name: "intent".to_owned(),
                doc: None,
                schema: LabelSchema::Choice(LabelValues::Listed(vec![listed])),
                span,
            }],
            models: vec![Model {
                name: "minilm".to_owned(),
                origin: ModelOrigin::Folder { path: "m".to_owned(), base: String::new(), span },
                pooling: None,
                span,
            }],
            ..Program::default()
        };
        let mut old = lock(&[("a.csv", "1")], &["x"]);
        old.add_model("minilm", [("model.onnx".to_owned(), Digest::of(b"m"))]);
        let merged = Lock::empty().keeping(old.clone(), &program);
        assert_eq!((merged.sources.len(), merged.labels.len(), merged.models.len()), (0, 1, 1));
        assert!(merged.stages.is_empty(), "the data set is not declared any more");
    }
}
