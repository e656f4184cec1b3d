//! What names mean and where they stand: written down while a program is resolved, for editors.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Declared, Kind, declares};
use super::scope::{Record, ScopeColumn};
use super::types::show;
use super::uses::Parsed;
use super::{Context, taint};
use crate::hir::{FieldType, LabelId, Type};
use crate::plan::functions::Function;
use crate::plan::packs::Pack;
use crate::source::Span;
use crate::syntax::ast::{Decl, Ident};

/// What names mean and where they stand.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Everything that has a name.
    pub symbols: Vec<Symbol>,
    /// Where names stand, by place.
    pub references: Vec<Reference>,
    /// What can be named at a place, by place.
    pub scopes: Vec<Scope>,
}

/// A thing that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// What it is.
    pub kind: SymbolKind,
    /// Its name.
    pub name: String,
    /// Where its name is declared: a field of two sources has two places; a built-in one, or a value found in data, none.
    pub declared: Vec<Span>,
    /// What its `///` lines say, or the summary of what is built in.
    pub doc: Option<String>,
    /// What it is in one line: `source`, `string @personal`, `fn plain(s: string)`.
    pub detail: String,
}

/// The kinds of thing that have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SymbolKind {
    /// A `source`.
    Source,
    /// A `label`.
    Label,
    /// A `clean` block.
    Clean,
    /// A `policy`.
    Policy,
    /// A `template`.
    Template,
    /// A `dataset`.
    Dataset,
    /// A `model`.
    Model,
    /// A `train` run.
    Train,
    /// A `let`.
    Constant,
    /// A `fn`.
    Function,
    /// A parameter of a `fn`.
    Parameter,
    /// A field of a record.
    Field,
    /// A value of a label.
    LabelValue,
    /// A part of a split.
    Part,
    /// A function of the language.
    Builtin,
}

/// One place where a name stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The characters of the name, backticks included.
    pub span: Span,
    /// An index into [`Index::symbols`].
    pub symbol: usize,
    /// Whether the name is declared here.
    pub defines: bool,
    /// The type of the value at this very place, narrowed, and whether it may hold personal data.
    pub shown: Option<String>,
}

/// What an expression at a place can name.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The statement or the block.
    pub span: Span,
    /// The record's fields as they are there.
    pub fields: Vec<Visible>,
}

/// A field that can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    /// Its name.
    pub name: String,
    /// Its type at the place, as the language writes it.
    pub ty: String,
    /// Whether it may hold personal data there.
    pub personal: bool,
    /// The label whose values it has.
    pub label: Option<String>,
    /// Where its name is declared.
    pub declared: Vec<Span>,
}

/// What identifies a symbol while names are still met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The places where its name is declared.
    Declared(Vec<Span>),
    /// A name of the language.
    Builtin(&'static str),
}

/// What was met.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    met: Vec<(Span, Key, Option<String>)>,
    /// What is known of a symbol by one of the places of its declaration.
    known: BTreeMap<Span, Symbol>,
    builtins: BTreeMap<&'static str, Symbol>,
    scopes: Vec<Scope>,
}

impl SymbolKind {
    fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Source => Some(Self::Source),
            Kind::Label => Some(Self::Label),
            Kind::Clean => Some(Self::Clean),
            Kind::Policy => Some(Self::Policy),
            Kind::Template => Some(Self::Template),
            Kind::Dataset => Some(Self::Dataset),
            Kind::Model => Some(Self::Model),
            Kind::Train => Some(Self::Train),
            Kind::Constant => Some(Self::Constant),
            Kind::Function => Some(Self::Function),
            Kind::Imported => None,
        }
    }
}

/// Writes down a declared symbol and the place of its name.
pub(super) fn define(
    context: &mut Context<'_>,
    name: &Ident,
    kind: SymbolKind,
    doc: Option<&str>,
    detail: impl Into<String>,
) {
    let Some(recorder) = &mut context.recorder else { return };
    let symbol = Symbol {
        kind,
        name: name.name.clone(),
        declared: vec![name.span],
        doc: doc.map(str::to_owned),
        detail: detail.into(),
    };
    recorder.known.entry(name.span).or_insert(symbol);
    recorder.met.push((name.span, Key::Declared(vec![name.span]), None));
}

/// Writes down that a name stands for a declaration.
pub(super) fn refer_to_declaration(context: &mut Context<'_>, name: &Ident, declared: Declared<'_>) {
    refer(context, name.span, vec![declared.symbol()], None);
}

/// Writes down that the name at a place is the one that is declared at these places.
pub(super) fn refer(context: &mut Context<'_>, at: Span, declared: Vec<Span>, shown: Option<String>) {
    if let Some(recorder) = &mut context.recorder
        && !declared.is_empty()
    {
        recorder.met.push((at, Key::Declared(declared), shown));
    }
}

/// Writes down that a name stands for a column, as it is at this step.
pub(super) fn refer_to_column(context: &mut Context<'_>, at: Span, column: &ScopeColumn) {
    if context.recorder.is_some() {
        let shown = column.current().map(|ty| shown(context, &ty, column));
        refer(context, at, column.names.clone(), shown);
    }
}

/// Writes down a call of a function of the language.
pub(super) fn refer_to_builtin(context: &mut Context<'_>, at: Span, function: &'static Function) {
    let Some(recorder) = &mut context.recorder else { return };
    recorder.met.push((at, Key::Builtin(function.name), None));
    recorder.builtins.entry(function.name).or_insert_with(|| Symbol {
        kind: SymbolKind::Builtin,
        name: function.name.to_owned(),
        declared: Vec::new(),
        doc: Some(function.summary.to_owned()),
        detail: function.signature(),
    });
}

/// Writes down that a name is one of the language's packs.
pub(super) fn refer_to_pack(context: &mut Context<'_>, at: Span, pack: &'static Pack) {
    let Some(recorder) = &mut context.recorder else { return };
    recorder.met.push((at, Key::Builtin(pack.name), None));
    recorder.builtins.entry(pack.name).or_insert_with(|| Symbol {
        kind: SymbolKind::Builtin,
        name: pack.name.to_owned(),
        declared: Vec::new(),
        doc: Some(pack.summary.to_owned()),
        detail: format!("pack {}", pack.name),
    });
}

/// Writes down that a name is a value of a label.
pub(super) fn refer_to_value(context: &mut Context<'_>, at: Span, label: LabelId, name: &str) {
    if context.recorder.is_some() {
        let place = super::labels::value_place(context, label, name);
        refer(context, at, place.into_iter().collect(), None);
    }
}

/// Writes down what can be named at a place.
pub(super) fn enter(context: &mut Context<'_>, span: Span, record: &Record) {
    if context.recorder.is_none() {
        return;
    }
    let fields = record
        .columns
        .iter()
        .filter(|column| column.label.is_some() || !record.is_hidden_by_label(column))
        .map(|column| Visible {
            name: column.name.clone(),
            ty: column.current().map(|ty| show(context, &ty)).unwrap_or_default(),
            personal: column.taint.is_some(),
            label: label_of(column.ty.as_ref()).map(|id| context.program[id].name.clone()),
            declared: column.names.clone(),
        })
        .collect();
    if let Some(recorder) = &mut context.recorder {
        recorder.scopes.push(Scope { span, fields });
    }
}

fn label_of(ty: Option<&FieldType>) -> Option<LabelId> {
    match ty.map(|ty| &ty.ty) {
        Some(Type::Label(id)) => Some(*id),
        _ => None,
    }
}

fn shown(context: &Context<'_>, ty: &FieldType, column: &ScopeColumn) -> String {
    let shown = show(context, ty);
    match &column.taint {
        Some(taint) => format!("{shown} {}", taint::attribute(taint)),
        None => shown,
    }
}

/// Writes down every declaration of the files.
pub(super) fn define_declarations(context: &mut Context<'_>, parsed: &Parsed) {
    if context.recorder.is_none() {
        return;
    }
    for (_, tree) in parsed.files() {
        for decl in &tree.decls {
            if let Some((kind, name)) = declares(decl)
                && let Some(kind) = SymbolKind::of(kind)
            {
                define(context, name, kind, doc_of(decl), detail(context, decl));
            }
            if let Decl::Use(import) = decl {
                define_imports(context, import);
            }
        }
    }
}

/// A name that an import gives anew is a symbol of its own; one that it keeps is the other file's.
fn define_imports(context: &mut Context<'_>, import: &crate::syntax::ast::Use) {
    for (name, renamed) in &import.names {
        let Some(declared) = context.names.get(renamed.as_ref().unwrap_or(name)) else { continue };
        refer(context, name.span, vec![declared.place], None);
        if let Some(renamed) = renamed
            && let Some(kind) = SymbolKind::of(declared.kind)
        {
            let detail = format!("{} `{}` of `{}`", declared.kind.word(), name.name, import.path.node);
            define(context, renamed, kind, doc_of(declared.decl), detail);
        }
    }
}

fn doc_of(decl: &Decl) -> Option<&str> {
    let doc = match decl {
        Decl::Source(decl) => &decl.doc,
        Decl::Label(decl) => &decl.doc,
        Decl::Clean(decl) => &decl.doc,
        Decl::Policy(decl) => &decl.doc,
        Decl::Template(decl) => &decl.doc,
        Decl::Dataset(decl) => &decl.doc,
        Decl::Model(decl) => &decl.doc,
        Decl::Train(decl) => &decl.doc,
        Decl::Evaluate(decl) => &decl.doc,
        Decl::Test(decl) => &decl.doc,
        Decl::Let(decl) => &decl.doc,
        Decl::Fn(decl) => &decl.doc,
        Decl::Use(_) => &None,
    };
    doc.as_deref()
}

/// A declaration in one line: its head as it was written.
fn detail(context: &Context<'_>, decl: &Decl) -> String {
    let text = context.files.text(decl.span());
    let line = text.lines().next().unwrap_or_default();
    let head = match decl {
        Decl::Let(_) | Decl::Fn(_) => line,
        _ => line.split('{').next().unwrap_or(line),
    };
    head.trim().to_owned()
}

/// The index of what was met: a symbol for each group of places that some name binds together.
pub(super) fn finish(recorder: Recorder) -> Index {
    let Recorder { met, known, builtins, mut scopes } = recorder;
    let mut groups = Groups::default();
    for (_, key, _) in &met {
        if let Key::Declared(places) = key {
            groups.join(places);
        }
    }
    let mut index = Index::default();
    let mut numbers: BTreeMap<Key, usize> = BTreeMap::new();
    let mut references: BTreeSet<(Span, usize, bool, Option<String>)> = BTreeSet::new();
    for (at, key, shown) in met {
        let (key, places) = match key {
            Key::Declared(places) => {
                let all = groups.all(places[0]);
                (Key::Declared(all.clone()), all)
            }
            builtin @ Key::Builtin(_) => (builtin, Vec::new()),
        };
        let symbol = match &key {
            Key::Builtin(name) => builtins.get(name).cloned(),
            Key::Declared(places) => places.iter().find_map(|place| known.get(place)).cloned(),
        };
        let Some(symbol) = symbol else { continue };
        let number = *numbers.entry(key).or_insert_with(|| {
            index.symbols.push(Symbol { declared: places.clone(), ..symbol });
            index.symbols.len() - 1
        });
        references.insert((at, number, places.contains(&at), shown));
    }
    // A block that two data sets use was looked at twice: one place has one reference for each thing that it says.
    index.references = references
        .into_iter()
        .map(|(span, symbol, defines, shown)| Reference { span, symbol, defines, shown })
        .collect();
    scopes.sort_by_key(|scope| scope.span);
    index.scopes = scopes;
    index
}

/// Places of declarations that belong to one symbol, as a forest of places that point to one another.
#[derive(Default)]
struct Groups {
    parents: BTreeMap<Span, Span>,
    members: BTreeMap<Span, BTreeSet<Span>>,
}

impl Groups {
    fn root(&mut self, place: Span) -> Span {
        let mut root = place;
        while let Some(parent) = self.parents.get(&root).filter(|parent| **parent != root) {
            root = *parent;
        }
        self.parents.insert(place, root);
        self.members.entry(root).or_default().insert(place);
        root
    }

    fn join(&mut self, places: &[Span]) {
        let Some(first) = places.first() else { return };
        let first = self.root(*first);
        for place in &places[1..] {
            let other = self.root(*place);
            if other != first {
                self.parents.insert(other, first);
                let moved = self.members.remove(&other).unwrap_or_default();
                self.members.entry(first).or_default().extend(moved);
            }
        }
    }

    fn all(&mut self, place: Span) -> Vec<Span> {
        let root = self.root(place);
        self.members.get(&root).into_iter().flatten().copied().collect()
    }
}
