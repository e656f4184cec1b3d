//! Semantic tokens: colours by what a name means, not by how it looks.

use lsp_types::{
    SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokens, SemanticTokensLegend,
    SemanticTokensParams, SemanticTokensRangeParams, SemanticTokensRangeResult, SemanticTokensResult,
    TextDocumentIdentifier,
};

use super::analysis::Analysis;
use super::requests::Refusal;
use super::workspace::Workspace;
use crate::semantic::{Reference, SymbolKind};
use crate::source::FileId;
use crate::syntax::shape::{Shape, shape};
use crate::syntax::{Block, HARD_WORDS, Kind, Token};

/// A row of the legend: the protocol's word, and when it is used.
const TYPES: [SemanticTokenType; 15] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::COMMENT,
    SemanticTokenType::STRING,
    SemanticTokenType::NUMBER,
    SemanticTokenType::REGEXP,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::DECORATOR,
    SemanticTokenType::CLASS,
    SemanticTokenType::ENUM,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::TYPE,
];

/// The last one is annotc's own: a value that may hold personal data.
const MODIFIERS: [SemanticTokenModifier; 5] = [
    SemanticTokenModifier::DECLARATION,
    SemanticTokenModifier::READONLY,
    SemanticTokenModifier::DOCUMENTATION,
    SemanticTokenModifier::DEFAULT_LIBRARY,
    SemanticTokenModifier::new("personal"),
];

/// The words that join the parts of a statement and never name anything.
const JOINING: [&str; 24] = [
    "from",
    "as",
    "on",
    "by",
    "at",
    "near",
    "check",
    "per",
    "over",
    "exactly",
    "stratify",
    "seed",
    "warmup",
    "decay",
    "floor",
    "accumulate",
    "because",
    "key",
    "keep",
    "every",
    "after",
    "without",
    "gain",
    "for",
];

/// The legend that numbers are read by.
pub fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers: MODIFIERS.to_vec() }
}

/// The tokens of a whole text.
pub fn full(workspace: &mut Workspace, params: SemanticTokensParams) -> Result<Option<SemanticTokensResult>, Refusal> {
    let data = tokens(workspace, &params.text_document, None);
    Ok(data.map(|data| SemanticTokensResult::Tokens(SemanticTokens { result_id: None, data })))
}

/// The tokens of a part of a text.
pub fn range(
    workspace: &mut Workspace,
    params: SemanticTokensRangeParams,
) -> Result<Option<SemanticTokensRangeResult>, Refusal> {
    let data = tokens(workspace, &params.text_document, Some(params.range));
    Ok(data.map(|data| SemanticTokensRangeResult::Tokens(SemanticTokens { result_id: None, data })))
}

fn tokens(
    workspace: &mut Workspace,
    text: &TextDocumentIdentifier,
    part: Option<lsp_types::Range>,
) -> Option<Vec<SemanticToken>> {
    let document = workspace.document(text)?.clone();
    let analysis = workspace.analysis(&document.path)?;
    let shape = shape(&document.text);
    let places = workspace.places(&document);
    let (start, end) = part.map_or((0, document.text.len()), |part| places.bytes(part));
    let painter = Painter { text: &document.text, shape: &shape, pieces: Vec::new() };
    let pieces = painter.paint(&analysis, analysis.entry);
    let mut found = Vec::new();
    let (mut line, mut column) = (0, 0);
    for piece in pieces.into_iter().filter(|piece| start < piece.end && piece.start < end) {
        // A token lies in one line.
        for (from, to) in lines(&document.text, piece.start, piece.end) {
            let at = places.position(from);
            let delta_line = at.line - line;
            let delta_start = if delta_line == 0 { at.character - column } else { at.character };
            (line, column) = (at.line, at.character);
            found.push(SemanticToken {
                delta_line,
                delta_start,
                length: places.length(from, to),
                token_type: piece.what,
                token_modifiers_bitset: piece.modifiers,
            });
        }
    }
    Some(found)
}

/// The pieces of a span that lie in one line each, without the lines' ends.
fn lines(text: &str, start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut from = start;
    let mut found = Vec::new();
    for line in text[start..end].split_inclusive(['\n', '\r']) {
        let length = line.trim_end_matches(['\n', '\r']).len();
        if length > 0 {
            found.push((from, from + length));
        }
        from += line.len();
    }
    found
}

/// Some characters with their colour.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
    what: u32,
    modifiers: u32,
}

struct Painter<'t> {
    text: &'t str,
    shape: &'t Shape,
    pieces: Vec<Piece>,
}

impl Painter<'_> {
    fn paint(mut self, analysis: &Analysis, file: FileId) -> Vec<Piece> {
        let mut names: Vec<&Reference> =
            analysis.index.references.iter().filter(|name| name.span.file == file && !name.span.is_empty()).collect();
        names.sort_by_key(|name| (name.span.start, name.span.end));
        // Where one name is read as two things, the first one decides.
        let mut last = 0;
        names.retain(|name| {
            let is_free = name.span.start >= last;
            if is_free {
                last = name.span.end;
            }
            is_free
        });
        for (start, end) in &self.shape.comments {
            self.push(*start, *end, &SemanticTokenType::COMMENT, 0);
        }
        let heads: Vec<usize> =
            self.shape.statements.iter().filter(|it| begins_with_word(it.block)).map(|it| it.head).collect();
        let mut next = 0;
        for (at, token) in self.shape.tokens.iter().enumerate() {
            let first = next;
            while names.get(next).is_some_and(|name| (name.span.start as usize) < token.end) {
                next += 1;
            }
            let inside = &names[first..next];
            self.token(analysis, at, *token, inside, heads.binary_search(&at).is_ok());
        }
        self.pieces.sort_by_key(|piece| (piece.start, piece.end));
        self.pieces
    }

    fn push(&mut self, start: usize, end: usize, what: &SemanticTokenType, modifiers: u32) {
        let what = TYPES.iter().position(|kind| kind == what).expect("each type that is used stands in the legend");
        if start < end {
            self.pieces.push(Piece { start, end, what: what as u32, modifiers });
        }
    }

    /// Paints a token: the names in it as what they mean, the rest by its kind.
    fn token(&mut self, analysis: &Analysis, at: usize, token: Token, names: &[&Reference], is_head: bool) {
        let rest = self.kind(at, token, is_head);
        let mut from = token.start;
        for name in names {
            let (start, end) = (name.span.start as usize, (name.span.end as usize).min(token.end));
            if start < from {
                continue;
            }
            if let Some((what, modifiers)) = &rest {
                self.push(from, start, what, *modifiers);
            }
            let (what, modifiers) = meaning(analysis, name);
            self.push(start, end, &what, modifiers);
            from = end;
        }
        if let Some((what, modifiers)) = &rest {
            self.push(from, token.end, what, *modifiers);
        }
    }

    /// The colour of a token that means nothing more than it says; none for a name that is not known, and for layout.
    fn kind(&self, at: usize, token: Token, is_head: bool) -> Option<(SemanticTokenType, u32)> {
        let word = token.text(self.text);
        let what = match token.kind {
            Kind::Word if is_head || HARD_WORDS.contains(&word) => SemanticTokenType::KEYWORD,
            Kind::Word if self.follows_sign(at, "@") => SemanticTokenType::DECORATOR,
            Kind::Word if JOINING.contains(&word) => SemanticTokenType::KEYWORD,
            Kind::Number => SemanticTokenType::NUMBER,
            Kind::Text => SemanticTokenType::STRING,
            Kind::Regex => SemanticTokenType::REGEXP,
            Kind::Doc => return Some((SemanticTokenType::COMMENT, bit(&SemanticTokenModifier::DOCUMENTATION))),
            Kind::Symbol if word == "@" => SemanticTokenType::DECORATOR,
            Kind::Symbol if !matches!(word, ":" | ".") => SemanticTokenType::OPERATOR,
            Kind::Word
            | Kind::Quoted
            | Kind::Symbol
            | Kind::Newline
            | Kind::Open(_)
            | Kind::Close(_)
            | Kind::Comma
            | Kind::Semicolon => return None,
        };
        Some((what, 0))
    }

    fn follows_sign(&self, at: usize, sign: &str) -> bool {
        at.checked_sub(1).is_some_and(|before| self.shape.tokens[before].text(self.text) == sign)
    }
}

/// Whether the statements of a block begin with a word of the language.
fn begins_with_word(block: Block) -> bool {
    !block.is_open()
}

fn meaning(analysis: &Analysis, name: &Reference) -> (SemanticTokenType, u32) {
    let mut modifiers = 0;
    if name.defines {
        modifiers |= bit(&SemanticTokenModifier::DECLARATION);
    }
    let symbol = analysis.symbol(name);
    let shown = name.shown.as_deref().or(Some(symbol.detail.as_str()).filter(|_| name.defines));
    if symbol.kind == SymbolKind::Field && shown.is_some_and(super::hover::is_personal) {
        modifiers |= bit(&SemanticTokenModifier::new("personal"));
    }
    let what = match symbol.kind {
        SymbolKind::Source
        | SymbolKind::Clean
        | SymbolKind::Policy
        | SymbolKind::Template
        | SymbolKind::Dataset
        | SymbolKind::Model
        | SymbolKind::Train => SemanticTokenType::CLASS,
        SymbolKind::Label => SemanticTokenType::ENUM,
        SymbolKind::LabelValue | SymbolKind::Part => SemanticTokenType::ENUM_MEMBER,
        SymbolKind::Constant => {
            modifiers |= bit(&SemanticTokenModifier::READONLY);
            SemanticTokenType::VARIABLE
        }
        SymbolKind::Function => SemanticTokenType::FUNCTION,
        SymbolKind::Parameter => SemanticTokenType::PARAMETER,
        SymbolKind::Field => SemanticTokenType::PROPERTY,
        SymbolKind::Builtin => {
            modifiers |= bit(&SemanticTokenModifier::DEFAULT_LIBRARY);
            SemanticTokenType::FUNCTION
        }
    };
    (what, modifiers)
}

fn bit(modifier: &SemanticTokenModifier) -> u32 {
    let at = MODIFIERS.iter().position(|it| it == modifier).expect("each modifier that is used stands in the legend");
    1 << at
}
