//! The shape of a text as editors draw it: the outline, what can be folded, what a selection grows to.

use lsp_types::{
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, FoldingRange, FoldingRangeKind, FoldingRangeParams,
    Location, SelectionRange, SelectionRangeParams, SymbolInformation, SymbolKind,
};

use super::document::Document;
use super::position::Places;
use super::requests::Refusal;
use super::workspace::Workspace;
use crate::syntax::shape::{Shape, Statement, shape};
use crate::syntax::{Block, Kind};

/// The declarations of a text with what stands in them, also of a text with mistakes.
pub fn symbols(
    workspace: &mut Workspace,
    params: DocumentSymbolParams,
) -> Result<Option<DocumentSymbolResponse>, Refusal> {
    let Some(document) = workspace.document(&params.text_document) else { return Ok(None) };
    let shape = shape(&document.text);
    let outline = Outline { text: &document.text, shape: &shape, places: workspace.places(document) };
    let tree = outline.children(0, shape.statements.len());
    if workspace.client.tree {
        return Ok(Some(DocumentSymbolResponse::Nested(tree)));
    }
    let mut flat = Vec::new();
    flatten(document, &tree, None, &mut flat);
    Ok(Some(DocumentSymbolResponse::Flat(flat)))
}

struct Outline<'t> {
    text: &'t str,
    shape: &'t Shape,
    places: Places<'t>,
}

impl Outline<'_> {
    fn word(&self, token: usize) -> &str {
        self.shape.tokens[token].text(self.text)
    }

    /// The symbols of the statements from one index up to another that do not lie in each other.
    fn children(&self, mut from: usize, to: usize) -> Vec<DocumentSymbol> {
        let mut found = Vec::new();
        while from < to {
            let statement = self.shape.statements[from];
            let inside = self.shape.statements[from + 1..to].iter().take_while(|inner| inner.first < statement.end);
            let next = from + 1 + inside.count();
            found.extend(self.symbol(statement, from + 1, next));
            from = next;
        }
        found
    }

    #[expect(deprecated, reason = "a field of `DocumentSymbol` is deprecated and must be given")]
    fn symbol(&self, statement: Statement, inner: usize, end: usize) -> Option<DocumentSymbol> {
        let (name, detail, kind, token) = self.describe(statement)?;
        let (start, stop) = self.shape.bytes(statement);
        let selected = self.shape.tokens[token];
        Some(DocumentSymbol {
            name,
            detail,
            kind,
            tags: None,
            deprecated: None,
            range: self.places.range(start, stop),
            selection_range: self.places.range(selected.start, selected.end),
            children: Some(self.children(inner, end)).filter(|children| !children.is_empty()),
        })
    }

    /// The name, the detail and the kind of a statement, and the token that its name is.
    fn describe(&self, statement: Statement) -> Option<(String, Option<String>, SymbolKind, usize)> {
        let head = statement.head;
        let word = self.word(head);
        let name_at = |at: usize| {
            let token = self.shape.tokens.get(at).filter(|_| at < statement.end)?;
            matches!(token.kind, Kind::Word | Kind::Quoted).then(|| (self.word(at).trim_matches('`').to_owned(), at))
        };
        let kind = match statement.block {
            Block::File => match word {
                "annot" | "use" => return None,
                "label" => SymbolKind::ENUM,
                "let" => SymbolKind::CONSTANT,
                "fn" => SymbolKind::FUNCTION,
                "test" => SymbolKind::EVENT,
                _ => SymbolKind::CLASS,
            },
            Block::Fields => SymbolKind::FIELD,
            Block::Values => SymbolKind::ENUM_MEMBER,
            Block::Source
            | Block::Constraints
            | Block::Clean
            | Block::Policy
            | Block::Template
            | Block::Dataset
            | Block::LabelSources
            | Block::Model
            | Block::Train
            | Block::Evaluate
            | Block::Test => SymbolKind::PROPERTY,
            Block::Arms | Block::Settings => return None,
        };
        match statement.block {
            Block::File => {
                let (name, at) = name_at(head + 1).unwrap_or_else(|| (word.to_owned(), head));
                Some((name, Some(word.to_owned()), kind, at))
            }
            Block::Fields | Block::Values => {
                let name = word.trim_matches(['`', '"']).to_owned();
                let detail = self.rest(head + 1, statement.end).trim_start_matches(':').trim().to_owned();
                let detail = Some(detail).filter(|_| statement.block == Block::Fields);
                Some((name, detail, kind, head)).filter(|(name, ..)| !name.is_empty())
            }
            _ => {
                let detail = Some(self.rest(head + 1, statement.end)).filter(|rest| !rest.is_empty());
                Some((word.to_owned(), detail, kind, head))
            }
        }
    }

    /// The first line of what stands from one token up to another, cut where a block begins.
    fn rest(&self, from: usize, to: usize) -> String {
        let tokens = &self.shape.tokens[from.min(to)..to];
        let stop = tokens.iter().position(|token| matches!(token.kind, Kind::Open(b'{') | Kind::Newline));
        let tokens = &tokens[..stop.unwrap_or(tokens.len())];
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return String::new() };
        let text = self.text[first.start..last.end].lines().next().unwrap_or_default();
        match text.char_indices().nth(60) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text.to_owned(),
        }
    }
}

#[expect(deprecated, reason = "a field of `SymbolInformation` is deprecated and must be given")]
fn flatten(document: &Document, tree: &[DocumentSymbol], inside: Option<&str>, flat: &mut Vec<SymbolInformation>) {
    for symbol in tree {
        flat.push(SymbolInformation {
            name: symbol.name.clone(),
            kind: symbol.kind,
            tags: None,
            deprecated: None,
            location: Location { uri: document.uri.clone(), range: symbol.range },
            container_name: inside.map(str::to_owned),
        });
        flatten(document, symbol.children.as_deref().unwrap_or_default(), Some(&symbol.name), flat);
    }
}

/// Brackets, texts and comments over several lines.
pub fn folds(workspace: &mut Workspace, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>, Refusal> {
    let Some(document) = workspace.document(&params.text_document) else { return Ok(None) };
    let (text, shape) = (&document.text, shape(&document.text));
    let places = workspace.places(document);
    let line = |offset: usize| places.position(offset).line;
    let mut found = Vec::new();
    let mut fold = |first: u32, last: u32, kind: Option<FoldingRangeKind>| {
        if first < last {
            let range = FoldingRange { start_line: first, end_line: last, kind, ..FoldingRange::default() };
            found.push(range);
        }
    };
    for (open, close) in &shape.brackets {
        // The line of the closing bracket stays in sight.
        let (first, last) = (line(shape.tokens[*open].start), line(shape.tokens[*close].start));
        fold(first, last.saturating_sub(1), None);
    }
    for token in shape.tokens.iter().filter(|token| token.kind == Kind::Text) {
        fold(line(token.start), line(token.end), None);
    }
    let docs = shape.tokens.iter().filter(|token| token.kind == Kind::Doc).map(|token| (token.start, token.end));
    let mut comments: Vec<(usize, usize)> = docs.chain(shape.comments.iter().copied()).collect();
    comments.sort_unstable();
    let alone = |at: usize| text[..at].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
    let lines: Vec<u32> = comments.iter().filter(|(start, _)| alone(*start)).map(|(start, _)| line(*start)).collect();
    for run in lines.chunk_by(|before, after| before + 1 == *after) {
        fold(run[0], run[run.len() - 1], Some(FoldingRangeKind::Comment));
    }
    found.sort_by_key(|range| (range.start_line, std::cmp::Reverse(range.end_line)));
    Ok(Some(found))
}

/// What a selection grows to: the word, the brackets around it, the statements around it, the file.
pub fn selections(
    workspace: &mut Workspace,
    params: SelectionRangeParams,
) -> Result<Option<Vec<SelectionRange>>, Refusal> {
    let Some(document) = workspace.document(&params.text_document) else { return Ok(None) };
    let shape = shape(&document.text);
    let places = workspace.places(document);
    let grow = |offset: usize| {
        let mut spans = vec![(0, document.text.len())];
        let statements = shape.statements.iter().map(|statement| shape.bytes(*statement));
        let tokens = &shape.tokens;
        let brackets = shape.brackets.iter().flat_map(|(open, close)| {
            [(tokens[*open].start, tokens[*close].end), (tokens[*open].end, tokens[*close].start)]
        });
        let word = shape.token_at(offset).map(|token| (token.start, token.end));
        spans.extend(statements.chain(brackets).chain(word).filter(|(start, end)| *start <= offset && offset <= *end));
        spans.sort_by_key(|(start, end)| (std::cmp::Reverse(end - start), *start));
        spans.dedup();
        let mut inside: Option<SelectionRange> = None;
        let mut around = (0, document.text.len());
        for (start, end) in spans {
            // Two spans that only touch at the place are not around each other: the first one counts.
            if around.0 <= start && end <= around.1 {
                around = (start, end);
                inside = Some(SelectionRange { range: places.range(start, end), parent: inside.map(Box::new) });
            }
        }
        inside.expect("the whole text lies around every place")
    };
    Ok(Some(params.positions.into_iter().map(|position| grow(places.offset(position))).collect()))
}
