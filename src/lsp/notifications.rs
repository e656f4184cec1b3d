//! What clients tell without waiting for an answer: texts opened, changed, saved, closed; files changed on disk.

use lsp_server::Notification;
use lsp_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _,
};

use super::uri;
use super::workspace::Workspace;

/// Takes a notification. One that is not known, or that lacks something, changes nothing.
pub fn take(workspace: &mut Workspace, notification: Notification) {
    let Notification { method, params } = notification;
    match method.as_str() {
        DidOpenTextDocument::METHOD => told::<DidOpenTextDocument>(params, |it| {
            let opened = it.text_document;
            workspace.open(opened.uri, opened.version, opened.text);
        }),
        DidChangeTextDocument::METHOD => told::<DidChangeTextDocument>(params, |it| {
            let path = uri::to_path(&it.text_document.uri);
            let encoding = workspace.client.encoding;
            if let Some(document) = workspace.documents.get_mut(&path) {
                document.change(it.text_document.version, it.content_changes, encoding);
                workspace.forget(&path);
            }
        }),
        DidCloseTextDocument::METHOD => told::<DidCloseTextDocument>(params, |it| {
            workspace.close(&it.text_document.uri);
        }),
        // What is saved or changed on disk may be a list of values, or a file that another one uses.
        DidSaveTextDocument::METHOD => told::<DidSaveTextDocument>(params, |_| workspace.forget_disk()),
        DidChangeWatchedFiles::METHOD => told::<DidChangeWatchedFiles>(params, |_| workspace.forget_disk()),
        DidChangeWorkspaceFolders::METHOD => told::<DidChangeWorkspaceFolders>(params, |it| {
            let folders = &mut workspace.client.folders;
            folders.retain(|folder| !it.event.removed.iter().any(|gone| uri::to_path(&gone.uri) == *folder));
            folders.extend(it.event.added.iter().map(|folder| uri::to_path(&folder.uri)));
        }),
        _ => {}
    }
}

fn told<N: lsp_types::notification::Notification>(params: serde_json::Value, take: impl FnOnce(N::Params)) {
    if let Ok(params) = serde_json::from_value(params) {
        take(params);
    }
}
