//! What is offered: from what a place needs and what there is to the protocol's items.

use std::borrow::Cow;

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, InsertTextFormat, MarkupContent, MarkupKind,
    Range, TextEdit,
};

use super::jinja::{Jinja, JinjaKind, TAGS};
use super::known::Known;
use super::snippet::snippet;
use super::want::Want;
use crate::hir::LabelValue;
use crate::plan::functions;
use crate::prompt;
use crate::semantic::SymbolKind;
use crate::semantic::vocabulary::Row;
use crate::syntax::{Block, is_plain_name, written_name, written_text};

/// The items for one place.
pub struct Offer {
    /// The items so far, the likely ones first.
    pub items: Vec<CompletionItem>,
    range: Range,
    snippets: bool,
    /// Whether the word at hand stands in quotes, which a completion replaces.
    in_text: bool,
}

impl Offer {
    /// Items that replace a range.
    pub fn new(range: Range, snippets: bool, in_text: bool) -> Self {
        Self { items: Vec::new(), range, snippets, in_text }
    }

    /// Adds an item, unless one of its name stands there.
    fn add(&mut self, label: &str, text: &str, kind: CompletionItemKind, detail: &str, docs: &str) {
        if self.items.iter().any(|item| item.label == label && item.kind == Some(kind)) {
            return;
        }
        let text = if self.in_text && !text.starts_with('"') { written_text(label) } else { text.to_owned() };
        let markup = MarkupContent { kind: MarkupKind::Markdown, value: docs.to_owned() };
        self.items.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            detail: Some(detail.to_owned()).filter(|detail| !detail.is_empty()),
            documentation: Some(Documentation::MarkupContent(markup)).filter(|_| !docs.is_empty()),
            // Editors order by this text, and what comes first here is what the place asks for most.
            sort_text: Some(format!("{:04}", self.items.len())),
            filter_text: Some(text.clone()).filter(|text| text != label),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: self.range, new_text: text })),
            ..CompletionItem::default()
        });
    }

    /// Adds what a place needs.
    pub fn want(&mut self, known: &Known<'_>, want: &Want) {
        match want {
            Want::Statement(block) => self.statements(*block),
            Want::Declared(kinds) => self.declared(known, kinds),
            Want::Field => self.fields(known),
            Want::FieldOf(name) => self.members(known, name),
            Want::Value => self.expression(known),
            Want::Function => self.functions(known, true),
            Want::ValueOf(name) => self.values(&known.values(name), name),
            Want::LearntBy(run) => {
                if let Some(label) = known.label_of_run(run) {
                    self.values(&known.values(&label), &label);
                }
            }
            Want::PartOf(dataset) => {
                for part in known.parts(dataset) {
                    self.add(&part, &spelt(&part), CompletionItemKind::ENUM_MEMBER, "part", "");
                }
            }
            Want::ExportOf(path) => {
                for named in known.exports(path) {
                    self.add(&named.name, &spelt(&named.name), kind_of(named.kind), &named.detail, "");
                }
            }
            Want::Rows(rows) => rows.iter().for_each(|row| self.row(row)),
            Want::Words(words) => {
                for word in *words {
                    self.add(word, word, CompletionItemKind::KEYWORD, "", "");
                }
            }
        }
    }

    fn row(&mut self, row: &Row) {
        let text = if row.quoted { written_text(row.word) } else { row.word.to_owned() };
        self.add(row.word, &text, CompletionItemKind::ENUM_MEMBER, "", &row.docs);
    }

    /// The words that begin a statement of a block, with their examples to fill in.
    fn statements(&mut self, block: Block) {
        for word in block.words() {
            let docs = format!("```annot\n{}\n```", word.example);
            self.add(word.word, word.word, CompletionItemKind::KEYWORD, "", &docs);
            if let Some(item) = self.items.last_mut().filter(|item| self.snippets && item.label == word.word) {
                item.kind = Some(CompletionItemKind::SNIPPET);
                item.insert_text_format = Some(InsertTextFormat::SNIPPET);
                item.detail = Some(word.example.to_owned());
                item.text_edit =
                    Some(CompletionTextEdit::Edit(TextEdit { range: self.range, new_text: snippet(word) }));
            }
        }
    }

    fn declared(&mut self, known: &Known<'_>, kinds: &[SymbolKind]) {
        for named in known.declarations().iter().filter(|named| kinds.contains(&named.kind)) {
            let docs = named.doc.as_deref().unwrap_or_default();
            self.add(&named.name, &spelt(&named.name), kind_of(named.kind), &named.detail, docs);
        }
    }

    fn fields(&mut self, known: &Known<'_>) {
        for field in known.fields() {
            let personal = if field.personal { " @personal" } else { "" };
            let symbol = known.analysis.index.symbols.iter().find(|symbol| {
                !field.declared.is_empty() && symbol.declared.iter().any(|place| field.declared.contains(place))
            });
            let docs = symbol.and_then(|symbol| symbol.doc.as_deref()).unwrap_or_default();
            let detail = format!("{}{personal}", field.ty);
            self.add(&field.name, &spelt(&field.name), CompletionItemKind::FIELD, &detail, docs);
        }
    }

    /// The members of a label's value, or the fields of a source.
    fn members(&mut self, known: &Known<'_>, name: &str) {
        let program = &known.analysis.program;
        if let Some(source) = program.sources.iter().find(|source| source.name == name) {
            for field in &source.fields {
                let docs = field.doc.as_deref().unwrap_or_default();
                self.add(&field.name, &spelt(&field.name), CompletionItemKind::FIELD, "", docs);
            }
        } else if program.labels.iter().any(|label| label.name == name) {
            for (member, docs) in [
                ("name", "what the data says"),
                ("title", "what people read"),
                ("guideline", "what people label by: the `///` lines before the value"),
            ] {
                self.add(member, member, CompletionItemKind::PROPERTY, "string", docs);
            }
        }
    }

    /// What has a value: the record's fields, parameters, constants, functions.
    fn expression(&mut self, known: &Known<'_>) {
        for (parameter, ty) in known.parameters() {
            self.add(&parameter, &spelt(&parameter), CompletionItemKind::VARIABLE, &ty, "");
        }
        if !matches!(known.place.declaration(), None | Some(("let" | "fn", _))) {
            self.fields(known);
        }
        self.declared(known, &[SymbolKind::Constant]);
        self.functions(known, false);
        for word in ["not", "true", "false", "null"] {
            self.add(word, word, CompletionItemKind::KEYWORD, "", "");
        }
    }

    /// The functions; after `|>` the argument stands before.
    fn functions(&mut self, known: &Known<'_>, piped: bool) {
        for function in functions::all() {
            let examples: String = function
                .examples
                .iter()
                .take(3)
                .map(|example| format!("\n\n`{}` is `{}`", function.call(example), example.output))
                .collect();
            let docs = format!("{}.\n\n{}{examples}", capitalized(function.summary), function.docs);
            let takes_more = function.constants().iter().any(|constant| constant.default.is_none());
            self.call(function.name, &function.signature(), &docs, piped, takes_more);
        }
        for named in known.declarations().iter().filter(|named| named.kind == SymbolKind::Function) {
            let takes_more = named.detail.contains(',');
            self.call(&named.name, &named.detail, named.doc.as_deref().unwrap_or_default(), piped, takes_more);
        }
    }

    fn call(&mut self, name: &str, detail: &str, docs: &str, piped: bool, takes_more: bool) {
        let written = spelt(name);
        self.add(name, &written, CompletionItemKind::FUNCTION, detail, docs);
        if (!piped || takes_more)
            && self.snippets
            && let Some(item) = self.items.last_mut().filter(|item| item.label == name)
        {
            item.insert_text_format = Some(InsertTextFormat::SNIPPET);
            let new_text = format!("{}($1)", written.replace('$', "\\$"));
            item.text_edit = Some(CompletionTextEdit::Edit(TextEdit { range: self.range, new_text }));
        }
    }

    fn values(&mut self, values: &[LabelValue], label: &str) {
        for value in values {
            let title = if value.title == value.name { String::new() } else { format!("“{}”", value.title) };
            let detail = if title.is_empty() { format!("value of {label}") } else { title };
            let docs = value.guideline.as_deref().unwrap_or_default();
            self.add(&value.name, &spelt(&value.name), CompletionItemKind::ENUM_MEMBER, &detail, docs);
        }
    }

    /// Adds what may stand in the text of a template.
    pub fn jinja(&mut self, known: &Known<'_>, jinja: &Jinja) {
        match &jinja.kind {
            JinjaKind::Variable => {
                for field in known.fields() {
                    // A name that Jinja cannot read cannot be printed.
                    if is_plain_name(&field.name) {
                        let personal = if field.personal { " @personal" } else { "" };
                        let detail = format!("{}{personal}", field.ty);
                        self.add(&field.name, &field.name, CompletionItemKind::VARIABLE, &detail, "");
                    }
                }
            }
            JinjaKind::Filter => {
                for filter in prompt::FILTERS {
                    self.add(filter, filter, CompletionItemKind::FUNCTION, "filter", "");
                }
            }
            JinjaKind::Member(name) => self.members(known, name),
            JinjaKind::Tag => {
                for tag in TAGS {
                    self.add(tag, tag, CompletionItemKind::KEYWORD, "", "");
                }
            }
        }
    }
}

/// The protocol's kind of a declaration.
fn kind_of(kind: SymbolKind) -> CompletionItemKind {
    match kind {
        SymbolKind::Source
        | SymbolKind::Clean
        | SymbolKind::Policy
        | SymbolKind::Template
        | SymbolKind::Dataset
        | SymbolKind::Model
        | SymbolKind::Train => CompletionItemKind::CLASS,
        SymbolKind::Label => CompletionItemKind::ENUM,
        SymbolKind::Constant => CompletionItemKind::CONSTANT,
        SymbolKind::Function | SymbolKind::Builtin => CompletionItemKind::FUNCTION,
        SymbolKind::Parameter => CompletionItemKind::VARIABLE,
        SymbolKind::Field => CompletionItemKind::FIELD,
        SymbolKind::LabelValue | SymbolKind::Part => CompletionItemKind::ENUM_MEMBER,
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A name as it stands in a statement; a value that is no name at all is a text.
fn spelt(name: &str) -> String {
    written_name(name).map_or_else(|| written_text(name), Cow::into_owned)
}
