//! The one namespace of declarations: who declares what, who refers to it, what is never used.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Decl, Ident};

/// The kinds of declaration that a name can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Source,
    Label,
    Clean,
    Policy,
    Template,
    Dataset,
    Model,
    Train,
    Constant,
    Function,
    /// A name that `use` brings; what it means is in another file.
    Imported,
}

impl Kind {
    /// The word of the language for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Label => "label",
            Self::Clean => "clean",
            Self::Policy => "policy",
            Self::Template => "template",
            Self::Dataset => "dataset",
            Self::Model => "model",
            Self::Train => "train",
            Self::Constant => "let",
            Self::Function => "fn",
            Self::Imported => "use",
        }
    }

    /// It with its article.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Source => "a source",
            Self::Label => "a label",
            Self::Clean => "a `clean` block",
            Self::Policy => "a policy",
            Self::Template => "a template",
            Self::Dataset => "a data set",
            Self::Model => "a model",
            Self::Train => "a training run",
            Self::Constant => "a constant",
            Self::Function => "a function",
            Self::Imported => "an imported name",
        }
    }

    /// The plural that a list of them has.
    fn plural(self) -> &'static str {
        match self {
            Self::Source => "sources",
            Self::Label => "labels",
            Self::Clean => "`clean` blocks",
            Self::Policy => "policies",
            Self::Template => "templates",
            Self::Dataset => "data sets",
            Self::Model => "models",
            Self::Train => "training runs",
            Self::Constant => "constants",
            Self::Function => "functions",
            Self::Imported => "imported names",
        }
    }
}

/// A declared name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) decl: &'a Decl,
}

/// All declared names.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    by_name: BTreeMap<&'a str, Declared<'a>>,
    used: BTreeSet<&'a str>,
    /// Declarations that were lost, or that lack a statement, because their text could not be read.
    damaged: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    /// The declaration of a name, without counting as a use.
    pub(super) fn get(&self, name: &str) -> Option<Declared<'a>> {
        self.by_name.get(name).copied()
    }

    /// The names of one kind, in byte order.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &'a str> {
        self.by_name.iter().filter(move |(_, declared)| declared.kind == kind).map(|(name, _)| *name)
    }

    /// Whether the declaration of this name could not be read as a whole: what follows from that is silent.
    pub(super) fn is_damaged(&self, name: &str) -> bool {
        self.damaged.contains(name)
    }

    /// Counts a use.
    pub(super) fn mark_used(&mut self, name: &str) {
        if let Some((&name, _)) = self.by_name.get_key_value(name) {
            self.used.insert(name);
        }
    }
}

/// The kind and the name that a declaration declares; `evaluate`, `test` and `use` declare none of their own.
fn declares(decl: &Decl) -> Option<(Kind, &Ident)> {
    match decl {
        Decl::Source(source) => Some((Kind::Source, &source.name)),
        Decl::Label(label) => Some((Kind::Label, &label.name)),
        Decl::Clean(clean) => Some((Kind::Clean, &clean.name)),
        Decl::Policy(policy) => Some((Kind::Policy, &policy.name)),
        Decl::Template(template) => Some((Kind::Template, &template.name)),
        Decl::Dataset(dataset) => Some((Kind::Dataset, &dataset.name)),
        Decl::Model(model) => Some((Kind::Model, &model.name)),
        Decl::Train(train) => Some((Kind::Train, &train.name)),
        Decl::Let(constant) => Some((Kind::Constant, &constant.name)),
        Decl::Fn(function) => Some((Kind::Function, &function.name)),
        Decl::Evaluate(_) | Decl::Test(_) | Decl::Use(_) => None,
    }
}

/// Collects the declarations of all files; a second declaration of a name is reported and the first one stands.
pub(super) fn collect<'a>(context: &mut Context<'a>, parsed: &'a [ast::File]) {
    context.names.damaged = parsed.iter().flat_map(|file| &file.damaged).map(|name| name.name.as_str()).collect();
    for decl in parsed.iter().flat_map(|file| &file.decls) {
        if let Some((kind, name)) = declares(decl) {
            declare(context, kind, name, decl);
        }
        if let Decl::Use(import) = decl {
            for (name, renamed) in &import.names {
                declare(context, Kind::Imported, renamed.as_ref().unwrap_or(name), decl);
            }
        }
    }
}

fn declare<'a>(context: &mut Context<'a>, kind: Kind, name: &'a Ident, decl: &'a Decl) {
    if matches!(kind, Kind::Dataset | Kind::Train) {
        check_file_name(context, name, kind.described());
    }
    if let Some(first) = context.names.get(&name.name) {
        context.report(
            Diagnostic::new(
                Code::DuplicateDeclaration,
                format!("`{}` is declared twice", name.name),
                name.span,
                "declared again here",
            )
            .label(first.span, format!("first declared here, as {}", first.kind.described()))
            .help("all declarations share one namespace: give one of them another name"),
        );
        return;
    }
    context.names.by_name.insert(&name.name, Declared { kind, span: name.span, decl });
}

/// What a reference to a declaration of one kind gave.
pub(super) enum Found<'a> {
    /// The declaration.
    Declared(&'a Decl),
    /// Nothing that can be looked at; it was reported, or lies in another file.
    Silent,
}

/// Looks up a name that must be of one kind; reports it when there is none, or when it is of another.
pub(super) fn look_up<'a>(context: &mut Context<'a>, name: &Ident, kind: Kind) -> Found<'a> {
    let Some(declared) = context.names.get(&name.name) else {
        if context.names.is_damaged(&name.name) {
            return Found::Silent;
        }
        let candidates: Vec<&str> = context.names.of_kind(kind).collect();
        let help = suggest(&name.name, candidates, kind.plural());
        context.error(
            Code::UnknownName,
            format!("no `{}` is named `{}`", kind.word(), name.name),
            name.span,
            format!("no `{}` of this name", kind.word()),
            help,
        );
        return Found::Silent;
    };
    context.names.mark_used(&name.name);
    if declared.kind == Kind::Imported {
        return Found::Silent;
    }
    if declared.kind != kind {
        let candidates: Vec<&str> = context.names.of_kind(kind).collect();
        let help = suggest(&name.name, candidates, kind.plural());
        context.report(
            Diagnostic::new(
                Code::WrongKind,
                format!("`{}` is {}, and {} is needed here", name.name, declared.kind.described(), kind.described()),
                name.span,
                format!("must name {}", kind.described()),
            )
            .label(declared.span, format!("declared here as {}", declared.kind.described()))
            .help(help),
        );
        return Found::Silent;
    }
    Found::Declared(declared.decl)
}

/// Warns of blocks, labels, constants … that nothing refers to. Data sets, runs and models are results of their own.
pub(super) fn check_unused(context: &mut Context<'_>) {
    if !context.names.damaged.is_empty() || crate::diagnostics::has_errors(&context.diagnostics) {
        // What could not be read may have used them, and a misspelt name was meant for one of them.
        return;
    }
    let unused: Vec<(String, Declared<'_>)> = context
        .names
        .by_name
        .iter()
        .filter(|(name, declared)| !context.names.used.contains(*name) && must_be_used(declared.kind))
        .map(|(name, declared)| ((*name).to_owned(), *declared))
        .collect();
    for (name, declared) in unused {
        context.error(
            Code::UnusedDeclaration,
            format!("`{}` `{name}` is never used", declared.kind.word()),
            declared.span,
            "nothing refers to it",
            "use it, or take it out",
        );
    }
}

fn must_be_used(kind: Kind) -> bool {
    match kind {
        Kind::Source
        | Kind::Label
        | Kind::Clean
        | Kind::Policy
        | Kind::Template
        | Kind::Model
        | Kind::Constant
        | Kind::Function
        | Kind::Imported => true,
        Kind::Dataset | Kind::Train => false,
    }
}

/// Reports a name that becomes a file's or a folder's and is not fit for it.
pub(super) fn check_file_name(context: &mut Context<'_>, name: &Ident, what: &str) {
    let fit = name.name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'))
        && !name.name.starts_with('.')
        && !name.name.is_empty();
    if !fit {
        context.error(
            Code::BadFileName,
            format!("{what} becomes a file or a folder, and `{}` cannot be its name", name.name),
            name.span,
            "no file's name",
            "use letters, digits, `_`, `-` and `.`",
        );
    }
}
