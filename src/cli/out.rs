//! Where builds lie, as a command line says it: a folder of this machine, or a folder of an object store.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use clap::builder::{TypedValueParser, ValueParserFactory};
use clap::error::ErrorKind;

use super::Failure;
use super::runtime::cache_folder;
use super::terminal::{Paint, Terminal};
use crate::emit::{MANIFEST, PROVENANCE, STATISTICS};
use crate::engine::{MemoryLimit, PrivateFolder};
use crate::remote::{Remote, RemoteError, StoreFolder, Terms};

/// Where a build or one of its targets lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// A folder of this machine.
    Folder(PathBuf),
    /// `s3://bucket/folder`: a folder of an object store.
    Store(StoreFolder),
}

/// What a command reads of builds. Of what lies elsewhere no more is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// What counts: manifests, statistics, steps and figures of runs.
    Figures,
    /// That, and what became of each record.
    Records,
    /// All files but the weights of models.
    AllButWeights,
    /// All files.
    All,
}

/// A build's files on this machine: where they lie, or copies of them for as long as this lives.
pub struct Reached {
    folder: PathBuf,
    /// The address, and what goes with the copies.
    copied: Option<(StoreFolder, PrivateFolder)>,
}

impl Out {
    /// Reads what an argument names.
    ///
    /// # Errors
    /// What is wrong with an address, without the secrets that it may hold.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        match text.to_str().and_then(StoreFolder::parse) {
            Some(address) => address.map(Self::Store),
            None => Ok(Self::Folder(PathBuf::from(text))),
        }
    }

    /// Its last name.
    pub fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
            Self::Store(address) => address.name().to_owned(),
        }
    }

    /// The last `parts` names of its path.
    fn end(&self, parts: usize) -> String {
        match self {
            Self::Folder(folder) => {
                let all = folder.components().count();
                folder.components().skip(all.saturating_sub(parts)).collect::<PathBuf>().display().to_string()
            }
            Self::Store(address) => {
                let address = address.to_string();
                let names: Vec<&str> = address.trim_end_matches('/').split('/').collect();
                names[names.len().saturating_sub(parts)..].join("/")
            }
        }
    }

    /// The shortest ends of two paths that tell them apart; of a path twice its last name.
    pub fn apart(&self, other: &Self) -> [String; 2] {
        let most = self.to_string().len().max(other.to_string().len());
        let ends = |parts| [self.end(parts), other.end(parts)];
        (1..=most).map(ends).find(|[one, other]| one != other).unwrap_or_else(|| [self.name(), other.name()])
    }

    /// Makes its files readable on this machine: fetches those that the command reads into the cache, unless they are there.
    pub fn reach(&self, files: Files, cache: Option<&Path>, terminal: &Terminal) -> Result<Reached, Failure> {
        let address = match self {
            Self::Folder(folder) => return Ok(Reached { folder: folder.clone(), copied: None }),
            Self::Store(address) => address,
        };
        let cache = cache_folder(cache);
        MemoryLimit { bytes: MemoryLimit::DEFAULT, cache: cache.clone() }.put_right();
        let private = PrivateFolder::create(&cache).map_err(|error| {
            terminal.error(error, Some("name a folder that can be written with `--cache` or ANNOTC_CACHE"));
            Failure::World
        })?;
        let folder = private.path().join("build");
        let tell = Rc::new(|address: &str| terminal.status(Paint::Green, "Fetching", address));
        let remote = Remote::new(&cache, Terms::default(), Arc::default(), tell);
        let half = fetch(&remote, address, files, &folder).map_err(|error| {
            const HELP: &str = "is the address right, and may those whose keys the environment holds read there?";
            terminal.error(&error, Some(error.help().unwrap_or(HELP)));
            Failure::World
        })?;
        for target in half {
            let address = address.join(target.trim_end_matches('/'));
            let about = format_args!(
                "{address} is left out: it is being published, or a build was cut off while it did; build it again"
            );
            terminal.status(Paint::Yellow, "Note", about);
        }
        Ok(Reached { folder, copied: Some((address.clone(), private)) })
    }
}

/// Brings the files of a build into a folder, and gives the targets that are half there.
fn fetch(remote: &Remote<'_>, address: &StoreFolder, files: Files, to: &Path) -> Result<Vec<String>, RemoteError> {
    std::fs::create_dir(to).map_err(|error| RemoteError::Cache { path: to.to_path_buf(), error })?;
    Ok(remote.open_store(address)?.bring("", |path| files.wants(path), to)?.half)
}

impl Files {
    /// Whether a file is read, by its path in a build's folder or a target's.
    fn wants(self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_evaluation = path.starts_with("evaluation/") || path.contains("/evaluation/");
        let counts = matches!(name, MANIFEST | STATISTICS | PROVENANCE | "metrics.jsonl")
            || is_evaluation && name.ends_with(".json");
        match self {
            Self::Figures => counts,
            Self::Records => counts || is_evaluation || matches!(name, "records.parquet" | "quarantine.jsonl"),
            Self::AllButWeights => !name.starts_with("model.onnx") && !name.ends_with(".safetensors"),
            Self::All => true,
        }
    }
}

impl Reached {
    /// The folder on this machine.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a path in the folder is called where the file really lies.
    pub fn named(&self, path: &Path) -> PathBuf {
        match &self.copied {
            Some((address, _)) => named(address, &self.folder, path),
            None => path.to_path_buf(),
        }
    }
}

/// The address of a file that has a copy in a folder; any other path as it is.
pub fn named(address: &StoreFolder, folder: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(folder) {
        Ok(below) => {
            let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            PathBuf::from(address.join(&parts.join("/")).to_string())
        }
        Err(_) => path.to_path_buf(),
    }
}

impl fmt::Display for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Store(address) => address.fmt(f),
        }
    }
}

/// Reads an [`Out`] from the command line. It makes the message itself: clap's would repeat the address.
#[derive(Debug, Clone)]
pub struct OutParser;

impl ValueParserFactory for Out {
    type Parser = OutParser;

    fn value_parser() -> OutParser {
        OutParser
    }
}

impl TypedValueParser for OutParser {
    type Value = Out;

    fn parse_ref(&self, command: &clap::Command, _: Option<&clap::Arg>, text: &OsStr) -> Result<Out, clap::Error> {
        let wrong = |message: String| clap::Error::raw(ErrorKind::ValueValidation, message + "\n").with_cmd(command);
        Out::parse(text).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_fetch_what_they_read() {
        let all = [
            "d/manifest.json",
            "d/statistics.json",
            "run/provenance.json",
            "run/metrics.jsonl",
            "run/evaluation/d.test.json",
            "evaluation/d.test.json",
            "run/evaluation/d.test.predictions.jsonl",
            "d/audit/records.parquet",
            "d/quarantine.jsonl",
            "d/jsonl/train.jsonl",
            "run/model.onnx",
        ];
        let count = |files: Files| all.iter().take_while(|path| files.wants(path)).count();
        assert_eq!((count(Files::Figures), count(Files::Records), count(Files::All)), (6, 9, 11));
        let others = |files: Files, from: usize| all[from..].iter().any(|path| files.wants(path));
        assert!(!others(Files::Figures, 6) && !others(Files::Records, 9));
        assert_eq!(count(Files::AllButWeights), 10);
    }
    #[test]
    fn two_places_are_told_apart_by_as_little_as_it_takes() {
        let check = |one: &str, other: &str, expected: [&str; 2]| {
            let out = |text: &str| Out::parse(OsStr::new(text)).expect("a place");
            assert_eq!(out(one).apart(&out(other)), expected);
        };
        check("build/small", "build/large", ["small", "large"]);
        check("o1/c1", "o1b/c1/", ["o1/c1", "o1b/c1"]);
        check("c1", "../c1", ["c1", "../c1"]);
        check("/a/c1", "/b/x/c1", ["a/c1", "x/c1"]);
        check("a/c1", "a/c1", ["c1", "c1"]);
        if cfg!(feature = "cloud") {
            check("s3://bucket/a/c1", "b/c1", ["a/c1", "b/c1"]);
        }
    }
}
