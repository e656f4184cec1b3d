//! From a name to its declaration, and to all places where it stands.

use lsp_types::{
    DocumentHighlight, DocumentHighlightKind, DocumentHighlightParams, GotoDefinitionParams, GotoDefinitionResponse,
    Location, Position, Range, ReferenceParams, Uri,
};

use super::everywhere::{everywhere, meant};
use super::requests::Refusal;
use super::uri;
use super::workspace::{Spot, Workspace};
use crate::syntax::Kind;
use crate::syntax::shape::shape;

/// Where a name is declared; for the path of a `use`, the file.
pub fn definition(
    workspace: &mut Workspace,
    params: GotoDefinitionParams,
) -> Result<Option<GotoDefinitionResponse>, Refusal> {
    let Some(spot) = workspace.spot(&params.text_document_position_params) else { return Ok(None) };
    if let Some(uri) = used_file(workspace, &spot) {
        let start = Range::new(Position::new(0, 0), Position::new(0, 0));
        return Ok(Some(GotoDefinitionResponse::Scalar(Location { uri, range: start })));
    }
    let mut found: Vec<Location> = Vec::new();
    for (analysis, file) in workspace.views(&spot.path) {
        let Some(reference) = analysis.reference(file, spot.offset) else { continue };
        let declared = analysis.symbol(reference).declared.iter();
        for location in declared.filter_map(|span| workspace.location(&analysis, *span)) {
            if !found.contains(&location) {
                found.push(location);
            }
        }
    }
    Ok(Some(GotoDefinitionResponse::Array(found)))
}

/// The file whose path stands in a `use` at a place.
fn used_file(workspace: &Workspace, spot: &Spot) -> Option<Uri> {
    let document = workspace.documents.get(&spot.path)?;
    let shape = shape(&document.text);
    let token = shape.token_at(spot.offset).filter(|token| token.kind == Kind::Text)?;
    let statement = shape.statement_at(spot.offset)?;
    if shape.tokens[statement.head].text(&document.text) != "use" {
        return None;
    }
    let path = spot.path.parent()?.join(token.text(&document.text).trim_matches('"'));
    let path = uri::normalize(&path);
    let open = workspace.documents.get(&path).map(|document| document.uri.clone());
    open.or_else(|| uri::from_path(&path).filter(|_| path.is_file()))
}

/// All places of a name, in all files that can be found.
pub fn references(workspace: &mut Workspace, params: ReferenceParams) -> Result<Option<Vec<Location>>, Refusal> {
    let Some(spot) = workspace.spot(&params.text_document_position) else { return Ok(None) };
    let Some(meant) = meant(workspace, &spot) else { return Ok(None) };
    let places = everywhere(workspace, &spot, &meant);
    let wanted = places.into_iter().filter(|place| params.context.include_declaration || !place.defines);
    Ok(Some(wanted.map(|place| place.location).collect()))
}

/// The places of a name in its own text.
pub fn highlights(
    workspace: &mut Workspace,
    params: DocumentHighlightParams,
) -> Result<Option<Vec<DocumentHighlight>>, Refusal> {
    let Some(spot) = workspace.spot(&params.text_document_position_params) else { return Ok(None) };
    let mut found: Vec<DocumentHighlight> = Vec::new();
    for (analysis, file) in workspace.views(&spot.path) {
        let Some(symbol) = analysis.reference(file, spot.offset).map(|reference| reference.symbol) else { continue };
        for reference in analysis.references(symbol).filter(|reference| reference.span.file == file) {
            let kind = if reference.defines { DocumentHighlightKind::WRITE } else { DocumentHighlightKind::READ };
            let Some(location) = workspace.location(&analysis, reference.span) else { continue };
            if !found.iter().any(|known| known.range == location.range) {
                found.push(DocumentHighlight { range: location.range, kind: Some(kind) });
            }
        }
    }
    Ok(Some(found))
}
