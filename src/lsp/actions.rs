//! Quick fixes: what a finding suggests, as an edit.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, TextEdit, WorkspaceEdit,
};

use super::publish;
use super::requests::Refusal;
use super::workspace::Workspace;
use crate::diagnostics::{Diagnostic, Suggestion};

/// The edits that mend what is wrong at a place.
pub fn actions(workspace: &mut Workspace, params: CodeActionParams) -> Result<Option<CodeActionResponse>, Refusal> {
    let wanted = params.context.only.as_deref().unwrap_or(&[]);
    if !wanted.is_empty() && !wanted.iter().any(|kind| "quickfix".starts_with(kind.as_str())) {
        return Ok(None);
    }
    let Some(document) = workspace.document(&params.text_document).cloned() else { return Ok(None) };
    let (start, end) = workspace.places(&document).bytes(params.range);
    let mut found: Vec<CodeActionOrCommand> = Vec::new();
    let mut seen: Vec<&Suggestion> = Vec::new();
    let views = workspace.views(&document.path);
    for (analysis, file) in &views {
        for finding in &analysis.findings {
            let Some(suggestion) = finding.suggestion.as_ref().filter(|it| it.span.file == *file) else { continue };
            let touches = |at: crate::source::Span| at.start as usize <= end && start <= at.end as usize;
            let primary = finding.labels.first().is_some_and(|label| label.span.file == *file && touches(label.span));
            if !(primary || touches(suggestion.span)) || seen.iter().any(|it| same(it, suggestion)) {
                continue;
            }
            seen.push(suggestion);
            let Some(location) = workspace.location(analysis, suggestion.span) else { continue };
            let edit = TextEdit { range: location.range, new_text: suggestion.replacement.clone() };
            found.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: title(finding, suggestion, analysis.files.text(suggestion.span)),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: publish::show(workspace, analysis, finding).map(|shown| vec![shown]),
                edit: Some(WorkspaceEdit::new(HashMap::from([(location.uri, vec![edit])]))),
                is_preferred: Some(true),
                ..CodeAction::default()
            }));
        }
    }
    Ok(Some(found))
}

/// Whether two suggestions are one; a file has other numbers in other analyses.
fn same(one: &Suggestion, other: &Suggestion) -> bool {
    (one.span.start, one.span.end, &one.replacement) == (other.span.start, other.span.end, &other.replacement)
}

fn title(finding: &Diagnostic, suggestion: &Suggestion, written: &str) -> String {
    if suggestion.replacement.is_empty() {
        return format!("Remove `{written}`");
    }
    if suggestion.span.is_empty() {
        return format!("Insert `{}`", suggestion.replacement.trim_end());
    }
    let is_short = !written.contains('\n') && written.chars().count() <= 40;
    match is_short {
        true => format!("Replace `{}` with `{}`", written.trim_matches('`'), suggestion.replacement.trim_matches('`')),
        false => format!("Mend: {}", finding.message),
    }
}
