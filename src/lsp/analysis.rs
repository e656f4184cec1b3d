//! What the compiler says of a file and of those that it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::document::Document;
use super::uri::normalize;
use crate::diagnostics::Diagnostics;
use crate::hir::Program;
use crate::semantic::{self, Index, Loader, Reference, Symbol};
use crate::source::{FileId, SourceFile, SourceMap, Span};

/// A file, read, resolved and indexed.
#[derive(Debug)]
pub struct Analysis {
    /// Its text and those that it uses.
    pub files: SourceMap,
    /// The file itself.
    pub entry: FileId,
    /// What they mean, as far as it is known.
    pub program: Program,
    /// What is wrong.
    pub findings: Diagnostics,
    /// What the names mean.
    pub index: Index,
    /// The files that were looked for: a change of one of them changes the analysis.
    pub reads: BTreeSet<PathBuf>,
}

/// The texts that are open, and the files on disk behind them.
pub struct Overlay<'d> {
    /// The open texts.
    pub documents: &'d BTreeMap<PathBuf, Document>,
    /// What was looked for.
    pub reads: BTreeSet<PathBuf>,
}

impl Loader for Overlay<'_> {
    fn read(&mut self, path: &Path) -> Result<String, String> {
        let path = normalize(path);
        self.reads.insert(path.clone());
        if let Some(document) = self.documents.get(&path) {
            return Ok(document.text.clone());
        }
        std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string().to_lowercase(),
        })
    }
}

impl Analysis {
    /// Analyses a text that stands at a path.
    pub fn new(path: &Path, text: &str, documents: &BTreeMap<PathBuf, Document>) -> Self {
        let mut overlay = Overlay { documents, reads: BTreeSet::from([path.to_owned()]) };
        let mut files = SourceMap::default();
        let entry = files.add(SourceFile::new(path, text));
        let (parsed, mut findings) = semantic::load(&mut files, entry, &mut overlay);
        let (program, more, index) = semantic::analyze(&files, &parsed, &mut overlay);
        findings.extend(more);
        Self { files, entry, program, findings, index, reads: overlay.reads }
    }

    /// The file of a path, where it is the file itself or one that it uses.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        self.files.ids().find(|id| normalize(self.files.path(*id)) == path)
    }

    /// The smallest reference around a byte, or right before it.
    pub fn reference(&self, file: FileId, offset: usize) -> Option<&Reference> {
        let around = |reference: &&Reference| {
            let span = reference.span;
            span.file == file && span.start as usize <= offset && offset <= span.end as usize
        };
        let inside = |reference: &Reference| offset < reference.span.end as usize;
        self.index.references.iter().filter(around).min_by_key(|found| (!inside(found), found.span.len()))
    }

    /// The thing that a reference means.
    pub fn symbol(&self, reference: &Reference) -> &Symbol {
        &self.index.symbols[reference.symbol]
    }

    /// The places of a thing.
    pub fn references(&self, symbol: usize) -> impl Iterator<Item = &Reference> {
        self.index.references.iter().filter(move |reference| reference.symbol == symbol)
    }

    /// The path of the file that a span lies in.
    pub fn path(&self, span: Span) -> PathBuf {
        normalize(self.files.path(span.file))
    }
}
