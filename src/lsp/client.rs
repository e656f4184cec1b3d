//! What the client said that it understands.

use std::path::PathBuf;

use lsp_types::{InitializeParams, MarkupKind};

use super::position::Encoding;
use super::uri;

/// The capabilities that change an answer.
#[derive(Debug, Clone)]
pub struct Client {
    /// How columns are counted.
    pub encoding: Encoding,
    /// The folders that are worked in.
    pub folders: Vec<PathBuf>,
    /// Whether hovers may be Markdown.
    pub markdown: bool,
    /// Whether completions may have places to fill in.
    pub snippets: bool,
    /// Whether findings may name further places.
    pub related: bool,
    /// Whether outlines may be trees.
    pub tree: bool,
    /// Whether the client watches files for the server when it is asked to.
    pub watches: bool,
}

impl Client {
    /// Reads what a client says of itself.
    #[expect(deprecated, reason = "older clients name their folder by `rootUri`")]
    pub fn new(params: &InitializeParams) -> Self {
        let general = params.capabilities.general.as_ref();
        let text = params.capabilities.text_document.as_ref();
        let workspace = params.capabilities.workspace.as_ref();
        let folders = match &params.workspace_folders {
            Some(folders) => folders.iter().map(|folder| uri::to_path(&folder.uri)).collect(),
            None => params.root_uri.iter().map(uri::to_path).collect(),
        };
        let hover = text.and_then(|text| text.hover.as_ref()).and_then(|hover| hover.content_format.as_ref());
        let item = text.and_then(|text| text.completion.as_ref()).and_then(|it| it.completion_item.as_ref());
        let findings = text.and_then(|text| text.publish_diagnostics.as_ref());
        let symbols = text.and_then(|text| text.document_symbol.as_ref());
        let watches = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        Self {
            encoding: Encoding::negotiate(general.and_then(|general| general.position_encodings.as_deref())),
            folders,
            markdown: hover.is_none_or(|formats| formats.contains(&MarkupKind::Markdown)),
            snippets: item.and_then(|item| item.snippet_support) == Some(true),
            related: findings.and_then(|findings| findings.related_information) == Some(true),
            tree: symbols.and_then(|symbols| symbols.hierarchical_document_symbol_support) == Some(true),
            watches: watches.and_then(|watches| watches.dynamic_registration) == Some(true),
        }
    }
}
