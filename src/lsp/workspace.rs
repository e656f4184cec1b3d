//! What the server knows: the open texts, what was found about them, and the folders that the client works in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lsp_types::{Diagnostic, Location, TextDocumentIdentifier, TextDocumentPositionParams, Uri};

use super::analysis::Analysis;
use super::client::Client;
use super::document::Document;
use super::position::Places;
use super::uri;
use crate::source::{FileId, Span};

/// Everything that is known between two messages.
#[derive(Debug)]
pub struct Workspace {
    /// What the client understands.
    pub client: Client,
    /// Where the files of sources are looked for after the folder of their specification.
    pub data_root: Option<PathBuf>,
    /// The open texts by path.
    pub documents: BTreeMap<PathBuf, Document>,
    /// The open texts whose findings have not been published since they changed.
    pub unpublished: BTreeSet<PathBuf>,
    /// What the client shows now, by file.
    pub published: BTreeMap<PathBuf, Vec<Diagnostic>>,
    analyses: BTreeMap<PathBuf, Rc<Analysis>>,
}

/// A place in an open text.
pub struct Spot {
    /// The text's path.
    pub path: PathBuf,
    /// The byte.
    pub offset: usize,
}

impl Workspace {
    /// A workspace without open texts.
    pub fn new(client: Client, data_root: Option<PathBuf>) -> Self {
        let (documents, unpublished) = (BTreeMap::new(), BTreeSet::new());
        Self { client, data_root, documents, unpublished, published: BTreeMap::new(), analyses: BTreeMap::new() }
    }

    /// Takes a text that was opened.
    pub fn open(&mut self, uri: Uri, version: i32, text: String) {
        let path = uri::to_path(&uri);
        self.documents.insert(path.clone(), Document::new(uri, path.clone(), version, text));
        self.forget(&path);
    }

    /// Forgets a text that was closed: from now on its file counts.
    pub fn close(&mut self, uri: &Uri) {
        let path = uri::to_path(uri);
        self.documents.remove(&path);
        self.forget(&path);
        self.unpublished.remove(&path);
    }

    /// Forgets what was found about a file and about those that use it.
    pub fn forget(&mut self, path: &Path) {
        self.analyses.retain(|_, analysis| !analysis.reads.contains(path));
        let stale = self.documents.keys().filter(|open| !self.analyses.contains_key(*open));
        self.unpublished.extend(stale.cloned());
    }

    /// Forgets what was found about all files that look at anything on disk.
    pub fn forget_disk(&mut self) {
        let open = &self.documents;
        self.analyses.retain(|_, analysis| analysis.reads.iter().all(|path| open.contains_key(path)));
        self.unpublished.extend(open.keys().filter(|path| !self.analyses.contains_key(*path)).cloned());
    }

    /// The open text that a client means.
    pub fn document(&self, text: &TextDocumentIdentifier) -> Option<&Document> {
        self.documents.get(&uri::to_path(&text.uri))
    }

    /// The lines of an open text.
    pub fn places<'d>(&self, document: &'d Document) -> Places<'d> {
        Places::new(&document.text, self.client.encoding).indented(document.indent(self.client.encoding))
    }

    /// The place that a client means, when the text is open.
    pub fn spot(&self, place: &TextDocumentPositionParams) -> Option<Spot> {
        let document = self.document(&place.text_document)?;
        Some(Spot { path: document.path.clone(), offset: self.places(document).offset(place.position) })
    }

    /// What was found about an open text; it is analysed when it has changed since.
    pub fn analysis(&mut self, path: &Path) -> Option<Rc<Analysis>> {
        if let Some(found) = self.analyses.get(path) {
            return Some(Rc::clone(found));
        }
        let document = self.documents.get(path)?;
        let analysis = Rc::new(Analysis::new(path, &document.text, &self.documents));
        self.analyses.insert(path.to_owned(), Rc::clone(&analysis));
        Some(analysis)
    }

    /// What was found about an open text, by itself first, then as part of other open texts that use it.
    pub fn views(&mut self, path: &Path) -> Vec<(Rc<Analysis>, FileId)> {
        let own = self.analysis(path).map(|analysis| (Rc::clone(&analysis), analysis.entry));
        own.into_iter().chain(self.views_of_others(path)).collect()
    }

    /// What was found about an open text as part of other open texts that use it.
    pub fn views_of_others(&mut self, path: &Path) -> Vec<(Rc<Analysis>, FileId)> {
        let others: Vec<PathBuf> = self.documents.keys().filter(|open| *open != path).cloned().collect();
        let found: Vec<Rc<Analysis>> = others.iter().filter_map(|open| self.analysis(open)).collect();
        found.into_iter().filter_map(|analysis| analysis.file(path).map(|file| (analysis, file))).collect()
    }

    /// The place of a span as the client calls it; `None` for a file whose path is no address.
    pub fn location(&self, analysis: &Analysis, span: Span) -> Option<Location> {
        let path = analysis.path(span);
        let open = self.documents.get(&path);
        let uri = match open {
            Some(document) => document.uri.clone(),
            None => uri::from_path(&path)?,
        };
        let indent = open.map_or(0, |document| document.indent(self.client.encoding));
        let places = Places::new(&analysis.files.file(span.file).text, self.client.encoding).indented(indent);
        Some(Location { uri, range: places.range(span.start as usize, span.end as usize) })
    }
}
