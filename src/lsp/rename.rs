//! Renaming: every place of a name gets the new one, spelt as it must be there, and the data is read as before.

use lsp_types::{
    Location, PrepareRenameResponse, RenameParams, TextDocumentPositionParams, TextEdit, Uri, WorkspaceEdit,
};

use super::everywhere::{Meant, Place, everywhere, meant};
use super::requests::Refusal;
use super::workspace::{Spot, Workspace};
use crate::semantic::{Symbol, SymbolKind};
use crate::source::Span;
use crate::syntax::shape::shape;
use crate::syntax::{is_plain_name, written_name, written_text};

/// Whether the name at a place can be renamed, and what it is now.
pub fn prepare(
    workspace: &mut Workspace,
    params: TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>, Refusal> {
    let Some(spot) = workspace.spot(&params) else { return Ok(None) };
    let meant = renamable(workspace, &spot)?;
    let placeholder = bare(&meant.written).to_owned();
    Ok(Some(PrepareRenameResponse::RangeWithPlaceholder { range: meant.location.range, placeholder }))
}

/// The edits that rename what stands at a place.
pub fn rename(workspace: &mut Workspace, params: RenameParams) -> Result<Option<WorkspaceEdit>, Refusal> {
    let Some(spot) = workspace.spot(&params.text_document_position) else { return Ok(None) };
    let meant = renamable(workspace, &spot)?;
    let (old, new) = (bare(&meant.written), bare(params.new_name.trim()));
    let name = as_name(new)?;
    if old == new {
        return Ok(None);
    }
    // A place that calls it otherwise, as a `use … as` may, keeps its own name.
    let places: Vec<Place> =
        everywhere(workspace, &spot, &meant).into_iter().filter(|place| bare(&place.written) == old).collect();
    check_free(&meant, &places, new)?;
    let mut edits: Vec<(Location, String)> = Vec::new();
    for place in &places {
        edits.push((place.location.clone(), spelt(place, new, &name)?));
        edits.extend(column(workspace, &meant.symbol, place, old));
    }
    // The places are in the order of their files.
    let mut files: Vec<(Uri, Vec<TextEdit>)> = Vec::new();
    for (Location { uri, range }, new_text) in edits {
        let edit = TextEdit { range, new_text };
        match files.last_mut().filter(|(last, _)| *last == uri) {
            Some((_, edits)) => edits.push(edit),
            None => files.push((uri, vec![edit])),
        }
    }
    Ok(Some(WorkspaceEdit::new(files.into_iter().collect())))
}

fn renamable(workspace: &mut Workspace, spot: &Spot) -> Result<Meant, Refusal> {
    let refusal = || Refusal::new("there is no name here that the file declares");
    let meant = meant(workspace, spot).ok_or_else(refusal)?;
    if meant.declared.is_empty() {
        return Err(Refusal::new(format!("`{}` is not declared in a file", meant.symbol.name)));
    }
    Ok(meant)
}

/// A name without its backticks or quotes.
fn bare(written: &str) -> &str {
    let inside = |mark| written.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    inside('`').or_else(|| inside('"')).unwrap_or(written)
}

/// A new name as a statement writes it.
fn as_name(name: &str) -> Result<String, Refusal> {
    match written_name(name) {
        Some(written) => Ok(written.into_owned()),
        None if name.is_empty() => Err(Refusal::new("a name has at least one character")),
        None => Err(Refusal::new(format!("{name:?} cannot be a name: no backticks can hold it"))),
    }
}

/// Refuses a name that would mean something else already.
fn check_free(meant: &Meant, places: &[Place], new: &str) -> Result<(), Refusal> {
    let kind = meant.symbol.kind;
    if matches!(kind, SymbolKind::Dataset | SymbolKind::Train) {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if !new.chars().all(fits) || new.starts_with('.') {
            return Err(Refusal::new(format!(
                "`{new}` becomes a folder's name: use letters, digits, `_`, `-` and `.`"
            )));
        }
    }
    for place in places {
        let other =
            place.analysis.index.symbols.iter().find(|symbol| {
                symbol.name == new && clashes(kind, symbol.kind) && shares(&place.analysis, symbol, place)
            });
        if let Some(other) = other {
            return Err(Refusal::new(format!("there is `{new}` already: `{}`", other.detail)));
        }
    }
    Ok(())
}

/// Whether two things of these kinds stand in one namespace.
fn clashes(one: SymbolKind, other: SymbolKind) -> bool {
    let group = |kind| match kind {
        SymbolKind::Field => 1,
        SymbolKind::LabelValue => 2,
        SymbolKind::Part => 3,
        SymbolKind::Parameter => 4,
        SymbolKind::Builtin | SymbolKind::Function => 5,
        SymbolKind::Source
        | SymbolKind::Label
        | SymbolKind::Clean
        | SymbolKind::Policy
        | SymbolKind::Template
        | SymbolKind::Dataset
        | SymbolKind::Model
        | SymbolKind::Train
        | SymbolKind::Constant => 0,
    };
    let is_declaration = |kind| matches!(group(kind), 0) || kind == SymbolKind::Function;
    group(one) == group(other) || is_declaration(one) && is_declaration(other)
}

/// Whether a thing can be meant where another stands: a declaration in its file, a field, value, part or parameter in its
/// declaration.
fn shares(analysis: &super::analysis::Analysis, symbol: &Symbol, place: &Place) -> bool {
    let (path, start, end) = &place.bytes;
    let near = |span: &Span| {
        if analysis.path(*span) != *path {
            return false;
        }
        match symbol.kind {
            SymbolKind::Field | SymbolKind::LabelValue | SymbolKind::Part | SymbolKind::Parameter => {
                let text = &analysis.files.file(span.file).text;
                let declaration = |at: u32| {
                    let shape = shape(text);
                    let around = shape.statements.iter().filter(|it| it.block == crate::syntax::Block::File);
                    let mut bytes = around.map(|statement| shape.bytes(*statement));
                    bytes.find(|(start, end)| *start <= at as usize && at as usize <= *end)
                };
                place.defines && declaration(span.start) == declaration(*start)
            }
            SymbolKind::Source
            | SymbolKind::Label
            | SymbolKind::Clean
            | SymbolKind::Policy
            | SymbolKind::Template
            | SymbolKind::Dataset
            | SymbolKind::Model
            | SymbolKind::Train
            | SymbolKind::Constant
            | SymbolKind::Function
            | SymbolKind::Builtin => (span.start, span.end) != (*start, *end),
        }
    };
    symbol.kind == SymbolKind::Builtin || symbol.declared.iter().any(near)
}

/// The new name as it is written at a place: in quotes where the old one is, bare inside a template's text, else in
/// backticks where it needs them.
fn spelt(place: &Place, new: &str, name: &str) -> Result<String, Refusal> {
    if place.written.starts_with('"') {
        return Ok(written_text(new));
    }
    if !is_plain_name(new) && in_template(place) {
        return Err(Refusal::new(format!("a template prints this field, and Jinja cannot read the name `{new}`")));
    }
    Ok(name.to_owned())
}

/// Whether a place lies inside the text of a template.
fn in_template(place: &Place) -> bool {
    let (path, start, _) = &place.bytes;
    let Some(file) = place.analysis.file(path) else { return false };
    let shape = shape(&place.analysis.files.file(file).text);
    shape.tokens.iter().any(|token| {
        token.kind == crate::syntax::Kind::Text && token.start < *start as usize && (*start as usize) < token.end
    })
}

/// `@column("old")` behind the field of a source that is renamed and reads a column of its own name: its data stays as it
/// is.
fn column(workspace: &Workspace, symbol: &Symbol, place: &Place, old: &str) -> Option<(Location, String)> {
    if symbol.kind != SymbolKind::Field || !place.defines {
        return None;
    }
    let (path, start, end) = &place.bytes;
    let analysis = &place.analysis;
    let file = analysis.file(path)?;
    let field = analysis
        .program
        .sources
        .iter()
        .flat_map(|source| &source.fields)
        .find(|field| field.span.file == file && field.span.start <= *start && *end <= field.span.end)?;
    if analysis.files.text(field.span).contains("@column") {
        return None;
    }
    let behind = Span { start: field.span.end, ..field.span };
    Some((workspace.location(analysis, behind)?, format!(" @column({})", written_text(old))))
}
