//! Findings as editors show them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lsp_types::{
    DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, NumberOrString, PublishDiagnosticsParams,
};
use serde_json::json;

use super::analysis::Analysis;
use super::uri;
use super::workspace::Workspace;
use crate::diagnostics::{Code, Diagnostic, Severity};

/// What is to be published now: the findings of each open text that changed, and of each file whose findings did.
pub fn publish(workspace: &mut Workspace) -> Vec<PublishDiagnosticsParams> {
    let changed = std::mem::take(&mut workspace.unpublished);
    let mut now = findings(workspace);
    for path in changed.iter().chain(workspace.published.keys()) {
        now.entry(path.clone()).or_default();
    }
    let mut messages = Vec::new();
    for (path, diagnostics) in now {
        let before = workspace.published.get(&path);
        if !changed.contains(&path) && before.map_or(diagnostics.is_empty(), |before| *before == diagnostics) {
            continue;
        }
        let document = workspace.documents.get(&path);
        let Some(uri) = document.map(|document| document.uri.clone()).or_else(|| uri::from_path(&path)) else {
            continue;
        };
        let version = document.map(|document| document.version);
        if diagnostics.is_empty() {
            workspace.published.remove(&path);
        } else {
            workspace.published.insert(path, diagnostics.clone());
        }
        messages.push(PublishDiagnosticsParams { uri, diagnostics, version });
    }
    messages
}

/// The findings of all open texts, by the file that they are about. A file that two open texts use has those of both.
fn findings(workspace: &mut Workspace) -> BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>> {
    let open: Vec<PathBuf> = workspace.documents.keys().cloned().collect();
    let mut found: BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>> = BTreeMap::new();
    let used = used_elsewhere(workspace, &open);
    for path in open {
        let Some(analysis) = workspace.analysis(&path) else { continue };
        for finding in &analysis.findings {
            let about = finding.labels.first().map(|label| analysis.path(label.span));
            let Some(about) = about else { continue };
            if finding.code == Code::UnusedDeclaration && used.contains(&about) {
                continue;
            }
            let shown = show(workspace, &analysis, finding);
            let list = found.entry(about).or_default();
            list.extend(shown.filter(|shown| !list.contains(shown)));
        }
    }
    found
}

/// The files that an open text uses: whether a declaration of theirs is used is not for them to say.
fn used_elsewhere(workspace: &mut Workspace, open: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut used = BTreeSet::new();
    for path in open {
        if let Some(analysis) = workspace.analysis(path) {
            used.extend(analysis.reads.iter().filter(|read| *read != path).cloned());
        }
    }
    used
}

/// A finding in the protocol's words: what is wrong, then how it is mended; further places are related information.
pub fn show(workspace: &Workspace, analysis: &Analysis, finding: &Diagnostic) -> Option<lsp_types::Diagnostic> {
    let (primary, others) = finding.labels.split_first()?;
    let range = workspace.location(analysis, primary.span)?.range;
    let mut message = finding.message.clone();
    if primary.message.ends_with('?') {
        // A label that asks says more than the message; any other stands under its own characters in a terminal.
        message = format!("{message}: {}", primary.message);
    }
    let related: Vec<DiagnosticRelatedInformation> = others
        .iter()
        .filter_map(|label| {
            let location = workspace.location(analysis, label.span)?;
            Some(DiagnosticRelatedInformation { location, message: label.message.clone() })
        })
        .collect();
    if !workspace.client.related {
        for label in others {
            message += &format!("\nline {}: {}", analysis.files.line(label.span), label.message);
        }
    }
    if let Some(help) = &finding.help {
        message += &format!("\nhelp: {help}");
    }
    let unused = finding.code == Code::UnusedDeclaration;
    Some(lsp_types::Diagnostic {
        range,
        severity: Some(match finding.severity() {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(finding.code.id().to_owned())),
        code_description: None,
        source: Some("annotc".to_owned()),
        message,
        related_information: (workspace.client.related && !related.is_empty()).then_some(related),
        tags: unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: Some(json!({ "name": finding.code.name(), "help": finding.help })),
    })
}
