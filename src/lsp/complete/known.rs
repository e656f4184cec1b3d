//! What there is to name at a place.

use std::path::Path;
use std::rc::Rc;

use super::place::Place;
use crate::emit::lock::Lock;
use crate::hir::{DeclaredSchema, LabelSchema, LabelValue, LabelValues};
use crate::lsp::analysis::Analysis;
use crate::lsp::uri::normalize;
use crate::semantic::{Scope, Symbol, SymbolKind, Visible};
use crate::source::{FileId, Span};
use crate::syntax::shape::{Shape, shape};
use crate::syntax::{Block, Kind};

/// What is known around a cursor.
pub struct Known<'k> {
    /// What the text with a name at the cursor means.
    pub analysis: &'k Analysis,
    /// What the text means as a part of others.
    pub others: &'k [(Rc<Analysis>, FileId)],
    /// The text's shape.
    pub shape: &'k Shape,
    /// The text.
    pub text: &'k str,
    /// Where the cursor stands.
    pub place: &'k Place<'k>,
}

/// A declaration that can be named.
pub struct Named {
    /// What it is.
    pub kind: SymbolKind,
    /// Its name.
    pub name: String,
    /// It in one line.
    pub detail: String,
    /// What its `///` lines say.
    pub doc: Option<String>,
}

impl Known<'_> {
    /// The fields that can be named at the cursor: of the innermost scope around it; else of the nearest one in the same
    /// declaration, else of all sources.
    pub fn fields(&self) -> Vec<Visible> {
        let at = self.place.replaced.0;
        let around = |span: Span| span.start as usize <= at && at <= span.end as usize;
        let own = (self.analysis, self.analysis.entry);
        let views = std::iter::once(own).chain(self.others.iter().map(|(view, file)| (view.as_ref(), *file)));
        let scopes: Vec<&Scope> = views
            .flat_map(|(view, file)| view.index.scopes.iter().filter(move |scope| scope.span.file == file))
            .collect();
        let smallest = scopes.iter().filter(|scope| around(scope.span)).map(|scope| scope.span.len()).min();
        let inner = scopes.iter().filter(|scope| around(scope.span) && Some(scope.span.len()) == smallest);
        let mut fields = union(inner.map(|scope| scope.fields.as_slice()));
        if fields.is_empty()
            && let Some((start, end)) = self.place.declaration_bytes()
        {
            let inside =
                scopes.iter().filter(|scope| start <= scope.span.start as usize && scope.span.start as usize <= end);
            let before = inside.clone().rfind(|scope| (scope.span.start as usize) < at);
            fields = union(before.or(inside.clone().next()).map(|scope| scope.fields.as_slice()).into_iter());
        }
        if fields.is_empty() {
            fields = self.all_fields();
        }
        fields.retain(|field| field.name != super::HERE);
        fields
    }

    /// The fields of all sources and all labels.
    fn all_fields(&self) -> Vec<Visible> {
        let program = &self.analysis.program;
        let plain = |name: &str, personal: bool, label: Option<&str>| Visible {
            name: name.to_owned(),
            ty: label.unwrap_or_default().to_owned(),
            personal,
            label: label.map(str::to_owned),
            declared: Vec::new(),
        };
        let fields = program.sources.iter().flat_map(|source| &source.fields);
        let fields: Vec<Visible> = fields.map(|field| plain(&field.name, field.personal.is_some(), None)).collect();
        let labels: Vec<Visible> =
            program.labels.iter().map(|label| plain(&label.name, false, Some(&label.name))).collect();
        union([labels.as_slice(), fields.as_slice()].into_iter())
    }

    /// What is declared in the text or taken from another file.
    pub fn declarations(&self) -> Vec<Named> {
        let mut found = declared_in(self.text, self.shape);
        for named in &mut found {
            if let Some(symbol) = self.symbol(named.kind, &named.name) {
                named.doc = symbol.doc.clone();
                named.detail = symbol.detail.clone();
            }
        }
        let index = &self.analysis.index;
        for reference in index.references.iter().filter(|reference| reference.span.file == self.analysis.entry) {
            let symbol = &index.symbols[reference.symbol];
            let is_new = !found.iter().any(|named| named.name == symbol.name);
            if is_new && is_declaration(symbol.kind) {
                let Symbol { kind, name, detail, doc, .. } = symbol.clone();
                found.push(Named { kind, name, detail, doc });
            }
        }
        found.retain(|named| named.name != super::HERE);
        found
    }

    /// The symbol of a kind and a name.
    pub fn symbol(&self, kind: SymbolKind, name: &str) -> Option<&Symbol> {
        self.analysis.index.symbols.iter().find(|symbol| symbol.kind == kind && symbol.name == name)
    }

    /// The values of the label that a name has, as a label or as a field of a label's type.
    pub fn values(&self, name: &str) -> Vec<LabelValue> {
        let of_field = || self.fields().into_iter().find(|field| field.name == name)?.label;
        let program = &self.analysis.program;
        let named = |name: &str| program.labels.iter().find(|label| label.name == name);
        let Some(label) = named(name).or_else(|| named(&of_field()?)) else { return Vec::new() };
        match &label.schema {
            LabelSchema::Choice(values)
            | LabelSchema::Declared(DeclaredSchema::Choices(Some(values)) | DeclaredSchema::Spans(Some(values))) => {
                match values {
                    LabelValues::Listed(values) => values.clone(),
                    LabelValues::Found { .. } => self.found_values(&label.name),
                }
            }
            LabelSchema::Choices(choices) => choices.values.clone(),
            LabelSchema::Spans(spans) => spans.values.clone(),
            LabelSchema::Declared(DeclaredSchema::Tree(values)) => values.clone(),
            LabelSchema::Scalar(_)
            | LabelSchema::Declared(
                DeclaredSchema::Choice
                | DeclaredSchema::Choices(None)
                | DeclaredSchema::Spans(None)
                | DeclaredSchema::Text
                | DeclaredSchema::Rank
                | DeclaredSchema::Preference
                | DeclaredSchema::Json(_),
            ) => Vec::new(),
        }
    }

    /// The values that the last build found in the data, which the lock holds.
    fn found_values(&self, label: &str) -> Vec<LabelValue> {
        let path = self.analysis.files.path(self.analysis.entry);
        let lock = Lock::read(&Lock::path(path)).ok().flatten();
        let names = lock.and_then(|lock| lock.labels.get(label).cloned()).unwrap_or_default();
        let value = |name: String| LabelValue { title: name.clone(), name, guideline: None };
        names.into_iter().map(value).collect()
    }

    /// The label that a run learns.
    pub fn label_of_run(&self, run: &str) -> Option<String> {
        let head = |statement: &crate::syntax::shape::Statement| {
            let word = |at: usize| self.shape.tokens.get(at).map(|token| token.text(self.text).trim_matches('`'));
            (word(statement.head), word(statement.head + 1), word(statement.head + 2))
        };
        let declared = self.shape.statements.iter().position(|statement| {
            statement.block == Block::File && matches!(head(statement), (Some("train"), Some(name), _) if name == run)
        })?;
        let inside = self.shape.statements[declared + 1..].iter().take_while(|it| it.block != Block::File);
        inside.map(head).find_map(|words| match words {
            (Some("task"), Some(_), Some(label)) => Some(label.to_owned()),
            _ => None,
        })
    }

    /// The parts of a data set.
    pub fn parts(&self, dataset: &str) -> Vec<String> {
        let found = self.analysis.program.datasets.iter().find(|found| found.name == dataset);
        found.map(|found| found.split.parts.clone()).unwrap_or_default()
    }

    /// What another file declares, when the `use` at hand leads to it.
    pub fn exports(&self, path: &str) -> Vec<Named> {
        let folder = self.analysis.files.path(self.analysis.entry).parent().unwrap_or(Path::new(""));
        let Some(file) = self.analysis.file(&normalize(&folder.join(path))) else { return Vec::new() };
        let text = &self.analysis.files.file(file).text;
        declared_in(text, &shape(text))
    }

    /// The parameters of the `fn` that the cursor stands in, with their types.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let at = self.place.replaced.0;
        let own =
            self.shape.statements.iter().rfind(|it| it.block == Block::File && self.shape.tokens[it.head].start < at);
        let Some(own) = own else { return Vec::new() };
        let tokens = &self.shape.tokens[own.head..own.end];
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text(self.text));
        if text(0) != "fn" {
            return Vec::new();
        }
        let close = tokens.iter().position(|token| token.kind == Kind::Close(b')')).unwrap_or(0);
        let names = (3..close).filter(|at| text(at + 1) == ":" && matches!(text(at - 1), "(" | ","));
        names.map(|at| (text(at).trim_matches('`').to_owned(), text(at + 2).to_owned())).collect()
    }
}

/// The declarations of a text, also where it has mistakes.
fn declared_in(text: &str, shape: &Shape) -> Vec<Named> {
    let statements = shape.statements.iter().filter(|statement| statement.block == Block::File);
    let declared = statements.filter_map(|statement| {
        let kind = kind_of(shape.tokens[statement.head].text(text))?;
        let name = shape.tokens[statement.head + 1..statement.end].first()?;
        let (start, end) = (shape.tokens[statement.head].start, shape.bytes(*statement).1);
        let detail = text[start..end].lines().next().unwrap_or_default().split('{').next().unwrap_or_default().trim();
        let name = name.text(text).trim_matches('`').to_owned();
        Some(Named { kind, name, detail: detail.to_owned(), doc: None })
    });
    declared.collect()
}

fn kind_of(word: &str) -> Option<SymbolKind> {
    match word {
        "source" => Some(SymbolKind::Source),
        "label" => Some(SymbolKind::Label),
        "clean" => Some(SymbolKind::Clean),
        "policy" => Some(SymbolKind::Policy),
        "template" => Some(SymbolKind::Template),
        "dataset" => Some(SymbolKind::Dataset),
        "model" => Some(SymbolKind::Model),
        "train" => Some(SymbolKind::Train),
        "let" => Some(SymbolKind::Constant),
        "fn" => Some(SymbolKind::Function),
        _ => None,
    }
}

fn is_declaration(kind: SymbolKind) -> bool {
    match kind {
        SymbolKind::Source
        | SymbolKind::Label
        | SymbolKind::Clean
        | SymbolKind::Policy
        | SymbolKind::Template
        | SymbolKind::Dataset
        | SymbolKind::Model
        | SymbolKind::Train
        | SymbolKind::Constant
        | SymbolKind::Function => true,
        SymbolKind::Parameter | SymbolKind::Field | SymbolKind::LabelValue | SymbolKind::Part | SymbolKind::Builtin => {
            false
        }
    }
}

/// The fields of several records, each name once.
fn union<'v>(records: impl Iterator<Item = &'v [Visible]>) -> Vec<Visible> {
    let mut all: Vec<Visible> = Vec::new();
    for field in records.flatten() {
        match all.iter_mut().find(|known| known.name == field.name) {
            Some(known) => known.personal |= field.personal,
            None => all.push(field.clone()),
        }
    }
    all
}
