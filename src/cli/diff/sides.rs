//! What can be compared: a spec, a spec in a git revision, a folder that was built into, a data set's folder in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::out::{Files, Out, Reached};
use crate::cli::terminal::Terminal;
use crate::cli::{Failure, context};
use crate::diagnostics::has_errors;
use crate::emit::{Manifest, file_name};
use crate::hir::Program;
use crate::source::{SourceFile, SourceMap};
use crate::syntax::{self, ast};

/// One side of a comparison.
pub enum Side {
    /// A spec on the disk. It has no program where something is wrong with its meaning.
    Spec { path: PathBuf, tree: ast::File, program: Option<Box<Program>> },
    /// A spec in a git revision, by how it was named.
    Revision { name: String, tree: ast::File },
    /// A folder that was built into, with its data sets and the names of their folders.
    Build { datasets: Vec<(String, OsString)>, reached: Reached },
    /// The folder of one data set.
    Dataset { name: String, reached: Reached },
}

impl Side {
    /// Finds out what an argument names, and reads it.
    pub fn open(name: &str, cache: Option<&Path>, terminal: &Terminal) -> Result<Self, Failure> {
        let out = Out::parse(name.as_ref()).map_err(|message| {
            terminal.error(message, None);
            Failure::Usage
        })?;
        let path = match &out {
            Out::Folder(path) if !path.is_dir() => path,
            Out::Folder(_) | Out::Store(_) => {
                return Self::folder(out.reach(Files::AllButWeights, cache, terminal)?, &out, terminal);
            }
        };
        if path.exists() {
            let spec = context::load(path, terminal)?;
            let tree = parse(path, &spec.sources.file(spec.parsed.entry()).text, terminal)?;
            let program = (!has_errors(&spec.findings)).then(|| Box::new(spec.program));
            return Ok(Self::Spec { path: path.to_path_buf(), tree, program });
        }
        match name.split_once(':') {
            Some((revision, path)) if !revision.is_empty() && !path.is_empty() => {
                let text = git_show(revision, path, terminal)?;
                let tree = parse(Path::new(name), &text, terminal)?;
                Ok(Self::Revision { name: name.to_string(), tree })
            }
            _ => {
                terminal.error(
                    format_args!("there is no `{name}`"),
                    Some("name a spec, a folder that was built into, or `REVISION:SPEC`"),
                );
                Err(Failure::World)
            }
        }
    }

    fn folder(reached: Reached, out: &Out, terminal: &Terminal) -> Result<Self, Failure> {
        let path = reached.folder();
        let manifest = |folder: &Path| {
            Manifest::read(folder).map_err(|error| {
                terminal.error(error, None);
                Failure::World
            })
        };
        if let Some(manifest) = manifest(path)? {
            return Ok(Self::Dataset { name: manifest.dataset, reached });
        }
        let entries = std::fs::read_dir(path).map_err(|error| {
            terminal.error(format_args!("cannot read `{}`: {}", path.display(), context::plain(&error)), None);
            Failure::World
        })?;
        let mut datasets = Vec::new();
        for folder in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            // A hidden folder is one in the making.
            let hidden = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && let Some(manifest) = manifest(&folder)? {
                datasets.push((manifest.dataset, folder.file_name().unwrap_or_default().to_owned()));
            }
        }
        datasets.sort();
        if datasets.is_empty() {
            terminal.error(
                format_args!("nothing was built into `{out}`"),
                Some("name the folder of `annotc build`, by default `build` beside the spec, or a spec"),
            );
            return Err(Failure::World);
        }
        Ok(Self::Build { datasets, reached })
    }

    /// The spec's syntax tree, where it is one.
    pub fn tree(&self) -> Option<&ast::File> {
        match self {
            Self::Spec { tree, .. } | Self::Revision { tree, .. } => Some(tree),
            Self::Build { .. } | Self::Dataset { .. } => None,
        }
    }

    /// Whether it is one data set, which is compared with another one whatever their names are.
    pub fn is_dataset(&self) -> bool {
        matches!(self, Self::Dataset { .. })
    }

    /// The data sets that were built, with their folders; of a spec those beside it that it would build so again. Notes
    /// say why there are none.
    pub fn built(&self, notes: &mut Vec<String>) -> Vec<(String, PathBuf)> {
        match self {
            Self::Build { datasets, reached } => {
                datasets.iter().map(|(name, folder)| (name.clone(), reached.folder().join(folder))).collect()
            }
            Self::Dataset { name, reached } => vec![(name.clone(), reached.folder().to_path_buf())],
            Self::Revision { name, .. } => {
                notes.push(format!("`{name}` has no build: its records are not compared"));
                Vec::new()
            }
            Self::Spec { path, program: None, .. } => {
                notes.push(format!(
                    "`{}` has errors, which `annotc check` shows: its records are not compared",
                    path.display()
                ));
                Vec::new()
            }
            Self::Spec { path, program: Some(program), .. } => beside(path, program, notes),
        }
    }
}

fn beside(path: &Path, program: &Program, notes: &mut Vec<String>) -> Vec<(String, PathBuf)> {
    let out = context::out_beside(path);
    let mut built = Vec::new();
    for dataset in &program.datasets {
        let folder = out.join(file_name(&dataset.name));
        match Manifest::read(&folder) {
            Ok(Some(manifest)) if manifest.is_made_by(program, dataset) => built.push((dataset.name.clone(), folder)),
            Ok(Some(_)) => notes.push(format!(
                "`{}` was not built from `{}` as it is now: its records are not compared",
                folder.display(),
                path.display()
            )),
            Ok(None) | Err(_) => notes.push(format!(
                "`{}` is not built beside `{}`: its records are not compared",
                dataset.name,
                path.display()
            )),
        }
    }
    built
}

/// Parses a spec; one that cannot be read is shown with its mistakes.
fn parse(path: &Path, text: &str, terminal: &Terminal) -> Result<ast::File, Failure> {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(path, text));
    let (tree, findings) = syntax::parse(file, &sources.file(file).text);
    if has_errors(&findings) {
        terminal.report(&sources, &findings);
        return Err(Failure::Spec);
    }
    Ok(tree)
}

/// A file's text in a revision, by the user's own git: the path as from here, else as from the repository's top.
fn git_show(revision: &str, path: &str, terminal: &Terminal) -> Result<String, Failure> {
    if revision.starts_with('-') {
        terminal.error(format_args!("`{revision}` is no git revision"), None);
        return Err(Failure::Usage);
    }
    let show = |path: &str| Command::new("git").args(["show", &format!("{revision}:{path}")]).output();
    let shown =
        show(&format!("./{path}")).and_then(|output| if output.status.success() { Ok(output) } else { show(path) });
    let output = shown.map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "git is not installed, or not on the path".to_string(),
            _ => error.to_string(),
        };
        terminal.error(format_args!("cannot read `{revision}:{path}`: {why}"), Some("compare two files instead"));
        Failure::World
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it says nothing").trim_start_matches("fatal: ");
        let help = "run it in the repository, with a revision and a path that `git show REVISION:PATH` knows";
        terminal.error(format_args!("git cannot show `{revision}:{path}`: {said}"), Some(help));
        return Err(Failure::World);
    }
    String::from_utf8(output.stdout).map_err(|_| {
        terminal.error(format_args!("`{revision}:{path}` is not UTF-8 text"), None);
        Failure::Spec
    })
}
