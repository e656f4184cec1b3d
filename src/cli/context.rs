//! From a path to a resolved program, with its findings shown.

use std::path::{Path, PathBuf};

use super::Failure;
use super::terminal::Terminal;
use crate::diagnostics::Diagnostic;
use crate::hir::Program;
use crate::semantic::{self, Loader, Parsed};
use crate::source::{SourceFile, SourceMap};

/// A specification that was read, parsed and resolved.
pub struct Spec {
    /// Where it stands.
    pub path: PathBuf,
    /// Its texts.
    pub sources: SourceMap,
    /// The syntax trees of the main text and of those that it uses.
    pub parsed: Parsed,
    /// What it means.
    pub program: Program,
    /// The findings, sorted by place.
    pub findings: Vec<Diagnostic>,
}

impl Spec {
    /// The folder that relative paths of the spec begin at.
    pub fn folder(&self) -> PathBuf {
        folder_of(&self.path)
    }

    /// The folder that it is built into where nobody names another.
    pub fn out(&self) -> PathBuf {
        out_beside(&self.path)
    }
}

/// Reads and resolves a specification. A file that cannot be read is the world's failure; findings are returned.
pub fn load(path: &Path, terminal: &Terminal) -> Result<Spec, Failure> {
    let text = read(path, terminal)?;
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(path, text));
    let (parsed, mut findings) = semantic::load(&mut sources, file, &mut Disk);
    let (program, more) = semantic::resolve(&sources, &parsed, &mut Disk);
    findings.extend(more);
    findings.sort_by_key(|finding| finding.labels.first().map(|label| (label.span.file, label.span.start)));
    Ok(Spec { path: path.to_path_buf(), sources, parsed, program, findings })
}

/// The text of a specification.
pub fn read(path: &Path, terminal: &Terminal) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        let help = if path.is_dir() {
            "name the `.annot` file in this folder".to_string()
        } else {
            match nearby_specs(path).as_slice() {
                [] => "name a `.annot` file that exists".to_string(),
                found => format!("there is {}", found.join(", ")),
            }
        };
        terminal.error(format_args!("cannot read `{}`: {}", path.display(), plain(&error)), Some(&help));
        Failure::World
    })?;
    utf8(path, bytes, terminal)
}

/// Bytes as a text; `path` is what a message calls them.
pub fn utf8(path: &Path, bytes: Vec<u8>, terminal: &Terminal) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        terminal.error(
            format_args!("`{}` is not UTF-8 text: line {line} holds other bytes", path.display()),
            Some("save the file as UTF-8"),
        );
        Failure::Spec
    })
}

/// Reads the files that a spec refers to at check time.
struct Disk;

impl Loader for Disk {
    fn read(&mut self, path: &Path) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| plain(&error))
    }
}

/// Loads a specification, shows its findings, and fails when one is an error.
pub fn load_checked(path: &Path, terminal: &Terminal) -> Result<Spec, Failure> {
    let spec = load(path, terminal)?;
    if terminal.report(&spec.sources, &spec.findings) { Err(Failure::Spec) } else { Ok(spec) }
}

/// The world's error without its number: `no such file or directory`.
pub fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_string(),
        _ => error.to_string(),
    }
}

/// The folder that a spec is built into where nobody names another: `build` beside it.
pub fn out_beside(spec: &Path) -> PathBuf {
    folder_of(spec).join("build")
}

/// The specification of the folder that the command is given in, where there is one alone.
pub fn only_spec() -> Option<PathBuf> {
    let entries = std::fs::read_dir(".").ok()?;
    let named = entries.filter_map(|entry| entry.ok().map(|entry| PathBuf::from(entry.file_name())));
    let mut specs = named.filter(|path| path.extension().is_some_and(|extension| extension == "annot"));
    specs.next().filter(|_| specs.next().is_none())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Specs in the folder that a mistyped path names.
fn nearby_specs(path: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder_of(path)) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "annot"))
        .map(|path| format!("`{}`", path.display()))
        .collect();
    found.sort();
    found.truncate(3);
    found
}
