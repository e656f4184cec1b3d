//! Completion: what may stand at the cursor.
//!
//! What is needed there is told by the words before the cursor ([`want`]), or, inside a template, by the Jinja before it
//! ([`jinja`]). What there is comes from an analysis of the text with a name put in at the cursor, so that the statement
//! at hand, which is seldom whole, has a place in the program.

mod expression;
mod gathering;
mod items;
mod jinja;
mod known;
mod place;
mod snippet;
mod want;

#[cfg(test)]
mod tests;

use lsp_types::{CompletionItem, CompletionParams, CompletionResponse};

use super::analysis::Analysis;
use super::requests::Refusal;
use super::workspace::Workspace;
use crate::syntax::shape::shape;
use crate::syntax::{Block, Kind};
use items::Offer;
use known::Known;
use place::Place;

/// The name that stands at the cursor while the text is looked at. Nobody else writes it.
const HERE: &str = "annotc_completes_here";

/// What may stand at the cursor.
pub fn complete(workspace: &mut Workspace, params: CompletionParams) -> Result<Option<CompletionResponse>, Refusal> {
    let Some(spot) = workspace.spot(&params.text_document_position) else { return Ok(None) };
    let Some(document) = workspace.documents.get(&spot.path).cloned() else { return Ok(None) };
    let shape = shape(&document.text);
    let Some(place) = Place::new(&document.text, &shape, spot.offset) else { return Ok(None) };
    let jinja = jinja_at(&document.text, &place, spot.offset);
    let is_empty = jinja.as_ref().map_or(place.word.is_none(), |jinja| jinja.replaced.0 == spot.offset);
    let analysis = if is_empty {
        let (before, after) = document.text.split_at(spot.offset);
        Analysis::new(&spot.path, &format!("{before}{HERE}{after}"), &workspace.documents)
    } else {
        Analysis::new(&spot.path, &document.text, &workspace.documents)
    };
    let others = workspace.views_of_others(&spot.path);
    let known = Known { analysis: &analysis, others: &others, shape: &shape, text: &document.text, place: &place };
    let replaced = jinja.as_ref().map_or(place.replaced, |jinja| jinja.replaced);
    let range = workspace.places(&document).range(replaced.0, replaced.1);
    let mut offer = Offer::new(range, workspace.client.snippets, place.in_text() && jinja.is_none());
    match &jinja {
        Some(jinja) => offer.jinja(&known, jinja),
        None if place.in_text() && !takes_texts(&place) => {}
        None => want::wanted(&place).iter().for_each(|want| offer.want(&known, want)),
    }
    let items: Vec<CompletionItem> = offer.items;
    Ok(Some(CompletionResponse::Array(items)))
}

/// The Jinja before the cursor, when it stands in the text of a template.
fn jinja_at(text: &str, place: &Place<'_>, offset: usize) -> Option<jinja::Jinja> {
    let token = place.word.filter(|token| token.kind == Kind::Text && place.block == Block::Template)?;
    jinja::jinja(text, token.start, offset)
}

/// Whether the text that is being written is one of a list: a licence, a purpose, a value of a label.
fn takes_texts(place: &Place<'_>) -> bool {
    want::wanted(place).iter().any(|want| match want {
        want::Want::Rows(rows) => rows.iter().any(|row| row.quoted),
        want::Want::ValueOf(_) | want::Want::LearntBy(_) => true,
        want::Want::Statement(_)
        | want::Want::Declared(_)
        | want::Want::Field
        | want::Want::FieldOf(_)
        | want::Want::Value
        | want::Want::Function
        | want::Want::PartOf(_)
        | want::Want::ExportOf(_)
        | want::Want::Words(_) => false,
    })
}
