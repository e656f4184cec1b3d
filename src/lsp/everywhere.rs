//! All places of a name: in the open texts, and in the files of the folders that the client works in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lsp_types::Location;

use super::analysis::Analysis;
use super::workspace::{Spot, Workspace};
use crate::semantic::{Symbol, SymbolKind};

/// The most files that are looked at on disk, and the deepest folder below one that is worked in.
const MOST_FILES: usize = 2000;
const DEEPEST: usize = 12;

/// Folders that hold what was built or fetched, not what is written.
const SKIPPED: [&str; 4] = ["build", "target", "node_modules", "dist"];

/// A place in a file, by bytes.
pub type Bytes = (PathBuf, u32, u32);

/// What the name at a spot means.
#[derive(Debug, Clone)]
pub struct Meant {
    /// The symbol, as the analysis sees it that knows most places of its declaration.
    pub symbol: Symbol,
    /// Where it is declared.
    pub declared: Vec<Bytes>,
    /// The characters of the name at the spot, and their place.
    pub written: String,
    /// Where they stand.
    pub location: Location,
}

/// One place where a name stands.
#[derive(Debug, Clone)]
pub struct Place {
    /// The place as the client calls it.
    pub location: Location,
    /// The same by bytes.
    pub bytes: Bytes,
    /// The characters there.
    pub written: String,
    /// Whether the name is declared there.
    pub defines: bool,
    /// The analysis that found it.
    pub analysis: Rc<Analysis>,
}

/// What the name at a spot means; `None` where there is none, or a word of the language.
pub fn meant(workspace: &mut Workspace, spot: &Spot) -> Option<Meant> {
    let views = workspace.views(&spot.path);
    let found = views.iter().filter_map(|(analysis, file)| Some((analysis, analysis.reference(*file, spot.offset)?)));
    let (analysis, reference) = found.max_by_key(|(analysis, found)| analysis.symbol(found).declared.len())?;
    let symbol = analysis.symbol(reference).clone();
    if symbol.kind == SymbolKind::Builtin {
        return None;
    }
    let declared = symbol.declared.iter().map(|span| (analysis.path(*span), span.start, span.end)).collect();
    let written = analysis.files.text(reference.span).to_owned();
    let location = workspace.location(analysis, reference.span)?;
    Some(Meant { symbol, declared, written, location })
}

/// All places of what is meant, in the order of files and bytes.
pub fn everywhere(workspace: &mut Workspace, spot: &Spot, meant: &Meant) -> Vec<Place> {
    let mut places: BTreeMap<Bytes, Place> = BTreeMap::new();
    for analysis in analyses(workspace, spot, meant) {
        let is_meant = |symbol: &Symbol| {
            let mut declared = symbol.declared.iter().map(|span| (analysis.path(*span), span.start, span.end));
            symbol.kind == meant.symbol.kind && declared.any(|place| meant.declared.contains(&place))
        };
        let symbols: Vec<bool> = analysis.index.symbols.iter().map(is_meant).collect();
        for reference in analysis.index.references.iter().filter(|reference| symbols[reference.symbol]) {
            let bytes = (analysis.path(reference.span), reference.span.start, reference.span.end);
            let Some(location) = workspace.location(&analysis, reference.span) else { continue };
            let written = analysis.files.text(reference.span).to_owned();
            let place = Place {
                location,
                bytes: bytes.clone(),
                written,
                defines: reference.defines,
                analysis: Rc::clone(&analysis),
            };
            places.entry(bytes).or_insert(place);
        }
    }
    places.into_values().collect()
}

/// The analyses of all files in which the name can stand.
fn analyses(workspace: &mut Workspace, spot: &Spot, meant: &Meant) -> Vec<Rc<Analysis>> {
    let files: Vec<&Path> = meant.declared.iter().map(|(path, _, _)| path.as_path()).collect();
    let open: Vec<PathBuf> = workspace.documents.keys().cloned().collect();
    let mut found: Vec<Rc<Analysis>> = open.iter().filter_map(|path| workspace.analysis(path)).collect();
    let mut folders = workspace.client.folders.clone();
    folders.extend(spot.path.parent().map(Path::to_path_buf));
    for path in specifications(&folders) {
        if workspace.documents.contains_key(&path) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        // Another file has to call the declaring one by its name.
        let calls = |file: &Path| file.file_name().is_some_and(|name| text.contains(&*name.to_string_lossy()));
        if files.iter().any(|file| *file == path || calls(file)) {
            found.push(Rc::new(Analysis::new(&path, &text, &workspace.documents)));
        }
    }
    found.retain(|analysis| files.iter().any(|file| analysis.reads.contains(*file)));
    found
}

/// The specifications below some folders, in order; what cannot be read is left out.
fn specifications(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut ahead: Vec<(PathBuf, usize)> = folders.iter().map(|folder| (folder.clone(), 0)).collect();
    while let Some((folder, depth)) = ahead.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(kind) = entry.file_type() else { continue };
            // A link to a folder may lead in a circle.
            if kind.is_dir() && depth < DEEPEST && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                ahead.push((entry.path(), depth + 1));
            } else if kind.is_file() && name.ends_with(".annot") && found.len() < MOST_FILES {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
