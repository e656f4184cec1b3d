//! `use`: the files of one program, each parsed once, and which `use` leads to which.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::Loader;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::syntax::{self, ast};

/// More files than a program has: what leads further is a mistake of generated text.
const MOST_FILES: usize = 1000;

/// The parsed files of one program: the one that was named, then those that it uses, in the order they are met.
#[derive(Debug)]
pub struct Parsed {
    files: Vec<(FileId, ast::File)>,
    /// The file that each `use` statement leads to; none for one that could not be read.
    links: BTreeMap<Span, FileId>,
    paths: BTreeMap<FileId, PathBuf>,
}

impl Parsed {
    /// The file that was named.
    pub fn entry(&self) -> FileId {
        self.files[0].0
    }

    /// The syntax tree of the file that was named.
    pub fn entry_tree(&self) -> &ast::File {
        &self.files[0].1
    }

    /// All files with their syntax trees, the one that was named first.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &ast::File)> {
        self.files.iter().map(|(id, tree)| (*id, tree))
    }

    /// The file that a `use` statement leads to.
    pub(super) fn used_file(&self, import: &ast::Use) -> Option<FileId> {
        self.links.get(&import.span).copied()
    }

    /// The syntax tree of one of the files.
    pub(super) fn tree(&self, file: FileId) -> Option<&ast::File> {
        self.files.iter().find(|(id, _)| *id == file).map(|(_, tree)| tree)
    }

    /// A file's name without its ending.
    pub(super) fn stem(&self, file: FileId) -> String {
        let stem = self.paths.get(&file).and_then(|path| path.file_stem());
        stem.map_or_else(|| "used".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }
}

/// Parses the file `entry` and all that it uses.
///
/// The diagnostics hold the mistakes of syntax of all files, and `use` statements that lead nowhere or in a circle.
pub fn load(files: &mut SourceMap, entry: FileId, loader: &mut dyn Loader) -> (Parsed, Diagnostics) {
    let mut reader = Reader {
        files,
        loader,
        found: Vec::new(),
        by_path: BTreeMap::new(),
        parsed: Parsed { files: Vec::new(), links: BTreeMap::new(), paths: BTreeMap::new() },
    };
    let path = plain(reader.files.path(entry));
    reader.by_path.insert(path.clone(), entry);
    reader.parse(entry, path);
    let mut next = 0;
    while next < reader.parsed.files.len() {
        reader.follow(next);
        next += 1;
    }
    let Reader { parsed, mut found, .. } = reader;
    report_cycles(&parsed, &mut found);
    (parsed, found)
}

struct Reader<'f> {
    files: &'f mut SourceMap,
    loader: &'f mut dyn Loader,
    found: Diagnostics,
    by_path: BTreeMap<PathBuf, FileId>,
    parsed: Parsed,
}

impl Reader<'_> {
    fn parse(&mut self, file: FileId, path: PathBuf) {
        let (tree, found) = syntax::parse(file, &self.files.file(file).text);
        self.found.extend(found);
        self.parsed.files.push((file, tree));
        self.parsed.paths.insert(file, path);
    }

    /// Reads the files that one file uses.
    fn follow(&mut self, index: usize) {
        let (file, tree) = &self.parsed.files[index];
        let folder = folder_of(&self.parsed.paths[file]);
        let imports: Vec<ast::Use> = tree
            .decls
            .iter()
            .filter_map(|decl| if let ast::Decl::Use(import) = decl { Some(import.clone()) } else { None })
            .collect();
        for import in imports {
            if let Some(used) = self.used(&import, &folder) {
                self.parsed.links.insert(import.span, used);
            }
        }
    }

    fn used(&mut self, import: &ast::Use, folder: &Path) -> Option<FileId> {
        let written = &import.path.node;
        let mut wrong = |message: String, label: &str, help: String| {
            let error = Diagnostic::new(Code::BadImport, message, import.path.span, label);
            self.found.push(error.help(help));
        };
        if !written.ends_with(".annot") {
            let help = if Path::new(written).extension().is_none() && !written.ends_with('/') && !written.is_empty() {
                format!("write the file's whole name: `\"{written}.annot\"`")
            } else {
                "name the file as it lies beside this one: `use \"pii.annot\": house`".to_owned()
            };
            wrong(format!("`{written}` is no `.annot` file"), "declarations stand in `.annot` files", help);
            return None;
        }
        if written.contains("://") || Path::new(written).is_absolute() {
            wrong(
                format!("`{written}` is no relative path"),
                "would be another file on another machine",
                "write the path from the folder of this file: `use \"../shared/pii.annot\": house`".to_owned(),
            );
            return None;
        }
        let path = plain(&folder.join(written));
        if let Some(known) = self.by_path.get(&path) {
            return Some(*known);
        }
        if self.by_path.len() >= MOST_FILES {
            wrong("this program uses too many files".to_owned(), "one too many", format!("use at most {MOST_FILES}"));
            return None;
        }
        match self.loader.read(&path) {
            Ok(text) => {
                let file = self.files.add(SourceFile::new(&path, text));
                self.by_path.insert(path.clone(), file);
                self.parse(file, path);
                Some(file)
            }
            Err(reason) => {
                wrong(
                    format!("`{written}` cannot be read: {reason}"),
                    "leads to no file",
                    format!("it was looked for at `{}`; the path begins at the folder of this file", path.display()),
                );
                None
            }
        }
    }
}

/// The folder of a file, empty for one without.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A path without `.` and, as far as it can be told without looking, without `..`: one file has one path.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => out.push(part),
        }
    }
    out
}

/// The way from the folder of the file `from` to that of `to`, with `/`: empty where they share one.
pub(super) fn between(from: &Path, to: &Path) -> String {
    let (from, to) = (folder_of(&plain(from)), folder_of(&plain(to)));
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Reports each circle of `use` once, at the statement that closes it, with the statements that lead there.
fn report_cycles(parsed: &Parsed, found: &mut Diagnostics) {
    let mut done: Vec<FileId> = Vec::new();
    // Each entry is a file with the imports that are still to be followed; the statements taken are the path.
    let mut open: Vec<(FileId, Vec<&ast::Use>)> = vec![(parsed.entry(), imports(parsed, parsed.entry()))];
    let mut path: Vec<&ast::Use> = Vec::new();
    while let Some((file, rest)) = open.last_mut() {
        let Some(import) = rest.pop() else {
            done.push(*file);
            open.pop();
            path.pop();
            continue;
        };
        let Some(used) = parsed.used_file(import) else { continue };
        if let Some(start) = open.iter().position(|(file, _)| *file == used) {
            found.push(circle(import, &path[start..]));
        } else if !done.contains(&used) {
            path.push(import);
            open.push((used, imports(parsed, used)));
        }
    }
}

/// The imports of a file, the first one last.
fn imports(parsed: &Parsed, file: FileId) -> Vec<&ast::Use> {
    let decls = parsed.tree(file).map(|tree| tree.decls.as_slice()).unwrap_or_default();
    decls.iter().rev().filter_map(|decl| if let ast::Decl::Use(import) = decl { Some(import) } else { None }).collect()
}

fn circle(import: &ast::Use, path: &[&ast::Use]) -> Diagnostic {
    let message = if path.is_empty() {
        "this file uses itself".to_owned()
    } else {
        format!("`{}` uses this file too: the two need each other, directly or through others", import.path.node)
    };
    let mut error = Diagnostic::new(Code::ImportCycle, message, import.path.span, "closes the circle");
    for step in path {
        error = error.label(step.path.span, format!("leads to `{}`", step.path.node));
    }
    error.help("put what both files need into a third one that uses neither")
}
