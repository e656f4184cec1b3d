//! From the paths that a spec names to the files of this machine: beside the spec first, then under the data root.

use std::path::{Path, PathBuf};

use super::walk;
use crate::hir::{Source, SourceFormat, extension};
use crate::remote::{Address, Remote, RemoteError};

/// Where relative paths are looked for.
#[derive(Debug, Clone)]
pub struct Roots {
    /// The spec's folder.
    pub spec: PathBuf,
    /// `--data-root` or `ANNOTC_DATA`.
    pub data: Option<PathBuf>,
}

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// As the `path` statement reaches it: the same on every machine, with `/`.
    pub name: String,
    /// Where it lies here.
    pub location: PathBuf,
}

/// Why a path leads nowhere: what to say and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound {
    /// What was looked for.
    pub message: String,
    /// Where it was looked for.
    pub help: String,
}

/// The files of a source.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that are read.
    pub files: Vec<InputFile>,
    /// Those in a folder that are not of the source's format, by name.
    pub skipped: Vec<String>,
}

impl Roots {
    /// The files of a source: its patterns in order, each pattern's files sorted by name.
    pub fn files(&self, source: &Source, remote: &Remote<'_>) -> Result<Found, NotFound> {
        let mut all = Found::default();
        for pattern in &source.paths {
            if let Some(Ok(address)) = Address::parse(pattern) {
                let fetched = remote.files(&address, source.format).map_err(|error| of_remote(&error, source))?;
                let file = |file: crate::remote::Fetched| InputFile { name: file.name, location: file.location };
                all.files.extend(fetched.into_iter().map(file));
                continue;
            }
            let found = self.matches(&source.folder, pattern, source.format)?;
            if found.files.is_empty() {
                let word = source.format.word();
                let message = match found.skipped.is_empty() {
                    true => format!("source `{}`: no file matches `{pattern}`", source.name),
                    false => format!("source `{}`: no file in `{pattern}` is a `{word}` file", source.name),
                };
                return Err(self.not_found(&message, pattern));
            }
            all.files.extend(found.files);
            all.skipped.extend(found.skipped);
        }
        Ok(all)
    }

    /// The files that records are held against, sorted by name; `base` is where the path begins, from the spec's folder.
    pub fn evaluated(&self, base: &str, path: &str) -> Result<Vec<InputFile>, NotFound> {
        let format = extension(path).and_then(|ending| SourceFormat::of_ending(&ending));
        let format = format.expect("a checked program names files of a format that texts are taken from");
        let found = self.matches(base, path, format)?;
        if found.files.is_empty() {
            return Err(self.not_found(&format!("decontaminate: no file matches `{path}`"), path));
        }
        Ok(found.files)
    }

    /// The folder of a model, looked for as files are; `base` is where its path begins, from the spec's folder.
    pub fn folder(&self, base: &str, path: &str, what: &str) -> Result<PathBuf, NotFound> {
        self.roots(base, path)
            .map(|(root, path)| root.join(path))
            .find(|candidate| candidate.exists())
            .ok_or_else(|| self.not_found(&format!("{what}: there is no `{path}`"), path))
    }

    /// The first root under which the pattern matches anything decides; `base` is where it begins, from the spec's folder.
    fn matches(&self, base: &str, pattern: &str, format: SourceFormat) -> Result<Found, NotFound> {
        for (root, under) in self.roots(base, pattern) {
            let folder = root.join(&under);
            let file = |location: PathBuf| InputFile { name: name_under(root, &location), location };
            let mut found = if folder.is_dir() {
                let is_wanted = |path: &Path| {
                    extension(&path.to_string_lossy()).and_then(|ending| SourceFormat::of_ending(&ending))
                        == Some(format)
                };
                let (files, skipped) = walk::within(&folder, is_wanted)?;
                Found {
                    files: files.into_iter().map(file).collect(),
                    skipped: skipped.iter().map(|path| name_under(root, path)).collect(),
                }
            } else {
                // The root is no pattern, whatever characters its name has, and neither is the base.
                let fixed = under.strip_suffix(pattern).unwrap_or_default();
                let files = walk::matching(&root.join(fixed), pattern)?;
                Found { files: files.into_iter().map(file).collect(), skipped: Vec::new() }
            };
            found.files.sort_by(|a, b| a.name.cmp(&b.name));
            found.skipped.sort();
            if !found.files.is_empty() || folder.is_dir() {
                return Ok(found);
            }
        }
        Ok(Found::default())
    }

    /// The folders that a path may be relative to, each with the path from there: beside the file that names it, which lies
    /// at `base` from the spec's folder, and under the data root as written. An absolute path has one, which changes nothing.
    fn roots(&self, base: &str, path: &str) -> impl Iterator<Item = (&Path, String)> {
        let absolute = Path::new(path).is_absolute();
        let data = self.data.as_deref().filter(|_| !absolute);
        let beside = if base.is_empty() || absolute { path.to_string() } else { format!("{base}/{path}") };
        std::iter::once((self.spec.as_path(), beside)).chain(data.map(|data| (data, path.to_string())))
    }

    fn not_found(&self, message: &str, path: &str) -> NotFound {
        let help = if Path::new(path).is_absolute() {
            "write a path that exists".to_string()
        } else {
            let data = match &self.data {
                Some(root) => format!("under `{}`", root.display()),
                None => "under no data root: `--data-root DIR` or ANNOTC_DATA names one".to_string(),
            };
            format!("it was looked for beside the spec, in `{}`, and {data}", self.spec.display())
        };
        NotFound { message: message.to_string(), help }
    }
}

fn of_remote(error: &RemoteError, source: &Source) -> NotFound {
    let help = error.help().unwrap_or("is it the file that was meant?").to_string();
    NotFound { message: format!("source `{}`: {error}", source.name), help }
}

/// A file's name as its source's pattern reaches it: relative to the root, with `/` between folders.
fn name_under(root: &Path, location: &Path) -> String {
    location.strip_prefix(root).unwrap_or(location).to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_reach_files_under_the_first_root_that_has_any() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let spec = folder.path().join("a [1]");
        let data = folder.path().join("data");
        for file in ["a [1]/here.csv", "data/deep/b.jsonl", "data/deep/a.jsonl", "data/here.csv"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            std::fs::write(path, "x").expect("a file is written");
        }
        let roots = Roots { spec, data: Some(data) };
        let of = |base, pattern, format| roots.matches(base, pattern, format).expect("a pattern");
        let names = |pattern| {
            let found = roots.matches("", pattern, SourceFormat::Jsonl);
            found.map(|found| found.files.into_iter().map(|f| f.name).collect::<Vec<_>>())
        };
        assert_eq!(names("deep/*.jsonl"), Ok(vec!["deep/a.jsonl".to_string(), "deep/b.jsonl".to_string()]));
        assert_eq!(names("here.csv"), Ok(vec!["here.csv".to_string()]));
        let here = of("", "here.csv", SourceFormat::Csv).files;
        assert!(here[0].location.starts_with(&roots.spec), "the spec's folder comes first");
        assert_eq!(names("none.csv"), Ok(Vec::new()));
        let used = of("../data/deep", "*.jsonl", SourceFormat::Jsonl).files;
        assert_eq!(used[0].name, "../data/deep/a.jsonl", "a file that another file's spec names");
        std::fs::write(folder.path().join("data/deep/c.jsonl.gz"), "x").expect("a file is written");
        std::fs::write(folder.path().join("data/deep/.hidden.jsonl"), "x").expect("a file is written");
        let whole = of("", "deep/", SourceFormat::Jsonl);
        let names: Vec<String> = whole.files.into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["deep/a.jsonl", "deep/b.jsonl", "deep/c.jsonl.gz"]);
        let none = of("", "deep", SourceFormat::Csv);
        assert_eq!((none.files.len(), none.skipped.len()), (0, 3));
    }
}
