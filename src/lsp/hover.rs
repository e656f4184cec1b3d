//! Hovers: what a name means, what its value is at this very place, what people said about it.

use std::path::Path;
use std::rc::Rc;

use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind, Range};

use super::analysis::Analysis;
use super::requests::Refusal;
use super::samples::samples;
use super::workspace::Workspace;
use crate::plan::{functions, packs};
use crate::semantic::vocabulary::{self, Row};
use crate::semantic::{Symbol, SymbolKind};
use crate::source::FileId;
use crate::syntax::shape::{Shape, Statement, shape};
use crate::syntax::{Block, Kind, Token};

/// What is known about the name at a place.
pub fn hover(workspace: &mut Workspace, params: HoverParams) -> Result<Option<Hover>, Refusal> {
    let Some(spot) = workspace.spot(&params.text_document_position_params) else { return Ok(None) };
    let views = workspace.views(&spot.path);
    let root = workspace.data_root.clone();
    let of_name = views.iter().find_map(|(analysis, file)| {
        let reference = analysis.reference(*file, spot.offset)?;
        let span = (reference.span.start as usize, reference.span.end as usize);
        Some((span, name(&views, analysis, reference.symbol, spot.offset, root.as_deref())))
    });
    let Some(document) = workspace.documents.get(&spot.path) else { return Ok(None) };
    let found = of_name.or_else(|| {
        let shape = shape(&document.text);
        let token = shape.token_at(spot.offset)?;
        Some(((token.start, token.end), word(&document.text, &shape, token)?))
    });
    let Some(((start, end), markdown)) = found else { return Ok(None) };
    let range = workspace.places(document).range(start, end);
    Ok(Some(shown(workspace, range, markdown)))
}

fn shown(workspace: &Workspace, range: Range, markdown: String) -> Hover {
    let (kind, value) = match workspace.client.markdown {
        true => (MarkupKind::Markdown, markdown),
        false => (MarkupKind::PlainText, markdown.replace("```annot\n", "").replace("```", "").replace('`', "")),
    };
    Hover { contents: HoverContents::Markup(MarkupContent { kind, value }), range: Some(range) }
}

/// Whether a value that is shown so may hold personal data.
pub fn is_personal(shown: &str) -> bool {
    shown.contains("@personal")
}

/// The page of a name.
fn name(
    views: &[(Rc<Analysis>, FileId)],
    analysis: &Analysis,
    symbol: usize,
    offset: usize,
    data_root: Option<&Path>,
) -> String {
    let symbol = &analysis.index.symbols[symbol];
    let mut parts = vec![format!("```annot\n{}\n```", head(views, symbol, offset))];
    parts.extend(symbol.doc.clone());
    match symbol.kind {
        SymbolKind::Field => {
            parts.extend(taint(views, symbol, offset));
            let values = samples(analysis, &symbol.declared, data_root);
            if !values.is_empty() {
                let values: Vec<String> = values.iter().map(|value| format!("`{}`", value.replace('`', "'"))).collect();
                parts.push(format!("In the data, for example: {}", values.join(", ")));
            }
        }
        SymbolKind::Builtin => {
            if let Some(function) = functions::lookup(&symbol.name) {
                parts.pop();
                parts.push(function.docs.to_owned());
                let examples = function.examples.iter().take(3);
                let examples = examples.map(|example| format!("`{}` is `{}`", function.call(example), example.output));
                parts.push(examples.collect::<Vec<String>>().join("  \n"));
            } else if let Some(pack) = packs::lookup(&symbol.name) {
                parts.push(pack.docs.to_owned());
                parts.push(format!("```annot\n{}```", pack.written_out("text")));
            }
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
        | SymbolKind::Parameter
        | SymbolKind::LabelValue
        | SymbolKind::Part => {}
    }
    parts.join("\n\n")
}

/// A name in one line: with its type as it is at the place, where it has one.
fn head(views: &[(Rc<Analysis>, FileId)], symbol: &Symbol, offset: usize) -> String {
    let name = &symbol.name;
    match symbol.kind {
        SymbolKind::Field => match types_here(views, offset).as_slice() {
            [] => format!("{name}: {}", symbol.detail),
            shown => format!("{name}: {}", shown.join(" | ")),
        },
        SymbolKind::LabelValue => match symbol.detail.as_str() {
            "" => format!("{name}  // a value of a label"),
            title => format!("{name} {title:?}"),
        },
        SymbolKind::Part => format!("{name}  // {}", symbol.detail),
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
        | SymbolKind::Parameter
        | SymbolKind::Builtin => symbol.detail.clone(),
    }
}

/// The types that the value at a place has: several where several data sets use the block around it.
fn types_here(views: &[(Rc<Analysis>, FileId)], offset: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (analysis, file) in views {
        let Some(at) = analysis.reference(*file, offset).map(|reference| reference.span) else { continue };
        let here = analysis.index.references.iter().filter(|reference| reference.span == at);
        for shown in here.filter_map(|reference| reference.shown.as_ref()) {
            if !found.contains(shown) {
                found.push(shown.clone());
            }
        }
    }
    found
}

/// What has become of the personal data of a field at a place.
fn taint(views: &[(Rc<Analysis>, FileId)], symbol: &Symbol, offset: usize) -> Option<String> {
    let here = types_here(views, offset);
    let tainted = here.iter().filter(|shown| is_personal(shown)).count();
    let text = if tainted == here.len() && tainted > 0 {
        "It may hold personal data here: no policy has redacted it before this place."
    } else if tainted > 0 {
        "It may hold personal data here in one data set, and has been redacted in another."
    } else if here.is_empty() && is_personal(&symbol.detail) {
        "It may hold personal data until a policy has redacted it, or says why it may stay."
    } else if is_personal(&symbol.detail) {
        "It is declared `@personal`; before this place it has been redacted, or a policy says why it may stay."
    } else {
        return None;
    };
    Some(text.to_owned())
}

/// The page of a word of the language, by the statement that it stands in.
fn word(text: &str, shape: &Shape, token: Token) -> Option<String> {
    if token.kind != Kind::Word {
        return None;
    }
    let word = token.text(text);
    let statement = shape.statement_at(token.start)?;
    let head = shape.tokens[statement.head];
    if head.start == token.start {
        let row = statement.block.words().find(|row| row.word == word)?;
        return Some(format!("```annot\n{}\n```", row.example));
    }
    let rows = rows(statement, head.text(text), text, shape, token);
    let row = rows.into_iter().find(|row| row.word == word && !row.docs.is_empty())?;
    Some(format!("`{}`\n\n{}", row.word, row.docs))
}

/// The list that a word of a statement is taken from.
fn rows(statement: Statement, head: &str, text: &str, shape: &Shape, token: Token) -> Vec<Row> {
    let before = shape.tokens[statement.head..statement.end].iter().rev().find(|it| it.end <= token.start);
    let follows = |sign: &str| before.is_some_and(|before| before.text(text) == sign);
    match (statement.block, head) {
        (Block::File, "label") => vocabulary::label_schemas(),
        (Block::File, "template") => vocabulary::template_kinds(),
        (Block::Fields, _) if follows("@") => vocabulary::attributes(),
        (Block::Fields, _) => vocabulary::personal_kinds(),
        (Block::Source, "format") => vocabulary::source_formats(),
        (Block::Policy, "redact") => vocabulary::detectors(),
        (Block::Dataset, "write") => vocabulary::written_formats(),
        (Block::Train, "task") => vocabulary::tasks(),
        (Block::Train, "validate") => vocabulary::metrics(),
        (Block::Evaluate, _) => [vocabulary::metrics(), vocabulary::gates()].concat(),
        _ => Vec::new(),
    }
}
